//! Summaries of sessions.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use sg_app::{App, ModelChoice, NarrativeFault, SessionSummary};
use sg_domain::{Caller, Error, ErrorKind, SessionId};

use super::body::OptionalBody;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::time::offset_stamp;
use super::{Gate, reference, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("read summary", "/api/v1/sessions/{id}/summary", || get(read)),
    Route::write("make summary", &["POST"], "/api/v1/sessions/{id}/summary", || post(make)),
    Route::write("make narrative summary", &["POST"], "/api/v1/sessions/{id}/summary/narrative", || post(narrate)),
];

/// The longest name, key or address of a model.
const MODEL_CHARS: std::ops::RangeInclusive<usize> = 0..=4_096;

async fn read(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let session = named(&app, &caller, &id).await?;
    let found = app.summary(&caller, session).await.map_err(refused)?;
    Ok(wire::json(&summary(&id, &found, None)))
}

async fn make(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    let session = named(&app, &caller, &id).await?;
    let mut made = app.summarize(&caller, session).await.map_err(refused)?;
    // It stays; this answer is of what was made now.
    made.summary.narrative = None;
    Ok(wire::json(&summary(&id, &made, None)))
}

async fn narrate(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    OptionalBody(mut body): OptionalBody,
) -> Result<Response, Failure> {
    let choice = ModelChoice {
        model: body.text("model", MODEL_CHARS),
        provider: body.text("provider", MODEL_CHARS),
        key: body.text("llm_api_key", MODEL_CHARS),
        base_url: body.text("base_url", MODEL_CHARS),
    };
    body.done()?;
    let session = named(&app, &caller, &id).await?;
    let (mut made, fault) = app.narrate(&caller, session, &choice).await.map_err(refused)?;
    if fault.is_some() {
        made.summary.narrative = None;
    }
    Ok(wire::json(&summary(&id, &made, fault.as_ref())))
}

/// The session of an id; an alias names none here.
async fn named(app: &App, caller: &Caller, id: &str) -> Result<SessionId, Failure> {
    let nothing = || Error::not_found("session");
    if !reference::is_id(id) {
        caller.require(sg_domain::Scope::Read)?;
        return Err(nothing().into());
    }
    let found = app.archive(caller, id).await?;
    if found.archive.id == id { Ok(found.session.id) } else { Err(nothing().into()) }
}

fn refused(error: Error) -> Failure {
    match error.kind {
        ErrorKind::Invalid if error.message.starts_with("could not generate") => {
            Failure::from(error).with_status(StatusCode::UNPROCESSABLE_ENTITY)
        }
        _ => error.into(),
    }
}

fn summary(id: &str, of: &SessionSummary, fault: Option<&NarrativeFault>) -> Value {
    let facts = &of.summary.facts;
    let told = of.summary.narrative.as_ref();
    let narrative = told.map(|told| &told.narrative);
    json!({
        "session_id": id,
        "title": of.title(),
        "tool": of.tool(),
        "model": of.model(),
        "duration_minutes": facts.duration_minutes,
        "message_count": of.messages(),
        "tool_call_count": facts.tool_calls,
        "branch": of.branch(),
        "commit": of.commit(),
        "files_modified": facts.files_modified,
        "files_read": facts.files_read,
        "commands_executed": facts.commands,
        "tests_run": facts.tests(),
        "tests_passed": facts.tests_passed,
        "tests_failed": facts.tests_failed,
        "packages_installed": facts.packages,
        "errors_encountered": facts.errors,
        "personas_active": [],
        "what_happened": narrative.map(|narrative| &narrative.what_happened),
        "key_decisions": narrative.map(|narrative| &narrative.key_decisions),
        "outcome": narrative.map(|narrative| &narrative.outcome),
        "open_issues": narrative.map(|narrative| &narrative.open_issues),
        "narrative_model": told.map(|told| &told.model),
        "narrative_error": fault.map(|fault| {
            json!({ "code": fault.code, "message": fault.message, "status": fault.status })
        }),
        "generated_at": offset_stamp(of.summary.made_at),
    })
}
