//! The search of the command line's list of sessions to resume, one request for each pause in typing.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use sg_app::{App, SessionColumns};
use sg_domain::{ErrorKind, ProjectId};

use super::answer;
use super::body::JsonBody;
use super::credential::Reader;
use super::failure::Failure;
use super::wire::Envelope;
use super::wire::search::{ResumableBody, ResumableData};

const COLUMNS: SessionColumns = SessionColumns { metadata: true, first_exchange: false };

/// `POST /search/resume`. When the search itself fails, nothing is found: someone is typing, and the list of sessions
/// that stands there already is worth more to them than an error in its place.
pub(super) async fn resumable(
    State(app): State<App>,
    Reader(caller): Reader,
    body: JsonBody,
) -> Result<Response, Failure> {
    // An empty text is what a cleared line sends; only a missing one is a mistake.
    let query = body.text("query")?.ok_or_else(|| Failure::invalid("Missing required field: query"))?;
    let project = body.text_or_null("projectId")?.flatten().filter(|id| !id.is_empty());
    let found = match project.map(ProjectId::new) {
        None => app.search_resumable(&caller, &query, None, COLUMNS).await,
        Some(Ok(project)) => app.search_resumable(&caller, &query, Some(&project), COLUMNS).await,
        // Text that can be no id names a project that is not there.
        Some(Err(_)) => Ok(Vec::new()),
    };
    let hits = match found {
        Err(error) if matches!(error.kind, ErrorKind::Internal | ErrorKind::Unavailable) => {
            tracing::error!(error = ?error, "search for sessions to resume failed, it is answered as empty");
            Vec::new()
        }
        found => found?,
    };
    let capacity = 64 + hits.len() * ResumableBody::BYTES;
    let data = ResumableData { results: hits.iter().map(ResumableBody::new).collect() };
    Ok(answer::json(StatusCode::OK, capacity, &Envelope::new(data))?)
}
