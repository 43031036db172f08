//! The files around the engine's own: who may write, and which generation of the index serves.
//!
//! ```text
//! <directory>/
//!   writer.lock      held by the one process that writes
//!   current.json     which generation serves, and what made it; replaced by a rename
//!   generation-7/    an index of the engine
//!   generation-8/    one that is being built, or a leftover; whatever current.json does not name is removed on open
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::IndexError;

const POINTER: &str = "current.json";
const LOCK: &str = "writer.lock";
const PREFIX: &str = "generation-";

/// What `current.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    /// What made the index: schema, analysis, engine. Another one means that it cannot be used.
    pub(super) fingerprint: String,
    /// The generation that serves.
    pub(super) generation: u64,
    /// Whether it was filled from the store once; until then a restart asks for a rebuild again.
    pub(super) complete: bool,
}

/// The folder of an index.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Names a folder, and makes it where it is missing.
    pub(super) fn create(path: &Path) -> Result<Self, IndexError> {
        fs::create_dir_all(path).map_err(|source| fault("create", path, source))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Names a folder.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock that the one writer holds; it ends with the file or the process.
    pub(super) fn lock(&self) -> Result<File, IndexError> {
        let path = self.path.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| fault("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(IndexError::Busy(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(fault("lock", &path, source)),
        }
    }

    /// Reads the pointer; `None` when it is missing or not one of ours.
    pub(super) fn pointer(&self) -> Option<Pointer> {
        serde_json::from_slice(&fs::read(self.path.join(POINTER)).ok()?).ok()
    }

    /// Replaces the pointer: a crash leaves the old one or the new one.
    pub(super) fn point(&self, pointer: &Pointer) -> Result<(), IndexError> {
        let path = self.path.join(POINTER);
        let draft = self.path.join(format!("{POINTER}.new"));
        let write = || -> io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(&serde_json::to_vec(pointer)?)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            // The rename itself must be on disk before the old generation is removed.
            #[cfg(unix)]
            File::open(&self.path)?.sync_all()?;
            Ok(())
        };
        write().map_err(|source| fault("write", &path, source))
    }

    /// Where a generation lies.
    pub(super) fn generation(&self, number: u64) -> PathBuf {
        self.path.join(format!("{PREFIX}{number}"))
    }

    /// A number that no generation has.
    pub(super) fn next_generation(&self) -> u64 {
        self.generations().into_iter().max().map_or(1, |last| last.saturating_add(1))
    }

    /// Removes every generation but one, and drafts. What cannot be removed now is tried again on the next open.
    pub(super) fn sweep(&self, keep: u64) {
        for number in self.generations().into_iter().filter(|number| *number != keep) {
            self.remove(number);
        }
        let _ = fs::remove_file(self.path.join(format!("{POINTER}.new")));
    }

    /// Removes a generation.
    pub(super) fn remove(&self, number: u64) {
        let path = self.generation(number);
        if let Err(error) = fs::remove_dir_all(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove an old index, it is tried again on the next start");
        }
    }

    fn generations(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect()
    }
}

/// Bytes of the files in a folder.
pub(super) fn bytes_in(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

fn fault(what: &'static str, path: &Path, source: io::Error) -> IndexError {
    IndexError::File { what, path: path.to_owned(), source }
}
