//! Going through a gzip'd tar once, within limits: an archive comes from anybody. Nothing of it is held but a name and a
//! small buffer, and nothing passes that another reader would take for something else.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::archive::Limits;
use crate::FormatError;

/// The most bytes of a header that only says more of the next one: names are no longer.
const MAX_EXTENSION_BYTES: u64 = 16 * 1_024;
/// The most of those before one member.
const MAX_EXTENSIONS: usize = 4;
/// What the archive is read into at a time.
const BLOCK: u64 = 512;

/// Hands over the regular files of an archive in order: the path, checked, and the content, of which any part may be
/// left. Folders are passed over; links, devices and paths that leave the archive are refused. `packed` is how many
/// bytes the archive has. It is read to its end, so that a damaged one does not pass for a whole one.
pub fn walk(
    mut from: impl Read,
    packed: u64,
    limits: &Limits,
    mut visit: impl FnMut(&str, &mut dyn Read) -> io::Result<()>,
) -> Result<(), FormatError> {
    let mut magic = Vec::new();
    from.by_ref().take(2).read_to_end(&mut magic).map_err(|error| broken(&error))?;
    if magic != super::GZIP {
        return Err(refused("invalid tar.gz archive: not a gzip file"));
    }
    let by_ratio = packed.saturating_mul(limits.max_ratio).max(limits.ratio_free_bytes);
    let allowed = limits.max_total_bytes.min(by_ratio);
    // One byte past the limit is read, so that an archive of just its size is not refused. All that is behind the first
    // gzip stream belongs to it too: clients read it so.
    let unpacked = MultiGzDecoder::new(magic.as_slice().chain(from)).take(allowed.saturating_add(1));
    let mut tar = tar::Archive::new(unpacked);
    let walked = members(&mut tar, allowed, limits, &mut visit);
    let mut rest = tar.into_inner();
    // A bomb may stand after the end mark.
    let drained = walked.and_then(|()| Ok(io::copy(&mut rest, &mut io::sink()).map(drop)?));
    match drained {
        Err(Fault::Refused(error)) => Err(error),
        // Reading stopped short at the limit, which looks like a damaged archive.
        _ if rest.limit() == 0 => Err(over(allowed, limits)),
        Err(Fault::Io(error)) => Err(broken(&error)),
        Ok(()) => Ok(()),
    }
}

/// Why an archive is not read on.
enum Fault {
    Io(io::Error),
    Refused(FormatError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FormatError> for Fault {
    fn from(error: FormatError) -> Self {
        Self::Refused(error)
    }
}

fn members<R: Read>(
    tar: &mut tar::Archive<R>,
    allowed: u64,
    limits: &Limits,
    visit: &mut impl FnMut(&str, &mut dyn Read) -> io::Result<()>,
) -> Result<(), Fault> {
    let (mut count, mut claimed) = (0, 0_u64);
    let mut said = Said::default();
    // Raw: the library would read names of any length into memory.
    for entry in tar.entries()?.raw(true) {
        let mut entry = entry?;
        let (kind, size) = (entry.header().entry_type(), entry.size());
        claimed = claimed.saturating_add(size).saturating_add(BLOCK);
        if said.takes(kind) {
            said.extend(kind, &mut entry, size)?;
            continue;
        }
        count += 1;
        if count > limits.max_members {
            return Err(too_large(format!("session archive has more than {} files", limits.max_members)).into());
        }
        let is_unix_like = entry.header().as_bytes()[156] == 0;
        let name = std::mem::take(&mut said).name(&entry.path_bytes(), size)?;
        // As the clients' reader has it: an old-fashioned file whose name ends in a slash is a folder.
        let is_folder = kind.is_dir() || (is_unix_like && name.ends_with('/'));
        if is_folder {
            // What readers make of a folder's content differs: some take it for members.
            if size > 0 {
                return Err(refused(format!("folder with content in tar archive: {name}")).into());
            }
            continue;
        }
        match kind {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Symlink | EntryType::Link => {
                return Err(refused(format!("symlink in tar archive: {name}")).into());
            }
            _ => return Err(refused(format!("not a regular file in tar archive: {name}")).into()),
        }
        check_size(&name, size, limits)?;
        if claimed > allowed {
            return Err(over(allowed, limits).into());
        }
        let mut content = Counted { content: &mut entry, read: 0 };
        visit(&name, &mut content)?;
        io::copy(&mut content, &mut io::sink())?;
        if content.read != size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    if !said.is_empty() {
        return Err(refused("invalid tar.gz archive: a name without a member").into());
    }
    Ok(())
}

fn check_size(name: &str, size: u64, limits: &Limits) -> Result<(), FormatError> {
    if size > limits.max_member_bytes {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let (size, limit) = (mib(size), mib(limits.max_member_bytes));
        return Err(refused(format!("member too large: {name} ({size}MB, limit {limit}MB)")));
    }
    if size > limits.advised_member_bytes {
        return Err(FormatError::MemberTooLarge { name: name.to_owned(), size, limit: limits.advised_member_bytes });
    }
    Ok(())
}

/// What headers before a member say of it.
#[derive(Default)]
struct Said {
    count: usize,
    gnu_name: Option<Vec<u8>>,
    pax_name: Option<Vec<u8>>,
    pax_size: Option<u64>,
}

impl Said {
    fn is_empty(&self) -> bool {
        self.gnu_name.is_none() && self.pax_name.is_none() && self.pax_size.is_none()
    }

    fn takes(&self, kind: EntryType) -> bool {
        matches!(kind, EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader)
    }

    fn extend(&mut self, kind: EntryType, entry: &mut impl Read, size: u64) -> Result<(), Fault> {
        self.count += 1;
        if size > MAX_EXTENSION_BYTES || self.count > MAX_EXTENSIONS {
            return Err(refused("invalid tar.gz archive: names that are too long").into());
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match kind {
            EntryType::GNULongName => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                bytes.truncate(end);
                self.gnu_name = Some(bytes);
            }
            EntryType::XHeader => self.pax(&bytes)?,
            EntryType::XGlobalHeader => {
                let mut all = Self::default();
                all.pax(&bytes)?;
                // It would hold for every member.
                if !all.is_empty() {
                    return Err(refused("invalid tar.gz archive: one name for all members").into());
                }
            }
            // Where a link leads: links are refused when they come.
            _ => {}
        }
        Ok(())
    }

    fn pax(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for record in tar::PaxExtensions::new(bytes) {
            let record = record?;
            match record.key_bytes() {
                b"path" => self.pax_name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok().and_then(|text| text.trim().parse().ok());
                    self.pax_size = Some(size.unwrap_or(u64::MAX));
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(refused("not a regular file in tar archive: a sparse one").into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The member's name. Of two names, or of two sizes, readers take either.
    fn name(self, own: &[u8], size: u64) -> Result<String, FormatError> {
        if self.pax_size.is_some_and(|said| said != size) || (self.gnu_name.is_some() && self.pax_name.is_some()) {
            return Err(refused("invalid tar.gz archive: headers that contradict each other"));
        }
        let name = self.gnu_name.or(self.pax_name);
        checked_name(name.as_deref().unwrap_or(own))
    }
}

fn checked_name(name: &[u8]) -> Result<String, FormatError> {
    let name = String::from_utf8_lossy(name).into_owned();
    if name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':') {
        return Err(refused(format!("absolute path in tar member: {}", shown(&name))));
    }
    // Only a whole part of a path is a step up.
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err(refused(format!("path traversal in tar member: {}", shown(&name))));
    }
    if name.contains('\0') {
        return Err(refused("NUL byte in tar member"));
    }
    Ok(name)
}

/// A name for a message: not longer than a line or two.
fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if name.chars().nth(200).is_some() {
        shown.push('…');
    }
    shown
}

/// Counts what is read.
struct Counted<'a, R> {
    content: &'a mut R,
    read: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(out)?;
        self.read += read as u64;
        Ok(read)
    }
}

fn over(allowed: u64, limits: &Limits) -> FormatError {
    match allowed == limits.max_total_bytes {
        true => too_large(format!("session archive unpacks to more than {}MB", allowed >> 20)),
        false => too_large(format!("session archive unpacks to more than {} times its size", limits.max_ratio)),
    }
}

fn broken(error: &io::Error) -> FormatError {
    refused(format!("invalid tar.gz archive: {error}"))
}

fn refused(reason: impl Into<String>) -> FormatError {
    FormatError::Broken { format: super::NAME, reason: reason.into() }
}

fn too_large(reason: String) -> FormatError {
    FormatError::TooLarge { format: super::NAME, reason }
}

#[cfg(test)]
mod tests;
