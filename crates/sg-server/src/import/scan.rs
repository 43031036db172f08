//! Which files are sessions: walks folders, and tells sessions from what lies beside them without reading it all.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sg_domain::Timestamp;
use sg_formats::{Confidence, FORMATS, Source};
use walkdir::WalkDir;

use super::place::{Located, place_of, slashed};

/// What is imported as one: a file, or the files of a folder that are one session together.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Absolute path of the file or folder.
    pub path: PathBuf,
    /// The files of a folder, its manifest first; empty for a single file.
    pub parts: Vec<PathBuf>,
    /// The format, when place or content tells before it is read.
    pub format: Option<&'static str>,
    /// Bytes of all files.
    pub size: u64,
    /// The latest modification.
    pub modified_at: Timestamp,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// What can be imported.
    pub units: Vec<Unit>,
    /// What could not be looked at, and why.
    pub problems: Vec<(PathBuf, String)>,
    seen: HashSet<PathBuf>,
}

/// Folders that are large, full of text, and hold no sessions.
const SKIPPED: [&str; 14] = [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "target",
    ".cache",
    ".npm",
    ".cargo",
    ".rustup",
    ".venv",
    "venv",
    "__pycache__",
    ".Trash",
    "Caches",
];
/// Endings of files outside the known places that are worth a look.
const ENDINGS: [&str; 6] = [".jsonl", ".json", ".md", ".sfs", ".tar.gz", ".tgz"];
/// How much of a file is looked at to tell what it is.
const HEAD_BYTES: u64 = 64 * 1_024;
/// A JSON document is looked at whole up to this size: its beginning alone is not JSON.
const JSON_BYTES: u64 = 8 * 1_024 * 1_024;
/// The manifest of a session that is a folder.
const MANIFEST: &str = "manifest.json";

/// Looks through paths that a person gave. A file is taken at its word, a folder is searched.
pub fn scan(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        match crate::config::absolute(path).and_then(|path| std::fs::metadata(&path).map(|data| (path, data))) {
            Ok((path, data)) if data.is_file() => found.file(&path, &data, None),
            Ok((path, _)) => found.folder(&path, None),
            Err(error) => found.problems.push((path.clone(), error.to_string())),
        }
    }
    found
}

impl Found {
    /// Looks through the places of this machine's agents; those that do not exist are passed over.
    pub fn places(places: &[Located]) -> Self {
        let mut found = Self::default();
        for located in places.iter().filter(|located| located.folder.is_dir()) {
            found.folder(&located.folder, Some(located));
        }
        found
    }

    /// Looks at paths that changed. Unlike a path that a person gave, such a file need not be a session at all.
    pub fn changed(paths: &[PathBuf], places: &[Located]) -> Self {
        let mut found = Self::default();
        for path in paths {
            let located = places.iter().find(|located| path.starts_with(&located.folder));
            match std::fs::metadata(path) {
                Ok(data) if data.is_dir() => found.folder(path, located),
                Ok(data) => {
                    if let Some(format) = recognise(path, located) {
                        found.file(path, &data, Some(format));
                    }
                }
                // Gone again: temporary files come and go.
                Err(_) => {}
            }
        }
        found
    }

    fn folder(&mut self, root: &Path, located: Option<&Located>) {
        // Links are followed: people keep histories on other disks. The walker itself notices loops.
        let mut walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.problems.push((path, reason));
                    continue;
                }
            };
            let path = entry.path();
            if entry.file_type().is_dir() {
                let name = entry.file_name().to_string_lossy();
                if entry.depth() > 0 && SKIPPED.contains(&name.as_ref()) {
                    walk.skip_current_dir();
                } else if is_session_folder(path) {
                    self.session_folder(path);
                    walk.skip_current_dir();
                }
                continue;
            }
            if let Some(format) = recognise(path, located)
                && let Ok(data) = entry.metadata()
            {
                self.file(path, &data, Some(format));
            }
        }
    }

    fn file(&mut self, path: &Path, data: &Metadata, format: Option<&'static str>) {
        if !self.is_new(path) {
            return;
        }
        let (path, size, modified_at) = (path.to_owned(), data.len(), modified_at(data));
        self.units.push(Unit { path, parts: Vec::new(), format, size, modified_at });
    }

    fn session_folder(&mut self, path: &Path) {
        if !self.is_new(path) {
            return;
        }
        let listed = std::fs::read_dir(path).and_then(|entries| {
            let mut files = Vec::new();
            for entry in entries {
                let path = entry?.path();
                let data = std::fs::metadata(&path)?;
                if data.is_file() {
                    files.push((path, data));
                }
            }
            Ok(files)
        });
        match listed {
            Ok(mut files) => {
                files.sort_by_key(|(path, _)| (!path.ends_with(MANIFEST), path.clone()));
                let size = files.iter().map(|(_, data)| data.len()).sum();
                let modified_at = files.iter().map(|(_, data)| modified_at(data)).max().unwrap_or_default();
                let parts = files.into_iter().map(|(path, _)| path).collect();
                self.units.push(Unit { path: path.to_owned(), parts, format: Some("sessionfs"), size, modified_at });
            }
            Err(error) => self.problems.push((path.to_owned(), error.to_string())),
        }
    }

    /// Whether this file was not met before, under another name.
    fn is_new(&mut self, path: &Path) -> bool {
        self.seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }
}

/// A folder whose files are one session.
pub(super) fn is_session_folder(path: &Path) -> bool {
    let named = path.extension().is_some_and(|extension| extension == "sfs");
    path.join(MANIFEST).is_file() && (named || path.join("messages.jsonl").is_file())
}

/// The format of a file: by its place where it lies in one, else by its first bytes.
fn recognise(path: &Path, located: Option<&Located>) -> Option<&'static str> {
    let known = match located {
        Some(located) => Some((located.place, slashed(path.strip_prefix(&located.folder).ok()?))),
        None => place_of(path),
    };
    if let Some((place, rest)) = known {
        return place.holds(&rest).then_some(place.format);
    }
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    if !ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let file = File::open(path).ok()?;
    let whole = name.ends_with(".json") && file.metadata().is_ok_and(|data| data.len() <= JSON_BYTES);
    let mut head = Vec::new();
    file.take(if whole { JSON_BYTES } else { HEAD_BYTES }).read_to_end(&mut head).ok()?;
    let shown = slashed(path);
    let source = Source { name: &shown, bytes: &head, siblings: &[] };
    let sure = FORMATS.iter().find(|format| format.sniff(&source) == Confidence::Sure)?;
    Some(sure.name())
}

fn modified_at(data: &Metadata) -> Timestamp {
    let since = data.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    Timestamp::from_micros(since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or_default())
}
