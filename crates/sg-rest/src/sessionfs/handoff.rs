//! Sessions that are given to somebody.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use sg_app::{
    App, CLAIM_RACE_LOST, HANDOFF_HOURS, HandoffDirection, MAX_HANDOFF_COMMENT_CHARS, MAX_HANDOFF_MESSAGE_CHARS,
    MAX_HANDOFF_REASON_CHARS, NewHandoff,
};
use sg_domain::user::normalise_email;
use sg_domain::{Caller, Error, HandoffStatus, PageRequest, Recipient, UserId};

use super::body::{Body, OptionalBody};
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::query::Query;
use super::wire::handoff::{comment, event, handoff};
use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create handoff", &["POST"], "/api/v1/handoffs", || post(create)),
    Route::read("handoff inbox", "/api/v1/handoffs/inbox", || get(inbox)),
    Route::read("sent handoffs", "/api/v1/handoffs/sent", || get(sent)),
    Route::read("read handoff", "/api/v1/handoffs/{id}", || get(read)),
    Route::write("claim handoff", &["POST"], "/api/v1/handoffs/{id}/claim", || post(claim)),
    Route::write("revoke handoff", &["POST"], "/api/v1/handoffs/{id}/revoke", || post(revoke)),
    Route::write("decline handoff", &["POST"], "/api/v1/handoffs/{id}/decline", || post(decline)),
    Route::read("list handoff comments", "/api/v1/handoffs/{id}/comments", || get(comments)),
    Route::write("comment on handoff", &["POST"], "/api/v1/handoffs/{id}/comments", || post(say)),
    Route::read("list handoff events", "/api/v1/handoffs/{id}/events", || get(events)),
    Route::read("handoff summary", "/api/v1/handoffs/{id}/summary", || get(summary)),
];

/// Handoffs of a list, which has no pages.
const MAX_LISTED: u32 = 1_000;
/// Comments and events of a list, and those in a handoff.
const DEFAULT_LIMIT: i64 = 200;
const MAX_LIMIT: i64 = 1_000;
/// The longest address that is read; what is none is told below that.
const MAX_EMAIL_CHARS: usize = 255;
const MAX_ID_CHARS: usize = 64;

async fn create(State(app): State<App>, Writer(caller): Writer, mut body: Body) -> Result<Response, Failure> {
    app.require_handoffs(&caller).await?;
    let session = body.required_text("session_id", 0..=255);
    let message = body.text("message", 0..=MAX_HANDOFF_MESSAGE_CHARS);
    let expires_in_hours = body.int("expires_in_hours", HANDOFF_HOURS);
    let email = body.text("recipient_email", 0..=MAX_EMAIL_CHARS);
    let user = body.text("recipient_user_id", 0..=MAX_ID_CHARS);
    let team = body.text("recipient_team_id", 0..=MAX_ID_CHARS);
    if [&email, &user, &team].into_iter().filter(|given| given.is_some()).count() != 1 {
        let message = "Exactly one of recipient_email, recipient_user_id or recipient_team_id is required";
        body.refuse("recipient_email", message);
    } else if email.as_ref().is_some_and(|email| normalise_email(email).is_err()) {
        body.refuse("recipient_email", "recipient_email is not a mail address");
    }
    let has_ticket = body.text("ticket_id", 0..=MAX_ID_CHARS).is_some();
    let has_persona = body.text("persona_name", 0..=MAX_ID_CHARS).is_some();
    let has_attachments = body.value("attachments").is_some_and(|list| *list != json!([]));
    body.done()?;
    for (is_wanted, what) in [
        (team.is_some(), "Handoffs to teams"),
        (has_ticket, "Tickets"),
        (has_persona, "Personas"),
        (has_attachments, "Attachments of handoffs"),
    ] {
        if is_wanted {
            return Err(Failure::not_built(what));
        }
    }
    let recipient = match user {
        Some(id) => Recipient::User(own_user_id(&id)),
        None => Recipient::Address(email.unwrap_or_default()),
    };
    let made = app.create_handoff(&caller, NewHandoff { session, recipient, message, expires_in_hours }).await?;
    Ok(wire::json_with(StatusCode::CREATED, &handoff(&made)))
}

/// A user's id as this server keeps it: this API writes a UUID.
fn own_user_id(text: &str) -> UserId {
    if text.starts_with("user_") { UserId(text.to_owned()) } else { UserId(format!("user_{}", text.replace('-', ""))) }
}

async fn inbox(State(app): State<App>, Reader(caller): Reader, mut query: Query) -> Result<Response, Failure> {
    // Nobody is in a team here: with their handoffs the list is the same.
    query.flag("include_team");
    query.done()?;
    list(&app, &caller, HandoffDirection::Inbox).await
}

async fn sent(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    list(&app, &caller, HandoffDirection::Sent).await
}

async fn list(app: &App, caller: &Caller, direction: HandoffDirection) -> Result<Response, Failure> {
    let page = app.handoffs(caller, direction, &PageRequest::first(MAX_LISTED)).await?;
    let total = match page.has_next {
        true => app.handoff_count(caller, direction).await?,
        false => page.items.len() as u64,
    };
    let handoffs: Vec<_> = page.items.iter().map(handoff).collect();
    Ok(wire::json(&json!({ "handoffs": handoffs, "total": total })))
}

async fn read(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = app.handoff(&caller, &id).await?;
    if found.status == HandoffStatus::Expired {
        return Err(Failure::new(StatusCode::GONE, "Handoff has expired"));
    }
    Ok(wire::json(&whole(&app, &caller, handoff(&found), &id).await?))
}

async fn claim(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    let claimed = app.claim_handoff(&caller, &id).await.map_err(lost)?;
    Ok(wire::json(&handoff(&claimed)))
}

async fn revoke(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    mut body: Body,
) -> Result<Response, Failure> {
    let reason = body.required_text("reason", 1..=MAX_HANDOFF_REASON_CHARS);
    if !reason.is_empty() && reason.trim().is_empty() {
        body.refuse("reason", "reason must not be blank");
    }
    body.done()?;
    let revoked = app.revoke_handoff(&caller, &id, &reason).await?;
    Ok(wire::json(&handoff(&revoked)))
}

async fn decline(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    OptionalBody(mut body): OptionalBody,
) -> Result<Response, Failure> {
    let reason = body.text("reason", 0..=MAX_HANDOFF_REASON_CHARS);
    body.done()?;
    let declined = app.decline_handoff(&caller, &id, reason.as_deref()).await?;
    Ok(wire::json(&handoff(&declined)))
}

async fn comments(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    mut query: Query,
) -> Result<Response, Failure> {
    let limit = query.int("limit", DEFAULT_LIMIT, 1..=MAX_LIMIT);
    query.done()?;
    let found = app.handoff_comments(&caller, &id, u32::try_from(limit).unwrap_or(1)).await?;
    Ok(wire::json(&found.iter().map(|said| comment(&id, said)).collect::<Vec<_>>()))
}

async fn say(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    mut body: Body,
) -> Result<Response, Failure> {
    let content = body.required_text("content", 1..=MAX_HANDOFF_COMMENT_CHARS);
    if !content.is_empty() && content.trim().is_empty() {
        body.refuse("content", "content must not be blank");
    }
    body.done()?;
    let said = app.comment_on_handoff(&caller, &id, &content).await?;
    Ok(wire::json_with(StatusCode::CREATED, &comment(&id, &said)))
}

async fn events(
    State(app): State<App>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    mut query: Query,
) -> Result<Response, Failure> {
    let limit = query.int("limit", DEFAULT_LIMIT, 1..=MAX_LIMIT);
    query.done()?;
    let found = app.handoff_events(&caller, &id, u32::try_from(limit).unwrap_or(1)).await?;
    Ok(wire::json(&found.iter().map(|happened| event(&id, happened)).collect::<Vec<_>>()))
}

async fn summary(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let (found, summary) = app.handoff_summary(&caller, &id).await?;
    let facts = &found.archive.facts;
    Ok(wire::json(&json!({
        "session_id": found.archive.id,
        "title": wire::session::title(&found).unwrap_or_else(|| "Untitled".to_owned()),
        "tool": facts.source_tool,
        "model": facts.model_id,
        "message_count": facts.messages,
        "files_modified": summary.files_modified,
        "commands_executed": summary.commands,
        "tests_run": summary.tests_run,
        "tests_passed": summary.tests_passed,
        "tests_failed": summary.tests_failed,
        "errors_encountered": summary.errors,
        "last_assistant_messages": summary.last_answers,
    })))
}

/// A handoff with what was said and what happened.
async fn whole(app: &App, caller: &Caller, mut body: Value, id: &str) -> Result<Value, Failure> {
    let limit = u32::try_from(DEFAULT_LIMIT).unwrap_or(1);
    let said = app.handoff_comments(caller, id, limit).await?;
    let happened = app.handoff_events(caller, id, limit).await?;
    body["comments"] = said.iter().map(|said| comment(id, said)).collect();
    body["events"] = happened.iter().map(|happened| event(id, happened)).collect();
    Ok(body)
}

/// Users are named by UUIDs here, in details too.
fn lost(error: Error) -> Failure {
    let is_lost = error.details.iter().any(|(_, value)| value == CLAIM_RACE_LOST);
    let winner = error.details.iter().find(|(name, _)| *name == "winner_user_id").map(|(_, id)| UserId(id.clone()));
    let failure = Failure::from(error);
    match winner.filter(|_| is_lost) {
        Some(winner) => failure.detail("winner_user_id", wire::user_id(&winner)),
        None => failure,
    }
}
