//! Sessions: lists, one session, its content.

use std::collections::HashMap;

use bytes::Bytes;
use sg_domain::change::ChangeKind;
use sg_domain::id::SessionRef;
use sg_domain::session::SessionSize;
use sg_domain::{
    Caller, Digest, Direction, Error, Identity, JobId, JobKind, Page, PageRequest, ProjectId, ProjectKey, RankBy,
    Result, Scope, SearchQuery, Session, SessionFilter, SessionId, SessionOrder, Visibility,
};
use sg_store::{BlobStream, SessionColumns, Tx};

use crate::App;

/// A list of sessions that is wanted.
#[derive(Clone, Debug)]
pub struct SessionList {
    /// Which sessions.
    pub filter: SessionFilter,
    /// Only sessions that a search for these words finds; blank does not filter.
    pub text: Option<String>,
    /// Sorted by.
    pub order: SessionOrder,
    /// Ascending or descending.
    pub direction: Direction,
    /// Which part of the list.
    pub page: PageRequest,
    /// The wider columns that will be looked at.
    pub columns: SessionColumns,
}

/// The most sessions that a list narrowed by words looks at, best matches first.
const MAX_TEXT_MATCHES: usize = 1_000;

impl App {
    /// A page of the caller's sessions.
    pub async fn sessions(&self, caller: &Caller, list: &SessionList) -> Result<Page<Session>> {
        let identity = caller.require(Scope::Read)?;
        let filter = self.narrowed(identity, &list.filter, list.text.as_deref()).await?;
        let who = Visibility::of(identity);
        self.store().sessions(&who, &filter, list.order, list.direction, &list.page, list.columns).await
    }

    /// How much is stored of each session of a project, by client id. A project that is not there has none.
    pub async fn session_sizes(&self, caller: &Caller, project: &ProjectId) -> Result<Vec<SessionSize>> {
        let identity = caller.require(Scope::Read)?;
        self.store().session_sizes(&Visibility::of(identity), project).await
    }

    /// How many sessions the list holds in all.
    pub async fn session_count(&self, caller: &Caller, filter: &SessionFilter, text: Option<&str>) -> Result<u64> {
        let identity = caller.require(Scope::Read)?;
        let filter = self.narrowed(identity, filter, text).await?;
        self.store().session_count(&Visibility::of(identity), &filter).await
    }

    /// The first sessions of each of these projects: `list.page.limit` of them, other parts of the page are ignored.
    pub async fn sessions_by_project(
        &self,
        caller: &Caller,
        projects: &[ProjectKey],
        list: &SessionList,
    ) -> Result<HashMap<ProjectKey, Vec<Session>>> {
        let identity = caller.require(Scope::Read)?;
        let filter = self.narrowed(identity, &list.filter, list.text.as_deref()).await?;
        let limit = list.page.limit.unwrap_or(u32::MAX);
        let who = Visibility::of(identity);
        self.store().sessions_by_project(&who, projects, &filter, list.order, list.direction, limit, list.columns).await
    }

    /// One session. `NotFound` when there is none that the caller may see.
    pub async fn session(&self, caller: &Caller, session: &SessionRef) -> Result<Session> {
        let identity = caller.require(Scope::Read)?;
        let found = self.store().session(&Visibility::of(identity), session).await?;
        found.ok_or_else(|| Error::not_found("session"))
    }

    /// Sessions by id, in no order; those the caller may not see are left out.
    pub async fn sessions_by_id(
        &self,
        caller: &Caller,
        ids: &[SessionId],
        columns: SessionColumns,
    ) -> Result<Vec<Session>> {
        let identity = caller.require(Scope::Read)?;
        self.store().sessions_by_id(&Visibility::of(identity), ids, columns).await
    }

    /// A session's markdown, byte for byte.
    pub async fn markdown(&self, caller: &Caller, session: &Session) -> Result<Bytes> {
        self.content(caller, session, Some(session.blobs.markdown), "markdown").await
    }

    /// A session's session data, byte for byte. `NotFound` when it has none.
    pub async fn session_data(&self, caller: &Caller, session: &Session) -> Result<Bytes> {
        self.content(caller, session, session.blobs.session_data, "session data").await
    }

    /// The agent's own file, byte for byte. `NotFound` when there is none.
    pub async fn raw_data(&self, caller: &Caller, session: &Session) -> Result<Bytes> {
        self.content(caller, session, session.blobs.raw, "raw data").await
    }

    /// The same as [`App::markdown`], piece by piece, for markdown that does not fit into memory.
    pub async fn markdown_stream(&self, caller: &Caller, session: &Session) -> Result<BlobStream> {
        self.content_stream(caller, session, Some(session.blobs.markdown), "markdown").await
    }

    /// The same as [`App::session_data`], piece by piece.
    pub async fn session_data_stream(&self, caller: &Caller, session: &Session) -> Result<BlobStream> {
        self.content_stream(caller, session, session.blobs.session_data, "session data").await
    }

    /// Ends the transaction of a change of a session: with the job that makes the index agree, the owner's version moved,
    /// and the change in the log for those who follow it.
    pub(crate) async fn commit_session(
        &self,
        tx: Tx,
        identity: &Identity,
        session: &Session,
        kind: ChangeKind,
    ) -> Result<()> {
        let job = JobKind::IndexSession { session: session.id };
        tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &job, self.now()).await?;
        let version = tx.bump_version(&identity.user).await?;
        tx.log_change(version, kind, session, self.now()).await?;
        tx.commit().await
    }

    async fn content(&self, caller: &Caller, session: &Session, blob: Option<Digest>, noun: &str) -> Result<Bytes> {
        let digest = readable(caller, session, blob, noun)?;
        self.store().blobs().get(digest).await?.ok_or_else(|| missing(digest, session))
    }

    async fn content_stream(
        &self,
        caller: &Caller,
        session: &Session,
        blob: Option<Digest>,
        noun: &str,
    ) -> Result<BlobStream> {
        let digest = readable(caller, session, blob, noun)?;
        self.store().blobs().stream(digest).await?.ok_or_else(|| missing(digest, session))
    }

    /// The filter with the words turned into the sessions that a search for them finds.
    pub(crate) async fn narrowed(
        &self,
        identity: &Identity,
        filter: &SessionFilter,
        text: Option<&str>,
    ) -> Result<SessionFilter> {
        filter.check()?;
        let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(filter.clone()) };
        self.check_query(text)?;
        let found = self
            .search()
            .search(SearchQuery {
                visibility: Visibility::of(identity),
                text: text.to_owned(),
                filter: filter.clone(),
                rank_by: RankBy::Relevance,
                limit: MAX_TEXT_MATCHES,
                offset: 0,
                facets: Vec::new(),
                snippets: false,
                messages_per_hit: 0,
                now: self.now(),
            })
            .await?;
        let mut filter = filter.clone();
        let found = found.hits.into_iter().map(|hit| hit.session);
        filter.session_ids = Some(match filter.session_ids {
            Some(wanted) => found.filter(|id| wanted.contains(id)).collect(),
            None => found.collect(),
        });
        Ok(filter)
    }
}

/// The blob, if the caller may read it.
fn readable(caller: &Caller, session: &Session, blob: Option<Digest>, noun: &str) -> Result<Digest> {
    let identity = caller.require(Scope::Read)?;
    if !Visibility::of(identity).allows(&session.owner) {
        return Err(Error::not_found("session"));
    }
    blob.ok_or_else(|| Error::not_found(noun))
}

pub(crate) fn missing(digest: Digest, session: &Session) -> Error {
    Error::internal(format!("blob {digest} of session {} is missing, run doctor", session.id))
}
