//! Figures, computed by the database.

use sg_domain::stats::Count;
use sg_domain::time::DAY_MICROS;
use sg_domain::{Caller, Error, ProjectKey, ProjectStats, Result, Scope, Visibility};

use crate::App;

/// The longest history that is counted by day.
pub(crate) const MAX_DAYS: u32 = 3_660;
/// The most values a ranking of labels lists.
pub(crate) const MAX_TOP: u32 = 100;

impl App {
    /// Totals of a project, or of everything the caller sees.
    pub async fn project_stats(&self, caller: &Caller, project: Option<ProjectKey>) -> Result<ProjectStats> {
        let identity = caller.require(Scope::Read)?;
        self.store().project_stats(&Visibility::of(identity), project).await
    }

    /// Sessions per UTC day over the last `days` days, today included.
    pub async fn sessions_by_day(&self, caller: &Caller, project: Option<ProjectKey>, days: u32) -> Result<Vec<Count>> {
        let identity = caller.require(Scope::Read)?;
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(Error::invalid(format!("days must be between 1 and {MAX_DAYS}")));
        }
        let from = self.now().start_of_day().plus_micros(-DAY_MICROS * i64::from(days - 1));
        self.store().sessions_by_day(&Visibility::of(identity), project, from).await
    }

    /// The most used tags.
    pub async fn top_tags(&self, caller: &Caller, project: Option<ProjectKey>, limit: u32) -> Result<Vec<Count>> {
        let identity = caller.require(Scope::Read)?;
        self.store().top_tags(&Visibility::of(identity), project, top(limit)?).await
    }

    /// The most used models.
    pub async fn top_models(&self, caller: &Caller, project: Option<ProjectKey>, limit: u32) -> Result<Vec<Count>> {
        let identity = caller.require(Scope::Read)?;
        self.store().top_models(&Visibility::of(identity), project, top(limit)?).await
    }
}

fn top(limit: u32) -> Result<u32> {
    if (1..=MAX_TOP).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::invalid(format!("limit must be between 1 and {MAX_TOP}")))
    }
}
