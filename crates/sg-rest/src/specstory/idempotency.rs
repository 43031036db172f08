//! `Idempotency-Key`: a write that is repeated with the key of the first one gets the first one's answer.
//!
//! A route honours the header by three words in its handler:
//!
//! ```text
//! async fn patch(State(app): State<App>, Writer(caller): Writer, key: Idempotency, body: Bytes, …) -> Result<Response, Failure> {
//!     key.once(&app, &caller, Digest::of(&body), async { … }).await
//! }
//! ```
//!
//! `once` runs the future, or not when an answer of a day at most is kept for the same caller, method, path, key and body.
//! The same key with another body or path is simply another request: clients reuse keys. Never for a route that hands out a
//! secret: answers are kept as they are.

use axum::body::{Body, HttpBody as _};
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use sg_app::{App, IdempotentRequest, KeptAnswer, Turn};
use sg_domain::{Caller, Digest, Error};

use super::failure::Failure;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// A larger answer is not kept.
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;
/// What is kept of an answer's head beside its status; the rest belongs to one request.
const KEPT: [HeaderName; 5] = [CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY, CACHE_CONTROL];

/// The header of a request, if it has one.
pub(super) struct Idempotency(Option<Named>);

struct Named {
    method: String,
    path: String,
    key: String,
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(KEY).filter(|value| !value.is_empty()) else { return Ok(Self(None)) };
        let key = std::str::from_utf8(value.as_bytes()).ok();
        let key = key.filter(|key| key.len() <= MAX_KEY_BYTES && !key.chars().any(char::is_control));
        let Some(key) = key else {
            let text = format!("Idempotency-Key must be at most {MAX_KEY_BYTES} bytes without control characters");
            return Err(Failure::invalid(text));
        };
        let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
        Ok(Self(Some(Named { method, path, key: key.to_owned() })))
    }
}

/// Stands for the body of a request that has none, whatever was sent with it.
pub(super) fn no_body() -> Digest {
    Digest::of(b"")
}

impl Idempotency {
    /// Whether the request has the header, so that the digest of its body is needed.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// The kept answer of the same request, else what `run` answers, which is kept when it is a success. The same request
    /// sent twice at once is run once: the second waits for the first.
    pub(super) async fn once(
        self,
        app: &App,
        caller: &Caller,
        body: Digest,
        run: impl Future<Output = Result<Response, Failure>>,
    ) -> Result<Response, Failure> {
        let Some(Named { method, path, key }) = self.0 else { return run.await };
        let request = IdempotentRequest { method, path, key, body };
        let turn = match app.idempotent(caller, request).await? {
            Turn::Replay(kept) => return Ok(replay(kept)?),
            Turn::Go(turn) => turn,
        };
        let response = run.await?;
        let is_small = response.body().size_hint().upper().is_some_and(|size| size <= MAX_ANSWER_BYTES);
        if !response.status().is_success() || !is_small {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.map_err(Error::internal)?;
        let text = |name: &HeaderName| Some((name.to_string(), head.headers.get(name)?.to_str().ok()?.to_owned()));
        let headers = KEPT.iter().filter_map(text).collect();
        let kept = KeptAnswer { status: head.status.as_u16(), headers, body: body.to_vec() };
        if let Err(error) = app.keep_answer(turn, kept).await {
            // The write is done: a repetition will be run, which is what it would be without a key.
            tracing::warn!(error = ?error, "an answer could not be kept for its idempotency key");
        }
        Ok(Response::from_parts(head, Body::from(body)))
    }
}

fn replay(kept: KeptAnswer) -> Result<Response, Error> {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(Error::internal)?;
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
