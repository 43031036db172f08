//! Sessions: lists, sizes, and one session in three representations.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::value::RawValue;
use sg_app::{App, BlobStream, SessionColumns, SessionList as Wanted, SessionUpdate};
use sg_domain::wtf8::{self, Decoder};
use sg_domain::{
    Caller, Direction, Error, ErrorKind, PageRequest, ProjectId, ProjectKey, Scope, Session, SessionFilter,
    SessionOrder, ShareStatus,
};

use super::body::{self, JsonBody};
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::idempotency::{self, Idempotency};
use super::negotiate::Media;
use super::request::{Params, ProjectPath, SessionPath};
use super::wire::{
    Envelope, RecentBody, RecentSession, SessionData, SessionDetail, SessionList, SessionSummary, Success,
};
use super::{answer, conditional, wire};

const MARKDOWN_SIZE: HeaderName = HeaderName::from_static("x-markdown-size");
const RAW_DATA_SIZE: HeaderName = HeaderName::from_static("x-raw-data-size");
const SESSION_DATA_SIZE: HeaderName = HeaderName::from_static("x-session-data-size");

/// Larger markdown and session data are sent as they are read, never in memory as a whole.
const STREAM_BYTES: u64 = 1024 * 1024;

/// How many recent sessions are listed when nobody says.
const RECENT_DEFAULT: u32 = 5;
/// And at most.
const RECENT_MAX: u32 = 100;

/// `GET /projects/{pid}/sessions`: all of them unless `limit` says less. The SDKs page through this one answer, so a cap
/// would hide sessions from them.
pub(super) async fn sessions(
    State(app): State<App>,
    Reader(caller): Reader,
    ProjectPath(id): ProjectPath,
    params: Params,
) -> Result<Response, Failure> {
    let (resumable, limit) = (params.resumable()?, params.limit(u32::MAX)?);
    let columns = SessionColumns { metadata: true, first_exchange: !resumable };
    let wanted = wanted(Some(&id), resumable, limit, columns);
    let page = app.sessions(&caller, &wanted).await?;
    // An empty project and an unknown one differ, except for who asks what can be resumed.
    if page.items.is_empty() && !resumable {
        app.project(&caller, &id).await?;
    }
    let total = match page.has_next {
        true => app.session_count(&caller, &wanted.filter, None).await?,
        false => page.items.len() as u64,
    };
    let sessions: Vec<_> = page.items.iter().map(SessionSummary::new).collect();
    let capacity = 128 + sessions.len() * SessionSummary::BYTES;
    let body = Envelope::new(SessionList { sessions, total, project_id: id.as_str() });
    Ok(answer::json(StatusCode::OK, capacity, &body)?)
}

/// `GET /projects/{pid}/sessions/sizes`: what a sync compares with. An unknown project has no sessions: the command line
/// would try anything but 200 three times and then ask for each session.
pub(super) async fn sizes(
    State(app): State<App>,
    Reader(caller): Reader,
    ProjectPath(id): ProjectPath,
) -> Result<Response, Failure> {
    let sessions = app.session_sizes(&caller, &id).await?;
    let capacity = 64 + sessions.len() * 128;
    Ok(answer::json(StatusCode::OK, capacity, &Envelope::new(wire::SizeList(&sessions)))?)
}

/// `GET /sessions/recent`: the last active sessions of all projects.
pub(super) async fn recent(
    State(app): State<App>,
    Reader(caller): Reader,
    params: Params,
) -> Result<Response, Failure> {
    let limit = params.limit(RECENT_MAX)?.unwrap_or(RECENT_DEFAULT);
    let wanted = Wanted { order: SessionOrder::Activity, ..wanted(None, false, Some(limit), SessionColumns::ALL) };
    let sessions = app.sessions(&caller, &wanted).await?.items;
    let mut keys: Vec<_> = sessions.iter().map(|session| session.project_key).collect();
    keys.sort_unstable();
    keys.dedup();
    let projects = match keys.is_empty() {
        true => Vec::new(),
        false => app.projects_by_key(&caller, &keys).await?,
    };
    let projects: HashMap<ProjectKey, _> = projects.iter().map(|project| (project.key, project)).collect();
    let rows: Vec<_> = sessions.iter().map(|s| RecentSession::new(s, projects.get(&s.project_key).copied())).collect();
    let rows = serde_json::value::to_raw_value(&rows).map_err(Error::internal)?;
    Ok(recent_answer(&rows, sessions.len())?)
}

fn recent_answer(rows: &RawValue, total: usize) -> Result<Response, Error> {
    answer::json(StatusCode::OK, 96 + 2 * rows.get().len(), &RecentBody::new(rows, total))
}

/// `GET` and `HEAD /projects/{pid}/sessions/{sid}`. Both go the same way, so that `HEAD` says what `GET` would.
pub(super) async fn session(
    State(app): State<App>,
    Reader(caller): Reader,
    SessionPath(wanted): SessionPath,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let media = Media::negotiate(&headers);
    let session = app.session(&caller, &wanted).await?;
    // Before the condition: what is not there cannot be unmodified.
    if media == Media::SessionData && session.blobs.session_data.is_none() {
        return Err(Error::not_found("session data").into());
    }
    let mut response = if conditional::is_not_modified(&method, &headers, &session.etag) {
        let mut response = answer::response(StatusCode::NOT_MODIFIED, media.content_type(), Body::empty());
        // There is no content to be of a type.
        response.headers_mut().remove(CONTENT_TYPE);
        response
    } else {
        let (length, body) = content(&app, &caller, &session, media, &method).await?;
        let mut response = answer::response(StatusCode::OK, media.content_type(), body);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    };
    describe(response.headers_mut(), &session)?;
    Ok(response)
}

/// `PATCH /projects/{pid}/sessions/{sid}`: its title, and who may read it.
pub(super) async fn update(
    State(app): State<App>,
    Writer(caller): Writer,
    SessionPath(wanted): SessionPath,
    key: Idempotency,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Failure> {
    // The answer holds the whole session: whoever may not read it must hear so before anything has changed.
    caller.require(Scope::Read)?;
    let change = async {
        let share_status = body.text("shareStatus")?.map(|name| {
            let must_be = "one of: private, unlisted";
            ShareStatus::parse(&name).ok_or_else(|| body::invalid("shareStatus", must_be))
        });
        let update = SessionUpdate {
            user_title: body.text_or_null("userTitle")?,
            share_status: share_status.transpose()?,
            etag: conditional::expected(&headers),
            ..SessionUpdate::default()
        };
        let session = app.update_session(&caller, &wanted, update).await.map_err(|error| match error.kind {
            ErrorKind::NotFound => Failure::not_found("Session not found or access denied"),
            _ => error.into(),
        })?;
        let detail = detail(&app, &caller, &session).await?;
        let mut response = answer::response(StatusCode::OK, Media::Json.content_type(), detail.into());
        describe(response.headers_mut(), &session)?;
        Ok(response)
    };
    key.once(&app, &caller, body.digest, change).await
}

/// `DELETE /projects/{pid}/sessions/{sid}`: into the trash. Its project stays, even when it was the last.
pub(super) async fn delete(
    State(app): State<App>,
    Writer(caller): Writer,
    SessionPath(wanted): SessionPath,
    key: Idempotency,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let delete = async {
        app.delete_session_if(&caller, &wanted, conditional::expected(&headers).as_deref()).await?;
        Ok(answer::json(StatusCode::OK, 64, &Envelope::new(Success { success: true }))?)
    };
    key.once(&app, &caller, idempotency::no_body(), delete).await
}

/// What every list of sessions starts from: SpecStory's order, last ended first.
pub(super) fn wanted(
    project: Option<&ProjectId>,
    resumable: bool,
    limit: Option<u32>,
    columns: SessionColumns,
) -> Wanted {
    let filter = SessionFilter {
        project_ids: project.map(|id| id.as_str().to_owned()).into_iter().collect(),
        resumable: resumable.then_some(true),
        ..SessionFilter::default()
    };
    let page = limit.map_or_else(PageRequest::all, PageRequest::first);
    Wanted { filter, text: None, order: SessionOrder::EndedAt, direction: Direction::Desc, page, columns }
}

/// The body and its length in bytes. `HEAD` of a stored representation knows the length without reading it.
async fn content(
    app: &App,
    caller: &Caller,
    session: &Session,
    media: Media,
    method: &Method,
) -> Result<(u64, Body), Error> {
    let size = match media {
        Media::Markdown => session.markdown_size,
        Media::SessionData => session.session_data_size.unwrap_or(0),
        Media::Json => {
            let body = detail(app, caller, session).await?;
            return Ok((body.len() as u64, body.into()));
        }
    };
    if method == Method::HEAD {
        return Ok((size, Body::empty()));
    }
    let is_markdown = media == Media::Markdown;
    if size > STREAM_BYTES {
        let pieces = match is_markdown {
            true => app.markdown_stream(caller, session).await?,
            false => app.session_data_stream(caller, session).await?,
        };
        return Ok((size, Body::from_stream(as_text(pieces))));
    }
    let bytes =
        if is_markdown { app.markdown(caller, session).await? } else { app.session_data(caller, session).await? };
    // The same length in either case, so that what is said of it stays true.
    let text = match wtf8::lossy(&bytes) {
        Cow::Borrowed(_) => bytes,
        Cow::Owned(text) => text.into(),
    };
    Ok((text.len() as u64, text.into()))
}

/// Content as UTF-8 text of the same length: stored lone surrogates are replaced.
fn as_text(pieces: BlobStream) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    let pieces = pieces.map(Some).chain(futures_util::stream::iter([None]));
    let texts = pieces.scan(Decoder::default(), |decoder, piece| {
        let mut text = String::new();
        let piece = match piece {
            Some(Ok(bytes)) => {
                text.reserve(bytes.len() + 3);
                decoder.push(&bytes, &mut text);
                Ok(text.into())
            }
            Some(Err(error)) => Err(error),
            None => {
                std::mem::take(decoder).finish(&mut text);
                Ok(text.into())
            }
        };
        std::future::ready(Some(piece))
    });
    texts.filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)))
}

async fn detail(app: &App, caller: &Caller, session: &Session) -> Result<Bytes, Error> {
    let markdown = app.markdown(caller, session).await?;
    let exchanges = app.exchange_spans(caller, session.id).await?;
    let project = match app.project(caller, &session.project_id).await {
        Ok(project) => Some(project),
        // Deleted since the session was read.
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // The markdown stands in it twice, once whole and once in exchanges; escapes make it a little longer.
    let capacity = 4_096 + markdown.len() * 9 / 4;
    let session = SessionDetail::new(session, project.as_ref(), &markdown, &exchanges);
    answer::bytes(capacity, &Envelope::new(SessionData { session }))
}

/// The headers that tell a session's state, on every answer about it.
fn describe(headers: &mut HeaderMap, session: &Session) -> Result<(), Error> {
    headers.insert(ETAG, conditional::tag_header(&session.etag)?);
    headers.insert(LAST_MODIFIED, HeaderValue::try_from(session.updated_at.to_http_date()).map_err(Error::internal)?);
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(MARKDOWN_SIZE, HeaderValue::from(session.markdown_size));
    headers.insert(RAW_DATA_SIZE, HeaderValue::from(session.raw_data_size));
    headers.insert(SESSION_DATA_SIZE, HeaderValue::from(session.session_data_size.unwrap_or(0)));
    Ok(())
}
