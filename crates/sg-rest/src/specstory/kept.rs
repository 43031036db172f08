//! Answers that are kept: the body of a `GET` is the same until something of its owner's data changes.
//!
//! Each owner has a version in the database that every committed change moves, whichever server made it. It is read for
//! each request, before anything else; what was answered under the same version is sent again. So an answer is never
//! stale, on several servers neither, and no write has to know of this. An answer is stored under the version that was
//! read before it was made: data of a later moment may stand in it, and then nobody asks for that version any more.
//!
//! What may be kept is for the route table to say; only answers that are whole and not large are. A condition is
//! answered from what is kept too. The credential comes first, as everywhere.

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use lru::LruCache;
use parking_lot::Mutex;
use sg_app::App;
use sg_domain::{Caller, Error, Scope};

use super::conditional;
use super::failure::Failure;

/// Bytes of all kept answers together.
pub(super) const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The part of them that one answer may take.
const LARGEST_SHARE: usize = 8;
/// A longer path and query is asked for once, by nobody who means it.
const MAX_KEY_BYTES: usize = 2_048;
/// What an answer takes beside its body and key: headers, the places in the table.
const OVERHEAD_BYTES: usize = 1_024;

/// The answers, and which paths they are of.
pub(super) struct Answers {
    app: App,
    paths: Vec<&'static str>,
    max_bytes: usize,
    table: Mutex<Table>,
}

struct Table {
    answers: LruCache<String, Arc<Kept>>,
    bytes: usize,
}

/// One answer.
struct Kept {
    version: i64,
    headers: HeaderMap,
    /// `None` where only a condition was answered so far.
    body: Option<Bytes>,
    bytes: usize,
}

impl Answers {
    /// Keeps answers of these paths, as the route table writes them.
    pub(super) fn new(app: App, paths: Vec<&'static str>, max_bytes: usize) -> Self {
        // Bounded by bytes: each answer counts its overhead.
        let most = NonZeroUsize::MIN.saturating_add(max_bytes / OVERHEAD_BYTES);
        let table = Table { answers: LruCache::new(most), bytes: 0 };
        Self { app, paths, max_bytes, table: Mutex::new(table) }
    }

    fn get(&self, key: &str, version: i64) -> Option<Arc<Kept>> {
        let mut table = self.table.lock();
        let kept = table.answers.get(key)?;
        if kept.version == version {
            return Some(Arc::clone(kept));
        }
        // Versions only grow, but a request may have read an older one than another that overtook it.
        if kept.version < version
            && let Some(old) = table.answers.pop(key)
        {
            table.bytes -= old.bytes;
        }
        None
    }

    fn put(&self, key: String, version: i64, headers: HeaderMap, body: Option<Bytes>) {
        let bytes = OVERHEAD_BYTES + key.len() + body.as_ref().map_or(0, Bytes::len);
        if bytes > self.max_bytes / LARGEST_SHARE {
            return;
        }
        let kept = Arc::new(Kept { version, headers, body, bytes });
        let mut table = self.table.lock();
        if table.answers.peek(&key).is_some_and(|known| known.version > version) {
            return;
        }
        table.bytes += bytes;
        // Either the one in its place or, when the table is full, the oldest.
        if let Some((_, old)) = table.answers.push(key, kept) {
            table.bytes -= old.bytes;
        }
        while table.bytes > self.max_bytes
            && let Some((_, old)) = table.answers.pop_lru()
        {
            table.bytes -= old.bytes;
        }
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
    let Ok(version) = answers.app.data_version(&caller).await else { return next.run(request).await };
    let known = answers.get(&key, version).and_then(|kept| kept.answer(request.headers()));
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
        StatusCode::OK if body.size_hint().exact().is_some_and(|size| size <= answers.max_bytes as u64) => {
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
