//! What requests say: ids in the path, options in the query.

use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use sg_domain::id::{SessionRef, client_id};
use sg_domain::{ExchangeId, ProjectId};

use super::failure::Failure;

/// `{pid}`. Text that can be no id names a project that is not there.
pub(super) struct ProjectPath(pub(super) ProjectId);

/// `{pid}` and `{sid}`: the id that the client chose, or ours.
pub(super) struct SessionPath(pub(super) SessionRef);

/// `{pid}`, `{sid}` and `{xid}`, the exchange's id as answers show it.
pub(super) struct ExchangePath(pub(super) SessionRef, pub(super) ExchangeId);

/// `{sid}` of a shared session, whoever owns it: the id that the client chose, or ours.
pub(super) struct SharePath(pub(super) String);

/// `{pid}` and `{sid}` of a session that may not exist yet. Text that can be no id is a mistake of the caller's here.
pub(super) struct NewSessionPath(pub(super) ProjectId, pub(super) String);

/// The query string; of a name that comes twice the first counts, names nobody knows are left alone.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for ProjectPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = path.and_then(|Path(id)| ProjectId::new(id).ok());
        id.map(Self).ok_or_else(|| Failure::not_found("Project not found"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await.ok();
        let wanted = path.and_then(|Path((project, session))| {
            client_id("session", &session).ok()?;
            Some(SessionRef::InProject(ProjectId::new(project).ok()?, session))
        });
        wanted.map(Self).ok_or_else(|| Failure::not_found("Session not found"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ExchangePath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String, String)>::from_request_parts(parts, state).await.ok();
        let wanted = path.and_then(|Path((project, session, exchange))| {
            client_id("session", &session).ok()?;
            let session = SessionRef::InProject(ProjectId::new(project).ok()?, session);
            Some(Self(session, exchange.parse().ok()?))
        });
        wanted.ok_or_else(|| Failure::not_found("Exchange not found or access denied"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SharePath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = path.map(|Path(id)| id).filter(|id| client_id("session", id).is_ok());
        id.map(Self).ok_or_else(|| Failure::not_found(super::share::NOT_SHARED))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NewSessionPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((project, session)) = path.map_err(|_| Failure::invalid("Invalid path"))?;
        client_id("session", &session)?;
        Ok(Self(ProjectId::new(project)?, session))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::try_from_uri(&parts.uri).map_err(|_| Failure::invalid("Invalid query string"))?;
        Ok(Self(pairs))
    }
}

impl Params {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether only sessions are wanted that another machine can resume.
    pub(super) fn resumable(&self) -> Result<bool, Failure> {
        match self.get("resumable") {
            None | Some("" | "false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Failure::invalid("resumable must be true or false")),
        }
    }

    /// `limit`, when there is one, inside 1 to `max`.
    pub(super) fn limit(&self, max: u32) -> Result<Option<u32>, Failure> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        match text.parse() {
            Ok(limit) if (1..=max).contains(&limit) => Ok(Some(limit)),
            _ if max == u32::MAX => Err(Failure::invalid("limit must be a whole number from 1")),
            _ => Err(Failure::invalid(format!("limit must be between 1 and {max}"))),
        }
    }
}
