//! Answers for browsers: `OPTIONS` on any path, and the headers that let a page of another origin read an answer.
//! Credentials are bearer tokens that a page must hold already, never cookies, so any origin may ask.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use http::{HeaderValue, Method, StatusCode};

use super::answer;
use super::failure::Failure;
use super::wire::Success;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, PATCH, OPTIONS");
/// The first two are what the hosted service allows; the rest is what its SDKs send beside them.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Type, Authorization, If-None-Match, If-Match, Idempotency-Key, X-SDK-Version, X-SDK-Language, X-Request-Id",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Last-Modified, Retry-After, X-Request-Id, X-Markdown-Size, X-Raw-Data-Size, X-Session-Data-Size, \
     X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, \
     Idempotency-Replayed",
);

pub(super) async fn cors(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let mut response = if is_options { preflight() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_options {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    } else {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Asked before there is a credential, so it needs none.
fn preflight() -> Response {
    answer::json(StatusCode::OK, 16, &Success { success: true })
        .unwrap_or_else(|error| Failure::from(error).into_response())
}
