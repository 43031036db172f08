//! The error body: `{"success":false,"error":"<text>"}`, the text always a string, in the words of the documents.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use sg_app::{CURRENT_ETAG, is_about_etag};
use sg_domain::caller::Anonymous;
use sg_domain::{Error, ErrorKind};

use super::wire::ErrorBody;
use super::{answer, conditional};

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// 401. The clients read no more than the status; the text is for people.
    pub(super) fn unauthenticated(why: Option<Anonymous>) -> Self {
        let text = match why {
            None | Some(Anonymous::Missing | Anonymous::Unknown | Anonymous::Limited { .. }) => {
                "Invalid or missing authentication token"
            }
            Some(Anonymous::Expired) => "Token has expired",
            Some(Anonymous::Revoked) => "Token has been revoked",
            Some(Anonymous::Inactive) => "User account is inactive",
            Some(Anonymous::RefreshToken) => "Invalid token type. Required: device-access",
        };
        Self::new(StatusCode::UNAUTHORIZED, text).with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 404 in just these words.
    pub(super) fn not_found(text: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// 400 in just these words.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 413 in just these words.
    pub(super) fn too_large(text: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    }

    /// 409: a part of the hosted service that this server does not have. Not 501, which is what an SDK tries four times.
    pub(super) fn not_built(text: &str) -> Self {
        Self::new(StatusCode::CONFLICT, text)
    }

    /// 405: the path is known and this version does not answer the method there.
    pub(super) fn method_not_allowed(method: &Method, allow: HeaderValue) -> Self {
        let text = format!("{method} is not supported by this version on this path");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, text).with(ALLOW, allow)
    }

    /// 408: the body stopped coming. Clients try again.
    pub(super) fn body_cut_off() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "Request body did not arrive completely")
    }

    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match error.kind {
            ErrorKind::Unauthenticated => Self { text: documented(&error), ..Self::unauthenticated(None) },
            ErrorKind::Internal => {
                tracing::error!(error = ?error, "request failed");
                Self::new(status, "Internal server error")
            }
            ErrorKind::Unavailable => {
                tracing::warn!(error = ?error, "a part does not answer");
                Self::new(status, documented(&error))
            }
            ErrorKind::RateLimited { retry_after } => {
                let secs = whole_seconds(retry_after);
                let text = format!("Rate limit exceeded. Try again in {secs} seconds.");
                // Both SDKs read whole seconds and ignore a date here.
                Self::new(status, text).with(RETRY_AFTER, HeaderValue::from(secs))
            }
            // Another state than the one that the client has seen.
            _ if is_about_etag(&error) => {
                let failure = Self::new(StatusCode::PRECONDITION_FAILED, documented(&error));
                let current = error.details.iter().find(|(name, _)| *name == CURRENT_ETAG);
                match current.and_then(|(_, etag)| conditional::tag_header(etag).ok()) {
                    Some(tag) => failure.with(ETAG, tag),
                    None => failure,
                }
            }
            _ => Self::new(status, documented(&error)),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = answer::json(self.status, 64, &ErrorBody { success: false, error: &self.text })
            .unwrap_or_else(|_| self.status.into_response());
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Rounded up, so that whoever waits that long is not refused again; at least one.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The documents' words where they have some, else our message with a capital.
fn documented(error: &Error) -> String {
    if let Some((_, scope)) = error.details.iter().find(|(name, _)| *name == "requiredScope") {
        return format!("Insufficient permissions. Required scope: {scope}");
    }
    if error.message == "session data not found" {
        return "SessionData not found".to_owned();
    }
    // Begins with the name of a field, which is written as the client writes it.
    if error.details.iter().any(|(name, _)| *name == "field") {
        return error.message.clone();
    }
    let mut rest = error.message.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: Error) -> (u16, String) {
        let failure = Failure::from(error);
        (failure.status.as_u16(), failure.text)
    }

    #[test]
    fn words_are_the_documents() {
        let unauthenticated = "Invalid or missing authentication token".to_owned();
        assert_eq!(text(Error::unauthenticated()), (401, unauthenticated));
        assert_eq!(text(Error::not_found("session")), (404, "Session not found".to_owned()));
        assert_eq!(text(Error::not_found("project")), (404, "Project not found".to_owned()));
        assert_eq!(text(Error::not_found("session data")), (404, "SessionData not found".to_owned()));
        let missing = Error::missing_scope(sg_domain::Scope::Write);
        assert_eq!(text(missing), (403, "Insufficient permissions. Required scope: write".to_owned()));
    }

    #[test]
    fn faults_of_ours_are_masked() {
        let (status, text) = text(Error::internal("secret path /var/lib"));
        assert_eq!((status, text.as_str()), (500, "Internal server error"));
    }

    #[test]
    fn retry_after_is_whole_seconds_rounded_up() {
        for (millis, want) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (60_000, 60)] {
            let retry_after = Duration::from_millis(millis);
            let failure = Failure::from(Error::new(ErrorKind::RateLimited { retry_after }, "slow down"));
            assert_eq!(failure.text, format!("Rate limit exceeded. Try again in {want} seconds."));
            assert_eq!(failure.header, Some((RETRY_AFTER, HeaderValue::from(want))));
        }
    }
}
