//! What the stack itself answers when it refuses or fails, in the shape that the path's clients read.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use sg_domain::{Dialect, ErrorKind};
use sg_rest::front::default_dialect;

use super::RequestId;

/// An answer of the stack itself. Under a GraphQL path `errors` is what clients read, elsewhere `error` is, an object under
/// those of SessionFS; all carry the request id, so that a person can find the log line.
pub(crate) fn failure(path: &str, id: &RequestId, kind: ErrorKind, message: &str) -> Response {
    if default_dialect(path) == Some(Dialect::Sessionfs) {
        return sg_rest::sessionfs::failure(kind, message, id.as_str());
    }
    let body = if is_graphql(path) {
        json!({ "errors": [{ "message": message, "extensions": { "code": kind.code(), "requestId": id.as_str() } }] })
    } else {
        json!({ "success": false, "error": message, "requestId": id.as_str() })
    };
    json_response(StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body.to_string())
}

/// Whether GraphQL clients call this path.
pub(crate) fn is_graphql(path: &str) -> bool {
    matches!(path, "/graphql" | "/api/v1/graphql")
}

/// Nothing is here.
pub(crate) fn not_found() -> Response {
    json_response(StatusCode::NOT_FOUND, r#"{"success":false,"error":"Not found"}"#.to_owned())
}

/// JSON that is text already.
pub(crate) fn json_response(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
