//! SessionFS's API: the route table. Its client (the `sfs` command and its daemon) works with nothing but its server's
//! address changed.

mod account;
mod archive;
mod audit;
mod billing;
mod body;
mod cors;
mod credential;
mod dlp;
mod docs;
mod failure;
mod fault;
mod handoff;
mod health;
mod key;
mod message;
mod missing;
mod query;
mod reference;
mod session;
mod setting;
mod share_link;
mod summary;
mod sync;
mod time;
mod title;
mod upload;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::Method;
use sg_app::{App, SpoolPlace};
use sg_domain::{Error, ErrorKind};

use self::failure::Failure;
use crate::route::{self, Route};

/// Every route of the dialect, noun by noun.
pub fn routes() -> impl Iterator<Item = &'static Route<Gate>> {
    TABLES.iter().flat_map(|table| table.iter())
}

const TABLES: &[&[Route<Gate>]] = &[
    account::ROUTES,
    key::ROUTES,
    session::ROUTES,
    archive::ROUTES,
    upload::ROUTES,
    share_link::ROUTES,
    summary::ROUTES,
    audit::ROUTES,
    handoff::ROUTES,
    sync::ROUTES,
    setting::ROUTES,
    dlp::ROUTES,
    billing::ROUTES,
    health::ROUTES,
    docs::ROUTES,
    missing::ROUTES,
];

/// What the dialect needs to know of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that people reach the server at, without a slash at its end. Empty: that of each request.
    pub public_url: String,
    /// Where uploads are kept while they are read, until they are stored.
    pub spool: Arc<SpoolPlace>,
}

/// What handlers work with: `State<App>` or `State<Gate>`.
#[derive(Clone)]
pub struct Gate {
    pub(crate) app: App,
    pub(crate) settings: Arc<Settings>,
}

impl FromRef<Gate> for App {
    fn from_ref(gate: &Gate) -> Self {
        gate.app.clone()
    }
}

/// The whole dialect. It expects an `Extension<Caller>` on each request and takes one without it for anonymous; paths
/// come as [`spelled`] gives them.
pub fn router(app: App, settings: Settings) -> Router {
    let gate = Gate { app, settings: Arc::new(settings) };
    let mut router = Router::new();
    for (path, answer, allow) in route::by_path(routes()) {
        let other = move |_: Method| {
            let failure = Failure::method_not_allowed(allow.clone());
            async move { failure }
        };
        router = router.route(path, any(other).merge(answer));
    }
    let router = router.fallback(async || Failure::no_route());
    router.layer(from_fn(credential::refuse_limited)).layer(from_fn(cors::cors)).with_state(gate)
}

/// A path as this dialect's clients mean it: with and without a slash at its end are one, and an escaped slash is a
/// slash, as the original decodes before it routes.
pub fn spelled(path: &str) -> Cow<'_, str> {
    let mut path = Cow::Borrowed(path);
    if path.contains("%2F") || path.contains("%2f") {
        path = Cow::Owned(path.replace("%2F", "/").replace("%2f", "/"));
    }
    if path.len() > 1 && path.ends_with('/') {
        path = Cow::Owned(path.trim_end_matches('/').to_owned());
    }
    path
}

/// What the stack in front of the dialect says for it: in its envelope, with what finds the log line.
pub fn failure(kind: ErrorKind, message: &str, request_id: &str) -> Response {
    Failure::from(Error::new(kind, message)).detail("request_id", request_id).into_response()
}
