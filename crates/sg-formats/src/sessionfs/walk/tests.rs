//! Archives that mean harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// A header as it is on disk, with a checksum that is right, and its content.
fn entry(name: &[u8], kind: u8, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(size);
    header.set_mode(0o644);
    header.as_mut_bytes()[156] = kind;
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(name.as_bytes(), b'0', content.len() as u64, content)
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let len = (rest + 1..).find(|len| len.to_string().len() + rest == *len).unwrap();
        body.push_str(&format!("{len} {key}={value}\n"));
    }
    entry(b"PaxHeader", kind, body.len() as u64, body.as_bytes())
}

/// Names that are handed over, or why none is.
fn names(tar: &[u8]) -> Result<Vec<String>, String> {
    packed_names(&gzip(&[tar, &[0; 1024]].concat()), &Limits::default())
}

fn packed_names(packed: &[u8], limits: &Limits) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let walked = walk(packed, packed.len() as u64, limits, |name, _| {
        names.push(name.to_owned());
        Ok(())
    });
    match walked {
        Ok(()) => Ok(names),
        Err(FormatError::Broken { reason, .. } | FormatError::TooLarge { reason, .. }) => Err(reason),
        Err(other) => Err(other.to_string()),
    }
}

fn refusal(tar: &[u8]) -> String {
    names(tar).expect_err("refused")
}

#[test]
fn no_name_leaves_the_archive_however_it_is_written() {
    for (tar, want) in [
        (file("../x", b""), "path traversal in tar member: ../x"),
        (file("a/../../x", b""), "path traversal in tar member: a/../../x"),
        (file("a\\..\\x", b""), "path traversal in tar member: a\\..\\x"),
        (file("..", b""), "path traversal in tar member: .."),
        (file("/etc/passwd", b""), "absolute path in tar member: /etc/passwd"),
        (file("C:\\x", b""), "absolute path in tar member: C:\\x"),
        ([entry(b"././@LongLink", b'L', 5, b"../x\0"), file("x", b"")].concat(), "path traversal in tar member: ../x"),
        ([pax(b'x', &[("path", "../x")]), file("x", b"")].concat(), "path traversal in tar member: ../x"),
        ([pax(b'x', &[("path", "/x")]), file("x", b"")].concat(), "absolute path in tar member: /x"),
        ([pax(b'g', &[("path", "../x")]), file("x", b"")].concat(), "invalid tar.gz archive: one name for all members"),
    ] {
        assert_eq!(refusal(&tar), want);
    }
    assert_eq!(names(&file("a..b.txt", b"")), Ok(vec!["a..b.txt".to_owned()]));
}

#[test]
fn only_files_and_folders_are_let_in() {
    for (kind, want) in [
        (b'1', "symlink in tar archive: x"),
        (b'2', "symlink in tar archive: x"),
        (b'3', "not a regular file in tar archive: x"),
        (b'4', "not a regular file in tar archive: x"),
        (b'6', "not a regular file in tar archive: x"),
        (b'S', "not a regular file in tar archive: x"),
        (b'V', "not a regular file in tar archive: x"),
        (b'D', "not a regular file in tar archive: x"),
        (b'?', "not a regular file in tar archive: x"),
    ] {
        assert_eq!(refusal(&entry(b"x", kind, 0, b"")), want, "{}", char::from(kind));
    }
    let sparse = [pax(b'x', &[("GNU.sparse.name", "../x")]), file("x", b"")].concat();
    assert_eq!(refusal(&sparse), "not a regular file in tar archive: a sparse one");
    let folder = [entry(b"x.sfs/", b'5', 0, b""), entry(b"old/", 0, 0, b""), file("x.sfs/a", b"1")].concat();
    assert_eq!(names(&folder), Ok(vec!["x.sfs/a".to_owned()]));
}

#[test]
fn what_two_readers_would_read_in_two_ways_is_refused() {
    // A reader that skips no content of folders finds a member in it.
    let hidden = file("../hidden", b"");
    for (name, kind) in [(&b"x/"[..], b'5'), (b"x/", 0)] {
        let tar = entry(name, kind, hidden.len() as u64, &hidden);
        assert_eq!(refusal(&tar), "folder with content in tar archive: x/");
    }
    let sized = |size: &str| [pax(b'x', &[("size", size)]), file("x", b"12345")].concat();
    assert!(names(&sized("5")).is_ok());
    for size in ["0", "512", "-1", "many", "99999999999999999999"] {
        assert_eq!(refusal(&sized(size)), "invalid tar.gz archive: headers that contradict each other", "{size}");
    }
    let named = [entry(b"L", b'L', 2, b"a\0"), pax(b'x', &[("path", "b")]), file("x", b"")].concat();
    assert_eq!(refusal(&named), "invalid tar.gz archive: headers that contradict each other");
    // Clients read all of what is packed, not only its first part.
    let tar = [file("a", b"1"), file("../b", b"2"), vec![0; 1024]].concat();
    let parts = [gzip(&tar[..1024]), gzip(&tar[1024..])].concat();
    assert_eq!(packed_names(&parts, &Limits::default()), Err("path traversal in tar member: ../b".to_owned()));
}

#[test]
fn names_are_bounded() {
    let long = "d/".repeat(6_000) + "x";
    let gnu = |name: &str| [entry(b"L", b'L', name.len() as u64, name.as_bytes()), file("x", b"")].concat();
    assert_eq!(names(&gnu(&long)).map(|names| names[0].len()), Ok(long.len()));
    let too_long = "invalid tar.gz archive: names that are too long";
    assert_eq!(refusal(&gnu(&long.repeat(2))), too_long);
    assert_eq!(refusal(&entry(b"L", b'L', 10 << 30, b"")), too_long);
    assert_eq!(refusal(&entry(b"x", b'x', 10 << 30, b"")), too_long);
    let many = [vec![pax(b'x', &[("mtime", "1.5")]); 5].concat(), file("x", b"")].concat();
    assert_eq!(refusal(&many), too_long);
    assert_eq!(refusal(&gnu("x")[..1024]), "invalid tar.gz archive: a name without a member");
    let shown = refusal(&gnu(&format!("../{}", "x".repeat(9_000))));
    assert!(shown.len() < 300 && shown.ends_with('…'), "{shown}");
}

#[test]
fn a_claimed_size_is_only_a_claim() {
    let limit = Limits::default();
    assert_eq!(refusal(&entry(b"m", b'0', 101 << 20, b"")), "member too large: m (101MB, limit 100MB)");
    assert_eq!(refusal(&entry(b"m", b'0', 10 << 30, b"")), "member too large: m (10240MB, limit 100MB)");
    // So much is allowed, but it is not there.
    assert!(refusal(&entry(b"m", b'0', 1 << 20, b"abc")).starts_with("invalid tar.gz archive: "));
    let advised = Limits { advised_member_bytes: 10, ..limit };
    let walked = walk(&gzip(&file("m", &[1; 11]))[..], 100, &advised, |_, _| Ok(()));
    assert_eq!(walked, Err(FormatError::MemberTooLarge { name: "m".to_owned(), size: 11, limit: 10 }));
}

/// A gzip stream of many MiB of zeros, without having made them: the same stream over and over is one.
fn zeros(mib: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 16 << 20]).unwrap();
    encoder.finish().unwrap().repeat(mib / 16)
}

/// How much of a reader was read.
struct Meter<'a> {
    bytes: &'a [u8],
    read: &'a mut usize,
}

impl Read for Meter<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        *self.read += read;
        Ok(read)
    }
}

#[test]
fn a_bomb_is_left_when_it_is_known_for_one() {
    // Ten gigabytes: as the content of files of an allowed size, and behind the end mark.
    let content = zeros(80);
    let head = |n: usize| gzip(&entry(format!("f{n}").as_bytes(), b'0', 80 << 20, b""));
    let files: Vec<u8> = (0..128).flat_map(|n| [head(n), content.clone()].concat()).collect();
    for (packed, want) in [
        (files, "session archive unpacks to more than 300MB"),
        (zeros(1 << 10), "session archive unpacks to more than 200 times its size"),
    ] {
        let mut read = 0;
        let meter = Meter { bytes: &packed, read: &mut read };
        let walked = walk(meter, packed.len() as u64, &Limits::default(), |_, _| Ok(()));
        assert_eq!(walked, Err(FormatError::TooLarge { format: "sessionfs", reason: want.to_owned() }));
        assert!(read < packed.len() / 2, "{read} of {}", packed.len());
    }
}

#[test]
fn a_million_members_are_left_after_ten_thousand() {
    let some = gzip(&file("f", b"").repeat(2_000));
    let packed = some.repeat(500);
    let want = "session archive has more than 10000 files".to_owned();
    assert_eq!(packed_names(&packed, &Limits::default()), Err(want.clone()));
    let folders = gzip(&entry(b"d/", b'5', 0, b"").repeat(2_000)).repeat(500);
    assert_eq!(packed_names(&folders, &Limits::default()), Err(want));
}

#[test]
fn damaged_archives_are_told_from_whole_ones() {
    assert_eq!(names(b""), Ok(Vec::new()), "an empty one is whole");
    for bytes in [&b""[..], b"\x1f", b"plain text", b"PK\x03\x04", &file("x", b"")] {
        let said = packed_names(bytes, &Limits::default());
        assert_eq!(said, Err("invalid tar.gz archive: not a gzip file".to_owned()));
    }
    let whole = gzip(&[file("manifest.json", &[b'x'; 3_000]), vec![0; 1024]].concat());
    for cut in 2..whole.len() {
        assert!(packed_names(&whole[..cut], &Limits::default()).is_err(), "{cut}");
    }
    for at in 10..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        // Some bits between blocks mean nothing.
        let read = packed_names(&flipped, &Limits::default());
        assert!(read.is_err() || read == Ok(vec!["manifest.json".to_owned()]), "{at}");
    }
    // Whole as gzip, cut as tar.
    let tar = file("manifest.json", &[b'x'; 3_000]);
    for cut in [1, 511, 513, 1_000, 3_500] {
        assert!(packed_names(&gzip(&tar[..cut]), &Limits::default()).is_err(), "{cut}");
    }
    assert!(packed_names(&[whole, b"more".to_vec()].concat(), &Limits::default()).is_err());
}
