//! `/resume`: what resuming is, and how it works with this server. SpecStory's command line leads people here.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use maud::{Markup, html};

use crate::layout::{self, Frame, Place};
use crate::visitor::Visitor;
use crate::{Pages, answer};

/// `GET /resume`
pub(crate) async fn show(State(pages): State<Pages>, visitor: Option<Visitor>, headers: HeaderMap) -> Response {
    let viewer = visitor.as_ref().map(Visitor::viewer);
    let frame = Frame { title: "Resume a session", viewer, place: Place::Resume, query: "" };
    answer::page(StatusCode::OK, layout::page(&frame, body(&address(&pages.settings.public_url, &headers))))
}

/// The server's address, as the person who looks at the page reached it.
fn address(public_url: &str, headers: &HeaderMap) -> String {
    if !public_url.is_empty() {
        return public_url.to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // What is no host may be anything; it would only be shown, but it would be shown as an address.
    let good =
        |host: &&str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    format!("http://{}", Some(host).filter(good).unwrap_or("localhost:8377"))
}

fn body(address: &str) -> Markup {
    html! {
        div.narrow {
            h1 { "Resume a session anywhere" }
            p {
                "A session that SpecStory's command line synced to this server can be gone on with on another machine, and in another "
                "agent: the command line fetches it, writes it in the form that the agent reads, and starts the agent there."
            }
            h2 { "Once per machine" }
            p { "Point the command line at this server and sign in; the sign-in page shows a code to type." }
            div.command { code #point { "export SPECSTORY_CLOUD_URL=" (address) } button.small type="button" data-copy="point" hidden { "Copy" } }
            p {}
            div.command { code #login { "specstory login" } button.small type="button" data-copy="login" hidden { "Copy" } }
            h2 { "Then" }
            p { "Choose from a list of your sessions, with search:" }
            div.command { code #resume { "specstory resume" } button.small type="button" data-copy="resume" hidden { "Copy" } }
            p {}
            p { "Or take the line from a session's page here. It names the session:" }
            div.command { code { "specstory resume --session specstory://projects/PROJECT/sessions/SESSION" } }
            h2 { "What can be resumed" }
            p {
                "Sessions that came with their session data: those that " code { "specstory sync" } ", " code { "run" } " and " code { "watch" }
                " sent here. Sessions that this server imported from an agent's own files can be read, searched and downloaded here; their "
                "agents resume them from those files themselves."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_that_was_asked() {
        let with = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            headers
        };
        assert_eq!(address("https://s.example", &with("x")), "https://s.example");
        assert_eq!(address("", &with("127.0.0.1:8377")), "http://127.0.0.1:8377");
        assert_eq!(address("", &with("[::1]:8377")), "http://[::1]:8377");
        for bad in ["a b", "x;rm -rf", "\"><script>", ""] {
            assert_eq!(address("", &with(bad)), "http://localhost:8377");
        }
    }
}
