//! Following what changes: a subscriber's walk through the log of its owner's changes, and along the life of a job.
//!
//! A subscriber holds a place in the log and a page of changes at most. Bells wake it; the log says what there is. So it
//! hears everything once and in order, whichever process made the change, and a slow one costs nothing but its place.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use sg_domain::change::{ChangeKind, ChangePlace, SessionChange};
use sg_domain::time::DAY_MICROS;
use sg_domain::{
    Caller, Direction, Error, Identity, PageRequest, ProjectId, Result, Scope, SessionFilter, SessionId, SessionOrder,
    UserId, Visibility,
};
use sg_store::{Ear, SessionColumns};

use crate::App;

/// Which changes a subscriber wants.
#[derive(Clone, Debug, Default)]
pub struct ChangeRequest {
    /// Only those of sessions of this project.
    pub project: Option<ProjectId>,
    /// Only those of sessions that match now. What is deleted matches nothing any more: of it only the projects are asked.
    pub filter: SessionFilter,
    /// The cursor of the last change that was heard; `None` begins with what comes next.
    pub since: Option<String>,
}

/// Changes read at once.
const PAGE: u32 = 100;
/// How often a subscriber that hears nothing is asked whether it still may.
const CHECK: Duration = Duration::from_secs(30);
/// How long changes are kept.
const KEPT_MICROS: i64 = DAY_MICROS;
/// How long to wait after others could not be heard.
const REST: Duration = Duration::from_secs(1);

impl App {
    /// Changes of the caller's sessions, in the order of their commits: all of them, none twice, from when this returns or
    /// from `since` on. Ends with an error when the caller may not read any more, when the subscriber has fallen too far
    /// behind, and when what it asks for is not kept any more.
    pub async fn session_changes(
        &self,
        caller: &Caller,
        request: ChangeRequest,
    ) -> Result<BoxStream<'static, Result<SessionChange>>> {
        let identity = caller.require(Scope::Read)?;
        request.filter.check()?;
        // Before the first look: what is committed after it rings.
        let ear = self.store().listen(&identity.user);
        let now = self.store().changes(&identity.user, ChangePlace::default(), 1).await?;
        let place = match &request.since {
            Some(since) => ChangePlace::decode(since, &identity.user)?,
            None => ChangePlace::end_of(now.version),
        };
        // A place that is yet to come was given out before the database was restored to an earlier state.
        if !place.is_kept(now.swept) || place.version > now.version {
            return Err(Error::changes_expired());
        }
        let walk = Walk {
            app: self.clone(),
            identity: identity.clone(),
            request,
            ear,
            place,
            caught_up: now.version,
            page: VecDeque::new(),
            may_be_more: true,
        };
        Ok(stream::unfold(Some(walk), |walk| async move {
            let mut walk = walk?;
            match walk.next().await {
                Ok(change) => Some((Ok(change), Some(walk))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed())
    }

    /// Where the caller's changes stand now: a `since` that tells what comes next. Whoever takes it before reading what is
    /// there misses nothing in between.
    pub async fn change_cursor(&self, caller: &Caller) -> Result<String> {
        let identity = caller.require(Scope::Read)?;
        let version = self.store().data_version(&identity.user).await?;
        Ok(ChangePlace::end_of(version).cursor(&identity.user))
    }

    /// Hears what other processes change, for the subscribers of this one. Never ends: the server runs it beside its
    /// requests. What this process changes is heard without it.
    pub async fn hear_others(&self) {
        loop {
            if let Err(error) = self.store().hear_others().await {
                tracing::warn!(error = ?error, "changes of other processes are not heard now, trying again");
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Looks once whether other processes have changed anything that a subscriber of this one waits for.
    pub async fn look_for_changes(&self) -> Result<()> {
        self.store().look_at_versions().await
    }

    /// Forgets changes that are older than a day.
    pub(crate) async fn sweep_changes(&self) -> Result<u64> {
        self.store().sweep_changes(self.now().plus_micros(-KEPT_MICROS)).await
    }

    /// Whether a caller that was recognised once still may read.
    pub(crate) async fn check_still(&self, identity: &Identity) -> Result<()> {
        match self.store().is_good(identity, self.now()).await? {
            true => Ok(()),
            false => Err(Error::unauthenticated()),
        }
    }
}

/// A subscriber on its way through the log.
struct Walk {
    app: App,
    identity: Identity,
    request: ChangeRequest,
    ear: Ear<UserId>,
    /// Everything up to here is behind it.
    place: ChangePlace,
    /// The version at which it began: what came before is caught up with, however much it is.
    caught_up: i64,
    page: VecDeque<SessionChange>,
    /// Whether the last page was full.
    may_be_more: bool,
}

impl Walk {
    async fn next(&mut self) -> Result<SessionChange> {
        loop {
            if let Some(change) = self.page.pop_front() {
                self.app.check_still(&self.identity).await?;
                return Ok(change);
            }
            if !self.may_be_more {
                tokio::select! {
                    () = self.ear.wait() => {}
                    () = tokio::time::sleep(CHECK) => {}
                }
                self.app.check_still(&self.identity).await?;
            }
            self.turn_page().await?;
        }
    }

    async fn turn_page(&mut self) -> Result<()> {
        self.ear.forget();
        let found = self.app.store().changes(&self.identity.user, self.place, PAGE).await?;
        if !self.place.is_kept(found.swept) {
            return Err(Error::changes_expired());
        }
        let limit = self.app.limits().max_changes_behind;
        let behind = found.version.saturating_sub(self.place.version.max(self.caught_up));
        if u64::try_from(behind).is_ok_and(|behind| behind > limit) {
            return Err(Error::slow_consumer(limit, self.place.cursor(&self.identity.user)));
        }
        self.may_be_more = found.changes.len() >= PAGE as usize;
        self.place = match found.changes.last() {
            Some(last) if self.may_be_more => last.place,
            // All there was up to this version has been seen, also where it changed no session.
            _ => self.place.max(ChangePlace::end_of(found.version)),
        };
        self.page = self.wanted(found.changes).await?.into();
        Ok(())
    }

    /// Those of the changes that the subscriber asked for.
    async fn wanted(&self, mut changes: Vec<SessionChange>) -> Result<Vec<SessionChange>> {
        let ChangeRequest { project, filter, .. } = &self.request;
        if let Some(project) = project {
            changes.retain(|change| change.project_id == *project);
        }
        if filter.is_empty() {
            return Ok(changes);
        }
        let mut ids: Vec<SessionId> =
            changes.iter().filter(|change| change.kind != ChangeKind::Deleted).map(|change| change.session).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut matching = Vec::new();
        if !ids.is_empty() {
            let filter = SessionFilter { session_ids: Some(ids), ..filter.clone() };
            let who = Visibility::of(&self.identity);
            let (order, direction) = (SessionOrder::CreatedAt, Direction::Asc);
            let page = PageRequest::all();
            let columns = SessionColumns { metadata: false, first_exchange: false };
            let found = self.app.store().sessions(&who, &filter, order, direction, &page, columns).await?;
            matching = found.items.into_iter().map(|session| session.id).collect();
        }
        let projects = &filter.project_ids;
        changes.retain(|change| match change.kind {
            ChangeKind::Deleted => projects.is_empty() || projects.iter().any(|id| id == change.project_id.as_str()),
            _ => matching.contains(&change.session),
        });
        Ok(changes)
    }
}
