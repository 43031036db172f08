//! Sessions and exchanges, described.

use super::path::{InExchange, InProject, InSession, Resumable, Unchanged};
use super::schema::session::{
    ExchangeData, ExchangeUpdate, RecentBody, SessionData, SessionList, SessionUpdate, SizeList,
};
use super::schema::{Done, Envelope, ErrorBody};

/// List a project's sessions
///
/// All of them, the one that ended last first.
#[utoipa::path(
    get, path = "/api/v1/projects/{pid}/sessions", operation_id = "listSessions", tag = "sessions",
    params(
        InProject,
        Resumable,
        ("limit" = Option<u32>, Query, description = "At most so many.", minimum = 1, maximum = 4294967295_i64),
    ),
    responses(
        (status = 200, description = "The sessions. With `resumable=true` a project that is not known has none.", body = inline(Envelope<SessionList>)),
        (status = 400, description = "A value in the query is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "limit must be a whole number from 1"})),
        (status = 404, description = "The account has no such project.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn list_sessions() {}

/// Sizes of a project's sessions
///
/// What a sync compares with. A project that is not known has no sessions.
#[utoipa::path(
    get, path = "/api/v1/projects/{pid}/sessions/sizes", operation_id = "getSessionSizes", tag = "sessions",
    params(InProject),
    responses(
        (status = 200, description = "The sizes.", body = inline(Envelope<SizeList>), example = json!({"success": true, "data": {"sessions": {"550e8400-e29b-41d4-a716-446655440000": 1834, "550e8400-e29b-41d4-a716-446655440000:sessionData": 5120}}})),
        (status = 404, description = "Text that can be no project's id.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn session_sizes() {}

/// Recent sessions
///
/// The sessions of all projects that were active last.
#[utoipa::path(
    get, path = "/api/v1/sessions/recent", operation_id = "listRecentSessions", tag = "sessions",
    params(("limit" = Option<u32>, Query, description = "At most so many; 5 when it is left out.", minimum = 1, maximum = 100)),
    responses(
        (status = 200, description = "The sessions.", body = RecentBody),
        (status = 400, description = "The limit is not one.", body = ErrorBody, example = json!({"success": false, "error": "limit must be between 1 and 100"})),
    )
)]
fn recent_sessions() {}

/// Read a session
///
/// In one of three representations, by `Accept`: its markdown, its session data as the client sent it, or all of it as JSON.
/// All three have one `ETag`.
#[utoipa::path(
    get, path = "/api/v1/projects/{pid}/sessions/{sid}", operation_id = "getSession", tag = "sessions",
    params(
        InProject,
        InSession,
        ("If-None-Match" = Option<String>, Header, description = "Tags that the client has, separated by commas, or `*`. Tags compare weakly.", example = "W/\"2c26b46b68ffc68ff99b453c1d304134\""),
    ),
    responses(
        (status = 200, description = "The session. `text/markdown` is the markdown as it was sent; `application/vnd.specstory.session-data+json` asks for the session data as it was sent, which comes as `application/json`.",
            content(
                (inline(Envelope<SessionData>) = "application/json"),
                (String = "text/markdown", example = "# Where does it grow?\n"),
            ),
            headers(
                ("ETag" = String, description = "Names this state of the session; the same as `etag` in lists."),
                ("Last-Modified" = String, description = "When it was last changed."),
                ("Vary" = String, description = "`Accept`."),
                ("X-Markdown-Size" = u64, description = "Bytes of its markdown."),
                ("X-Raw-Data-Size" = u64, description = "Bytes of the agent's own file."),
                ("X-Session-Data-Size" = u64, description = "Bytes of its session data; 0 when there is none."),
            )
        ),
        (status = 304, description = "The client has this state already.", headers(
            ("ETag" = String, description = "Names this state of the session."),
            ("Last-Modified" = String, description = "When it was last changed."),
            ("Vary" = String, description = "`Accept`."),
            ("X-Markdown-Size" = u64, description = "Bytes of its markdown."),
            ("X-Raw-Data-Size" = u64, description = "Bytes of the agent's own file."),
            ("X-Session-Data-Size" = u64, description = "Bytes of its session data; 0 when there is none."),
        )),
        (status = 404, description = "The account has no such session, or it has no session data and that was asked for.", body = ErrorBody, example = json!({"success": false, "error": "Session not found"})),
    )
)]
fn get_session() {}

/// Change a session
///
/// The title that a person gives it, and who may read it.
#[utoipa::path(
    patch, path = "/api/v1/projects/{pid}/sessions/{sid}", operation_id = "updateSession", tag = "sessions",
    params(InProject, InSession, Unchanged),
    request_body(content = SessionUpdate, description = "At least one of the fields."),
    responses(
        (status = 200, description = "The session.", body = inline(Envelope<SessionData>), headers(
            ("ETag" = String, description = "Names this state of the session."),
            ("Last-Modified" = String, description = "When it was last changed."),
            ("Vary" = String, description = "`Accept`."),
            ("X-Markdown-Size" = u64, description = "Bytes of its markdown."),
            ("X-Raw-Data-Size" = u64, description = "Bytes of the agent's own file."),
            ("X-Session-Data-Size" = u64, description = "Bytes of its session data; 0 when there is none."),
        )),
        (status = 400, description = "The body is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "Either userTitle or shareStatus must be provided"})),
        (status = 404, description = "The account has no such session.", body = ErrorBody, example = json!({"success": false, "error": "Session not found or access denied"})),
        (status = 412, description = "The session has changed since, and `ETag` names its state now; or it is gone.", body = ErrorBody, example = json!({"success": false, "error": "The session has changed since, read it again and repeat what is still wanted"})),
    )
)]
fn update_session() {}

/// Delete a session
///
/// It goes into the trash, where it can be restored for a while: sending it again makes a new one. Its project stays, even
/// when it was the last.
#[utoipa::path(
    delete, path = "/api/v1/projects/{pid}/sessions/{sid}", operation_id = "deleteSession", tag = "sessions",
    params(InProject, InSession, Unchanged),
    responses(
        (status = 200, description = "It is deleted.", body = inline(Envelope<Done>)),
        (status = 404, description = "The account has no such session.", body = ErrorBody, example = json!({"success": false, "error": "Session not found"})),
        (status = 412, description = "The session has changed since, and `ETag` names its state now; or it is gone.", body = ErrorBody, example = json!({"success": false, "error": "The session has changed since, read it again and repeat what is still wanted"})),
    )
)]
fn delete_session() {}

/// Change an exchange
///
/// Its title, and whether those who have the session's link see it.
#[utoipa::path(
    patch, path = "/api/v1/projects/{pid}/sessions/{sid}/exchanges/{xid}", operation_id = "updateExchange", tag = "sessions",
    params(InProject, InSession, InExchange, Unchanged),
    request_body(content = ExchangeUpdate, description = "At least one of the fields."),
    responses(
        (status = 200, description = "The exchange.", body = inline(Envelope<ExchangeData>), headers(
            ("ETag" = String, description = "Names the state of the session, which changed with it."),
        )),
        (status = 400, description = "The body is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "Either userTitle or hiddenFromShare must be provided"})),
        (status = 404, description = "The account has no such exchange.", body = ErrorBody, example = json!({"success": false, "error": "Exchange not found or access denied"})),
        (status = 412, description = "The session has changed since, and `ETag` names its state now; or it is gone.", body = ErrorBody, example = json!({"success": false, "error": "The session has changed since, read it again and repeat what is still wanted"})),
    )
)]
fn update_exchange() {}
