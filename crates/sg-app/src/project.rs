//! Projects.

use sg_domain::{Caller, Error, Project, ProjectId, ProjectKey, Result, Scope, Visibility};

use crate::App;

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
        project.ok_or_else(|| Error::not_found("project").with("projectId", id.as_str()))
    }

    /// Projects by key, in no order; those the caller may not see are left out.
    pub async fn projects_by_key(&self, caller: &Caller, keys: &[ProjectKey]) -> Result<Vec<Project>> {
        let identity = caller.require(Scope::Read)?;
        self.store().projects_by_key(&Visibility::of(identity), keys).await
    }

    /// The caller's data version: moved by every committed change of what the caller can see.
    pub async fn data_version(&self, caller: &Caller) -> Result<i64> {
        let identity = caller.require(Scope::Read)?;
        self.store().data_version(&identity.user).await
    }
}
