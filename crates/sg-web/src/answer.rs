//! How pages are sent: status, and the headers that keep a page from running, loading or leaking anything.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::Markup;

/// What a page may do: show its own style, run its own script file, submit forms to this server. A form that is sent on
/// to another server (a sign-in provider) is stopped by `form-action`: start those with a link.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a file that somebody else wrote may do: nothing.
pub(crate) const SANDBOX: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// A page.
pub(crate) fn page(status: StatusCode, markup: Markup) -> Response {
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    secure(&mut response, POLICY);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Sends the browser on with a GET, as after every form.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    secure(&mut response, POLICY);
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/projects"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The headers of everything that only its reader may see. `same-origin` rather than no referrer at all, because browsers
/// then name no origin on forms, and sign-in checks it.
pub(crate) fn secure(response: &mut Response, policy: &'static str) {
    let pairs: [(HeaderName, &'static str); 8] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    for (name, value) in pairs {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}
