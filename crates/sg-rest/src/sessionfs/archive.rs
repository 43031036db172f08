//! Archives: pushed, pulled, downloaded.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sg_app::{App, CURRENT_ETAG, Content, PushRequest, PutOutcome, Spool, is_about_etag};
use sg_domain::archive::ArchivedSession;
use sg_domain::{Caller, Error, ErrorKind};

use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::fault::Fault;
use super::time::stamp;
use super::{Gate, missing, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("push", &["PUT"], "/api/v1/sessions/{id}/sync", || put(push)),
    Route::read("pull", "/api/v1/sessions/{id}/sync", || get(pull)),
    Route::write("upload", &["POST"], "/api/v1/sessions", || post(missing::soon)),
    Route::read("download", "/api/v1/sessions/{id}/download", || get(download)),
];

/// Says that a session in the trash is to come back.
const UNDELETE: HeaderName = HeaderName::from_static("x-sessionfs-undelete");
/// What a form costs beside its file.
const FORM_BYTES: u64 = 64 * 1024;
/// The most fields of a form that are passed over before the file.
const MAX_FIELDS: usize = 8;

async fn push(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let _turn = gate.app.push_turn(&caller).await.map_err(turned_away)?;
    let limit = gate.app.push_limit(&caller).await?;
    let id = reference::id(&id)?;
    let headers = request.headers().clone();
    let content = received(&gate, request, limit).await?;
    let wanted = PushRequest {
        if_match: header(&headers, &IF_MATCH).map(|tag| unquoted(&tag).to_owned()),
        undelete: header(&headers, &UNDELETE).is_some_and(|value| value.eq_ignore_ascii_case("true")),
    };
    let (stored, outcome) = gate.app.push_archive(&caller, id, content, wanted).await.map_err(refused)?;
    let status = if outcome == PutOutcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(wire::json_with(status, &pushed(&stored, "synced_at")))
}

/// What was stored; the time has another name by route.
fn pushed(stored: &ArchivedSession, time: &str) -> Value {
    let archive = &stored.archive;
    let mut body = json!({
        "session_id": archive.id,
        "etag": archive.digest.to_string(),
        "blob_size_bytes": archive.size_bytes,
    });
    body[time] = stamp(archive.uploaded_at).into();
    body
}

/// The form's file, kept in a file as it comes when it is large.
async fn received(gate: &Gate, request: Request, limit: u64) -> Result<Content, Failure> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit.saturating_add(FORM_BYTES)) {
        return Err(too_large(limit));
    }
    let form = Multipart::from_request(request, gate).await;
    let mut form = form.map_err(|_: MultipartRejection| no_file())?;
    for _ in 0..MAX_FIELDS {
        let Some(mut field) = form.next_field().await.map_err(unreadable)? else { break };
        if field.name() != Some("file") {
            continue;
        }
        let mut spool = Spool::new(Arc::clone(&gate.settings.spool));
        while let Some(piece) = field.chunk().await.map_err(unreadable)? {
            if spool.len() + piece.len() as u64 > limit {
                return Err(too_large(limit));
            }
            spool = blocking(move || spool.push(&piece).map(|()| spool)).await?;
        }
        return Ok(blocking(move || spool.finish()).await?);
    }
    Err(no_file())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> sg_domain::Result<T> + Send + 'static,
) -> sg_domain::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn no_file() -> Failure {
    Failure::validation(vec![Fault::missing(vec![json!("body"), json!("file")], Value::Null)])
}

fn unreadable(error: axum::extract::multipart::MultipartError) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large").code("PAYLOAD_TOO_LARGE")
        }
        _ => Failure::bad_request("The form cannot be read, or did not arrive completely"),
    }
}

fn too_large(limit: u64) -> Failure {
    let message = format!("Session exceeds {}MB cloud limit for your tier.", limit >> 20);
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message).code("PAYLOAD_TOO_LARGE")
}

fn turned_away(error: Error) -> Failure {
    match error.kind {
        ErrorKind::RateLimited { retry_after } => Failure::limited(retry_after)
            .saying("Too many concurrent syncs. Please wait.")
            .detail("error", "sync_rate_limit"),
        _ => error.into(),
    }
}

/// Only this code is a conflict to the client: it then asks for what is stored.
fn refused(error: Error) -> Failure {
    if is_about_etag(&error) {
        let current = error.details.iter().find(|(name, _)| *name == CURRENT_ETAG).map(|(_, etag)| etag.clone());
        return Failure::new(StatusCode::CONFLICT, error.message)
            .code("etag_mismatch")
            .detail("current_etag", current.unwrap_or_default());
    }
    match error.kind {
        // A file that is too large has details of its own.
        ErrorKind::TooLarge if error.details.is_empty() => Failure::from(error).code("PAYLOAD_TOO_LARGE"),
        // Lost a race that will not be there the next time.
        ErrorKind::Conflict if error.message.starts_with("session ID") => error.into(),
        ErrorKind::Conflict => Failure::from(error)
            .saying("Session created by another request during upload")
            .header(RETRY_AFTER, HeaderValue::from_static("1")),
        _ => error.into(),
    }
}

async fn pull(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let found = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    let etag = found.archive.digest.to_string();
    // Just this: lists, weak tags and `*` are not understood.
    if header(&headers, &IF_NONE_MATCH).is_some_and(|tag| unquoted(&tag) == etag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    bytes(&app, &caller, &found).await
}

async fn download(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    bytes(&app, &caller, &found).await
}

/// The archive, piece by piece.
async fn bytes(app: &App, caller: &Caller, found: &ArchivedSession) -> Result<Response, Failure> {
    let stream = app.archive_stream(caller, &found.archive).await?;
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.archive.size_bytes));
    let etag = HeaderValue::try_from(format!("\"{}\"", found.archive.digest));
    headers.insert(ETAG, etag.map_err(Error::internal)?);
    Ok(response)
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|value| value.trim().to_owned())
}

fn unquoted(tag: &str) -> &str {
    tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag)
}
