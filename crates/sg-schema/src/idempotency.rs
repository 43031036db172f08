//! `Idempotency-Key`: a mutation that is sent again with the key of the first one gets the first one's answer, for a day.
//!
//! The same request is the same document, operation and variables by the same caller, at whichever address. What is kept
//! are answers of operations that did something. Event streams do not take a key, and sockets have no place for one. A secret is in its own answer alone: a repetition is told that the
//! request was done, and nothing else. So is that of an answer that is too large to keep.

use std::sync::Arc;

use async_graphql::{PathSegment, Variables};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::json;
use sg_app::{App, IdempotentRequest, IdempotentTurn, KeptAnswer, Turn};
use sg_domain::{Caller, Digest, Error, ErrorKind, Result, Scope};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in bytes; as in REST.
const MAX_KEY_BYTES: usize = 255;
/// A larger answer is not kept.
const MAX_ANSWER_BYTES: usize = 256 * 1_024;
/// What is kept of an answer's head beside its status; the rest belongs to one request.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, VARY, CACHE_CONTROL];
/// Mutations whose answers hold a secret.
const SECRET: [&str; 2] = ["createApiKey", "createShareLink"];

/// A request with a key, before it is known whether it was answered before.
pub(crate) struct Keyed {
    key: String,
    digest: Digest,
    fields: Arc<[Root]>,
}

/// A root field: its name in the schema, and in the answer.
pub(crate) struct Root {
    name: String,
    response_key: String,
}

impl From<(String, String)> for Root {
    fn from((name, response_key): (String, String)) -> Self {
        Self { name, response_key }
    }
}

/// What to do with a request.
pub(crate) enum Slot {
    /// Nothing but run it.
    Plain,
    /// Run it, and keep its answer.
    Fresh(IdempotentTurn, Arc<[Root]>),
    /// It was answered before, so.
    Replay(Response<Bytes>),
}

/// The key of a mutation with these root fields, if it carries one.
pub(crate) fn keyed(
    headers: &HeaderMap,
    document: &Digest,
    operation: &str,
    variables: &Variables,
    fields: Arc<[Root]>,
) -> Result<Option<Keyed>> {
    let Some(value) = headers.get(KEY).filter(|value| !value.is_empty()) else { return Ok(None) };
    let key = std::str::from_utf8(value.as_bytes()).ok();
    let key = key.filter(|key| key.len() <= MAX_KEY_BYTES && !key.chars().any(char::is_control));
    let Some(key) = key else {
        let text = format!("Idempotency-Key must be at most {MAX_KEY_BYTES} bytes without control characters");
        return Err(Error::invalid(text));
    };
    let variables = serde_json::to_vec(variables).map_err(Error::internal)?;
    let digest = Digest::of_parts([&document.0[..], operation.as_bytes(), &variables]);
    Ok(Some(Keyed { key: key.to_owned(), digest, fields }))
}

/// Waits for others with the same key, and looks whether one of them was answered.
pub(crate) async fn slot(app: &App, caller: &Caller, keyed: Option<Keyed>) -> Result<Slot> {
    // Who may not write is told so by the operation.
    let Some(Keyed { key, digest, fields }) = keyed.filter(|_| caller.require(Scope::Write).is_ok()) else {
        return Ok(Slot::Plain);
    };
    let request = IdempotentRequest { method: "POST".to_owned(), path: "graphql".to_owned(), key, body: digest };
    match app.idempotent(caller, request).await? {
        Turn::Replay(kept) => Ok(Slot::Replay(replay(kept)?)),
        Turn::Go(turn) => Ok(Slot::Fresh(turn, fields)),
    }
}

impl Slot {
    /// The operation ended without an answer.
    pub(crate) async fn lose(self, app: &App) {
        if let Self::Fresh(turn, _) = self {
            keep_done(app, turn, UNFINISHED).await;
        }
    }

    /// Keeps the answer of an operation that ran, if it is one to keep.
    pub(crate) async fn keep(self, app: &App, answer: &async_graphql::Response, response: &Response<Bytes>) {
        let Self::Fresh(turn, fields) = self else { return };
        if is_unfinished(answer) {
            return keep_done(app, turn, UNFINISHED).await;
        }
        if nothing_was_done(answer, &fields) {
            return;
        }
        let is_secret = fields.iter().any(|field| SECRET.contains(&field.name.as_str()));
        let body = match (is_secret, response.body().len() > MAX_ANSWER_BYTES) {
            (true, _) => done("its secret was shown then and is not kept: revoke the key it made and ask for another"),
            (_, true) => done("its answer was too large to be kept: read what it changed"),
            _ => response.body().to_vec(),
        };
        let text =
            |name: &HeaderName| Some((name.to_string(), response.headers().get(name)?.to_str().ok()?.to_owned()));
        let headers = KEPT.iter().filter_map(text).collect();
        store(app, turn, KeptAnswer { status: response.status().as_u16(), headers, body }).await;
    }
}

/// What a repetition is told of an operation that was broken off: some of it may be done.
const UNFINISHED: &str = "it was broken off then: read what it changed";

/// Whether the operation took too long: the one error of a whole operation that has run.
fn is_unfinished(answer: &async_graphql::Response) -> bool {
    let code = |error: &async_graphql::ServerError| error.extensions.as_ref()?.get("code").cloned();
    answer.errors.iter().any(|e| e.path.is_empty() && code(e) == Some(ErrorKind::Unavailable.code().into()))
}

/// Keeps for repetitions that the request was answered, and no more.
async fn keep_done(app: &App, turn: IdempotentTurn, why: &str) {
    let headers = vec![(CONTENT_TYPE.to_string(), "application/json".to_owned())];
    store(app, turn, KeptAnswer { status: StatusCode::OK.as_u16(), headers, body: done(why) }).await;
}

async fn store(app: &App, turn: IdempotentTurn, kept: KeptAnswer) {
    if let Err(error) = app.keep_answer(turn, kept).await {
        // It is done: a repetition will be run, which is what it would be without a key.
        tracing::warn!(error = ?error, "an answer could not be kept for its idempotency key");
    }
}

/// Whether the operation failed before anything had changed, so that it may be tried again: in its first field, or before
/// that. Fields run one after the other, and one that fails has changed nothing.
fn nothing_was_done(answer: &async_graphql::Response, fields: &[Root]) -> bool {
    let first = fields.first().map(|field| field.response_key.as_str());
    answer.errors.iter().any(|error| match error.path.as_slice() {
        [] => true,
        [PathSegment::Field(field)] => Some(field.as_str()) == first,
        _ => false,
    })
}

/// The answer to a repetition whose own answer is not to be had any more.
fn done(why: &str) -> Vec<u8> {
    let code = ErrorKind::Conflict.code();
    let message = format!("this request was answered before, {why}");
    json!({ "errors": [{ "message": message, "extensions": { "code": code } }] }).to_string().into_bytes()
}

fn replay(kept: KeptAnswer) -> Result<Response<Bytes>> {
    let mut response = Response::new(Bytes::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(Error::internal)?;
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
