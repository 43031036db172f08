//! Archives: pushed, uploaded by hand, pulled, downloaded.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sg_app::{App, CURRENT_ETAG, Content, PushCondition, PushRequest, PutOutcome, SECRETS_FOUND, Spool, is_about_etag};
use sg_domain::archive::ArchivedSession;
use sg_domain::user::ClientFacts;
use sg_domain::{Caller, Error, ErrorKind};

use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::fault::Fault;
use super::form::Form;
use super::query::{Query, at};
use super::time::stamp;
use super::title::cleaned;
use super::{Gate, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("push", &["PUT"], "/api/v1/sessions/{id}/sync", || put(push)),
    Route::read("pull", "/api/v1/sessions/{id}/sync", || get(pull)),
    Route::write("upload", &["POST"], "/api/v1/sessions", || post(upload)),
    Route::read("download", "/api/v1/sessions/{id}/download", || get(download)),
];

/// Says that a session in the trash is to come back.
const UNDELETE: HeaderName = HeaderName::from_static("x-sessionfs-undelete");
/// What a client says of itself.
const CLIENT: [HeaderName; 3] = [
    HeaderName::from_static("x-client-version"),
    HeaderName::from_static("x-client-platform"),
    HeaderName::from_static("x-client-device"),
];
/// What a form costs beside its file.
const FORM_BYTES: u64 = 64 * 1024;
/// How much of a body that is too large is read even so, that its sender may hear of it.
const MAX_DRAINED_BYTES: usize = 16 << 20;
/// The largest archive that is uploaded by hand.
const MAX_UPLOAD_BYTES: u64 = 100 << 20;

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
    let content = received(&gate, request, limit, too_large).await?;
    let wanted = PushRequest {
        condition: condition(&headers),
        client: client(&headers),
        ..PushRequest::new(id, content, Arc::clone(&gate.settings.spool))
    };
    let (stored, outcome) = gate.app.push_archive(&caller, wanted).await.map_err(refused)?;
    Ok(answer(&stored, outcome))
}

/// `POST /sessions`: an archive by hand, under an id of its own.
async fn upload(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    query: Query,
    request: Request,
) -> Result<Response, Failure> {
    let _turn = gate.app.push_turn(&caller).await.map_err(turned_away)?;
    let limit = gate.app.push_limit(&caller).await?.min(MAX_UPLOAD_BYTES);
    let Facts { source_tool, title, tags } = Facts::of(query)?;
    let headers = request.headers().clone();
    let too_large = |limit: u64| {
        let message = format!("Upload exceeds maximum size of {limit} bytes");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let content = received(&gate, request, limit, too_large).await?;
    let id = gate.app.new_archive_id();
    let wanted = PushRequest {
        title,
        tags,
        source_tool: Some(source_tool),
        client: client(&headers),
        ..PushRequest::new(id, content, Arc::clone(&gate.settings.spool))
    };
    let (stored, _) = gate.app.push_archive(&caller, wanted).await.map_err(refused)?;
    Ok(wire::json_with(StatusCode::CREATED, &pushed(&stored, "uploaded_at")))
}

/// What stands in the query of an upload by hand.
struct Facts {
    source_tool: String,
    title: Option<String>,
    tags: Option<Vec<String>>,
}

impl Facts {
    fn of(mut query: Query) -> Result<Self, Failure> {
        let source_tool = query.required("source_tool", 1..=50);
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if !source_tool.is_empty() && !source_tool.bytes().all(is_name) {
            let pattern = "^[a-z0-9_-]+$";
            let message = format!("String should match pattern '{pattern}'");
            let fault = Fault::new("string_pattern_mismatch", at("source_tool"), message, json!(source_tool));
            query.fault(fault.with("pattern", pattern));
        }
        let title = query.optional("title", 0..=500);
        let tags = query.optional("tags", 0..=5_000);
        query.done()?;
        if title.as_deref().is_some_and(|title| title.contains('\0')) {
            return Err(Failure::bad_request("title must not contain NUL characters"));
        }
        let title = title.map(|title| cleaned(&title)).filter(|title| !title.is_empty());
        Ok(Self { source_tool, title, tags: tags.as_deref().map(tag_list).transpose()? })
    }
}

/// Tags as JSON text.
fn tag_list(text: &str) -> Result<Vec<String>, Failure> {
    let tags: Vec<String> =
        serde_json::from_str(text).map_err(|_| Failure::bad_request("tags must be a valid JSON array of strings"))?;
    if tags.len() > 20 {
        return Err(Failure::bad_request("Maximum 20 tags allowed"));
    }
    let mut kept: Vec<String> = Vec::new();
    for tag in tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
        if tag.chars().count() > 50 {
            return Err(Failure::bad_request("Each tag must be 50 characters or fewer"));
        }
        if tag.chars().any(char::is_control) {
            return Err(Failure::bad_request("Tags must not contain control characters"));
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    Ok(kept)
}

/// Under which conditions a client sends an archive.
pub(super) fn condition(headers: &HeaderMap) -> PushCondition {
    PushCondition {
        if_match: header(headers, &IF_MATCH).map(|tag| unquoted(&tag).to_owned()),
        undelete: header(headers, &UNDELETE).is_some_and(|value| value.eq_ignore_ascii_case("true")),
    }
}

/// What a client says of itself.
pub(super) fn client(headers: &HeaderMap) -> ClientFacts {
    let [version, platform, device] = CLIENT.map(|name| header(headers, &name));
    ClientFacts { version, platform, device }
}

/// What was stored, and whether it is new.
pub(super) fn answer(stored: &ArchivedSession, outcome: PutOutcome) -> Response {
    let status = if outcome == PutOutcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    wire::json_with(status, &pushed(stored, "synced_at"))
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
async fn received(
    gate: &Gate,
    request: Request,
    limit: u64,
    too_large: impl Fn(u64) -> Failure,
) -> Result<Content, Failure> {
    let (parts, body) = request.into_parts();
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(mut form) = Form::of(&parts.headers, body) else { return Err(no_file()) };
    if length.is_some_and(|length| length > limit.saturating_add(FORM_BYTES)) {
        form.drain(MAX_DRAINED_BYTES).await;
        return Err(too_large(limit));
    }
    let mut rest = FORM_BYTES;
    while let Some(name) = form.next_part().await? {
        let is_file = name == "file";
        let mut spool = Spool::new(Arc::clone(&gate.settings.spool));
        while let Some(piece) = form.piece().await? {
            if is_file && spool.len() + piece.len() as u64 > limit {
                form.drain(MAX_DRAINED_BYTES).await;
                return Err(too_large(limit));
            }
            if !is_file {
                // Other fields are read past, as long as they are small.
                let left = rest.checked_sub(piece.len() as u64);
                rest = left.ok_or_else(|| Failure::bad_request("Field exceeded maximum size"))?;
                continue;
            }
            spool = blocking(move || spool.push(&piece).map(|()| spool)).await?;
        }
        if is_file {
            // Whatever else there is does not matter, but its sender must not be cut off.
            form.drain(MAX_DRAINED_BYTES).await;
            return Ok(blocking(move || spool.finish()).await?);
        }
    }
    Err(no_file())
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> sg_domain::Result<T> + Send + 'static,
) -> sg_domain::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn no_file() -> Failure {
    Failure::validation(vec![Fault::missing(vec![json!("body"), json!("file")], Value::Null)])
}

pub(super) fn too_large(limit: u64) -> Failure {
    let message = format!("Session exceeds {}MB cloud limit for your tier.", limit >> 20);
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message).code("PAYLOAD_TOO_LARGE")
}

pub(super) fn turned_away(error: Error) -> Failure {
    match error.kind {
        ErrorKind::RateLimited { retry_after } => Failure::limited(retry_after)
            .saying("Too many concurrent syncs. Please wait.")
            .detail("error", "sync_rate_limit"),
        _ => error.into(),
    }
}

/// Only this code is a conflict to the client: it then asks for what is stored.
pub(super) fn refused(error: Error) -> Failure {
    if is_about_etag(&error) {
        let current = error.details.iter().find(|(name, _)| *name == CURRENT_ETAG).map(|(_, etag)| etag.clone());
        return Failure::new(StatusCode::CONFLICT, error.message)
            .code("etag_mismatch")
            .detail("current_etag", current.unwrap_or_default());
    }
    if let Some((_, found)) = error.details.iter().find(|(name, _)| *name == SECRETS_FOUND) {
        let found: Value = serde_json::from_str(found).unwrap_or_default();
        let failure = Failure::new(StatusCode::FORBIDDEN, error.message.clone());
        return failure.detail("error", "dlp_blocked").detail("findings", found);
    }
    match error.kind {
        // A file that is too large has details of its own.
        ErrorKind::TooLarge if error.details.is_empty() => Failure::from(error).code("PAYLOAD_TOO_LARGE"),
        ErrorKind::TooLarge => {
            let numbers: Vec<_> =
                error.details.iter().filter_map(|(name, text)| Some((*name, text.parse::<u64>().ok()?))).collect();
            numbers.into_iter().fold(Failure::from(error), |failure, (name, number)| failure.detail(name, number))
        }
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
