//! Shared sessions, described.

use super::path::InSession;
use super::schema::share::SharedData;
use super::schema::{Envelope, ErrorBody};

/// Read a shared session
///
/// For everyone who has its link, as long as its owner shares it.
#[utoipa::path(
    get, path = "/api/v1/share/{sid}", operation_id = "getSharedSession", tag = "sharing",
    params(InSession),
    responses(
        (status = 200, description = "The session.", body = inline(Envelope<SharedData>)),
        (status = 404, description = "There is no such session, or it is private.", body = ErrorBody, example = json!({"success": false, "error": "Session not found or not shared"})),
    )
)]
fn shared_session() {}

/// Read a shared session's markdown
///
/// Made of the exchanges that are not hidden.
#[utoipa::path(
    get, path = "/api/v1/share/{sid}/markdown", operation_id = "getSharedMarkdown", tag = "sharing",
    params(InSession),
    responses(
        (status = 200, description = "The markdown.", body = String, content_type = "text/markdown", example = "# Where does it grow?\n"),
        (status = 404, description = "There is no such session, or it is private.", body = ErrorBody, example = json!({"success": false, "error": "Session not found or not shared"})),
    )
)]
fn shared_markdown() {}
