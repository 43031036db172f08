//! The loop of an import: threads read and parse, one place stores, the index keeps up. Memory is bounded by bytes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::{Condvar, Mutex};
use sg_app::App;
use sg_app::import::{ImportFile, ImportOptions, ImportOutcome, ImportedFile, Importer, ReadFile};
use sg_domain::Caller;
use tokio::sync::mpsc;

use super::scan::Unit;
use super::workspace::Workspaces;
use crate::command::THREAD_STACK_BYTES;
use crate::progress::Bar;
use crate::run::spawn;

/// Sessions stored at a time: while one waits for the disk, another compresses.
const STORING: usize = 4;
/// Files read ahead of the store; bytes bound memory, this bounds their number.
const READ_AHEAD: usize = 64;

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Redaction, dry run.
    pub options: ImportOptions,
    /// Bytes of files held at a time; a larger file is read alone.
    pub memory_bytes: u64,
    /// Bytes of the largest file that is read at all.
    pub max_file_bytes: u64,
    /// Whether this process writes the index. If not, a running server works the queue.
    pub owns_index: bool,
}

/// What became of sessions of one format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all.
    pub found: u64,
    /// Not there before.
    pub new: u64,
    /// There in another state.
    pub updated: u64,
    /// There just so.
    pub unchanged: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// By format.
    pub formats: BTreeMap<&'static str, Counts>,
    /// Files that are no sessions, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Files that could not be imported, and why.
    pub failed: Vec<(PathBuf, String)>,
    /// Parts of files that could not be read: file, line, why.
    pub damaged: Vec<(PathBuf, u64, String)>,
    /// Secrets taken out, by kind.
    pub redacted: BTreeMap<&'static str, u64>,
    /// Names of sessions that are new or changed, with what became of them; only in a dry run.
    pub listed: Vec<(String, &'static str, String)>,
    /// Bytes of files read.
    pub bytes: u64,
}

/// Imports. Fails only when the store or the index does; what is wrong with one file is in the summary.
pub async fn run(app: &App, caller: &Caller, units: &[Unit], settings: Settings, bar: &Bar) -> anyhow::Result<Summary> {
    let machine = hostname::get().ok().and_then(|name| name.into_string().ok());
    let importer = app.importer(caller, settings.options, machine).await?;
    let storing = AtomicBool::new(true);
    let storing = Arc::new(storing);
    let indexing = (settings.owns_index && !settings.options.dry_run)
        .then(|| spawn(keep_index_up(app.clone(), Arc::clone(&storing))));
    bar.set(0, units.len() as u64);
    let summary = tokio::task::block_in_place(|| read_and_store(&importer, units, settings, bar));
    storing.store(false, Ordering::Release);
    if let Some(indexing) = indexing {
        indexing.await??;
    }
    Ok(summary)
}

/// Runs index jobs beside the import, and the last of them behind it.
async fn keep_index_up(app: App, storing: Arc<AtomicBool>) -> anyhow::Result<()> {
    while storing.load(Ordering::Acquire) {
        if app.run_jobs().await?.done == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    super::drain(&app).await
}

/// A file on its way from a reader to the store.
struct Read<'a> {
    unit: &'a Unit,
    outcome: Outcome,
    /// Bytes to give back.
    held: u64,
}

enum Outcome {
    /// Known and unchanged since: how many sessions it holds.
    Known(u64),
    Ready(Box<ReadFile>),
    Failed(String),
}

fn read_and_store(importer: &Importer<'_>, units: &[Unit], settings: Settings, bar: &Bar) -> Summary {
    let budget = Budget { limit: settings.memory_bytes.max(1), used: Mutex::new(0), freed: Condvar::new() };
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 8);
    let summary = Mutex::new(Summary::default());
    let workspaces = Workspaces::default();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, budget) = (sender.clone(), &next, &budget);
            let read_all = move || {
                while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if sender.blocking_send(read(importer, unit, budget, settings.max_file_bytes)).is_err() {
                        return;
                    }
                }
            };
            // JSON in a file may nest as deep as its reader allows; a thread that does not start leaves its part to others.
            let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
            if let Err(error) = thread.spawn_scoped(scope, read_all) {
                tracing::warn!(%error, "a thread for reading could not be started");
            }
        }
        drop(sender);
        let files = futures_util::stream::unfold(receiver, async |mut files| Some((files.recv().await?, files)));
        let store = files.for_each_concurrent(STORING, async |file: Read<'_>| {
            let held = file.held;
            let (unit, done) = (file.unit, store(importer, file.outcome, &workspaces).await);
            budget.give_back(held);
            summary.lock().add(unit, done, held, settings.options.dry_run);
            bar.advance();
        });
        tokio::runtime::Handle::current().block_on(store);
    });
    summary.into_inner()
}

fn read<'a>(importer: &Importer<'_>, unit: &'a Unit, budget: &Budget, max_file_bytes: u64) -> Read<'a> {
    let path = unit.path.to_string_lossy().into_owned();
    if let Some(sessions) = importer.is_known(&path, unit.size, unit.modified_at) {
        return Read { unit, outcome: Outcome::Known(sessions), held: 0 };
    }
    if unit.size > max_file_bytes {
        let outcome =
            Outcome::Failed(format!("larger than {max_file_bytes} bytes, the setting limits.max_session_bytes"));
        return Read { unit, outcome, held: 0 };
    }
    let held = budget.take(unit.size);
    // One file that a parser stumbles over must not end the import of the others.
    let outcome = catch_unwind(AssertUnwindSafe(|| match load(unit, path) {
        Ok(file) => Outcome::Ready(Box::new(importer.read(file))),
        Err(error) => Outcome::Failed(error.to_string()),
    }));
    let outcome = outcome.unwrap_or_else(|_| Outcome::Failed("its parser failed, please report it".to_owned()));
    Read { unit, outcome, held }
}

fn load(unit: &Unit, path: String) -> std::io::Result<ImportFile> {
    let mut parts = unit.parts.iter();
    let bytes = std::fs::read(parts.next().unwrap_or(&unit.path))?;
    let siblings = parts.map(|part| {
        let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
        std::fs::read(part).map(|bytes| (name, Bytes::from(bytes)))
    });
    Ok(ImportFile {
        bytes: bytes.into(),
        siblings: siblings.collect::<std::io::Result<_>>()?,
        modified_at: unit.modified_at,
        folder: project_folder(&unit.path),
        path,
    })
}

/// The folder a session belongs to as far as its place tells: the one that holds `.specstory/history`, the one that
/// Gemini noted beside its chats, else its own.
fn project_folder(path: &Path) -> String {
    let parent = path.parent().unwrap_or(path);
    if parent.ends_with(".specstory/history") {
        let project = parent.parent().and_then(Path::parent);
        return project.unwrap_or(parent).to_string_lossy().into_owned();
    }
    // Gemini keeps chats in a folder named after the project, or by a hash of its path.
    let gemini = path.ancestors().find(|folder| folder.parent().is_some_and(|above| above.ends_with(".gemini/tmp")));
    let noted = gemini.and_then(|folder| std::fs::read_to_string(folder.join(".project_root")).ok());
    let noted = noted.map(|text| text.trim().to_owned()).filter(|text| Path::new(text).is_absolute());
    noted.unwrap_or_else(|| gemini.unwrap_or(parent).to_string_lossy().into_owned())
}

enum Done {
    Known(u64),
    Stored(ImportedFile),
    Failed(String),
}

async fn store(importer: &Importer<'_>, outcome: Outcome, workspaces: &Workspaces) -> Done {
    match outcome {
        Outcome::Known(sessions) => Done::Known(sessions),
        Outcome::Failed(reason) => Done::Failed(reason),
        Outcome::Ready(file) => match importer.store(*file, |folder| workspaces.of(folder)).await {
            Ok(report) => Done::Stored(report),
            Err(error) => {
                tracing::debug!(error = ?error, "file could not be stored");
                Done::Failed(error.to_string())
            }
        },
    }
}

impl Summary {
    fn add(&mut self, unit: &Unit, done: Done, bytes: u64, listed: bool) {
        self.bytes += bytes;
        let report = match done {
            Done::Known(sessions) => {
                let counts = self.formats.entry(unit.format.unwrap_or("other")).or_default();
                counts.found += sessions;
                counts.unchanged += sessions;
                return;
            }
            Done::Failed(reason) => {
                self.failed.push((unit.path.clone(), reason));
                return;
            }
            Done::Stored(report) => report,
        };
        if let Some(reason) = report.refused {
            self.skipped.push((unit.path.clone(), reason));
        }
        self.damaged.extend(report.skipped.into_iter().map(|part| (unit.path.clone(), part.line, part.reason)));
        for (kind, count) in report.redacted {
            *self.redacted.entry(kind).or_default() += count;
        }
        for session in report.sessions {
            let counts = self.formats.entry(session.format).or_default();
            counts.found += 1;
            let (count, word) = match session.outcome {
                ImportOutcome::Created => (&mut counts.new, "new"),
                ImportOutcome::Updated => (&mut counts.updated, "changed"),
                ImportOutcome::Unchanged => (&mut counts.unchanged, "unchanged"),
                // Whoever deleted it did not want it back by itself.
                ImportOutcome::InTrash => (&mut counts.unchanged, "in the trash"),
            };
            *count += 1;
            if listed && session.outcome != ImportOutcome::Unchanged {
                self.listed.push((word.to_owned(), session.format, session.name));
            }
        }
    }

    /// Sums over all formats.
    pub fn total(&self) -> Counts {
        self.formats.values().fold(Counts::default(), |sum, counts| Counts {
            found: sum.found + counts.found,
            new: sum.new + counts.new,
            updated: sum.updated + counts.updated,
            unchanged: sum.unchanged + counts.unchanged,
        })
    }
}

/// Bytes that may be held at a time.
struct Budget {
    limit: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

impl Budget {
    /// Waits for room, for a file larger than all of it until it is alone; returns what is to be given back.
    fn take(&self, bytes: u64) -> u64 {
        let bytes = bytes.min(self.limit);
        let mut used = self.used.lock();
        while *used + bytes > self.limit {
            self.freed.wait(&mut used);
        }
        *used += bytes;
        bytes
    }

    fn give_back(&self, bytes: u64) {
        *self.used.lock() -= bytes;
        self.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_its_project() {
        let of = |path: &str| project_folder(Path::new(path));
        assert_eq!(of("/h/p/.specstory/history/a.md"), "/h/p");
        assert_eq!(of("/h/.gemini/tmp/3f1c/chats/session-a.json"), "/h/.gemini/tmp/3f1c");
        assert_eq!(of("/h/.claude/projects/-h-p/a.jsonl"), "/h/.claude/projects/-h-p");
    }

    #[test]
    fn gemini_notes_the_folder_of_a_project() {
        let root = std::env::temp_dir().join(format!("sg-gemini-{}", std::process::id()));
        let slug = root.join(".gemini/tmp/shop");
        std::fs::create_dir_all(slug.join("chats")).unwrap();
        std::fs::write(slug.join(".project_root"), "/home/ana/shop\n").unwrap();
        assert_eq!(project_folder(&slug.join("chats/session-a.json")), "/home/ana/shop");
        std::fs::write(slug.join(".project_root"), "not a path").unwrap();
        assert_eq!(project_folder(&slug.join("chats/session-a.json")), slug.to_string_lossy());
        std::fs::remove_dir_all(root).unwrap();
    }
}
