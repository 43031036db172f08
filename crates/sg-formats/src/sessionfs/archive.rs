//! Unpacking an archive in one pass, within limits: an archive comes from anybody.

use std::io::Read;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::FormatError;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of any kind.
    pub max_members: usize,
    /// Uncompressed bytes of one file.
    pub max_member_bytes: u64,
    /// The same that its client is told: it refuses to unpack more.
    pub advised_member_bytes: u64,
    /// Uncompressed bytes of the whole tar, headers included.
    pub max_total_bytes: u64,
    /// How many times larger than the archive its content may be, once it is larger than `ratio_free_bytes`.
    pub max_ratio: u64,
    /// Content up to this many bytes may have any ratio: a small session of repetitive text compresses well.
    pub ratio_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_members: 10_000,
            max_member_bytes: 100 << 20,
            advised_member_bytes: u64::MAX,
            max_total_bytes: 300 << 20,
            max_ratio: 200,
            ratio_free_bytes: 16 << 20,
        }
    }
}

/// A regular file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive, checked: relative, without `..`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Member {
    /// The last part of its path: members are known by it, whatever folder they lie in.
    pub fn base_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// The regular files of a gzip'd tar, in order. Links, devices and paths that leave the archive are refused.
pub fn unpack(bytes: &[u8], limits: &Limits) -> Result<Vec<Member>, FormatError> {
    unpack_from(bytes, bytes.len() as u64, limits)
}

/// The same of what is read from somewhere, in one pass; `packed` is how many bytes that is.
pub fn unpack_from(mut from: impl Read, packed: u64, limits: &Limits) -> Result<Vec<Member>, FormatError> {
    let mut magic = Vec::new();
    from.by_ref().take(2).read_to_end(&mut magic).map_err(|error| broken(&error))?;
    if magic != super::GZIP {
        return Err(refused("invalid tar.gz archive: not a gzip file".to_owned()));
    }
    let from = magic.as_slice().chain(from);
    let by_ratio = packed.saturating_mul(limits.max_ratio).max(limits.ratio_free_bytes);
    let allowed = limits.max_total_bytes.min(by_ratio);
    // One byte past the limit is read, so that an archive of just its size is not refused.
    let mut tar = tar::Archive::new(MultiGzDecoder::new(from).take(allowed.saturating_add(1)));
    let mut members = Vec::new();
    let mut total = 0_u64;
    let entries = tar.entries().map_err(|error| broken(&error))?;
    for (count, entry) in entries.enumerate() {
        if count >= limits.max_members {
            return Err(too_large(format!("more than {} members", limits.max_members)));
        }
        let mut entry = entry.map_err(|error| damaged(&error, total, allowed, limits))?;
        let name = checked_name(&entry.path_bytes())?;
        let size = entry.size();
        match entry.header().entry_type() {
            kind if kind.is_dir() => continue,
            kind if kind.is_file() || kind == tar::EntryType::Continuous => {}
            kind if kind.is_symlink() || kind.is_hard_link() => {
                return Err(refused(format!("symlink in tar archive: {name}")));
            }
            // Extension headers for the whole archive are no members.
            tar::EntryType::XGlobalHeader => continue,
            _ => return Err(refused(format!("not a regular file in tar archive: {name}"))),
        }
        if size > limits.max_member_bytes {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            let (size, limit) = (mib(size), mib(limits.max_member_bytes));
            return Err(refused(format!("member too large: {name} ({size}MB, limit {limit}MB)")));
        }
        if size > limits.advised_member_bytes {
            return Err(FormatError::MemberTooLarge { name, size, limit: limits.advised_member_bytes });
        }
        total = total.saturating_add(size);
        if total > allowed {
            return Err(over(total, allowed, limits));
        }
        // The header's size is a claim: nothing is allocated for it before it is there.
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| damaged(&error, total, allowed, limits))?;
        members.push(Member { name, bytes: content });
    }
    let mut rest = tar.into_inner();
    // A bomb may stand after the end mark; and a damaged end must not pass for a whole archive.
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| broken(&error))?;
    if rest.limit() == 0 {
        return Err(over(total, allowed, limits));
    }
    Ok(members)
}

/// Packs files as [`unpack`] gives them. The same files give the same bytes: no times, no owners.
pub fn pack(members: &[Member]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(member.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, &member.name, member.bytes.as_slice())?;
    }
    tar.into_inner()?.finish()
}

fn checked_name(name: &[u8]) -> Result<String, FormatError> {
    let name = String::from_utf8_lossy(name).into_owned();
    if name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':') {
        return Err(refused(format!("absolute path in tar member: {name}")));
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err(refused(format!("path traversal in tar member: {name}")));
    }
    if name.contains('\0') {
        return Err(refused("NUL byte in tar member".to_owned()));
    }
    Ok(name)
}

/// Reading stops short at the limit, which the tar reader sees as a damaged archive.
fn damaged(error: &std::io::Error, total: u64, allowed: u64, limits: &Limits) -> FormatError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof if total.saturating_add(1024) > allowed => over(total, allowed, limits),
        _ => broken(error),
    }
}

fn over(total: u64, allowed: u64, limits: &Limits) -> FormatError {
    match allowed == limits.max_total_bytes {
        true => too_large(format!("unpacks to more than {allowed} bytes")),
        false => too_large(format!("unpacks to {} times its size, or {total} bytes", limits.max_ratio)),
    }
}

fn broken(error: &std::io::Error) -> FormatError {
    FormatError::Broken { format: "sessionfs", reason: format!("invalid tar.gz archive: {error}") }
}

fn refused(reason: String) -> FormatError {
    FormatError::Broken { format: "sessionfs", reason }
}

fn too_large(reason: String) -> FormatError {
    FormatError::TooLarge { format: "sessionfs", reason }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn entry(name: &str, kind: tar::EntryType, bytes: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_cksum();
        let mut out = header.as_bytes().to_vec();
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    fn gzip(tar: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.write_all(&[0; 1024]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn only_regular_files_below_the_root_are_taken() {
        let file = entry("x.sfs/manifest.json", tar::EntryType::Regular, b"{}");
        let members = unpack(
            &gzip(&[entry("x.sfs/", tar::EntryType::Directory, b""), file.clone()].concat()),
            &Limits::default(),
        );
        assert_eq!(members.unwrap(), [Member { name: "x.sfs/manifest.json".into(), bytes: b"{}".to_vec() }]);
        for (name, kind) in [
            ("../x", tar::EntryType::Regular),
            ("/etc/passwd", tar::EntryType::Regular),
            ("a/../../b", tar::EntryType::Regular),
            ("C:\\x", tar::EntryType::Regular),
            ("link", tar::EntryType::Symlink),
            ("hard", tar::EntryType::Link),
            ("fifo", tar::EntryType::Fifo),
            ("dev", tar::EntryType::Char),
        ] {
            let archive = gzip(&[entry(name, kind, b""), file.clone()].concat());
            assert!(matches!(unpack(&archive, &Limits::default()), Err(FormatError::Broken { .. })), "{name}");
        }
        // Only a whole part of a path is a step up.
        assert!(unpack(&gzip(&entry("a..b.txt", tar::EntryType::Regular, b"")), &Limits::default()).is_ok());
    }

    #[test]
    fn packing_gives_back_what_was_unpacked() {
        let long = format!("{}/messages.jsonl", "deep".repeat(40));
        let files = [("manifest.json", b"{}".to_vec()), (long.as_str(), vec![b'x'; 2_000])];
        let members = files.map(|(name, bytes)| Member { name: name.to_owned(), bytes });
        let packed = pack(&members).unwrap();
        assert_eq!(unpack(&packed, &Limits::default()).unwrap(), members);
        assert_eq!(pack(&members).unwrap(), packed);
    }

    #[test]
    fn limits_hold() {
        let limits = Limits {
            max_members: 3,
            max_member_bytes: 5_000,
            advised_member_bytes: 4_950,
            max_total_bytes: 12_000,
            max_ratio: 20,
            ratio_free_bytes: 6_000,
        };
        let files = |n: usize, size: usize| {
            let noise: Vec<u8> = (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            gzip(&(0..n).flat_map(|at| entry(&format!("f{at}"), tar::EntryType::Regular, &noise)).collect::<Vec<_>>())
        };
        assert!(unpack(&files(3, 1_000), &limits).is_ok());
        let reason = |archive: &[u8]| match unpack(archive, &limits) {
            Err(FormatError::TooLarge { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(&files(4, 10)), "more than 3 members");
        assert!(matches!(unpack(&files(1, 5_001), &limits), Err(FormatError::Broken { .. })));
        assert_eq!(
            unpack(&files(1, 4_951), &limits),
            Err(FormatError::MemberTooLarge { name: "f0".to_owned(), size: 4_951, limit: 4_950 })
        );
        assert!(reason(&files(3, 4_900)).contains("unpacks to"));
        // Nothing but zeros after the end mark.
        assert!(reason(&gzip(&vec![0; 1 << 20])).contains("unpacks to"));
    }

    #[test]
    fn damaged_archives_are_broken_and_empty_ones_are_empty() {
        let whole = gzip(&entry("manifest.json", tar::EntryType::Regular, &[b'x'; 3_000]));
        for cut in 2..whole.len() {
            assert!(unpack(&whole[..cut], &Limits::default()).is_err(), "{cut}");
        }
        assert_eq!(unpack(&gzip(b""), &Limits::default()), Ok(Vec::new()));
        let mut lies = entry("manifest.json", tar::EntryType::Regular, b"");
        // A size that is not there must not be allocated.
        lies[124..136].copy_from_slice(b"00377777777\0");
        let sum: u32 = lies[..512]
            .iter()
            .enumerate()
            .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u32::from(*b) })
            .sum();
        lies[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(unpack(&gzip(&lies), &Limits::default()).is_err());
    }
}
