//! What is synced by itself, and how that goes.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use serde_json::{Map, Value, json};
use sg_app::{App, MAX_MEMBER_BYTES, MAX_WATCHED};
use sg_domain::sync::Watcher;
use sg_domain::{ErrorKind, SyncSettings, WatchStatus, WatchedSession};

use super::body::Body;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::time::stamp;
use super::{Gate, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("sync settings", "/api/v1/sync/settings", || get(settings)),
    Route::write("set sync settings", &["PUT"], "/api/v1/sync/settings", || put(set_settings)),
    Route::read("watchlist", "/api/v1/sync/watchlist", || get(watchlist)),
    Route::write("watch session", &["POST"], "/api/v1/sync/watch/{id}", || post(watch)),
    Route::write("unwatch session", &["DELETE"], "/api/v1/sync/watch/{id}", || delete(unwatch)),
    Route::write("set watch status", &["PUT"], "/api/v1/sync/watch/{id}/{status}", || put(set_status)),
    Route::read("sync status", "/api/v1/sync/status", || get(status)),
    Route::write("report sync health", &["PUT"], "/api/v1/sync/health", || put(report_health)),
];

async fn settings(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    Ok(wire::json(&settings_body(app.sync_settings(&caller).await?)))
}

async fn set_settings(State(app): State<App>, Writer(caller): Writer, mut body: Body) -> Result<Response, Failure> {
    let mode = body.required_text("mode", 0..=1_000);
    let debounce = body.int("debounce_seconds", i64::MIN..=i64::MAX);
    body.done()?;
    let settings = app.update_sync_settings(&caller, &mode, debounce).await.map_err(|error| match error.kind {
        ErrorKind::Invalid => Failure::bad_request("Mode must be 'off', 'all', or 'selective'"),
        _ => error.into(),
    })?;
    Ok(wire::json(&settings_body(settings)))
}

/// With the largest member that clients may send and will be sent.
fn settings_body(settings: SyncSettings) -> Value {
    json!({
        "mode": settings.mode.name(),
        "debounce_seconds": settings.debounce_secs,
        "max_member_bytes": MAX_MEMBER_BYTES,
    })
}

async fn watchlist(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let watched = app.watchlist(&caller, MAX_WATCHED).await?;
    Ok(wire::json(&json!({ "sessions": watched.iter().map(entry).collect::<Vec<_>>() })))
}

fn entry(watched: &WatchedSession) -> Value {
    let facts = &watched.session.archive.facts;
    json!({
        "session_id": watched.session.archive.id,
        "title": wire::session::title(&watched.session),
        "source_tool": facts.source_tool,
        "message_count": facts.messages,
        "status": watched.status.name(),
        "last_synced_at": watched.last_synced_at.map(stamp),
    })
}

async fn watch(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    let watched = app.watch_session(&caller, reference::id_or_alias(&id)?).await?;
    Ok(wire::json(&json!({ "status": "watching", "session_id": watched.session.archive.id })))
}

async fn unwatch(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = app.unwatch_session(&caller, reference::id_or_alias(&id)?).await?;
    let id = found.map_or(id, |found| found.archive.id);
    Ok(wire::json(&json!({ "status": "unwatched", "session_id": id })))
}

async fn set_status(
    State(app): State<App>,
    Writer(caller): Writer,
    Path((id, status)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let Some(status) = WatchStatus::parse(&status) else {
        return Err(Failure::bad_request("Status must be one of: failed, pending, queued, synced"));
    };
    let is_watched = app.set_watch_status(&caller, reference::id_or_alias(&id)?, status).await?;
    let status = if is_watched { status.name() } else { "not_watched" };
    Ok(wire::json(&json!({ "status": status, "session_id": id })))
}

async fn status(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let standing = app.sync_standing(&caller).await?;
    let counts = &standing.counts;
    Ok(wire::json(&json!({
        "mode": standing.settings.mode.name(),
        "total_sessions": counts.sessions,
        // What is here has been synced.
        "synced_sessions": counts.sessions,
        "watched_sessions": counts.watched,
        "queued": counts.queued,
        "failed": counts.failed,
        "storage_used_bytes": counts.bytes,
        "storage_limit_bytes": standing.limit_bytes,
    })))
}

async fn report_health(State(app): State<App>, Writer(caller): Writer, mut body: Body) -> Result<Response, Failure> {
    let watchers = body.required_objects("watchers");
    body.done()?;
    let kept = app.report_sync_health(&caller, watchers.iter().map(watcher).collect()).await?;
    Ok(wire::json(&json!({ "status": "ok", "watchers": kept })))
}

/// What a daemon says of a watcher: what is no text there is kept as it is written, what is no count is none.
fn watcher(said: &Map<String, Value>) -> Watcher {
    let text = |name: &str| match said.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    Watcher {
        name: text("name").unwrap_or_default(),
        health: text("health").unwrap_or_default(),
        degraded_since: text("degraded_since"),
        last_error: text("last_error"),
        sessions: said.get("sessions_tracked").and_then(Value::as_u64).unwrap_or(0),
    }
}
