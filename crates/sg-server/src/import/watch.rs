//! Following changes: files that rest after a change are imported again, and only those.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::scan::is_session_folder;

/// How often folders that did not exist yet are looked for: an agent makes its own on its first use.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Watches folders and files.
pub struct Watch {
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    missing: Vec<PathBuf>,
    watched: Vec<PathBuf>,
    delay: Duration,
    /// When each changed path is due.
    changed: HashMap<PathBuf, Instant>,
}

impl Watch {
    /// Starts watching. Paths that do not exist are watched as soon as they do.
    pub fn start(roots: Vec<PathBuf>, delay: Duration) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event| drop(sender.send(event)));
        let watcher = watcher.context("changes cannot be watched on this machine")?;
        let mut watch = Self { watcher, events, missing: roots, watched: Vec::new(), delay, changed: HashMap::new() };
        watch.look_again()?;
        Ok(watch)
    }

    /// Waits for files that changed and then rested; never returns none.
    pub async fn changes(&mut self) -> anyhow::Result<Vec<PathBuf>> {
        loop {
            let due = self.changed.values().min().copied();
            let rest = due.map_or(LOOK_AGAIN, |due| due.saturating_duration_since(Instant::now()));
            tokio::select! {
                event = self.events.recv() => match event.context("watching ended")? {
                    Ok(event) => self.note(event),
                    // The kernel's queue was too short for what happened: look at everything that is watched.
                    Err(error) => {
                        tracing::warn!(%error, "some changes may have been missed, looking at everything again");
                        self.rescan();
                    }
                },
                () = tokio::time::sleep(rest) => {
                    self.look_again()?;
                    let now = Instant::now();
                    let due: Vec<_> = self.changed.iter().filter(|(_, at)| **at <= now).map(|(p, _)| p.clone()).collect();
                    self.changed.retain(|_, at| *at > now);
                    if !due.is_empty() {
                        return Ok(due);
                    }
                }
            }
        }
    }

    fn note(&mut self, event: notify::Event) {
        if matches!(event.kind, EventKind::Access(_) | EventKind::Remove(_)) {
            return;
        }
        if event.need_rescan() {
            self.rescan();
        }
        let due = Instant::now() + self.delay;
        for path in event.paths {
            self.changed.insert(whole(&path), due);
        }
    }

    /// Takes everything that is watched as changed.
    fn rescan(&mut self) {
        let due = Instant::now() + self.delay;
        self.changed.extend(self.watched.iter().map(|root| (root.clone(), due)));
    }

    fn look_again(&mut self) -> anyhow::Result<()> {
        let (there, missing) = std::mem::take(&mut self.missing).into_iter().partition(|path| path.exists());
        self.missing = missing;
        for path in there {
            let watched = self.watcher.watch(&path, RecursiveMode::Recursive);
            watched.with_context(|| format!("cannot watch {}", path.display()))?;
            // What was written between the last look and now.
            self.changed.insert(path.clone(), Instant::now() + self.delay);
            self.watched.push(path);
        }
        Ok(())
    }
}

/// The session that a changed file belongs to: itself, or the folder it is a part of.
fn whole(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if is_session_folder(parent) => parent.to_owned(),
        _ => path.to_owned(),
    }
}
