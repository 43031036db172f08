//! Shared sessions: open to whoever has the link.

use axum::extract::State;
use axum::response::Response;
use http::header::VARY;
use http::{HeaderValue, StatusCode};
use sg_app::{App, SharedSession};
use sg_domain::ErrorKind;

use super::answer;
use super::failure::Failure;
use super::request::SharePath;
use super::wire::Envelope;
use super::wire::share::{SharedBody, SharedData};

/// `GET /share/{sid}`.
pub(super) async fn session(State(app): State<App>, SharePath(id): SharePath) -> Result<Response, Failure> {
    let shared = shared(&app, &id).await?;
    let size: usize = shared.exchanges.iter().map(|exchange| exchange.content.len() * 9 / 8 + 256).sum();
    let body = Envelope::new(SharedData { session: SharedBody::new(&shared) });
    Ok(answer::json(StatusCode::OK, size + 2_048, &body)?)
}

/// `GET /share/{sid}/markdown`.
pub(super) async fn markdown(State(app): State<App>, SharePath(id): SharePath) -> Result<Response, Failure> {
    let shared = shared(&app, &id).await?;
    let markdown = HeaderValue::from_static("text/markdown; charset=utf-8");
    let mut response = answer::response(StatusCode::OK, markdown, shared.markdown().into());
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

async fn shared(app: &App, id: &str) -> Result<SharedSession, Failure> {
    app.shared_session(id).await.map_err(|error| match error.kind {
        ErrorKind::NotFound => Failure::not_found(NOT_SHARED),
        _ => error.into(),
    })
}

/// The same for a session that is private and for one that is not there.
pub(super) const NOT_SHARED: &str = "Session not found or not shared";
