//! The next generation, built while the current one serves, and put in its place in one step.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use sg_domain::{Result, SessionId};
use tantivy::TantivyDocument;

use super::folder::Pointer;
use super::writer::{Generation, Writer, fingerprint};
use super::{Inner, TantivyIndex};
use crate::error::IndexError;
use crate::{Rebuild, SessionDocument};

/// A generation that is being filled.
pub(super) struct Building {
    number: u64,
    /// `None` once it serves or was given up.
    parts: RwLock<Option<(Generation, Writer)>>,
    /// Sessions that were written or removed meanwhile: newer than what the rebuild has of them.
    claimed: Mutex<HashSet<SessionId>>,
}

impl Building {
    /// A write made while the rebuild runs.
    pub(super) fn put(&self, id: SessionId, docs: Vec<TantivyDocument>) -> Result<(), IndexError> {
        let mut claimed = self.claimed.lock();
        claimed.insert(id);
        if let Some((_, writer)) = &*self.parts.read() {
            writer.put(id, docs)?;
        }
        Ok(())
    }

    /// A removal made while the rebuild runs.
    pub(super) fn remove(&self, id: SessionId) {
        let mut claimed = self.claimed.lock();
        claimed.insert(id);
        if let Some((_, writer)) = &*self.parts.read() {
            writer.remove(id);
        }
    }

    /// A write of the rebuild itself; nothing happens if there was a newer one.
    fn fill(&self, id: SessionId, docs: Vec<TantivyDocument>) -> Result<(), IndexError> {
        // Held across the write, so that a newer one comes after it.
        let claimed = self.claimed.lock();
        if claimed.contains(&id) {
            return Ok(());
        }
        match &*self.parts.read() {
            Some((_, writer)) => Ok(writer.put(id, docs)?),
            None => Err(IndexError::RebuildOver),
        }
    }
}

/// Starts a rebuild; one at a time.
pub(super) fn start(inner: &Arc<Inner>) -> Result<TantivyRebuild, IndexError> {
    let mut core = inner.core.write();
    let core = core.as_mut().ok_or(IndexError::ReadOnly)?;
    if core.building.is_some() {
        return Err(IndexError::Rebuilding);
    }
    let number = inner.folder.next_generation();
    let generation = Generation::create(inner.folder.generation(number), number, &inner.fields)?;
    let writer = generation.writer(&inner.config, inner.fields.session)?;
    let parts = RwLock::new(Some((generation, writer)));
    let building = Arc::new(Building { number, parts, claimed: Mutex::new(HashSet::new()) });
    core.building = Some(Arc::clone(&building));
    Ok(TantivyRebuild { index: TantivyIndex { inner: Arc::clone(inner) }, building })
}

/// A rebuild under way. Dropping it gives the new generation up.
pub(super) struct TantivyRebuild {
    index: TantivyIndex,
    building: Arc<Building>,
}

impl TantivyRebuild {
    fn finish_now(inner: &Inner, building: &Building) -> Result<(), IndexError> {
        let mut guard = inner.core.write();
        let core = guard.as_mut().ok_or(IndexError::ReadOnly)?;
        let mut parts = building.parts.write();
        let Some((generation, writer)) = parts.as_mut() else { return Err(IndexError::RebuildOver) };
        writer.commit()?;
        generation.reader.reload()?;
        // A new generation that cannot be read must not replace the old one.
        super::segment::Snapshot::of(&generation.reader, &inner.fields, None)?;
        let fingerprint = fingerprint(&inner.fields);
        inner.folder.point(&Pointer { fingerprint, generation: building.number, complete: true })?;
        let Some((generation, writer)) = parts.take() else { return Err(IndexError::RebuildOver) };
        let old_generation = std::mem::replace(&mut core.current, generation);
        let old_writer = std::mem::replace(&mut core.writer, writer);
        core.building = None;
        // Writes that waited for a commit went to both, and the new one has committed them.
        inner.dirty.store(false, Ordering::Relaxed);
        inner.needs_rebuild.store(false, Ordering::Relaxed);
        let shown = inner.show(&core.current);
        drop(guard);
        // Searches that still run keep their files open; the names can go.
        let old = old_generation.number;
        drop((old_writer, old_generation));
        inner.folder.remove(old);
        shown
    }

    fn give_up(inner: &Inner, building: &Building) {
        let parts = building.parts.write().take();
        if parts.is_none() {
            return;
        }
        drop(parts);
        inner.folder.remove(building.number);
        if let Some(core) = inner.core.write().as_mut()
            && core.building.as_ref().is_some_and(|known| known.number == building.number)
        {
            core.building = None;
        }
    }
}

#[async_trait]
impl Rebuild for TantivyRebuild {
    async fn put(&mut self, document: SessionDocument) -> Result<()> {
        let building = Arc::clone(&self.building);
        let put = move |inner: &Arc<Inner>| {
            let docs = inner.fields.block(&document);
            building.fill(document.session.id, docs)
        };
        self.index.blocking(put).await
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let building = Arc::clone(&self.building);
        // If this fails, dropping `self` removes what was built.
        self.index.blocking(move |inner| Self::finish_now(inner, &building)).await
    }
}

impl Drop for TantivyRebuild {
    fn drop(&mut self) {
        if self.building.parts.read().is_none() {
            return;
        }
        // Stopping a writer waits for its threads: not here, which may be an async context.
        let (inner, building) = (Arc::clone(&self.index.inner), Arc::clone(&self.building));
        let cleaner = std::thread::Builder::new().name("rebuild-cleanup".to_owned());
        if let Err(error) = cleaner.spawn(move || Self::give_up(&inner, &building)) {
            tracing::warn!(%error, "cannot remove a rebuild that was given up, it is removed on the next start");
        }
    }
}
