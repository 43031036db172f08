//! Links that let whoever has one read a session.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, REFERRER_POLICY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use sg_app::{App, MAX_LINK_HOURS, MAX_PASSWORD_BYTES, NewShareLink, share_link_path};
use sg_domain::{Error, ErrorKind};

use super::body::{Body as Fields, OptionalBody};
use super::credential::Writer;
use super::failure::Failure;
use super::time::stamp;
use super::{Gate, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create share link", &["POST"], "/api/v1/sessions/{id}/share", || post(create)),
    Route::write("revoke share link", &["DELETE"], "/api/v1/sessions/{id}/share/{link_id}", || delete(revoke)),
    Route::open("open share link", &["GET", "HEAD"], "/api/v1/sessions/share/{token}", || get(open)),
    Route::open("open share link with password", &["POST"], "/api/v1/sessions/share/{token}", || {
        post(open_with_password)
    }),
];

/// How long a link lasts when nobody says, in hours.
const DEFAULT_HOURS: i64 = 24;
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

async fn create(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
    mut body: Fields,
) -> Result<Response, Failure> {
    let hours = body.int("expires_in_hours", 1..=i64::from(MAX_LINK_HOURS)).unwrap_or(DEFAULT_HOURS);
    let password = body.text("password", 0..=MAX_PASSWORD_BYTES);
    body.done()?;
    let name = reference::id_or_alias(&id)?;
    let new = NewShareLink { hours: u32::try_from(hours).unwrap_or(0), password };
    let made = gate.app.create_archive_link(&caller, name, new).await.map_err(|error| match error.kind {
        ErrorKind::Invalid => Failure::from(error).with_status(StatusCode::UNPROCESSABLE_ENTITY),
        _ => error.into(),
    })?;
    let url = address(&gate.settings.public_url, &headers) + &share_link_path(&made.token);
    let body = json!({
        "link_id": made.link.id.to_string(),
        "url": url,
        "public_url": url,
        "expires_at": stamp(made.link.expires_at),
        "has_password": made.link.password_hash.is_some(),
    });
    Ok(private(wire::json_with(StatusCode::CREATED, &body)))
}

async fn revoke(
    State(app): State<App>,
    Writer(caller): Writer,
    Path((session, link)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let link = link.parse().map_err(|_| Error::not_found("share link"))?;
    app.revoke_share_link(&caller, link, Some(&session)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn open(State(app): State<App>, Path(token): Path<String>) -> Response {
    private(opened(&app, &token, None).await.unwrap_or_else(Failure::into_response))
}

async fn open_with_password(State(app): State<App>, Path(token): Path<String>, body: OptionalBody) -> Response {
    let OptionalBody(mut body) = body;
    let answer = async {
        let password = body.text("password", 0..=MAX_PASSWORD_BYTES);
        body.done()?;
        opened(&app, &token, password.as_deref()).await
    };
    private(answer.await.unwrap_or_else(Failure::into_response))
}

async fn opened(app: &App, token: &str, password: Option<&str>) -> Result<Response, Failure> {
    let found = app.open_share_link(token, password).await.map_err(|error| match error.kind {
        // What is missing here is no header.
        ErrorKind::Unauthenticated => {
            let words = if error.message == "password required" { "Password required" } else { "Invalid password" };
            Failure::new(StatusCode::UNAUTHORIZED, words)
        }
        ErrorKind::RateLimited { retry_after } => {
            Failure::limited(retry_after).saying("Too many wrong passwords. Try again later.")
        }
        _ => error.into(),
    })?;
    let mut response = Body::from_stream(found.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(found.size_bytes));
    headers.insert(ETAG, HeaderValue::try_from(format!("\"{}\"", found.digest)).map_err(Error::internal)?);
    Ok(response)
}

/// An answer that no cache keeps, no search engine lists and no page tells of: its address is a secret.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Where the server is: as its operator says, else as the request found it.
fn address(public_url: &str, headers: &HeaderMap) -> String {
    if !public_url.is_empty() {
        return public_url.to_owned();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).unwrap_or_default()
}
