//! Projects, described.

use super::path::{InProject, Resumable};
use super::schema::project::{ActivityBody, DeletedProject, ProjectChange, ProjectData, ProjectList, ProjectUpdate};
use super::schema::{Envelope, ErrorBody};

/// List projects
///
/// All of the account's projects, the one with the last activity first.
#[utoipa::path(
    get, path = "/api/v1/projects", operation_id = "listProjects", tag = "projects",
    params(Resumable),
    responses(
        (status = 200, description = "The projects. With `resumable=true` each has its sessions that can be resumed, and projects without any are left out.", body = inline(Envelope<ProjectList>)),
        (status = 400, description = "A value in the query is not one of those listed.", body = ErrorBody, example = json!({"success": false, "error": "resumable must be true or false"})),
    )
)]
fn list_projects() {}

/// Read a project
#[utoipa::path(
    get, path = "/api/v1/projects/{pid}", operation_id = "getProject", tag = "projects",
    params(InProject),
    responses(
        (status = 200, description = "The project.", body = inline(Envelope<ProjectData>)),
        (status = 404, description = "The account has no such project.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn get_project() {}

/// Change a project
///
/// Its name, icon or colour. Icons and colours are free: beside the names that SpecStory lists, clients send emoji and hex
/// codes.
#[utoipa::path(
    patch, path = "/api/v1/projects/{pid}", operation_id = "updateProject", tag = "projects",
    params(InProject),
    request_body(content = ProjectUpdate, description = "At least one of the fields."),
    responses(
        (status = 200, description = "What was sent, as it was stored.", body = inline(Envelope<ProjectChange>), example = json!({"success": true, "data": {"name": "Gateway", "color": "emerald"}})),
        (status = 400, description = "The body is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "At least one of name, icon or color must be provided"})),
        (status = 404, description = "The account has no such project.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn update_project() {}

/// Delete a project
///
/// With all its sessions.
#[utoipa::path(
    delete, path = "/api/v1/projects/{pid}", operation_id = "deleteProject", tag = "projects",
    params(InProject),
    responses(
        (status = 200, description = "The project as it was.", body = inline(Envelope<DeletedProject>)),
        (status = 404, description = "The account has no such project.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn delete_project() {}

/// A project's activity
#[utoipa::path(
    get, path = "/api/v1/projects/{pid}/stats", operation_id = "getProjectActivity", tag = "projects",
    params(InProject),
    responses(
        (status = 200, description = "The activity.", body = ActivityBody),
        (status = 404, description = "The account has no such project.", body = ErrorBody, example = json!({"success": false, "error": "Project not found"})),
    )
)]
fn project_activity() {}
