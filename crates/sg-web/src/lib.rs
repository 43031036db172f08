//! Pages for people: plain, server-rendered HTML over the same operations as GraphQL and REST.
//!
//! What belongs here: markup, forms, the sign-in cookie, how a session reads on a page. What does not: rules and
//! permission (`sg-app`), a dialect's JSON (`sg-rest`), the playground's bundle (`sg-server`).

mod answer;
mod asset;
mod code;
mod conversation;
mod csrf;
mod device;
mod exchange;
mod failure;
mod key;
mod layout;
mod markdown;
mod next;
mod oidc;
pub mod page;
mod playground;
mod project;
mod request;
mod resume;
mod search;
mod session;
mod share;
mod shown;
mod sign_in;
mod snippet;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use sg_app::App;
use sg_domain::{Caller, Error, ErrorKind};

pub use self::csrf::cookie_of_page;
pub use self::oidc::OidcSettings;
use self::oidc::Provider;

/// What the pages need to know of the server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address that people reach the server at, such as `https://sessions.example.com`, without a final slash. Empty:
    /// links are relative, and what must be absolute is made from the request's `Host`.
    pub public_url: String,
    /// The OpenID Connect provider that people may sign in through. Needs `public_url`.
    pub oidc: Option<OidcSettings>,
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
    pub(crate) oidc: Option<Arc<Provider>>,
}

impl FromRef<Pages> for App {
    fn from_ref(pages: &Pages) -> Self {
        pages.app.clone()
    }
}

/// Every page. They tell who asks by their own cookie, never by an API key.
pub fn router(app: App, settings: Settings) -> Router {
    let oidc = settings.oidc.clone().map(|oidc| Arc::new(Provider::new(oidc, &settings.public_url)));
    let pages = Pages { app, settings: Arc::new(settings), oidc };
    let mut router = Router::new()
        .route(asset::ROUTE, get(asset::file))
        .route("/login", get(sign_in::page).post(sign_in::sign_in))
        .route("/logout", post(sign_in::sign_out))
        .route("/login/oidc", get(oidc::start))
        .route(oidc::CALLBACK, get(oidc::callback));
    for page in page::PAGES {
        router = router.route(page.path, (page.answer)());
    }
    router.layer(from_fn(refuse_limited)).with_state(pages)
}

/// Refuses whom the stack counted as over the limit: only pages for everyone are counted.
async fn refuse_limited(request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>().map(Caller::known) {
        Some(Err(error @ Error { kind: ErrorKind::RateLimited { .. }, .. })) => failure::problem(&error, None),
        _ => next.run(request).await,
    }
}
