//! Content on its way in: small parts in memory, large ones in a file that has no name and is gone with its last user,
//! however the process ends.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use sg_domain::{Digest, Hasher, Result};

use crate::error::{StoreError, StoreResult};

/// Bytes to be stored. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// In a file, made by a [`Spool`].
    Spooled(Arc<Spooled>),
}

/// The end of a [`Spool`]: a file that is only read from now on.
#[derive(Debug)]
pub struct Spooled {
    file: Mutex<File>,
    len: u64,
    digest: Digest,
}

impl Content {
    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spooled(spooled) => spooled.len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its name in the blob store. Known already of what was spooled.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::Spooled(spooled) => spooled.digest,
        }
    }

    /// The first bytes, at most `limit`. Reads a file: not for the runtime's own threads.
    pub fn head(&self, limit: usize) -> Result<Bytes> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(..bytes.len().min(limit))),
            Self::Spooled(_) => {
                let mut head = Vec::new();
                self.reader().take(limit as u64).read_to_end(&mut head).map_err(StoreError::from)?;
                Ok(head.into())
            }
        }
    }

    /// All of it in memory. Reads a file: not for the runtime's own threads.
    pub fn read(&self) -> Result<Bytes> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Spooled(spooled) => {
                let mut bytes = Vec::with_capacity(usize::try_from(spooled.len).unwrap_or(0));
                self.reader().read_to_end(&mut bytes).map_err(StoreError::from)?;
                Ok(bytes.into())
            }
        }
    }

    /// Reads from the beginning; several may read at once.
    pub fn reader(&self) -> ContentReader {
        ContentReader { content: self.clone(), at: 0 }
    }
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// See [`Content::reader`].
#[derive(Clone, Debug)]
pub struct ContentReader {
    content: Content,
    at: u64,
}

impl Read for ContentReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = match &self.content {
            Content::Bytes(bytes) => {
                let rest = &bytes[usize::try_from(self.at).unwrap_or(usize::MAX).min(bytes.len())..];
                let count = rest.len().min(out.len());
                out[..count].copy_from_slice(&rest[..count]);
                count
            }
            Content::Spooled(spooled) => {
                let mut file = spooled.file.lock();
                file.seek(SeekFrom::Start(self.at))?;
                file.read(out)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

/// Where spools that outgrow memory go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolPlace {
    /// The folder; made when it is first needed.
    pub folder: PathBuf,
    /// Bytes that one spool keeps in memory.
    pub memory_bytes: usize,
}

impl SpoolPlace {
    /// Removes what a killed process left in the folder. Nearly always nothing: where the system has files without a name
    /// they are gone with the process, and elsewhere the name is taken away right after the file is made.
    pub fn clear(&self) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
            if is_ours && let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::debug!(path = %entry.path().display(), %error, "a left-over spool could not be removed");
            }
        }
    }
}

/// How the names begin that files have for a moment where the system knows no others.
const PREFIX: &str = ".tmp";

/// Takes bytes one after the other, counts and hashes them, and keeps them in memory or, when they are many, in a file.
#[derive(Debug)]
pub struct Spool {
    place: Arc<SpoolPlace>,
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    hasher: Hasher,
}

impl Spool {
    /// An empty one.
    pub fn new(place: Arc<SpoolPlace>) -> Self {
        Self { place, memory: Vec::new(), file: None, len: 0, hasher: Hasher::default() }
    }

    /// How many bytes it has taken.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has taken none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the next bytes. May write to a file: not for the runtime's own threads.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        if self.memory.len() + bytes.len() > self.place.memory_bytes.max(1) {
            self.flush()?;
        }
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StoreResult<()> {
        self.hasher.update(&self.memory);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(unnamed(&self.place.folder)?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        // Of a spool that writes to its file the memory is only a buffer.
        self.memory.shrink_to(BUFFER_BYTES);
        Ok(())
    }

    /// What it has taken.
    pub fn finish(mut self) -> Result<Content> {
        if self.file.is_none() {
            return Ok(Content::Bytes(self.memory.into()));
        }
        self.flush()?;
        let Some(file) = self.file else { return Ok(Content::Bytes(Bytes::new())) };
        let spooled = Spooled { file: Mutex::new(file), len: self.len, digest: self.hasher.finish() };
        Ok(Content::Spooled(Arc::new(spooled)))
    }
}

/// What a spool that writes to a file keeps of its buffer.
const BUFFER_BYTES: usize = 256 * 1_024;

/// A file without a name in a folder.
fn unnamed(folder: &Path) -> std::io::Result<File> {
    match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            tempfile::tempfile_in(folder)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path) -> Arc<SpoolPlace> {
        Arc::new(SpoolPlace { folder: folder.join("spool"), memory_bytes: 10 })
    }

    #[test]
    fn bytes_come_back_from_memory_and_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, 10, 11, 25, 1_000] {
            let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
            for piece in [1, 7, 100] {
                let mut spool = Spool::new(place(folder.path()));
                bytes.chunks(piece).for_each(|piece| spool.push(piece).unwrap());
                assert_eq!(spool.len(), size as u64);
                let content = spool.finish().unwrap();
                assert_eq!(matches!(content, Content::Bytes(_)), size <= 10, "{size}");
                assert_eq!((content.len(), content.digest()), (size as u64, Digest::of(&bytes)));
                let (mut first, mut second) = (content.reader(), content.reader());
                let mut read = Vec::new();
                first.by_ref().take(5).read_to_end(&mut read).unwrap();
                assert_eq!(content.read().unwrap(), bytes);
                first.read_to_end(&mut read).unwrap();
                assert_eq!(read, bytes);
                read.clear();
                second.read_to_end(&mut read).unwrap();
                assert_eq!(read, bytes);
                assert_eq!(content.head(3).unwrap(), bytes[..bytes.len().min(3)]);
            }
        }
        assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0, "a file has a name");
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        place.clear();
        std::fs::create_dir_all(&place.folder).unwrap();
        std::fs::write(place.folder.join(".tmpAbC123"), b"left").unwrap();
        std::fs::write(place.folder.join("else"), b"not ours").unwrap();
        place.clear();
        let left: Vec<_> = std::fs::read_dir(&place.folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["else"]);
    }
}
