//! Checking that store, blobs and index agree, and repairing it where they do not.

use std::collections::HashMap;

use sg_domain::{
    Caller, Direction, JobId, JobKind, PageRequest, Result, Scope, Session, SessionFilter, SessionId, SessionOrder,
    Visibility,
};
use sg_store::{JobCounts, SessionColumns, session_cursor, trash_cursor};

use crate::App;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// Sessions in the store, without those in the trash.
    pub sessions: u64,
    /// Sessions in the trash.
    pub trashed: u64,
    /// Blobs in the blob store.
    pub blobs: u64,
    /// Sessions whose content is missing. Cannot be repaired from here: import or restore them again.
    pub broken_sessions: Vec<SessionId>,
    /// Blobs that no row names (those of uploads under way included).
    pub orphan_blobs: u64,
    /// Sessions that are not in the index, or there in an older state.
    pub stale_in_index: Vec<SessionId>,
    /// Sessions in the index that the store does not have.
    pub ghosts_in_index: Vec<SessionId>,
    /// The queue.
    pub jobs: JobCounts,
}

impl Diagnosis {
    /// Whether nothing needs a repair. Fresh orphans, and sessions whose jobs still wait, are the normal course of things.
    pub fn is_healthy(&self) -> bool {
        let under_way = self.jobs.ready + self.jobs.running;
        let behind = (self.stale_in_index.len() + self.ghosts_in_index.len()) as u64;
        self.broken_sessions.is_empty() && behind <= under_way && self.jobs.dead == 0
    }
}

/// What was repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// Sessions that will be indexed again.
    pub reindexed: u64,
    /// Dead jobs that are tried again.
    pub revived_jobs: u64,
    /// Blobs that were removed.
    pub removed_blobs: u64,
}

impl App {
    /// Looks at everything and changes nothing.
    pub async fn diagnose(&self, caller: &Caller) -> Result<Diagnosis> {
        caller.require(Scope::Admin)?;
        let blobs: std::collections::HashSet<_> =
            self.store().blobs().list().await?.into_iter().map(|(digest, _)| digest).collect();
        let mut indexed: HashMap<_, _> = self.search().sessions().await?.into_iter().collect();
        let before = indexed.clone();
        let mut found = Diagnosis { blobs: blobs.len() as u64, ..Diagnosis::default() };
        let mut missing = Vec::new();
        let mut named = std::collections::HashSet::new();
        self.each_session(|session| {
            found.sessions += 1;
            let content = session.blobs;
            let all = [Some(content.markdown), content.raw, content.session_data];
            missing.extend(all.iter().flatten().filter(|digest| !blobs.contains(*digest)).map(|d| (session.id, *d)));
            named.extend(all.into_iter().flatten());
            if indexed.remove(&session.id).is_none_or(|etag| etag != session.etag) {
                found.stale_in_index.push(session.id);
            }
        })
        .await?;
        // Those in the trash are whole as well, and are not in the index.
        self.each_trashed(|session| {
            found.trashed += 1;
            let content = session.blobs;
            let all = [Some(content.markdown), content.raw, content.session_data];
            missing.extend(all.iter().flatten().filter(|digest| !blobs.contains(*digest)).map(|d| (session.id, *d)));
            named.extend(all.into_iter().flatten());
        })
        .await?;
        // A session stored while this looked has blobs that were not listed yet.
        for (session, digest) in missing {
            if !self.store().blobs().exists(digest).await? && found.broken_sessions.last() != Some(&session) {
                found.broken_sessions.push(session);
            }
        }
        found.jobs = self.store().job_counts().await?;
        if !found.stale_in_index.is_empty() {
            // What was indexed meanwhile is not stale any more; a session changed once more has its job in the queue.
            let now: HashMap<_, _> = self.search().sessions().await?.into_iter().collect();
            found.stale_in_index.retain(|id| now.get(id) == before.get(id));
        }
        found.ghosts_in_index = indexed.into_keys().collect();
        found.orphan_blobs = blobs.iter().filter(|digest| !named.contains(*digest)).count() as u64;
        Ok(found)
    }

    /// Repairs what can be: indexes stale sessions again, tries dead jobs again, removes old orphans.
    pub async fn repair(&self, caller: &Caller, found: &Diagnosis) -> Result<Repair> {
        caller.require(Scope::Admin)?;
        // First, while the dead can still be told from those that are asked for below.
        let revived_jobs = self.store().revive_jobs(self.now()).await?;
        let wrong: Vec<_> = found.stale_in_index.iter().chain(&found.ghosts_in_index).collect();
        for chunk in wrong.chunks(500) {
            let tx = self.store().begin().await?;
            for session in chunk {
                let kind = JobKind::IndexSession { session: **session };
                tx.enqueue(JobId(self.ids().uuid()), None, &kind, self.now()).await?;
            }
            tx.commit().await?;
        }
        Ok(Repair { reindexed: wrong.len() as u64, revived_jobs, removed_blobs: self.sweep_blobs().await? })
    }

    async fn each_trashed(&self, mut look: impl FnMut(&Session) + Send) -> Result<()> {
        let mut request = PageRequest::first(500);
        loop {
            let page = self.store().trashed_sessions(&Visibility::everyone(), &request).await?;
            page.items.iter().for_each(|trashed| look(&trashed.session));
            match page.items.last() {
                Some(last) if page.has_next => request.after = Some(trash_cursor(last)),
                _ => return Ok(()),
            }
        }
    }

    async fn each_session(&self, mut look: impl FnMut(&Session) + Send) -> Result<()> {
        let (order, direction) = (SessionOrder::CreatedAt, Direction::Asc);
        let mut request = PageRequest::first(500);
        loop {
            let page = self
                .store()
                .sessions(
                    &Visibility::everyone(),
                    &SessionFilter::default(),
                    order,
                    direction,
                    &request,
                    SessionColumns::NARROW,
                )
                .await?;
            page.items.iter().for_each(&mut look);
            match page.items.last() {
                Some(last) if page.has_next => request.after = Some(session_cursor(last, order, direction)),
                _ => return Ok(()),
            }
        }
    }
}
