//! Projects.

use sg_domain::{Project, ProjectId, ProjectKey, Result, Timestamp, UserId, Visibility};

use crate::store::stub;
use crate::{Store, Tx};

impl Store {
    /// All projects, last activity first (those without any last), then id.
    pub async fn projects(&self, _who: &Visibility) -> Result<Vec<Project>> {
        stub()
    }
    /// One project by the id its clients use.
    pub async fn project(&self, _who: &Visibility, _id: &ProjectId) -> Result<Option<Project>> {
        stub()
    }
    /// Projects by key, in no order; those that may not be seen are left out.
    pub async fn projects_by_key(&self, _who: &Visibility, _keys: &[ProjectKey]) -> Result<Vec<Project>> {
        stub()
    }
}
impl Tx {
    /// The owner's project with this id, made now under `new_key` and `name` when there is none. Safe under races.
    pub async fn ensure_project(
        &self,
        _owner: &UserId,
        _id: &ProjectId,
        _name: &str,
        _new_key: ProjectKey,
        _now: Timestamp,
    ) -> Result<ProjectKey> {
        stub()
    }
    /// Deletes a project and all its sessions; returns the sessions' ids.
    pub async fn delete_project(&self, _key: ProjectKey) -> Result<Vec<sg_domain::SessionId>> {
        stub()
    }
}
