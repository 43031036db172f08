//! The HTTP stack: what every request passes through, and who answers which path.
//!
//! Outside in: request id, log line and panic isolation ([`request`]); compression; time and size limits; `identify`;
//! then health, pages, GraphQL and the REST dialects.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use sg_app::App;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::config::HttpConfig;

mod failure;
mod graphql;
mod health;
mod identify;
mod page;
mod request;
pub mod server;

pub use request::RequestId;

/// What the server's own handlers work with.
#[derive(Clone)]
pub(crate) struct State {
    app: App,
    http: Arc<HttpConfig>,
}

/// The whole stack over one app. Needs nothing but a Tokio runtime; tests call it without a socket.
pub fn router(app: App, http: &HttpConfig) -> Router {
    let state = State { app: app.clone(), http: Arc::new(http.clone()) };
    let compression = CompressionLayer::new().compress_when(
        SizeAbove::new(http.compress_above_bytes)
            .and(NotForContentType::GRPC)
            .and(NotForContentType::IMAGES)
            .and(NotForContentType::SSE)
            .and(NotForContentType::const_new("font/")),
    );
    Router::new()
        .merge(health::router(state.clone()))
        .merge(page::router())
        .merge(graphql::router(&state))
        .merge(sg_rest::specstory::router(app.clone(), http.specstory()))
        .merge(sg_web::router(app, sg_web::Settings::default()))
        .fallback(async || failure::not_found())
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), identify::identify))
        .layer(from_fn_with_state(state.clone(), request::limit))
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(http.body_timeout_secs)))
        .layer(compression)
        .layer(from_fn(request::observe))
}
