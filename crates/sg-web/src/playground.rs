//! `/playground/visitor`: who is signed in, for the playground, which is a script on a page of its own. What it gets is the
//! token of this browser's forms: sent along as `X-CSRF-Token`, it makes the cookie count for GraphQL. Other sites can have
//! neither: they cannot read this answer, and their requests carry no such header.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::answer::{POLICY, secure};
use crate::visitor::Visitor;
use crate::{Pages, csrf};

/// `GET /playground/visitor`
pub(crate) async fn visitor(State(pages): State<Pages>, visitor: Option<Visitor>, headers: HeaderMap) -> Response {
    let visitor = visitor.filter(|_| csrf::is_from_here(&headers, &pages.settings.public_url));
    let body = visitor.map(|visitor| json!({ "email": visitor.email, "token": visitor.csrf }));
    let mut response = Response::new(Body::from(json!({ "visitor": body }).to_string()));
    *response.status_mut() = StatusCode::OK;
    secure(&mut response, POLICY);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
