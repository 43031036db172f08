//! The search for sessions to resume, as the description names it.

use utoipa::ToSchema;

use super::session::Metadata;

/// What to look for.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct ResumableQuery {
    /// Words that must all be in one exchange, by their beginnings; `"quoted words"` as they stand. At most 4096 bytes.
    #[schema(max_length = 4096, example = "rate limit")]
    query: String,
    /// Only in this project.
    project_id: Option<String>,
}

/// What was found, the one that ended last first.
#[derive(ToSchema)]
pub(in super::super) struct ResumableData {
    /// The sessions.
    results: Vec<ResumableSession>,
}

/// A session that was found.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct ResumableSession {
    /// The id that the client chose.
    id: String,
    /// The same as `id`.
    client_id: String,
    /// Its project.
    project_id: String,
    /// The project's name.
    project_name: String,
    /// Its name.
    name: String,
    /// The title that a person gave it.
    #[schema(nullable = false)]
    user_title: Option<String>,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// When it was first sent.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time of its first exchange, if it has one.
    #[schema(format = DateTime, nullable = false)]
    started_at: Option<String>,
    /// The time of its last exchange, if it has one.
    #[schema(format = DateTime, nullable = false)]
    ended_at: Option<String>,
    /// Bytes of its session data.
    session_data_size: u64,
    /// What is known of its making.
    metadata: Metadata,
    /// Text around the first match, U+0002 before and U+0003 behind each match.
    snippet: String,
}
