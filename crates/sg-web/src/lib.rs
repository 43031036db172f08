//! Pages for people: plain, server-rendered HTML over the same operations as GraphQL and REST.
//!
//! What belongs here: markup, forms, the sign-in cookie, how a session reads on a page. What does not: rules and
//! permission (`sg-app`), a dialect's JSON (`sg-rest`), the playground's bundle (`sg-server`).

mod csrf;
mod next;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use sg_app::App;
use sg_domain::Error;

/// What the pages need to know of the server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address that people reach the server at, such as `https://sessions.example.com`, without a final slash. Empty:
    /// links are relative, and what must be absolute is made from the request's `Host`.
    pub public_url: String,
}

impl Settings {
    /// Whether people reach the server through TLS, so that cookies are for TLS alone.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// What handlers work with: `State<App>` or `State<Pages>`.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) app: App,
    pub(crate) settings: Arc<Settings>,
}

impl FromRef<Pages> for App {
    fn from_ref(pages: &Pages) -> Self {
        pages.app.clone()
    }
}

/// Every page. They tell who asks by their own cookie, never by an API key.
pub fn router(app: App, settings: Settings) -> Router {
    let pages = Pages { app, settings: Arc::new(settings) };
    Router::new().with_state(pages)
}

/// Sends the browser on with a GET.
pub(crate) fn see_other(location: &str) -> Response {
    Redirect::to(location).into_response()
}

/// The page of an error.
pub(crate) fn refusal(error: Error) -> Response {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.message).into_response()
}
