//! Archives that arrive in parts (`contracts/sessionfs.md` 2.3).

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};
use sg_app::{App, Spool, UPLOAD_FAULT};
use sg_domain::{Digest, Error, ErrorKind};

use super::archive::{answer, blocking, client, condition, refused, too_large, turned_away};
use super::body::Body;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::fault::Fault;
use super::form::cut_off;
use super::time::stamp;
use super::{Gate, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("begin upload", &["POST"], "/api/v1/sessions/{id}/uploads", || post(begin)),
    Route::write("put part", &["PUT"], "/api/v1/uploads/{upload_id}/parts/{part}", || put(part)),
    Route::read("upload status", "/api/v1/uploads/{upload_id}", || get(status)),
    Route::write("complete upload", &["POST"], "/api/v1/uploads/{upload_id}/complete", || post(complete)),
    Route::write("abort upload", &["DELETE"], "/api/v1/uploads/{upload_id}", || axum::routing::delete(abort)),
];

/// The digest of a part.
const PART_DIGEST: HeaderName = HeaderName::from_static("x-part-sha256");

async fn begin(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Response, Failure> {
    let limit = app.push_limit(&caller).await?;
    let id = reference::id(&id)?;
    let total = body.required_int("total_size", 1..=i64::MAX);
    let digest = body.required_text("sha256", 64..=64).to_ascii_lowercase().parse::<Digest>().ok();
    if digest.is_none() && body.value("sha256").is_some_and(Value::is_string) {
        body.refuse("sha256", "sha256 must be 64 hex digits");
    }
    body.done()?;
    let total = u64::try_from(total).unwrap_or(0);
    if total > limit {
        return Err(too_large(limit));
    }
    let Some(digest) = digest else { return Err(Failure::bad_request("sha256 must be 64 hex digits")) };
    let upload = app.begin_upload(&caller, id, total, digest, &condition(&headers)).await.map_err(fault)?;
    let body = json!({
        "upload_id": upload.id,
        "part_size": upload.part_bytes,
        "part_count": upload.part_count,
        "expires_at": stamp(upload.expires_at),
    });
    Ok(wire::json_with(StatusCode::CREATED, &body))
}

async fn part(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    Path((id, number)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let Ok(number) = number.parse::<u32>() else {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        let place = vec![json!("path"), json!("part_number")];
        return Err(Failure::validation(vec![Fault::new("int_parsing", place, message, json!(number))]));
    };
    let said = request.headers().get(PART_DIGEST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(said) = said else {
        let place = vec![json!("header"), json!(PART_DIGEST.as_str())];
        return Err(Failure::validation(vec![Fault::missing(place, Value::Null)]));
    };
    let wanted = gate.app.upload_part_len(&caller, &id, number).await.map_err(fault)?;
    let mut spool = Spool::new(Arc::clone(&gate.settings.spool));
    let mut pieces = request.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| cut_off(&error))?;
        if spool.len() + piece.len() as u64 > wanted {
            let message = format!("Part {number} must have {wanted} bytes");
            return Err(Failure::bad_request(message).code("part_size_mismatch"));
        }
        spool = blocking(move || spool.push(&piece).map(|()| spool)).await?;
    }
    let content = blocking(move || spool.finish()).await?;
    if content.len() == wanted && !said.trim().eq_ignore_ascii_case(&content.digest().to_string()) {
        let message = format!("Part {number} does not match its X-Part-SHA256");
        return Err(Failure::bad_request(message).code("part_hash_mismatch"));
    }
    gate.app.put_upload_part(&caller, &id, number, &content).await.map_err(fault)?;
    Ok(wire::json(&json!({ "part_number": number, "size": content.len(), "sha256": content.digest().to_string() })))
}

async fn status(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let (upload, state, received) = app.upload(&caller, &id).await.map_err(fault)?;
    Ok(wire::json(&json!({
        "upload_id": upload.id,
        "session_id": upload.archive,
        "status": state.name(),
        "total_size": upload.total_bytes,
        "part_size": upload.part_bytes,
        "part_count": upload.part_count,
        "received": received,
        "expires_at": stamp(upload.expires_at),
    })))
}

async fn complete(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let _turn = gate.app.push_turn(&caller).await.map_err(turned_away)?;
    let spool = Arc::clone(&gate.settings.spool);
    let done = gate.app.complete_upload(&caller, &id, spool, condition(&headers), client(&headers)).await;
    let (stored, outcome) = done.map_err(fault)?;
    Ok(answer(&stored, outcome))
}

async fn abort(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    app.abort_upload(&caller, &id).await.map_err(fault)?;
    Ok(wire::no_content())
}

/// What is wrong with an upload has a code of its own; all else is as for a push.
fn fault(error: Error) -> Failure {
    const CODES: [&str; 7] = [
        "too_many_pending_uploads",
        "invalid_part_number",
        "part_size_mismatch",
        "missing_parts",
        "sha256_mismatch",
        "upload_not_pending",
        "upload_expired",
    ];
    let detail = |wanted: &str| error.details.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.clone());
    let code = detail(UPLOAD_FAULT).and_then(|name| CODES.into_iter().find(|code| **code == *name));
    let Some(code) = code else {
        return match error.kind {
            ErrorKind::NotFound => error.into(),
            _ => refused(error),
        };
    };
    let missing = detail("missing");
    let failure = Failure::from(Error::new(error.kind, error.message)).code(code);
    match missing {
        Some(missing) => {
            let parts: Vec<u32> = missing.split(',').filter_map(|part| part.parse().ok()).collect();
            failure.detail("missing", parts)
        }
        None => failure,
    }
}
