//! Bodies as bytes: serialised once, straight into the buffer that is sent.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use sg_domain::Error;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Serialises into one buffer. `capacity` is a guess at the length in bytes, so that a large body is not copied as the
/// buffer grows.
pub(super) fn bytes<T: Serialize>(capacity: usize, body: &T) -> Result<Bytes, Error> {
    let mut buffer = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut buffer, body).map_err(Error::internal)?;
    Ok(buffer.into())
}

/// A JSON answer.
pub(super) fn json<T: Serialize>(status: StatusCode, capacity: usize, body: &T) -> Result<Response, Error> {
    Ok(response(status, JSON, bytes(capacity, body)?.into()))
}

/// An answer. It is one caller's own data: caches may keep it only for that caller, and must ask before using it again.
pub(super) fn response(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// An answer that holds a secret: nobody keeps it.
pub(super) fn secret<T: Serialize>(status: StatusCode, body: &T) -> Result<Response, Error> {
    let mut response = json(status, 320, body)?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
