//! What an address asks for: ids in its path, values behind its question mark.

use std::convert::Infallible;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use sg_domain::id::SessionRef;
use sg_domain::{Error, ProjectId, Result};

/// A path as its handler takes it: one that cannot be read names nothing.
pub(crate) type Ids<T> = std::result::Result<Path<T>, PathRejection>;

/// The ids of a path.
pub(crate) fn ids<T>(path: Ids<T>) -> Result<T> {
    path.map(|Path(ids)| ids).map_err(|_| Error::not_found("page"))
}

/// A project that a path names. One that no project can have is one that is not there.
pub(crate) fn project_id(text: &str) -> Result<ProjectId> {
    ProjectId::new(text).map_err(|_| Error::not_found("project"))
}

/// A session that a path names.
pub(crate) fn session_ref(project: &str, session: &str) -> Result<SessionRef> {
    Ok(SessionRef::InProject(project_id(project)?, session.to_owned()))
}

/// The values behind an address's question mark. What cannot be read is not there.
#[derive(Default)]
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    /// A value; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
    }

    /// A number, if it is one.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.get(name).parse().ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Query::try_from_uri(&parts.uri).map(|Query(pairs)| Self(pairs)).unwrap_or_default())
    }
}
