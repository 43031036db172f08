//! `/share/{id}`: a session that its owner shares, for whoever has the link.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, SharedSession};
use sg_domain::{Error, Result};

use crate::code::Budget;
use crate::layout::{self, Frame, Place};
use crate::request::{Asked, Ids, ids};
use crate::session::sharing::{PAGE_EXCHANGES, pager};
use crate::visitor::Visitor;
use crate::{answer, exchange, failure, shown};

/// `GET /share/{sid}`
pub(crate) async fn show(
    State(app): State<App>,
    visitor: Option<Visitor>,
    path: Ids<String>,
    asked: Asked,
) -> Response {
    let viewer = visitor.as_ref().map(Visitor::viewer);
    let page = async {
        let shared = app.shared_session(&ids(path)?).await?;
        let title = shared.session.title().to_owned();
        let number = asked.number("page").unwrap_or(1).max(1);
        let body = tokio::task::spawn_blocking(move || body(&shared, number)).await.map_err(Error::internal)?;
        let frame = Frame { title: &title, viewer, place: Place::Nowhere, query: "" };
        Ok(answer::page(StatusCode::OK, layout::page(&frame, body)))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|error| failure::problem(&error, viewer))
}

fn body(shared: &SharedSession, number: u32) -> Markup {
    let session = &shared.session;
    let meta = &session.metadata;
    let mut budget = Budget::of_page();
    let skip = (number - 1) as usize * PAGE_EXCHANGES as usize;
    let path = format!("/share/{}", session.id);
    html! {
        div.narrow {
            p.crumbs {
                "A shared session"
                @if let Some(project) = &shared.project { " of " (shown::name(&project.name)) }
            }
            h1 { (shown::name(session.title())) }
            ul.facts {
                li { (shown::time(session.started_at.unwrap_or(session.created_at))) }
                @if let Some(agent) = &meta.agent_name { li { (shown::name(agent)) } }
                @for model in meta.llm_models.iter().flatten().take(3) { li { (shown::name(model)) } }
                li { a href={ "/api/v1/share/" (session.id) "/markdown" } { "As markdown" } }
            }
            @if shared.exchanges.is_empty() { div.panel.empty { p { "Nothing of this session is shown." } } }
            @for exchange in shared.exchanges.iter().skip(skip).take(PAGE_EXCHANGES as usize) {
                @let id = format!("x{}", exchange.exchange.ordinal);
                section #(id) aria-label={ "Exchange " (exchange.exchange.ordinal + 1) } {
                    @if let Some(title) = &exchange.exchange.user_title { h2 { (shown::name(title)) } }
                    (exchange::rendered(&exchange.content, &mut budget))
                }
            }
            (pager(&path, number, shared.exchanges.len()))
        }
    }
}
