//! Figures the database computes.

use sg_domain::stats::Count;
use sg_domain::{ProjectKey, ProjectStats, Result, Timestamp, Visibility};

use crate::Store;
use crate::store::stub;

impl Store {
    /// Totals of a project, or of everything visible.
    pub async fn project_stats(&self, _who: &Visibility, _project: Option<ProjectKey>) -> Result<ProjectStats> {
        stub()
    }
    /// Sessions per UTC day of last activity since `from`, ascending, days without any left out.
    pub async fn sessions_by_day(
        &self,
        _who: &Visibility,
        _project: Option<ProjectKey>,
        _from: Timestamp,
    ) -> Result<Vec<Count>> {
        stub()
    }
    /// The most used tags, most used first, then by name.
    pub async fn top_tags(&self, _who: &Visibility, _project: Option<ProjectKey>, _limit: u32) -> Result<Vec<Count>> {
        stub()
    }
    /// The most used models, most used first, then by name.
    pub async fn top_models(&self, _who: &Visibility, _project: Option<ProjectKey>, _limit: u32) -> Result<Vec<Count>> {
        stub()
    }
}
