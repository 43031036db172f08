//! Around every request: its id, its log line, its limits, and what happens when its handler panics.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::Limited;
use sg_domain::ErrorKind;
use tracing::Instrument as _;
use uuid::Uuid;

use super::failure::failure;
use super::rate_limit::Noted;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a caller.
const MAX_ID_BYTES: usize = 128;

/// Names a request in logs and answers.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The caller's own id when it is harmless in a log, else a new one.
    fn of(request: &Request) -> Self {
        let harmless = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            let good = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            !bytes.is_empty() && bytes.len() <= MAX_ID_BYTES && bytes.iter().all(good)
        };
        let given = request.headers().get(HEADER).filter(harmless);
        Self(given.cloned().unwrap_or_else(|| {
            let made = Uuid::now_v7().simple().to_string();
            HeaderValue::from_str(&made).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        }))
    }
}

/// What stands before the token of a share link, also with an escaped slash.
const BEFORE_TOKEN: [&str; 3] = ["sessions/", "sessions%2F", "sessions%2f"];

/// A path as the log shows it: whoever reads that must not be able to open what is shared.
fn shown(path: &str) -> String {
    match path.split_once("share") {
        Some((before, _)) if BEFORE_TOKEN.iter().any(|end| before.ends_with(end)) => format!("{before}share/…"),
        _ => path.to_owned(),
    }
}

/// The outermost layer: gives the request its id, a span, one log line, and an answer even if its handler panics.
/// Headers are never logged: they carry credentials. Nor is the query: it carries what people search for.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let noted = Noted::default();
    request.extensions_mut().insert(noted.clone());
    let method = request.method().clone();
    if method == Method::HEAD {
        // Nothing of a HEAD's body is sent, so there is nothing to compress; compressing would only drop its length, which
        // clients read.
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let path = shown(request.uri().path());
    let span = tracing::info_span!("request", id = id.as_str(), %method, %path);
    let started = Instant::now();
    async move {
        let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                let reason = panic.downcast_ref::<String>().map(String::as_str);
                let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
                tracing::error!(reason, "request handler panicked");
                failure(&path, &id, ErrorKind::Internal, "internal server error")
            }
        };
        noted.write(response.status(), response.headers_mut());
        let (status, millis) = (response.status().as_u16(), started.elapsed().as_secs_f64() * 1_000.0);
        response.headers_mut().insert(HEADER, id.0.clone());
        let headers = response.headers_mut();
        headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        // Probes come every few seconds and say nothing as long as they succeed.
        if matches!(path.as_str(), "/healthz" | "/readyz") && status < 500 {
            tracing::debug!(status, millis, "answered");
        } else if status >= 500 {
            tracing::warn!(status, millis, "answered");
        } else {
            tracing::info!(status, millis, "answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// Refuses bodies that say they are too large, stops those that turn out to be, and bounds the time of an answer.
pub(crate) async fn limit(State(state): State<super::State>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let id = id(&request);
    let max = state.config.http.max_body_bytes;
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max) {
        return failure(&path, &id, ErrorKind::TooLarge, &format!("request body is larger than {max} bytes"));
    }
    let cap = usize::try_from(max).unwrap_or(usize::MAX);
    let request = request.map(|body| Body::new(Limited::new(body, cap)));
    // What arrives slowly is not answered slowly: pauses are bounded apart, by the layer that reads bodies.
    let arrival = Duration::from_secs(length.unwrap_or(0) / state.config.http.min_upload_bytes_per_sec.max(1));
    match tokio::time::timeout(state.config.http.request_timeout() + arrival, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!("request timed out");
            let mut response = failure(&path, &id, ErrorKind::Unavailable, "request took too long, try again");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}

/// The id that [`observe`] gave.
pub(crate) fn id(request: &Request) -> RequestId {
    id_of(request.extensions())
}

/// The same, of a request that was taken apart.
pub(crate) fn id_of(extensions: &http::Extensions) -> RequestId {
    extensions.get().cloned().unwrap_or_else(|| RequestId(HeaderValue::from_static("unknown")))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn panics() -> &'static str {
        panic!("the secret is hunter2")
    }

    #[test]
    fn the_token_of_a_share_link_is_not_logged() {
        for path in ["/api/v1/sessions/share/secret", "/sessionfs/api/v1/sessions%2Fshare%2fsecret"] {
            assert!(!shown(path).contains("secret"), "{path}");
        }
        for path in ["/api/v1/sessions/ses_00000000/share", "/s/shared", "/api/v1/projects"] {
            assert_eq!(shown(path), path);
        }
    }

    #[tokio::test]
    async fn a_panic_is_masked_and_can_be_found_by_its_id() {
        let stack = Router::new().route("/x", get(panics)).route("/graphql", get(panics));
        let stack = stack.layer(axum::middleware::from_fn(observe));
        for (path, field) in [("/x", "\"error\":\"internal server error\""), ("/graphql", "INTERNAL_SERVER_ERROR")] {
            let request = Request::builder().uri(path).header(HEADER, "id-7").body(Body::empty()).unwrap();
            let response = stack.clone().oneshot(request).await.unwrap();
            assert_eq!(
                (response.status().as_u16(), &response.headers()[HEADER]),
                (500, &HeaderValue::from_static("id-7"))
            );
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains(field) && body.contains("id-7") && !body.contains("hunter2"), "{body}");
        }
    }
}
