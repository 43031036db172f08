//! Answers that are kept: the body of a `GET` is the same until something of its owner's data changes. How that is known,
//! and why nothing is ever stale, is [`KeptAnswers`]'s to say.
//!
//! What may be kept is for the route table to say; only answers that are whole and not large are. A condition is
//! answered from what is kept too. The credential comes first, as everywhere.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use sg_app::{App, KeptAnswers};
use sg_domain::{Caller, DataVersion, Error, Scope};

use super::conditional;
use super::failure::Failure;

/// A longer path and query is asked for once, by nobody who means it.
const MAX_KEY_BYTES: usize = 2_048;
/// The answers, and which paths they are of.
pub(super) struct Answers {
    app: App,
    paths: Vec<&'static str>,
    table: KeptAnswers<Kept>,
}

/// One answer.
struct Kept {
    headers: HeaderMap,
    /// `None` where only a condition was answered so far.
    body: Option<Bytes>,
}

impl Answers {
    /// Keeps answers of these paths, as the route table writes them.
    pub(super) fn new(app: App, paths: Vec<&'static str>, max_bytes: usize) -> Self {
        Self { app, paths, table: KeptAnswers::new(max_bytes) }
    }

    fn put(&self, key: String, version: i64, headers: HeaderMap, body: Option<Bytes>) {
        let bytes = body.as_ref().map_or(0, Bytes::len);
        self.table.put(key, version, bytes, Kept { headers, body });
    }

    /// What a request asks for, where an answer to it may be kept.
    fn key(&self, request: &Request, owner: &str) -> Option<String> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        if request.method() != Method::GET || !self.paths.contains(&path) {
            return None;
        }
        let wanted = request.uri().path_and_query()?.as_str();
        // None of these can hold a line break.
        let mut key = format!("{owner}\n{wanted}");
        for media in request.headers().get_all(ACCEPT) {
            key.push('\n');
            key.push_str(media.to_str().ok()?);
        }
        (key.len() <= MAX_KEY_BYTES).then_some(key)
    }
}

impl Kept {
    /// The answer, if this holds what the request wants.
    fn answer(&self, headers: &HeaderMap) -> Option<Response> {
        let tag = self.headers.get(ETAG).and_then(conditional::etag);
        if let Some(tag) = tag
            && conditional::is_not_modified(&Method::GET, headers, tag)
        {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.headers.clone();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_LENGTH);
            return Some(response);
        }
        let mut response = Response::new(Body::from(self.body.clone()?));
        *response.headers_mut() = self.headers.clone();
        Some(response)
    }
}

/// Answers from what is kept, or keeps what is answered.
pub(super) async fn kept(State(answers): State<Arc<Answers>>, request: Request, next: Next) -> Response {
    let Some((caller, key)) = wanted(&answers, &request) else { return next.run(request).await };
    // What cannot be told now is for the handler to say.
    let version = match request.extensions().get::<DataVersion>() {
        Some(version) => Ok(version.0),
        None => answers.app.data_version(&caller).await,
    };
    let Ok(version) = version else { return next.run(request).await };
    let known = answers.table.get(&key, version).and_then(|kept| kept.answer(request.headers()));
    if let Some(response) = known {
        return response;
    }
    let (head, body) = next.run(request).await.into_parts();
    match head.status {
        StatusCode::NOT_MODIFIED => {
            answers.put(key, version, head.headers.clone(), None);
            Response::from_parts(head, body)
        }
        // What says its whole length lies in memory already; what does not is sent as it is made.
        StatusCode::OK if body.size_hint().exact().is_some_and(|size| size <= answers.table.largest() as u64) => {
            match body.collect().await {
                Ok(body) => {
                    let body = body.to_bytes();
                    // A copy of its own, as long as it is: a buffer that is handed on may be longer.
                    answers.put(key, version, head.headers.clone(), Some(Bytes::copy_from_slice(&body)));
                    Response::from_parts(head, body.into())
                }
                Err(error) => Failure::from(Error::internal(error)).into_response(),
            }
        }
        _ => Response::from_parts(head, body),
    }
}

/// The caller and key of a request whose answer may be kept. Who is refused hears it from the handler.
fn wanted(answers: &Answers, request: &Request) -> Option<(Caller, String)> {
    let caller = request.extensions().get::<Caller>()?;
    let identity = caller.require(Scope::Read).ok()?;
    let key = answers.key(request, identity.user.as_str())?;
    Some((caller.clone(), key))
}
