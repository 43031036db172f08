//! What is in a session's archive: its messages as their client wrote them, and its other files.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::value::RawValue;
use sg_app::{App, ArchiveMessagesRequest, TargetMessage, TargetState};

use super::credential::Reader;
use super::failure::Failure;
use super::query::Query;
use super::{reference, session};

/// Messages on a page.
const PAGE_SIZE: u32 = 50;
const MAX_PAGE_SIZE: u32 = 100;

/// What stands behind the messages of a page.
#[derive(Serialize)]
struct Rest {
    total: u64,
    page: u64,
    page_size: u32,
    has_more: bool,
    message_indexes: Vec<u64>,
    target: Option<Target>,
}

/// The message that was asked for.
#[derive(Serialize)]
struct Target {
    index: u64,
    status: &'static str,
    anchor_index: Option<u64>,
}

impl Target {
    fn new(target: TargetMessage) -> Self {
        let status = match target.state {
            TargetState::Found => "found",
            TargetState::Hidden => "hidden",
            TargetState::Missing => "missing",
        };
        Self { index: target.line, status, anchor_index: target.anchor }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    mut query: Query,
) -> Result<Response, Failure> {
    let (page, page_size) = session::page(&mut query, PAGE_SIZE, MAX_PAGE_SIZE);
    let around = query.optional_int("around", 0..=i64::MAX).and_then(|line| u64::try_from(line).ok());
    let newest_first = query.text("order") == Some("newest");
    query.done()?;
    let stored = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    let request = ArchiveMessagesRequest { newest_first, page, page_size, around };
    let found = app.archive_messages(&caller, &stored.archive, request).await?;
    let rest = Rest {
        total: found.total,
        page: found.page,
        page_size,
        has_more: found.page.saturating_mul(u64::from(page_size)) < found.total,
        message_indexes: found.messages.iter().map(|(line, _)| *line).collect(),
        target: found.target.map(Target::new),
    };
    let rest = serde_json::to_vec(&rest).map_err(sg_domain::Error::internal)?;
    // Messages go out as they came: the order of their fields and the spelling of their numbers are the client's.
    let size = found.messages.iter().map(|(_, message)| message.len() + 1).sum::<usize>();
    let mut body = Vec::with_capacity(size + rest.len() + 32);
    body.extend_from_slice(b"{\"messages\":[");
    for (place, (_, message)) in found.messages.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(message);
    }
    body.extend_from_slice(b"],");
    body.extend_from_slice(&rest[1..]);
    Ok(answer(body))
}

pub(super) async fn workspace(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let stored = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    let file = app.archive_member(&caller, &stored.archive, "workspace.json").await?;
    member("workspace", file).ok_or_else(|| Failure::not_found("No workspace.json in session archive"))
}

pub(super) async fn tools(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let stored = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    let file = app.archive_member(&caller, &stored.archive, "tools.json").await?;
    member("tools", file).ok_or_else(|| Failure::not_found("No tools.json in session archive"))
}

/// A file as the only field of an object, as it stands in the archive; one that is no JSON is none.
fn member(name: &str, file: Option<Vec<u8>>) -> Option<Response> {
    let file = file?;
    let value: &RawValue = serde_json::from_slice(&file).ok()?;
    let mut body = format!("{{\"{name}\":").into_bytes();
    body.extend_from_slice(value.get().as_bytes());
    body.push(b'}');
    Some(answer(body))
}

fn answer(body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
