//! What the search for sessions to resume finds.

use serde::Serialize;
use sg_app::ResumableHit;

use super::{Iso, Metadata};

/// `data` of the search.
#[derive(Serialize)]
pub(in super::super) struct ResumableData<'a> {
    pub(in super::super) results: Vec<ResumableBody<'a>>,
}

/// A session that was found. `snippet` is plain text with U+0002 before and U+0003 behind each match.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ResumableBody<'a> {
    id: &'a str,
    client_id: &'a str,
    project_id: &'a str,
    project_name: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_title: Option<&'a str>,
    updated_at: Iso,
    created_at: Iso,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Iso>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Iso>,
    session_data_size: u64,
    metadata: Metadata<'a>,
    snippet: &'a str,
}

impl<'a> ResumableBody<'a> {
    /// A guess at the bytes of one, for the size of the buffer.
    pub(in super::super) const BYTES: usize = 1_100;

    pub(in super::super) fn new(hit: &'a ResumableHit) -> Self {
        let session = &hit.session;
        Self {
            id: &session.client_id,
            client_id: &session.client_id,
            project_id: session.project_id.as_str(),
            project_name: &hit.project_name,
            name: &session.name,
            user_title: session.user_title.as_deref(),
            updated_at: Iso(session.updated_at),
            created_at: Iso(session.created_at),
            started_at: session.started_at.map(Iso),
            ended_at: session.ended_at.map(Iso),
            session_data_size: session.session_data_size.unwrap_or(0),
            metadata: Metadata(&session.metadata),
            snippet: &hit.snippet,
        }
    }
}
