//! Projects.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use sg_app::{App, ProjectUpdate, SessionColumns};
use sg_domain::{Project, ProjectKey, Session};

use super::answer;
use super::body::JsonBody;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::idempotency::{self, Idempotency};
use super::request::{Params, ProjectPath};
use super::session;
use super::wire::project::{ActivityBody, DeletedProject, ProjectChange};
use super::wire::{Envelope, ProjectBody, ProjectData, ProjectList, SessionSummary};

/// A guess at the bytes of a project, for the size of the buffer.
const PROJECT_BYTES: usize = 500;

/// `GET /projects`: all of them, last activity first. With `resumable=true` each carries its resumable sessions, and
/// those without any are left out.
pub(super) async fn projects(
    State(app): State<App>,
    Reader(caller): Reader,
    params: Params,
) -> Result<Response, Failure> {
    if !params.resumable()? {
        let projects = app.projects(&caller).await?;
        return list(projects.iter().map(ProjectBody::new).collect(), 0);
    }
    let wanted = session::wanted(None, true, None, SessionColumns { metadata: true, first_exchange: false });
    let sessions = app.sessions(&caller, &wanted).await?.items;
    let projects = app.projects(&caller).await?;
    list(with_sessions(&projects, &sessions), sessions.len())
}

/// `GET /projects/{pid}`.
pub(super) async fn project(
    State(app): State<App>,
    Reader(caller): Reader,
    ProjectPath(id): ProjectPath,
) -> Result<Response, Failure> {
    let project = app.project(&caller, &id).await?;
    let body = Envelope::new(ProjectData { project: ProjectBody::new(&project) });
    Ok(answer::json(StatusCode::OK, PROJECT_BYTES, &body)?)
}

/// `PATCH /projects/{pid}`. Any icon and colour that is text: the documents name 25 and 10, the SDKs' own examples send
/// others.
pub(super) async fn update(
    State(app): State<App>,
    Writer(caller): Writer,
    ProjectPath(id): ProjectPath,
    key: Idempotency,
    body: JsonBody,
) -> Result<Response, Failure> {
    let change = async {
        let update = ProjectUpdate { name: body.text("name")?, icon: body.text("icon")?, color: body.text("color")? };
        let project = app.update_project(&caller, &id, update).await?;
        let sent = |field: &str, value| body.has(field).then_some(value);
        let change = ProjectChange {
            name: sent("name", project.name.as_str()),
            icon: sent("icon", project.icon.as_str()),
            color: sent("color", project.color.as_str()),
        };
        Ok(answer::json(StatusCode::OK, PROJECT_BYTES, &Envelope::new(change))?)
    };
    key.once(&app, &caller, body.digest, change).await
}

/// `DELETE /projects/{pid}`, with all its sessions.
pub(super) async fn delete(
    State(app): State<App>,
    Writer(caller): Writer,
    ProjectPath(id): ProjectPath,
    key: Idempotency,
) -> Result<Response, Failure> {
    let delete = async {
        let (project, at) = app.delete_project(&caller, &id).await?;
        Ok(answer::json(StatusCode::OK, PROJECT_BYTES, &Envelope::new(DeletedProject::new(&project, at)))?)
    };
    key.once(&app, &caller, idempotency::no_body(), delete).await
}

/// `GET /projects/{pid}/stats`. The hosted service answers it to everyone; here it needs a key, as all data does.
pub(super) async fn activity(
    State(app): State<App>,
    Reader(caller): Reader,
    ProjectPath(id): ProjectPath,
) -> Result<Response, Failure> {
    let project = app.project(&caller, &id).await?;
    let figures = app.project_activity(&caller, project.key).await?;
    Ok(answer::json(StatusCode::OK, 2 * PROJECT_BYTES, &ActivityBody::new(&project, &figures))?)
}

fn list(projects: Vec<ProjectBody<'_>>, sessions: usize) -> Result<Response, Failure> {
    let capacity = 64 + projects.len() * PROJECT_BYTES + sessions * SessionSummary::BYTES;
    let total = projects.len();
    Ok(answer::json(StatusCode::OK, capacity, &Envelope::new(ProjectList { projects, total }))?)
}

/// Each project with those of the sessions that are its own, in their order.
fn with_sessions<'a>(projects: &'a [Project], sessions: &'a [Session]) -> Vec<ProjectBody<'a>> {
    let mut by_project: HashMap<ProjectKey, Vec<SessionSummary<'a>>> = HashMap::new();
    for session in sessions {
        by_project.entry(session.project_key).or_default().push(SessionSummary::new(session));
    }
    let with = |project: &'a Project| {
        let sessions = by_project.remove(&project.key)?;
        Some(ProjectBody::new(project).with_sessions(sessions))
    };
    projects.iter().filter_map(with).collect()
}
