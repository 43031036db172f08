//! Sending a session, described.

use super::path::{InProject, InSession, Unchanged};
use super::schema::upload::{SessionUpload, StoredSession};
use super::schema::{Envelope, ErrorBody};

/// Send a session
///
/// Makes it, or puts it in the place of what is there; makes its project too. The body may be packed with gzip, as
/// `Content-Encoding` says, and may be large. The same again changes nothing, its `ETag` included.
#[utoipa::path(
    put, path = "/api/v1/projects/{pid}/sessions/{sid}", operation_id = "putSession", tag = "sessions",
    params(
        InProject,
        InSession,
        Unchanged,
        ("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key within a day gets the first one's answer.", max_length = 255, example = "sync-2026-01-16"),
    ),
    request_body(content = SessionUpload, description = "The session."),
    responses(
        (status = 201, description = "It is new.", body = inline(Envelope<StoredSession>), headers(
            ("ETag" = String, description = "Names this state of the session."),
            ("Last-Modified" = String, description = "When it was last changed."),
        )),
        (status = 200, description = "It was there, and is now as it was sent.", body = inline(Envelope<StoredSession>), headers(
            ("ETag" = String, description = "Names this state of the session."),
            ("Last-Modified" = String, description = "When it was last changed."),
        )),
        (status = 400, description = "The body is not what it should be, or an id is none.", body = ErrorBody, example = json!({"success": false, "error": "Missing required field: name"})),
        (status = 408, description = "The body stopped coming.", body = ErrorBody, example = json!({"success": false, "error": "Request body did not arrive completely"})),
        (status = 412, description = "The session has changed since, and `ETag` names its state now; or it is gone.", body = ErrorBody, example = json!({"success": false, "error": "The session has changed since, read it again and repeat what is still wanted"})),
        (status = 415, description = "The body is packed in a way that this server does not know.", body = ErrorBody, example = json!({"success": false, "error": "Unsupported Content-Encoding \"br\", use gzip or identity"})),
    )
)]
fn put_session() {}
