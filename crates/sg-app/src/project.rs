//! Projects.

use sg_domain::stats::ProjectActivity;
use sg_domain::time::DAY_MICROS;
use sg_domain::{Caller, Error, JobId, JobKind, Project, ProjectId, ProjectKey, Result, Scope, Timestamp, Visibility};

use crate::App;

/// What is to change about a project; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectUpdate {
    /// 1 to 255 characters.
    pub name: Option<String>,
    /// 1 to 64 characters.
    pub icon: Option<String>,
    /// 1 to 64 characters.
    pub color: Option<String>,
}

/// The longest name of a project, in characters.
const MAX_NAME_CHARS: usize = 255;
/// The longest name of an icon or colour, in characters.
const MAX_MARK_CHARS: usize = 64;
/// Sessions in one job that takes them out of the index.
const UNINDEX_PART: usize = 500;

impl App {
    /// The caller's projects, last activity first.
    pub async fn projects(&self, caller: &Caller) -> Result<Vec<Project>> {
        let identity = caller.require(Scope::Read)?;
        self.store().projects(&Visibility::of(identity)).await
    }

    /// One project. `NotFound` with `projectId` when there is none that the caller may see.
    pub async fn project(&self, caller: &Caller, id: &ProjectId) -> Result<Project> {
        let identity = caller.require(Scope::Read)?;
        let project = self.store().project(&Visibility::of(identity), id).await?;
        project.ok_or_else(|| not_found(id))
    }

    /// Projects by key, in no order; those the caller may not see are left out.
    pub async fn projects_by_key(&self, caller: &Caller, keys: &[ProjectKey]) -> Result<Vec<Project>> {
        let identity = caller.require(Scope::Read)?;
        self.store().projects_by_key(&Visibility::of(identity), keys).await
    }

    /// Changes a project. `NotFound` when there is none that the caller may change.
    pub async fn update_project(&self, caller: &Caller, id: &ProjectId, update: ProjectUpdate) -> Result<Project> {
        let identity = caller.require(Scope::Write)?;
        let ProjectUpdate { name, icon, color } = update;
        if name.is_none() && icon.is_none() && color.is_none() {
            return Err(Error::invalid("at least one of name, icon or color must be provided").in_input());
        }
        let name = name.map(|name| chosen("name", &name, MAX_NAME_CHARS)).transpose()?;
        let icon = icon.map(|icon| chosen("icon", &icon, MAX_MARK_CHARS)).transpose()?;
        let color = color.map(|color| chosen("color", &color, MAX_MARK_CHARS)).transpose()?;
        let tx = self.store().begin().await?;
        let Some(stored) = tx.project_for_update(&identity.user, id).await? else {
            return Err(not_found(id));
        };
        let mut project = stored.clone();
        project.name = name.unwrap_or(project.name);
        project.icon = icon.unwrap_or(project.icon);
        project.color = color.unwrap_or(project.color);
        if project == stored {
            tx.commit().await?;
            return Ok(stored);
        }
        project.updated_at = self.now();
        tx.update_project(&project).await?;
        if project.name != stored.name {
            let job = JobKind::IndexProject { project: project.key };
            tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &job, self.now()).await?;
        }
        tx.bump_version(&identity.user).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// Deletes a project for good, with all its sessions and those of them that are in the trash. They are out of every
    /// answer when this returns, also of those kept for idempotency keys. Gives back the project as it was, and when it was
    /// deleted.
    pub async fn delete_project(&self, caller: &Caller, id: &ProjectId) -> Result<(Project, Timestamp)> {
        let identity = caller.require(Scope::Write)?;
        let now = self.now();
        let tx = self.store().begin().await?;
        let Some(project) = tx.project_for_update(&identity.user, id).await? else {
            return Err(not_found(id));
        };
        let version = tx.bump_version(&identity.user).await?;
        tx.log_deleted_project(version, project.key, now).await?;
        let sessions = tx.delete_project(project.key).await?;
        tx.forget_answers_of(&identity.user).await?;
        for part in sessions.chunks(UNINDEX_PART) {
            let job = JobKind::UnindexSessions { sessions: part.to_vec() };
            tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &job, now).await?;
        }
        tx.commit().await?;
        // The jobs make it durable; this makes it immediate.
        for session in sessions {
            if let Err(error) = self.search().remove(session).await {
                tracing::warn!(%session, %error, "deleted sessions stay in the index until their job runs");
                break;
            }
        }
        Ok((project, now))
    }

    /// When the project's sessions happened.
    pub async fn project_activity(&self, caller: &Caller, project: ProjectKey) -> Result<ProjectActivity> {
        let identity = caller.require(Scope::Read)?;
        let ago = |days: i64| self.now().plus_micros(-days * DAY_MICROS);
        self.store().project_activity(&Visibility::of(identity), project, ago(7), ago(30)).await
    }

    /// The caller's data version: moved by every committed change of what the caller can see.
    pub async fn data_version(&self, caller: &Caller) -> Result<i64> {
        let identity = caller.require(Scope::Read)?;
        self.store().data_version(&identity.user).await
    }
}

fn not_found(id: &ProjectId) -> Error {
    Error::not_found("project").with("projectId", id.as_str())
}

/// Text that a person chose, without the space around it.
pub(crate) fn chosen(field: &'static str, text: &str, max_chars: usize) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max_chars || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{field} must be 1 to {max_chars} characters"))
            .with("field", field)
            .at(field));
    }
    Ok(text.to_owned())
}
