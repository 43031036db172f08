//! Whether the server answers, as its clients ask it.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use sg_app::App;

use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::open("health", &["GET", "HEAD"], "/health", || get(alive)),
    Route::open("api health", &["GET", "HEAD"], "/api/v1/health", || get(alive)),
    Route::open("health ready", &["GET", "HEAD"], "/health/ready", || get(ready)),
    Route::open("health pool", &["GET", "HEAD"], "/health/pool", || get(ready)),
];

/// What clients look for, to see that they reached a server of theirs.
const SERVICE: &str = "sessionfs-api";

/// `GET /health`: this process answers. Signing in with a key asks for nothing else.
async fn alive() -> Response {
    wire::json(&json!({ "status": "healthy", "version": env!("CARGO_PKG_VERSION"), "service": SERVICE }))
}

/// `GET /health/ready` and `/health/pool`: its database does, too.
async fn ready(State(app): State<App>) -> Response {
    let (status, text) = match app.ping().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::error!(error = ?error, "database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    };
    wire::json_with(status, &json!({ "status": text, "service": SERVICE }))
}
