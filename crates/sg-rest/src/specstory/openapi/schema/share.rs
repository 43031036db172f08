//! Shared sessions as the description names them.

use utoipa::ToSchema;

use super::project::ProjectBrief;
use super::session::{Exchange, Metadata, ShareStatus};

/// A shared session.
#[derive(ToSchema)]
pub(in super::super) struct SharedData {
    /// The session.
    session: SharedSession,
}

/// A session as whoever has its link sees it: the exchanges that are not hidden, and no sizes.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct SharedSession {
    /// Its id.
    id: String,
    /// The same as `id`.
    client_id: String,
    /// Its project.
    project_id: String,
    /// Its name.
    name: String,
    /// The title that a person gave it.
    #[schema(nullable = false)]
    user_title: Option<String>,
    /// Always `unlisted`.
    share_status: ShareStatus,
    /// When it was first sent.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The time of its first exchange.
    #[schema(format = DateTime, required = true)]
    started_at: Option<String>,
    /// The time of its last exchange.
    #[schema(format = DateTime, required = true)]
    ended_at: Option<String>,
    /// What is known of its making.
    metadata: Metadata,
    /// Its project.
    #[schema(required = true)]
    project: Option<ProjectBrief>,
    /// The exchanges that are not hidden, in order.
    exchanges: Vec<Exchange>,
    /// Who shared it.
    creator: Creator,
}

/// Who shared a session. This server tells nothing of its accounts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct Creator {
    /// Always null.
    #[schema(required = true)]
    image_url: Option<String>,
    /// Always null.
    #[schema(required = true)]
    first_name: Option<String>,
    /// Always null.
    #[schema(required = true)]
    last_name: Option<String>,
}
