//! The search for sessions to resume, described.

use super::schema::search::{ResumableData, ResumableQuery};
use super::schema::{Envelope, ErrorBody};

/// Search sessions that can be resumed
///
/// Only sessions with session data. All words must be in one exchange. A search that fails finds nothing.
#[utoipa::path(
    post, path = "/api/v1/search/resume", operation_id = "searchResumable", tag = "sessions",
    request_body(content = ResumableQuery, description = "What to look for."),
    responses(
        (status = 200, description = "What was found.", body = inline(Envelope<ResumableData>)),
        (status = 400, description = "The body is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "Missing required field: query"})),
    )
)]
fn search_resumable() {}
