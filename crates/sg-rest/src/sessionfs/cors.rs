//! Answers for browsers: `OPTIONS` on any path, and the headers that let a page of another origin read an answer.
//! Credentials are bearer tokens that a page must hold already, never cookies, so any origin may ask.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use http::{HeaderValue, Method, StatusCode};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, PATCH, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, If-Match, If-None-Match, X-Client-Version, X-Client-Platform, X-Client-Device, \
     X-SessionFS-Undelete, X-Part-SHA256",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Retry-After, X-Request-Id, X-Deprecation-Warning, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset",
);

pub(super) async fn cors(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    // Asked before there is a credential, so it needs none.
    let mut response = if is_options { StatusCode::OK.into_response() } else { next.run(request).await };
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
