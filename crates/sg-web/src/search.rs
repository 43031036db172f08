//! `/search`: everything that was said, found by words.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, SearchAnswer, SearchRequest, SessionColumns};
use sg_domain::time::DAY_MICROS;
use sg_domain::{Project, RankBy, Role, SessionFilter, Timestamp};

use crate::layout::{self, Frame, Place};
use crate::request::Asked;
use crate::visitor::Visitor;
use crate::{answer, failure, project, shown, snippet};

/// Sessions on one page.
const PAGE_HITS: u32 = 20;
/// Matching messages shown of one session.
const MESSAGES_PER_HIT: u32 = 3;
/// How far back a search may be told to look.
const DAYS: [(u32, &str); 4] = [(1, "today"), (7, "7 days"), (30, "30 days"), (90, "90 days")];

/// `GET /search`
pub(crate) async fn search(State(app): State<App>, visitor: Visitor, asked: Asked) -> Response {
    let page = async {
        let asks = Asks::of(&asked);
        let projects = app.projects(&visitor.caller).await?;
        let answer = match asks.text.is_empty() {
            true => None,
            false => Some(app.search_sessions(&visitor.caller, &asks.request(app.now())).await),
        };
        // A search that cannot be made is explained beside its words, not instead of them.
        let (answer, complaint) = match answer.transpose() {
            Ok(answer) => (answer, None),
            Err(error) if error.kind == sg_domain::ErrorKind::Invalid => {
                (None, Some(failure::sentence(&error.message)))
            }
            Err(error) => return Err(error),
        };
        let body = asks.body(&projects, answer.as_ref(), complaint.as_deref(), app.now());
        let frame = Frame { query: &asks.text, ..visitor.frame("Search", Place::Nowhere) };
        Ok(answer::page(StatusCode::OK, layout::page(&frame, body)))
    };
    failure::shown(&visitor, page.await)
}

/// What is asked.
struct Asks {
    text: String,
    project: String,
    days: Option<u32>,
    recent: bool,
    page: u32,
}

impl Asks {
    fn of(asked: &Asked) -> Self {
        Self {
            text: asked.get("q").to_owned(),
            project: asked.get("project").to_owned(),
            days: asked.number("days").filter(|days| DAYS.iter().any(|(known, _)| known == days)),
            recent: asked.get("by") == "recent",
            page: asked.number("page").unwrap_or(1).max(1),
        }
    }

    fn request(&self, now: Timestamp) -> SearchRequest {
        let from = self.days.map(|days| now.start_of_day().plus_micros(-DAY_MICROS * i64::from(days - 1)));
        SearchRequest {
            text: self.text.clone(),
            filter: SessionFilter {
                project_ids: if self.project.is_empty() { Vec::new() } else { vec![self.project.clone()] },
                active_from: from,
                ..SessionFilter::default()
            },
            rank_by: if self.recent { RankBy::Recent } else { RankBy::Relevance },
            limit: PAGE_HITS,
            offset: (self.page - 1).saturating_mul(PAGE_HITS),
            facets: Vec::new(),
            snippets: true,
            messages_per_hit: MESSAGES_PER_HIT,
            columns: SessionColumns { metadata: true, first_exchange: false },
        }
    }

    fn path(&self, page: u32) -> String {
        let mut path = format!("/search?q={}", shown::segment(&self.text));
        if !self.project.is_empty() {
            path += &format!("&project={}", shown::segment(&self.project));
        }
        if let Some(days) = self.days {
            path += &format!("&days={days}");
        }
        if self.recent {
            path += "&by=recent";
        }
        path + &format!("&page={page}")
    }

    fn body(
        &self,
        projects: &[Project],
        found: Option<&SearchAnswer>,
        complaint: Option<&str>,
        now: Timestamp,
    ) -> Markup {
        html! {
            h1 { "Search" }
            form.row.end.actions action="/search" method="get" {
                div.field.grow { label for="q" { "Words" } input #q type="search" name="q" value=(self.text) maxlength="1000"; }
                div.field {
                    label for="project" { "Project" }
                    select #project name="project" {
                        option value="" { "All" }
                        @for project in projects {
                            option value=(project.id) selected[project.id.as_str() == self.project] { (project.name) }
                        }
                    }
                }
                div.field {
                    label for="days" { "Active in the last" }
                    select #days name="days" {
                        option value="" { "any time" }
                        @for (days, name) in DAYS { option value=(days) selected[self.days == Some(days)] { (name) } }
                    }
                }
                div.field {
                    label for="by" { "Order" }
                    select #by name="by" {
                        option value="" { "best match" }
                        option value="recent" selected[self.recent] { "newest" }
                    }
                }
                button.main type="submit" { "Search" }
            }
            @if let Some(complaint) = complaint { div.note.bad role="alert" { p { (shown::name(complaint)) } } }
            @if let Some(found) = found { (self.found(found, projects, now)) }
            @else if complaint.is_none() {
                p.soft {
                    "Understands " code { "\"phrases\"" } ", " code { "AND OR NOT ( )" } ", " code { "-word" } ", " code { "prefix*" }
                    " and " code { "field:value" } " with title, role, tool, model, branch, tag, project, agent, before, after."
                }
            }
        }
    }

    fn found(&self, found: &SearchAnswer, projects: &[Project], now: Timestamp) -> Markup {
        let total = found.page.total;
        html! {
            p.soft role="status" { (shown::plural(total, "session")) " found" }
            @if let Some(suggestion) = &found.page.suggestion {
                p { "Did you mean " a href={ "/search?q=" (shown::segment(suggestion)) } { (shown::name(suggestion)) } "?" }
            }
            @if !found.page.hits.is_empty() {
                ul.list {
                    @for hit in &found.page.hits {
                        @if let Some(session) = found.sessions.get(&hit.session) {
                            @let base = shown::session_path(session);
                            li {
                                h2 { a href=(base) { (shown::name(session.title())) } }
                                @if hit.messages.is_empty() {
                                    @if let Some(text) = &hit.snippet { p.snippet { (snippet::marked(text)) } }
                                }
                                @for message in &hit.messages {
                                    p.snippet {
                                        a href={ (base) "?at=" (message.ordinal) "#m" (message.ordinal) } { (role(message.role)) } " "
                                        @if let Some(text) = &message.snippet { (snippet::marked(text)) }
                                    }
                                }
                                (project::session_facts(session, now, projects))
                            }
                        }
                    }
                }
            }
            nav.pager aria-label="Pages" {
                @if self.page > 1 { a.button rel="prev" href=(self.path(self.page - 1)) { "Previous" } } @else { span {} }
                @if total > u64::from(self.page) * u64::from(PAGE_HITS) { a.button rel="next" href=(self.path(self.page + 1)) { "Next" } }
            }
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "You",
        Role::Assistant => "Agent",
        Role::System => "System",
        Role::Tool => "Tool",
    }
}
