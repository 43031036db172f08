//! Archives: pushed, pulled, uploaded by hand, downloaded.

use axum::extract::{Multipart, Path, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use http::StatusCode;
use serde_json::json;
use sg_app::{App, PutOutcome};

use super::credential::Writer;
use super::failure::Failure;
use super::time::stamp;
use super::{Gate, missing, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("push", &["PUT"], "/api/v1/sessions/{id}/sync", || put(push)),
    Route::read("pull", "/api/v1/sessions/{id}/sync", || get(missing::soon)),
    Route::write("upload", &["POST"], "/api/v1/sessions", || post(missing::soon)),
    Route::read("download", "/api/v1/sessions/{id}/download", || get(missing::soon)),
];

async fn push(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    mut form: Multipart,
) -> Result<Response, Failure> {
    let id = reference::id(&id)?;
    let broken = |_| Failure::bad_request("The form cannot be read");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(broken)?;
            let (stored, outcome) = app.push_archive(&caller, id, bytes).await?;
            let status = if outcome == PutOutcome::Created { StatusCode::CREATED } else { StatusCode::OK };
            let body = json!({
                "session_id": stored.archive.id,
                "etag": stored.archive.digest.to_string(),
                "blob_size_bytes": stored.archive.size_bytes,
                "synced_at": stamp(stored.archive.uploaded_at),
            });
            return Ok(wire::json_with(status, &body));
        }
    }
    Err(Failure::bad_request("no file"))
}
