//! The embedded index: tantivy in a folder of its own.
//!
//! [`TantivyIndex`] owns the folder: one process opens it to write, any number may open it to read. Work happens on
//! blocking threads. Which file does what: `schema` fields and documents, `segment` where sessions lie, `clause` and
//! `scan` the walk over postings, `filter` and `facet` columns, `rank` the order, `hit` a page, `correct` typing
//! errors, `related` more like this, `exchange`, `excerpt` and `word` the search for sessions to resume, `writer` one generation, `folder` the
//! files around it, `rebuild` the next generation.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use sg_domain::{ExchangeHit, ExchangeQuery, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, SessionId};

use crate::error::IndexError;
use crate::{IndexStatus, Rebuild, SearchIndex, SessionDocument};

mod clause;
mod correct;
mod excerpt;
mod exchange;
mod facet;
mod filter;
mod folder;
mod hit;
mod rank;
mod rebuild;
mod related;
mod scan;
mod schema;
mod search;
mod segment;
mod word;
mod writer;

use folder::{Folder, Pointer};
use rebuild::Building;
use schema::{Facts, Fields};
use segment::Snapshot;
use writer::{Generation, Writer, fingerprint};

/// How an index is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TantivyConfig {
    /// Its folder; made where it is missing. Nothing else should lie in it.
    pub directory: PathBuf,
    /// Bytes that indexing may use before it writes a segment; at least 15 MB a thread are taken. Documents that wait
    /// for it take up to a quarter more. A rebuild takes the same again while it runs.
    pub writer_memory_bytes: usize,
    /// Threads that index, 1 to 8.
    pub writer_threads: usize,
}

impl TantivyConfig {
    /// The usual settings: 64 MB, one thread.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), writer_memory_bytes: 64 * 1_024 * 1_024, writer_threads: 1 }
    }
}

/// The embedded index. A clone is another handle of the same index.
#[derive(Clone)]
pub struct TantivyIndex {
    inner: Arc<Inner>,
}

struct Inner {
    config: TantivyConfig,
    folder: Folder,
    fields: Arc<Fields>,
    /// What searches see.
    view: RwLock<Arc<Snapshot>>,
    /// What writes go to; `None` when the index is only read. Writes share it, commits and swaps have it alone.
    core: RwLock<Option<Core>>,
    /// The reading side of an index that another process writes.
    follower: Mutex<Option<Follower>>,
    /// Sessions removed since the last commit, and whether the engine knows already.
    removed: RwLock<HashMap<SessionId, bool>>,
    /// Whether anything was written since the last commit.
    dirty: AtomicBool,
    needs_rebuild: AtomicBool,
    status: Mutex<IndexStatus>,
    /// Held for as long as this process may write.
    _lock: Option<File>,
}

struct Core {
    current: Generation,
    writer: Writer,
    building: Option<Arc<Building>>,
}

struct Follower {
    pointer: Pointer,
    generation: Generation,
}

impl TantivyIndex {
    /// Opens an index to write and read. One that is missing, foreign, damaged or made by another version is replaced by
    /// an empty one, and its status says that it needs a rebuild. Fails with `Unavailable` while another process has it.
    ///
    /// Reads files; call it from a blocking context.
    pub fn open(config: TantivyConfig) -> Result<Self> {
        Ok(Self { inner: Arc::new(Inner::open(config)?) })
    }

    /// Opens an index that another process may be writing. Searches see that process's commits; writes fail.
    pub fn open_read_only(config: TantivyConfig) -> Result<Self> {
        Ok(Self { inner: Arc::new(Inner::open_to_read(config)?) })
    }

    /// Runs something that waits for disks or locks.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Inner>) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || inner.guarded(|| work(&inner))).await;
        done.map_err(sg_domain::Error::internal)?.map_err(Into::into)
    }
}

impl Inner {
    fn open(config: TantivyConfig) -> Result<Self, IndexError> {
        let folder = Folder::create(&config.directory)?;
        let lock = folder.lock()?;
        let fields = Arc::new(Fields::new());
        let fingerprint = fingerprint(&fields);
        let mut needs_rebuild = true;
        let mut opened = None;
        if let Some(pointer) = folder.pointer().filter(|pointer| pointer.fingerprint == fingerprint) {
            let path = folder.generation(pointer.generation);
            match Self::open_generation(|| Generation::open(path, pointer.generation, &fields), &config, &fields) {
                Ok(parts) => {
                    needs_rebuild = !pointer.complete;
                    opened = Some(parts);
                }
                Err(error) => {
                    let directory = folder.path().display();
                    tracing::warn!(%directory, %error, "the search index cannot be used, it is made anew");
                }
            }
        }
        let (current, writer, view) = match opened {
            Some(parts) => parts,
            None => {
                let number = folder.next_generation();
                let path = folder.generation(number);
                let parts = Self::open_generation(|| Generation::create(path, number, &fields), &config, &fields)?;
                folder.point(&Pointer { fingerprint, generation: number, complete: false })?;
                parts
            }
        };
        folder.sweep(current.number);
        let bytes = current.bytes();
        let core = Core { current, writer, building: None };
        let this = Self::with(config, folder, fields, view, Some(core), None, Some(lock));
        this.needs_rebuild.store(needs_rebuild, Ordering::Relaxed);
        this.update_status(bytes);
        Ok(this)
    }

    fn open_to_read(config: TantivyConfig) -> Result<Self, IndexError> {
        let folder = Folder::at(&config.directory);
        let fields = Arc::new(Fields::new());
        let follower = Self::follow(&folder, &fields)?;
        let view = catch(|| Ok(Snapshot::of(&follower.generation.reader, &fields, None)?))?;
        let bytes = follower.generation.bytes();
        let complete = follower.pointer.complete;
        let this = Self::with(config, folder, fields, view, None, Some(follower), None);
        this.needs_rebuild.store(!complete, Ordering::Relaxed);
        this.update_status(bytes);
        Ok(this)
    }

    fn with(
        config: TantivyConfig,
        folder: Folder,
        fields: Arc<Fields>,
        view: Arc<Snapshot>,
        core: Option<Core>,
        follower: Option<Follower>,
        lock: Option<File>,
    ) -> Self {
        Self {
            config,
            folder,
            fields,
            view: RwLock::new(view),
            core: RwLock::new(core),
            follower: Mutex::new(follower),
            removed: RwLock::new(HashMap::new()),
            dirty: AtomicBool::new(false),
            needs_rebuild: AtomicBool::new(false),
            status: Mutex::new(IndexStatus::default()),
            _lock: lock,
        }
    }

    /// A generation with its writer and first view; damage that makes the engine panic is an error like any other.
    fn open_generation(
        open: impl FnOnce() -> tantivy::Result<Generation>,
        config: &TantivyConfig,
        fields: &Arc<Fields>,
    ) -> Result<(Generation, Writer, Arc<Snapshot>), IndexError> {
        catch(|| {
            let generation = open()?;
            let view = Snapshot::of(&generation.reader, fields, None)?;
            let writer = generation.writer(config, fields.session)?;
            Ok((generation, writer, view))
        })
    }

    /// The generation that another process serves now.
    fn follow(folder: &Folder, fields: &Fields) -> Result<Follower, IndexError> {
        let missing = || IndexError::Missing(folder.path().to_owned());
        // A swap between the two reads removes the generation that was named: look again.
        let mut tries = 0;
        loop {
            let pointer = folder.pointer().filter(|p| p.fingerprint == fingerprint(fields)).ok_or_else(missing)?;
            let path = folder.generation(pointer.generation);
            match catch(|| Ok(Generation::open_to_read(path, pointer.generation)?)) {
                Ok(generation) => return Ok(Follower { pointer, generation }),
                Err(_) if tries < 3 => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks for commits and swaps of the process that writes.
    fn catch_up(&self) -> Result<(), IndexError> {
        let mut follower = self.follower.lock();
        let Some(known) = follower.as_mut() else { return Ok(()) };
        if self.folder.pointer().is_some_and(|pointer| pointer != known.pointer) {
            *known = Self::follow(&self.folder, &self.fields)?;
        } else {
            let before = known.generation.reader.searcher().generation().clone();
            known.generation.reader.reload()?;
            if known.generation.reader.searcher().generation().segments() == before.segments() {
                return Ok(());
            }
        }
        let view = Snapshot::of(&known.generation.reader, &self.fields, Some(&self.view.read().clone()))?;
        *self.view.write() = view;
        self.needs_rebuild.store(!known.pointer.complete, Ordering::Relaxed);
        self.update_status(known.generation.bytes());
        Ok(())
    }

    /// Runs work; damage that it meets is remembered, so that the owner of the store rebuilds the index.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
        let done = catch(work);
        if let Err(error) = &done
            && error.is_damage()
        {
            tracing::error!(%error, "the search index is damaged and needs a rebuild");
            self.needs_rebuild.store(true, Ordering::Relaxed);
        }
        done
    }

    fn put(&self, document: &SessionDocument) -> Result<(), IndexError> {
        let id = document.session.id;
        let docs = self.fields.block(document);
        let core = self.core.read();
        let core = core.as_ref().ok_or(IndexError::ReadOnly)?;
        self.dirty.store(true, Ordering::Relaxed);
        if let Some(building) = &core.building {
            building.put(id, docs.clone())?;
        }
        core.writer.put(id, docs)?;
        Ok(())
    }

    fn remove(&self, id: SessionId) -> Result<(), IndexError> {
        // Hidden from here on, whatever a commit that runs now is doing.
        self.removed.write().insert(id, false);
        let core = self.core.read();
        let Some(core) = core.as_ref() else {
            self.removed.write().remove(&id);
            return Err(IndexError::ReadOnly);
        };
        self.dirty.store(true, Ordering::Relaxed);
        core.writer.remove(id);
        if let Some(building) = &core.building {
            building.remove(id);
        }
        // Under the shared lock: no commit comes between the delete and this.
        self.removed.write().insert(id, true);
        Ok(())
    }

    fn commit(&self) -> Result<(), IndexError> {
        let mut core = self.core.write();
        let core = core.as_mut().ok_or(IndexError::ReadOnly)?;
        if !self.dirty.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Err(error) = core.writer.commit() {
            // The deletes went with the rest; what was removed stays hidden until a later commit has deleted it.
            self.removed.write().values_mut().for_each(|known| *known = false);
            return Err(error.into());
        }
        self.dirty.store(false, Ordering::Relaxed);
        self.show(&core.current)
    }

    /// Makes searches see what a generation holds now. The caller has the core alone.
    fn show(&self, generation: &Generation) -> Result<(), IndexError> {
        generation.reader.reload()?;
        let previous = self.view.read().clone();
        *self.view.write() = Snapshot::of(&generation.reader, &self.fields, Some(&previous))?;
        self.removed.write().retain(|_, known| !*known);
        self.update_status(generation.bytes());
        Ok(())
    }

    fn update_status(&self, bytes: u64) {
        let (sessions, documents) = self.view.read().size();
        *self.status.lock() = IndexStatus { sessions, documents, bytes, needs_rebuild: false };
    }

    /// What a search may look at: a view, and what it must not show of it.
    fn look(&self) -> (Arc<Snapshot>, HashSet<SessionId>) {
        // In this order: a commit shows its view before it forgets what was removed.
        let removed = self.removed.read().keys().copied().collect();
        let view = self.view.read().clone();
        (view, removed)
    }

    fn sessions(&self) -> Result<Vec<(SessionId, String)>, IndexError> {
        self.catch_up()?;
        let view = self.view.read().clone();
        let mut out = Vec::new();
        for (reader, sessions) in view.each() {
            let etags = sessions.fact(reader, Facts::Etag)?;
            for session in 0..sessions.len() {
                if reader.alive_bitset().is_none_or(|alive| alive.is_alive(sessions.heads[session])) {
                    let etag = etags.of(session).first().map(|ord| etags.value(*ord)).transpose();
                    let etag = etag.map_err(|error| IndexError::Engine(error.into()))?;
                    out.push((sessions.id(session), etag.unwrap_or_default()));
                }
            }
        }
        Ok(out)
    }
}

#[async_trait]
impl SearchIndex for TantivyIndex {
    async fn put(&self, document: SessionDocument) -> Result<()> {
        self.blocking(move |inner| inner.put(&document)).await
    }

    async fn remove(&self, session: SessionId) -> Result<()> {
        self.blocking(move |inner| inner.remove(session)).await
    }

    async fn commit(&self) -> Result<()> {
        self.blocking(|inner| inner.commit()).await
    }

    async fn search(&self, query: SearchQuery) -> Result<SearchPage> {
        self.blocking(move |inner| {
            inner.catch_up()?;
            let (view, removed) = inner.look();
            Ok(search::search(&query, &view, &removed)?)
        })
        .await
    }

    async fn exchanges(&self, query: ExchangeQuery) -> Result<Vec<ExchangeHit>> {
        self.blocking(move |inner| {
            inner.catch_up()?;
            let (view, removed) = inner.look();
            Ok(exchange::exchanges(&query, &view, &removed)?)
        })
        .await
    }

    async fn related(&self, query: RelatedQuery) -> Result<Vec<RelatedHit>> {
        self.blocking(move |inner| {
            inner.catch_up()?;
            let (view, removed) = inner.look();
            Ok(related::related(&query, &view, &removed)?)
        })
        .await
    }

    async fn sessions(&self) -> Result<Vec<(SessionId, String)>> {
        self.blocking(|inner| inner.sessions()).await
    }

    fn status(&self) -> IndexStatus {
        let needs_rebuild = self.inner.needs_rebuild.load(Ordering::Relaxed);
        IndexStatus { needs_rebuild, ..self.inner.status.lock().clone() }
    }

    async fn rebuild(&self) -> Result<Box<dyn Rebuild>> {
        let rebuild = self.blocking(rebuild::start).await?;
        Ok(Box::new(rebuild))
    }
}

/// Turns a panic of the engine, which damaged files can cause, into an error.
fn catch<T>(work: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(IndexError::Panic(text.unwrap_or_else(|| "no message".to_owned())))
    })
}

#[cfg(test)]
mod tests;
