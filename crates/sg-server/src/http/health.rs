//! `/healthz`: this process answers. `/readyz`: everything it needs does.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::failure::json_response;

pub(crate) fn router(state: super::State) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(state)
}

async fn alive() -> Response {
    uncached(json_response(StatusCode::OK, json!({ "status": "ok" }).to_string()))
}

/// Counts only, no names: probes carry no credential.
async fn ready(State(state): State<super::State>) -> Response {
    let database = state.app.ping().await;
    if let Err(error) = &database {
        tracing::error!(error = ?error, "database does not answer");
    }
    let queue = match &database {
        Ok(()) => state.app.job_counts().await.ok(),
        Err(_) => None,
    };
    let index = state.app.index_status();
    let is_ready = database.is_ok() && queue.is_some() && !index.needs_rebuild;
    let body = json!({
        "status": if is_ready { "ready" } else { "not ready" },
        "database": if database.is_ok() { "ok" } else { "unreachable" },
        "index": {
            "status": if index.needs_rebuild { "rebuilding" } else { "ok" },
            "sessions": index.sessions,
            "documents": index.documents,
            "bytes": index.bytes,
        },
        "live": { "sockets": state.live.sockets(), "streams": state.live.streams() },
        "queue": queue.map(|jobs| json!({ "ready": jobs.ready, "running": jobs.running, "dead": jobs.dead })),
    });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    uncached(json_response(status, body.to_string()))
}

fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
