//! What a shared link shows: every exchange as a visitor would see it, with what its owner may hide or title.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, ExchangeText};
use sg_domain::{Error, Exchange, Project, Result, Session, ShareStatus};

use super::{about, find};
use crate::code::Budget;
use crate::layout::{self, Place, notice};
use crate::request::{Asked, Ids};
use crate::visitor::Visitor;
use crate::{answer, exchange, failure, shown};

/// Exchanges on one page, here and behind a shared link.
pub(crate) const PAGE_EXCHANGES: u32 = 25;

/// The page that an exchange is on, from 1.
pub(crate) fn page_of(ordinal: u32) -> u32 {
    ordinal / PAGE_EXCHANGES + 1
}

/// `GET …/sharing`
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
    let exchanges = app.exchange_spans(&visitor.caller, session.id).await?;
    let markdown = app.markdown(&visitor.caller, &session).await?;
    let number = asked.number("page").unwrap_or(1).max(1);
    let token = visitor.token();
    let body = html! { (notice(asked.get("done"))) (head(&project, &session, &exchanges, &token)) };
    let base = shown::session_path(&session);
    let list = tokio::task::spawn_blocking(move || {
        let mut budget = Budget::of_page();
        let markdown = sg_domain::wtf8::lossy(&markdown);
        let count = exchanges.len();
        let skip = (number - 1) as usize * PAGE_EXCHANGES as usize;
        let page = exchanges.into_iter().skip(skip).take(PAGE_EXCHANGES as usize);
        let page = page.map(|exchange| ExchangeText { content: exchange.slice(&markdown).to_owned(), exchange });
        html! {
            @for exchange in page { (one(&exchange, &base, &token, &mut budget)) }
            (pager(&format!("{base}/sharing"), number, count))
        }
    });
    let body = html! { (body) (list.await.map_err(Error::internal)?) };
    let title = format!("Sharing: {}", session.title());
    Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame(&title, Place::Projects), body)))
}

fn head(project: &Project, session: &Session, exchanges: &[Exchange], token: &Markup) -> Markup {
    let base = shown::session_path(session);
    let hidden = exchanges.iter().filter(|exchange| exchange.hidden_from_share).count();
    let is_shared = session.share_status == ShareStatus::Unlisted;
    html! {
        p.crumbs {
            a href="/projects" { "Projects" } " / "
            a href=(shown::project_path(&project.id)) { (shown::name(&project.name)) } " / "
            a href=(base) { (shown::name(session.title())) }
        }
        h1 { "What a shared link shows" }
        p {
            @if is_shared {
                span.tag.on { "shared" } " Whoever has this link can read the session: "
                a href=(about::share_path(session)) { (about::share_path(session)) }
            } @else {
                span.tag { "private" } " Nobody but you can read this session. Its link would be " code { (about::share_path(session)) } "."
            }
        }
        p.soft {
            (shown::plural(exchanges.len(), "exchange")) ", " (hidden) " of them hidden. Below is what a visitor would see of each. "
            "Tool output and file contents are part of it: look before you share."
        }
        form.row.actions action={ (base) "/share" } method="post" {
            (token)
            input type="hidden" name="from" value="sharing";
            @if is_shared {
                button name="status" value="private" type="submit" { "Make it private" }
            } @else {
                button.main name="status" value="unlisted" type="submit" { "Share by link" }
            }
        }
    }
}

fn one(exchange: &ExchangeText, base: &str, token: &Markup, budget: &mut Budget) -> Markup {
    let ordinal = exchange.exchange.ordinal;
    let is_hidden = exchange.exchange.hidden_from_share;
    let (id, field) = (format!("x{ordinal}"), format!("title-{ordinal}"));
    html! {
        section.panel #(id) aria-label={ "Exchange " (ordinal + 1) } {
            form.row.end action={ (base) "/exchanges/" (ordinal) } method="post" {
                (token)
                div.field.grow {
                    label for=(field) { "Title of exchange " (ordinal + 1) }
                    input #(field) name="title" type="text" maxlength="500" value=(exchange.exchange.user_title.as_deref().unwrap_or_default())
                        placeholder=(exchange::title(exchange));
                }
                label.choice { input type="checkbox" name="hidden" value="yes" checked[is_hidden]; "Hide from the link" }
                button.small type="submit" { "Save" }
                @if is_hidden { span.tag.warm { "hidden" } }
            }
            details.fold open[!is_hidden] {
                summary { "Exchange " (ordinal + 1) }
                (exchange::rendered(&exchange.content, budget))
            }
        }
    }
}

/// Links to the pages around one of a list of exchanges.
pub(crate) fn pager(path: &str, number: u32, count: usize) -> Markup {
    let has_next = count > number as usize * PAGE_EXCHANGES as usize;
    html! {
        @if number > 1 || has_next {
            nav.pager aria-label="Parts of the session" {
                @if number > 1 { a.button rel="prev" href={ (path) "?page=" (number - 1) } { "Earlier exchanges" } } @else { span {} }
                @if has_next { a.button rel="next" href={ (path) "?page=" (number + 1) } { "Later exchanges" } }
            }
        }
    }
}
