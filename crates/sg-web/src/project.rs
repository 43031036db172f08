//! Projects: the grid that people land on, one project with its sessions, and the forms that change it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, ProjectUpdate, SessionColumns, SessionList};
use sg_domain::{
    Direction, PageRequest, Project, ProjectStats, Result, Session, SessionFilter, SessionOrder, ShareStatus, Timestamp,
};

use crate::csrf::SignedForm;
use crate::layout::{self, Place, notice};
use crate::request::{Asked, Ids, ids, project_id};
use crate::shown::{self, COLORS};
use crate::visitor::Visitor;
use crate::{answer, failure};

/// Sessions on one page of a project.
const PAGE_SESSIONS: u32 = 50;
/// Sessions that the dashboard shows.
const RECENT_SESSIONS: u32 = 6;

/// `GET /projects`
pub(crate) async fn projects(State(app): State<App>, visitor: Visitor, asked: Asked) -> Response {
    let page = async {
        let projects = app.projects(&visitor.caller).await?;
        let recent =
            app.sessions(&visitor.caller, &list(SessionFilter::default(), PageRequest::first(RECENT_SESSIONS))).await?;
        let body = dashboard(&projects, &recent.items, app.now(), asked.get("done"));
        Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame("Projects", Place::Projects), body)))
    };
    failure::shown(&visitor, page.await)
}

/// `GET /projects/{pid}`
pub(crate) async fn project(State(app): State<App>, visitor: Visitor, path: Ids<String>, asked: Asked) -> Response {
    let page = async {
        let project = app.project(&visitor.caller, &project_id(&ids(path)?)?).await?;
        let number = asked.number("page").unwrap_or(1).max(1);
        let filter = SessionFilter { project_ids: vec![project.id.as_str().to_owned()], ..SessionFilter::default() };
        let offset = u64::from(number - 1) * u64::from(PAGE_SESSIONS);
        let wanted = list(filter, PageRequest { offset, ..PageRequest::first(PAGE_SESSIONS) });
        let sessions = app.sessions(&visitor.caller, &wanted).await?;
        let stats = app.project_stats(&visitor.caller, Some(project.key)).await?;
        let view = ProjectView {
            visitor: &visitor,
            project: &project,
            stats: &stats,
            sessions: &sessions.items,
            number,
            has_next: sessions.has_next,
            now: app.now(),
        };
        let body = html! { (notice(asked.get("done"))) (view.body()) };
        Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame(&project.name, Place::Projects), body)))
    };
    failure::shown(&visitor, page.await)
}

/// `POST /projects/{pid}/change`
pub(crate) async fn change(State(app): State<App>, path: Ids<String>, form: SignedForm) -> Response {
    let SignedForm { visitor, fields } = form;
    let changed = async {
        let id = project_id(&ids(path)?)?;
        let field = |name| fields.get(name).filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let update =
            ProjectUpdate { name: fields.get("name").map(str::to_owned), icon: field("icon"), color: field("color") };
        let project = app.update_project(&visitor.caller, &id, update).await?;
        Ok(answer::see_other(&format!("{}?done=changed", shown::project_path(&project.id))))
    };
    failure::shown(&visitor, changed.await)
}

/// `POST /projects/{pid}/delete`
pub(crate) async fn delete(State(app): State<App>, path: Ids<String>, form: SignedForm) -> Response {
    let deleted = async {
        app.delete_project(&form.visitor.caller, &project_id(&ids(path)?)?).await?;
        Ok(answer::see_other("/projects?done=deleted"))
    };
    let deleted: Result<Response> = deleted.await;
    failure::shown(&form.visitor, deleted)
}

/// Sessions, last activity first, with all that a list shows.
pub(crate) fn list(filter: SessionFilter, page: PageRequest) -> SessionList {
    SessionList {
        filter,
        text: None,
        order: SessionOrder::Activity,
        direction: Direction::Desc,
        page,
        columns: SessionColumns { metadata: true, first_exchange: true },
    }
}

fn dashboard(projects: &[Project], recent: &[Session], now: Timestamp, done: &str) -> Markup {
    let sessions: u64 = projects.iter().map(|project| project.session_count).sum();
    html! {
        (notice(done))
        h1 { "Projects" }
        @if projects.is_empty() {
            (nothing_yet())
        } @else {
            p.soft { (shown::plural(projects.len(), "project")) ", " (shown::plural(sessions, "session")) }
            ul.grid {
                @for project in projects {
                    li.card {
                        div.with-badge {
                            (shown::badge(project))
                            div {
                                h2 { a href=(shown::project_path(&project.id)) { (shown::name(&project.name)) } }
                                ul.facts {
                                    li { (shown::plural(project.session_count, "session")) }
                                    @if let Some(at) = project.last_activity_at { li { (shown::ago(at, now)) } }
                                }
                            }
                        }
                    }
                }
            }
            @if !recent.is_empty() {
                h2 { "Recent sessions" }
                (sessions_list(recent, now, projects, "h3"))
            }
        }
    }
}

fn nothing_yet() -> Markup {
    html! {
        div.panel {
            h2 { "Nothing here yet" }
            p { "Sessions come in two ways:" }
            ul {
                li { "On the machine where this server runs, " code { "sessiongraph import" } " reads what your agents left there." }
                li {
                    "From anywhere, " code { "specstory sync" } " sends them here: sign in the command line with "
                    a href="/cli-login" { "a code" } ", or make an " a href="/settings/api-keys" { "API key" } " for an SDK."
                }
            }
        }
    }
}

/// Sessions as a list; each names its project if that is among these.
fn sessions_list(sessions: &[Session], now: Timestamp, projects: &[Project], heading: &str) -> Markup {
    let title = |session: &Session| html! { a href=(shown::session_path(session)) { (shown::name(session.title())) } };
    html! {
        ul.list {
            @for session in sessions {
                li {
                    @if heading == "h2" { h2 { (title(session)) } } @else { h3 { (title(session)) } }
                    @if !session.first_exchange.trim().is_empty() {
                        p.first { (shown::name(&session.first_exchange)) }
                    }
                    (session_facts(session, now, projects))
                }
            }
        }
    }
}

/// When, by what, on what, how long.
pub(crate) fn session_facts(session: &Session, now: Timestamp, projects: &[Project]) -> Markup {
    let meta = &session.metadata;
    let first = |values: &Option<Vec<String>>| values.as_ref().and_then(|values| values.first().cloned());
    html! {
        ul.facts {
            li { (shown::ago(session.activity_at, now)) }
            @if let Some(agent) = &meta.agent_name { li { (shown::name(agent)) } }
            @if let Some(model) = first(&meta.llm_models) { li { (shown::name(&model)) } }
            @if let Some(branch) = first(&meta.git_branches) { li { "on " (shown::name(&branch)) } }
            @if session.counts.turns > 0 { li { (shown::plural(session.counts.turns, "prompt")) } }
            @for project in projects.iter().filter(|project| project.key == session.project_key) {
                li { "in " a href=(shown::project_path(&project.id)) { (shown::name(&project.name)) } }
            }
            @if session.share_status == ShareStatus::Unlisted { li { span.tag.on { "shared" } } }
            @for tag in meta.tags.iter().flatten().take(5) { li { span.tag { (shown::name(tag)) } } }
        }
    }
}

struct ProjectView<'a> {
    visitor: &'a Visitor,
    project: &'a Project,
    stats: &'a ProjectStats,
    sessions: &'a [Session],
    number: u32,
    has_next: bool,
    now: Timestamp,
}

impl ProjectView<'_> {
    fn body(&self) -> Markup {
        let project = self.project;
        let path = shown::project_path(&project.id);
        let some = |values: &[String]| {
            html! {
                @for value in values.iter().take(8) { span.tag { (shown::name(value)) } }
                @if values.len() > 8 { span.tag { "and " (values.len() - 8) " more" } }
            }
        };
        html! {
            p.crumbs { a href="/projects" { "Projects" } }
            div.with-badge {
                (shown::badge(project))
                h1 { (shown::name(&project.name)) }
            }
            ul.facts {
                li { b { (shown::number(project.session_count)) } " sessions" }
                li { b { (shown::size(project.total_markdown_size)) } " of markdown" }
                @if let Some(at) = project.last_activity_at { li { "last active " (shown::ago(at, self.now)) } }
                li { "id " code { (shown::name(project.id.as_str())) } }
            }
            @if !self.stats.unique_llm_models.is_empty() {
                p.facts { "Models " span.tags { (some(&self.stats.unique_llm_models)) } }
            }
            @if !self.stats.unique_git_branches.is_empty() {
                p.facts { "Branches " span.tags { (some(&self.stats.unique_git_branches)) } }
            }
            div.row.actions {
                a.button href={ "/search?project=" (shown::segment(project.id.as_str())) } { "Search this project" }
            }
            @if self.sessions.is_empty() {
                div.panel.empty { p { @if self.number > 1 { "There is nothing on this page." } @else { "This project has no sessions." } } }
            } @else {
                (sessions_list(self.sessions, self.now, &[], "h2"))
            }
            nav.pager aria-label="Pages" {
                @if self.number > 1 { a.button rel="prev" href={ (path) "?page=" (self.number - 1) } { "Newer" } } @else { span {} }
                @if self.has_next { a.button rel="next" href={ (path) "?page=" (self.number + 1) } { "Older" } }
            }
            (self.forms(&path))
        }
    }

    fn forms(&self, path: &str) -> Markup {
        let project = self.project;
        let icons: Vec<_> = shown::icon_names().collect();
        html! {
            details.panel {
                summary { "Name, icon and colour" }
                form action={ (path) "/change" } method="post" {
                    (self.visitor.token())
                    div.field { label for="name" { "Name" } input #name name="name" type="text" value=(project.name) maxlength="255" required; }
                    div.row.end {
                        div.field {
                            label for="icon" { "Icon" }
                            select #icon name="icon" {
                                @if !icons.contains(&project.icon.as_str()) { option value=(project.icon) selected { (project.icon) } }
                                @for icon in &icons { option value=(icon) selected[*icon == project.icon] { (icon) } }
                            }
                        }
                        div.field {
                            label for="color" { "Colour" }
                            select #color name="color" {
                                @if !COLORS.contains(&project.color.as_str()) { option value=(project.color) selected { (project.color) } }
                                @for color in COLORS { option value=(color) selected[color == project.color] { (color) } }
                            }
                        }
                        button.main type="submit" { "Save" }
                    }
                }
            }
            details.panel {
                summary { "Delete this project" }
                p { "Its " (shown::plural(project.session_count, "session")) " go with it, here and for everyone who has a link to them. This cannot be undone." }
                form action={ (path) "/delete" } method="post" {
                    (self.visitor.token())
                    button.bad type="submit" { "Delete the project and its sessions" }
                }
            }
        }
    }
}
