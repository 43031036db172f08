//! Pages that say what went wrong.

use axum::response::Response;
use http::StatusCode;
use maud::html;
use sg_domain::{Error, ErrorKind, Result};

use crate::answer;
use crate::layout::{self, Frame, Place, Viewer};
use crate::visitor::Visitor;

/// The page of an error, for nobody in particular.
pub(crate) fn refusal(error: Error) -> Response {
    problem(&error, None)
}

/// The page that an operation made for somebody, or what kept it from being made.
pub(crate) fn shown(visitor: &Visitor, page: Result<Response>) -> Response {
    page.unwrap_or_else(|error| problem(&error, Some(visitor.viewer())))
}

/// The page of an error. Faults of ours are masked; what is not there and what is not theirs read the same.
pub(crate) fn problem(error: &Error, viewer: Option<Viewer<'_>>) -> Response {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::error!(error = ?error, "a page could not be made");
    }
    let (title, text) = match error.kind {
        ErrorKind::NotFound | ErrorKind::Gone => ("Not found", NOT_FOUND.to_owned()),
        ErrorKind::Internal => {
            ("Something went wrong", "The server's log says more. Trying again may help.".to_owned())
        }
        ErrorKind::Unavailable => ("Not now", sentence(&error.message)),
        ErrorKind::Unauthenticated => ("Signed out", "Sign in and try again.".to_owned()),
        ErrorKind::Forbidden => ("Not allowed", sentence(&error.message)),
        ErrorKind::RateLimited { .. } => ("Too many attempts", sentence(&error.message)),
        _ => ("That did not work", sentence(&error.message)),
    };
    let frame = Frame { title, viewer, place: Place::Nowhere, query: "" };
    let body = html! {
        div.problem {
            p.status { (status.as_u16()) }
            h1 { (title) }
            p { bdi { (text) } }
            p {
                @if error.kind == ErrorKind::Unauthenticated { a.button href="/login" { "Sign in" } }
                @else if viewer.is_some() { a.button href="/projects" { "Your projects" } }
            }
        }
    };
    let mut response = answer::page(status, layout::page(&frame, body));
    if let ErrorKind::RateLimited { retry_after } = error.kind {
        response.headers_mut().insert(http::header::RETRY_AFTER, retry_after.as_secs().max(1).into());
    }
    response
}

/// The one text of what is not there, is private, or is another account's.
pub(crate) const NOT_FOUND: &str = "There is no such page, or it is not shared with you.";

/// Messages are lower case without a full stop, because most surfaces put them behind a colon; a page does not.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn faults_are_masked_and_texts_escaped() {
        let body = async |error: Error| {
            let response = problem(&error, None);
            let status = response.status().as_u16();
            let bytes = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
            (status, String::from_utf8(bytes.to_vec()).unwrap())
        };
        let (status, html) = body(Error::internal("disk /dev/sda is full")).await;
        assert!(status == 500 && !html.contains("sda"), "{html}");
        let (status, html) = body(Error::invalid("not a title: <script>x</script>")).await;
        assert!(status == 400 && html.contains("Not a title: &lt;script&gt;x&lt;/script&gt;."), "{html}");
        assert_eq!(body(Error::not_found("session")).await, body(Error::not_found("project")).await);
    }
}
