//! The bodies, named as in the API's own description. One file per noun below; here is what they share.

pub(super) mod session;

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use sg_domain::UserId;

use super::failure::Failure;

/// 200 with a body.
pub(super) fn json(body: &impl Serialize) -> Response {
    json_with(StatusCode::OK, body)
}

/// A status with a body.
pub(super) fn json_with(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => {
            let mut response = (status, body).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => Failure::from(sg_domain::Error::internal(error)).into_response(),
    }
}

/// 201 with something secret in it, shown this once.
pub(super) fn secret(body: &impl Serialize) -> Response {
    let mut response = json_with(StatusCode::CREATED, body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 204, of the type that the others are.
pub(super) fn no_content() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A user's id as this API writes it, a UUID.
pub(super) fn user_id(user: &UserId) -> String {
    let hex = user.as_str().trim_start_matches("user_");
    match hex.len() == 32 && hex.is_ascii() {
        true => format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]),
        false => user.as_str().to_owned(),
    }
}
