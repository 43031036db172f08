//! Changing and deleting projects.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};
use sg_app::ProjectUpdate;
use sg_domain::ProjectId;

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::project::Project;
use crate::scalar::DateTime;

/// Which project, and what changes about it; what is left out or null stays as it is.
#[derive(InputObject)]
pub(crate) struct UpdateProjectInput {
    /// The id that clients know the project by.
    id: String,
    /// Its new name, 1 to 255 characters.
    name: Option<String>,
    /// Its new icon, 1 to 64 characters.
    icon: Option<String>,
    /// Its new colour, 1 to 64 characters.
    color: Option<String>,
}

/// What came of a change of a project.
#[derive(SimpleObject)]
pub(crate) struct UpdateProjectPayload {
    /// The project as it is now.
    project: Project,
}

/// Which project is to be deleted.
#[derive(InputObject)]
pub(crate) struct DeleteProjectInput {
    /// The id that clients know the project by.
    id: String,
}

/// What came of deleting a project.
#[derive(SimpleObject)]
pub(crate) struct DeleteProjectPayload {
    /// The id that clients knew the project by.
    deleted_project_id: ID,
    /// How many sessions went with it.
    deleted_session_count: i32,
    /// When it was deleted.
    deleted_at: DateTime,
}

/// Changes a project.
pub(crate) async fn update_project(reach: &Reach, input: UpdateProjectInput) -> Outcome<UpdateProjectPayload> {
    reach.caller.require(sg_domain::Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(sg_domain::Scope::Read)?;
    let UpdateProjectInput { id, name, icon, color } = input;
    let update = ProjectUpdate { name, icon, color };
    let id = ProjectId::new(id).map_err(|error| error.at("id"))?;
    let project = reach.app.update_project(&reach.caller, &id, update).await?;
    Ok(UpdateProjectPayload { project: Project(Arc::new(project)) })
}

/// Deletes a project.
pub(crate) async fn delete_project(reach: &Reach, input: DeleteProjectInput) -> Outcome<DeleteProjectPayload> {
    reach.caller.require(sg_domain::Scope::Write)?;
    let id = ProjectId::new(input.id).map_err(|error| error.at("id"))?;
    let (project, at) = reach.app.delete_project(&reach.caller, &id).await?;
    Ok(DeleteProjectPayload {
        deleted_project_id: ID(project.id.to_string()),
        deleted_session_count: crate::scalar::int(project.session_count),
        deleted_at: DateTime(at),
    })
}
