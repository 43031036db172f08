//! Shared sessions, as whoever has the link sees them.

use serde::Serialize;
use sg_app::{ExchangeText, SharedSession};

use super::{ExchangeBody, Iso, Metadata, ProjectBrief, Wtf8};

/// `data` of a shared session.
#[derive(Serialize)]
pub(in super::super) struct SharedData<'a> {
    pub(in super::super) session: SharedBody<'a>,
}

/// A session as whoever has its link sees it: no content but the exchanges that are not hidden, no sizes, and nothing of
/// the machine it was made on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct SharedBody<'a> {
    id: &'a str,
    client_id: &'a str,
    project_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_title: Option<&'a str>,
    share_status: &'static str,
    created_at: Iso,
    updated_at: Iso,
    started_at: Option<Iso>,
    ended_at: Option<Iso>,
    metadata: Metadata<'a>,
    project: Option<ProjectBrief<'a>>,
    exchanges: Vec<ExchangeBody<'a>>,
    creator: Creator,
}

impl<'a> SharedBody<'a> {
    pub(in super::super) fn new(shared: &'a SharedSession) -> Self {
        let session = &shared.session;
        let exchange = |text: &'a ExchangeText| ExchangeBody {
            content: Some(Wtf8(text.content.as_bytes())),
            ..ExchangeBody::without_content(session, &text.exchange)
        };
        Self {
            id: &session.client_id,
            client_id: &session.client_id,
            project_id: session.project_id.as_str(),
            name: &session.name,
            user_title: session.user_title.as_deref(),
            share_status: session.share_status.name(),
            created_at: Iso(session.created_at),
            updated_at: Iso(session.updated_at),
            started_at: session.started_at.map(Iso),
            ended_at: session.ended_at.map(Iso),
            metadata: Metadata(&session.metadata),
            project: shared.project.as_ref().map(ProjectBrief::new),
            exchanges: shared.exchanges.iter().map(exchange).collect(),
            creator: Creator { image_url: None, first_name: None, last_name: None },
        }
    }
}

/// Who shared a session. An account here is a mail address, which is nobody's business, so nothing is said.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Creator {
    image_url: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}
