//! One session: what was said, page by page; what is known about it; the forms that change it.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::App;
use sg_domain::{Caller, Error, Exchange, Message, PageRequest, Project, Result, Role, Session, SessionFilter};

use crate::code::Budget;
use crate::conversation::{self, Talk};
use crate::layout::{self, Place, notice};
use crate::request::{Asked, Ids, ids, session_ref};
use crate::visitor::Visitor;
use crate::{answer, failure, shown};

mod about;
pub(crate) mod download;
pub(crate) mod form;
mod read;
pub(crate) mod sharing;

/// Side conversations and parents that are listed.
const MAX_RELATED: u32 = 50;

/// `GET /projects/{pid}/sessions/{sid}`
pub(crate) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    path: Ids<(String, String)>,
    asked: Asked,
) -> Response {
    failure::shown(&visitor, page(&app, &visitor, path, &asked).await)
}

async fn page(app: &App, visitor: &Visitor, path: Ids<(String, String)>, asked: &Asked) -> Result<Response> {
    let (project, session) = find(app, &visitor.caller, path).await?;
    let part = read::part(app, &visitor.caller, &session, &read::Wanted::of(asked)).await?;
    let exchanges = app.exchange_spans(&visitor.caller, session.id).await?;
    let outline = read::outline(app, &visitor.caller, &session).await?;
    let related = related(app, &visitor.caller, &session).await?;
    let base = shown::session_path(&session);
    let title = session.title().to_owned();
    let about = about::About { visitor, project: &project, session: &session, base: &base, now: app.now() };
    let head = html! { (notice(asked.get("done"))) (about.head()) };
    let side = about.side(&outline, &part, &related);
    let forms = about.forms();
    // Rendering is work for a processor, not for a thread that many requests share.
    let has_exchanges = !exchanges.is_empty();
    let talk = tokio::task::spawn_blocking(move || {
        let headings = headings(&exchanges, &part.messages, &base);
        let said = conversation::talk(
            &Talk { messages: &part.messages, base: &base, headings: &headings },
            &mut Budget::of_page(),
        );
        html! {
            (pager(&part, &base, "Parts of the session, above"))
            @if part.messages.is_empty() { div.panel.empty { p { "Nothing is said here." } } }
            (said)
            (pager(&part, &base, "Parts of the session, below"))
        }
    });
    let talk = talk.await.map_err(Error::internal)?;
    let body = html! {
        (head)
        div.session {
            div.talk {
                (talk)
                @if has_exchanges { p { a href={ (shown::session_path(&session)) "/sharing" } { "What a shared link shows" } } }
                (forms)
            }
            aside.about aria-label="About this session" { (side) }
        }
    };
    Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame(&title, Place::Projects), body)))
}

/// The session of a path with its project, if both are the caller's.
pub(crate) async fn find(app: &App, caller: &Caller, path: Ids<(String, String)>) -> Result<(Project, Session)> {
    let (pid, sid) = ids(path)?;
    let session = app.session(caller, &session_ref(&pid, &sid)?).await?;
    let project = app.project(caller, &session.project_id).await?;
    Ok((project, session))
}

/// Sessions that belong to this one: what it came from, and the subagents that it started.
struct Related {
    parent: Option<Session>,
    subagents: Vec<Session>,
}

async fn related(app: &App, caller: &Caller, session: &Session) -> Result<Related> {
    let parent = match &session.parent_client_id {
        Some(parent) => match app.session(caller, &session_ref(session.project_id.as_str(), parent)?).await {
            Ok(parent) => Some(parent),
            Err(error) if error.kind == sg_domain::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let filter = SessionFilter {
        project_ids: vec![session.project_id.as_str().to_owned()],
        parent_client_ids: vec![session.client_id.clone()],
        ..SessionFilter::default()
    };
    let subagents = app.sessions(caller, &crate::project::list(filter, PageRequest::first(MAX_RELATED))).await?.items;
    Ok(Related { parent, subagents: subagents.into_iter().filter(|found| found.id != session.id).collect() })
}

/// Where on this page exchanges begin: at the prompt that was said at the exchange's time, else, when the whole session is
/// on the page, at the prompt of the same place in line.
fn headings(exchanges: &[Exchange], messages: &[(u32, Message)], base: &str) -> HashMap<u32, Markup> {
    let prompts: Vec<_> = messages.iter().filter(|(_, m)| m.role == Role::User && !m.is_sidechain).collect();
    let mut found = HashMap::new();
    let mut next = 0;
    for exchange in exchanges {
        let Some(started) = exchange.started_at else { continue };
        let at = prompts[next..].iter().position(|(_, m)| m.at.is_some_and(|at| at.secs() == started.secs()));
        if let Some(at) = at {
            found.insert(prompts[next + at].0, exchange);
            next += at + 1;
        }
    }
    if found.is_empty() && prompts.len() == exchanges.len() {
        found = prompts.iter().zip(exchanges).map(|((ordinal, _), exchange)| (*ordinal, exchange)).collect();
    }
    found.into_iter().map(|(ordinal, exchange)| (ordinal, heading(exchange, base))).collect()
}

fn heading(exchange: &Exchange, base: &str) -> Markup {
    let (id, ordinal) = (format!("x{}", exchange.ordinal), exchange.ordinal);
    html! {
        @if exchange.user_title.is_none() && !exchange.hidden_from_share {
            span #(id) {}
        } @else {
            h2.exchange-title #(id) {
                @if let Some(title) = &exchange.user_title { (shown::name(title)) } @else { "Exchange " (ordinal + 1) }
                @if exchange.hidden_from_share { span.tag.warm { "hidden from the shared link" } }
                a.small-text href={ (base) "/sharing#x" (ordinal) } { "Edit" }
            }
        }
    }
}

fn pager(part: &read::Part, base: &str, label: &str) -> Markup {
    let (first, last) = (part.messages.first().map(|(at, _)| *at), part.messages.last().map(|(at, _)| *at));
    html! {
        @if part.has_previous || part.has_next {
            nav.pager aria-label=(label) {
                @if let Some(first) = first.filter(|_| part.has_previous) {
                    a.button rel="prev" href={ (base) "?before=" (first) } { "Earlier messages" }
                } @else { span {} }
                @if let Some(last) = last.filter(|_| part.has_next) {
                    a.button rel="next" href={ (base) "?after=" (last) } { "Later messages" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sg_domain::Timestamp;

    use super::*;

    fn exchange(ordinal: u32, secs: Option<i64>) -> Exchange {
        Exchange {
            ordinal,
            start: 0,
            end: 0,
            started_at: secs.map(Timestamp::from_secs),
            ended_at: None,
            user_title: Some(format!("title {ordinal}")),
            hidden_from_share: false,
        }
    }

    fn prompt(ordinal: u32, secs: Option<i64>) -> (u32, Message) {
        (ordinal, Message { at: secs.map(Timestamp::from_secs), ..Message::text(Role::User, "x") })
    }

    #[test]
    fn exchanges_begin_at_their_prompts() {
        let places = |exchanges: &[Exchange], messages: &[(u32, Message)]| {
            let mut places: Vec<_> =
                headings(exchanges, messages, "/s").into_iter().map(|(at, html)| (at, html.into_string())).collect();
            places.sort();
            places.into_iter().map(|(at, html)| (at, html.contains("title 1"))).collect::<Vec<_>>()
        };
        // A page from the middle: the time tells.
        let exchanges = [exchange(0, Some(10)), exchange(1, Some(20)), exchange(2, Some(30))];
        assert_eq!(places(&exchanges, &[prompt(7, Some(20)), prompt(9, Some(21))]), [(7, true)]);
        // Without times: by place, when all of them are here.
        let exchanges = [exchange(0, None), exchange(1, None)];
        assert_eq!(places(&exchanges, &[prompt(0, None), prompt(4, None)]), [(0, false), (4, true)]);
        assert_eq!(places(&exchanges, &[prompt(4, None)]), []);
    }
}
