//! Archives as a whole: how much one may hold, unpacking it into memory, and packing it.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::walk::walk;
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
    let mut members = Vec::new();
    walk(bytes, bytes.len() as u64, limits, |name, content| {
        // The header's size is a claim: nothing is allocated for it before it is there.
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        members.push(Member { name: name.to_owned(), bytes });
        Ok(())
    })?;
    Ok(members)
}

/// Packs files as [`unpack`] gives them. The same files give the same bytes: no times, no owners.
pub fn pack(members: &[Member]) -> io::Result<Vec<u8>> {
    let mut packer = Packer::new(Vec::new());
    for member in members {
        packer.file(&member.name, member.bytes.len() as u64, &mut member.bytes.as_slice())?;
    }
    packer.finish()
}

/// Packs files one after the other, as [`pack`] does.
pub struct Packer<W: Write> {
    tar: tar::Builder<GzEncoder<W>>,
}

impl<W: Write> Packer<W> {
    /// Writes an archive to somewhere.
    pub fn new(to: W) -> Self {
        Self { tar: tar::Builder::new(GzEncoder::new(to, Compression::default())) }
    }

    /// Adds a file of so many bytes.
    pub fn file(&mut self, name: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        self.tar.append_data(&mut header, name, content)
    }

    /// Ends the archive.
    pub fn finish(self) -> io::Result<W> {
        self.tar.into_inner()?.finish()
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(reason(&files(4, 10)), "session archive has more than 3 files");
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
