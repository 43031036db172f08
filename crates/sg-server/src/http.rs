//! The HTTP stack: what every request passes through, and who answers which path.
//!
//! Outside in: request id, log line and panic isolation ([`request`]); compression; `identify`, which counts requests too;
//! time and size limits; then health, pages, GraphQL and the REST dialects. Sockets and event streams outlive that: they
//! bound themselves ([`graphql_socket`], [`graphql_stream`], [`live`]).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use sg_app::App;
use sg_rest::front::Front;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::config::Config;

mod client_address;
mod failure;
mod graphql;
mod graphql_socket;
mod graphql_stream;
mod health;
mod identify;
mod live;
mod page;
mod rate_limit;
mod request;
pub mod server;

pub use request::RequestId;

use self::live::Live;
use self::rate_limit::RateLimits;

/// What the server's own handlers work with.
#[derive(Clone)]
pub(crate) struct State {
    app: App,
    config: Arc<Config>,
    rate_limits: Arc<RateLimits>,
    live: Arc<Live>,
}

/// Tries what [`router`] can only log: whether GraphQL can be served as it is set.
pub fn check(app: &App, config: &Config) -> anyhow::Result<()> {
    graphql::graphql(app, config).map(drop)
}

/// The whole stack over one app. Needs nothing but a Tokio runtime; tests call it without a socket.
pub fn router(app: App, config: &Config) -> Router {
    let http = config.http();
    let clock = app.clone();
    let now: rate_limit::Now = Arc::new(move || clock.now());
    let rate_limits = Arc::new(RateLimits::new(&now, &config.rate_limit));
    let live = Arc::new(Live::new(&config.socket));
    let state = State { app: app.clone(), config: Arc::new(config.clone()), rate_limits, live };
    let front = Front::new(
        sg_rest::specstory::router(app.clone(), http.specstory()),
        sg_rest::sessionfs::router(app.clone(), config.sessionfs()),
    );
    let compression = CompressionLayer::new().compress_when(
        SizeAbove::new(http.compress_above_bytes)
            .and(NotForContentType::GRPC)
            .and(NotForContentType::IMAGES)
            .and(NotForContentType::SSE)
            .and(NotForContentType::const_new("application/gzip"))
            .and(NotForContentType::const_new("font/")),
    );
    Router::new()
        .merge(health::router(state.clone()))
        .merge(page::router())
        .merge(graphql::router(&state))
        .merge(sg_web::router(app, config.pages()))
        .fallback(move |request| dialect(front, request))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), request::limit))
        .layer(from_fn_with_state(state.clone(), identify::identify))
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(http.body_timeout_secs)))
        .layer(compression)
        .layer(from_fn(request::observe))
}

/// What no other part answers is a dialect's, or nobody's.
async fn dialect(front: Front, request: Request) -> Response {
    front.answer(request).await.unwrap_or_else(|_| failure::not_found())
}
