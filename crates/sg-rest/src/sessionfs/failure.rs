//! The error body: `{"error":{"code","message","details"}}`, the code the status as text unless a route has one of its
//! own (`contracts/sessionfs.md` 0.3).

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use sg_domain::caller::Anonymous;
use sg_domain::{Error, ErrorKind};

use super::fault::Fault;

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: Option<&'static str>,
    message: String,
    details: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// A status and just these words.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into(), details: Map::new(), headers: Vec::new() }
    }

    /// 400 in just these words.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404 in just these words.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 404: there is no such route.
    pub(super) fn no_route() -> Self {
        Self::not_found("Not Found")
    }

    /// 405: the path is known and does not answer the method.
    pub(super) fn method_not_allowed(allow: HeaderValue) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").header(ALLOW, allow)
    }

    /// 501: a part of the hosted service that this server does not have. Its client does not try that again.
    pub(super) fn not_built(what: &str) -> Self {
        let message = format!("{what} are not available on this server");
        Self::new(StatusCode::NOT_IMPLEMENTED, message).detail("error", "not_available")
    }

    /// 422: what was sent breaks rules, all of them told at once.
    pub(super) fn validation(faults: Vec<Fault>) -> Self {
        let errors: Vec<Value> = faults.into_iter().map(Fault::into_json).collect();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation error").detail("errors", errors)
    }

    /// 401, in the words for why; 403 for an account that was turned off.
    pub(super) fn unauthenticated(why: Anonymous) -> Self {
        match why {
            Anonymous::Missing => Self::new(StatusCode::UNAUTHORIZED, "Missing or invalid Authorization header"),
            Anonymous::Unknown | Anonymous::RefreshToken => Self::new(StatusCode::UNAUTHORIZED, "Invalid API key"),
            Anonymous::Expired => {
                Self::new(StatusCode::UNAUTHORIZED, "API key has expired").detail("error", "api_key_expired")
            }
            Anonymous::Revoked => {
                Self::new(StatusCode::UNAUTHORIZED, "Invalid API key").detail("error", "api_key_revoked")
            }
            Anonymous::Inactive => Self::new(StatusCode::FORBIDDEN, "User account is inactive"),
            Anonymous::Limited { retry_after } => Self::limited(retry_after),
        }
    }

    /// 429 with how long to wait, in whole seconds.
    pub(super) fn limited(retry_after: Duration) -> Self {
        let secs = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0)).max(1);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded").header(RETRY_AFTER, HeaderValue::from(secs))
    }

    /// With another status.
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a code of its own in the place of the status.
    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// With a named detail.
    pub(super) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// With a header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// In other words.
    pub(super) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match error.kind {
            ErrorKind::Unauthenticated => Self::unauthenticated(Anonymous::Missing),
            ErrorKind::Internal => {
                tracing::error!(error = ?error, "request failed");
                Self::new(status, "Internal Server Error")
            }
            ErrorKind::RateLimited { retry_after } => Self::limited(retry_after),
            _ => {
                if error.kind == ErrorKind::Unavailable {
                    tracing::warn!(error = ?error, "a part does not answer");
                }
                let mut rest = error.message.chars();
                let message = rest.next().map(|first| first.to_uppercase().chain(rest).collect::<String>());
                let failure = Self::new(status, message.unwrap_or_default());
                error.details.into_iter().fold(failure, |failure, (name, value)| match value.parse::<u64>() {
                    Ok(number) if name.ends_with("_bytes") => failure.detail(name, number),
                    _ => failure.detail(name, value),
                })
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = self.code.map_or_else(|| self.status.as_u16().to_string(), str::to_owned);
        let body = json!({ "error": { "code": code, "message": self.message, "details": self.details } });
        let mut response = (self.status, body.to_string()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
