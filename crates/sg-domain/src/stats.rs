//! Figures over many sessions, computed by the database.

use crate::Timestamp;
use crate::time::DAY_MICROS;

/// Figures of one project, or of everything a caller sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectStats {
    /// Number of sessions.
    pub total_sessions: u64,
    /// Bytes of markdown.
    pub total_markdown_size: u64,
    /// Bytes of raw data.
    pub total_raw_data_size: u64,
    /// Models that answered, sorted.
    pub unique_llm_models: Vec<String>,
    /// Branches, sorted.
    pub unique_git_branches: Vec<String>,
}

/// When the sessions of a project happened, by last activity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectActivity {
    /// Number of sessions.
    pub sessions: u64,
    /// Of them, active in the last 7 days.
    pub sessions_last_week: u64,
    /// Of them, active in the last 30 days.
    pub sessions_last_month: u64,
    /// Machines that they come from; sessions that name no machine count as of one.
    pub machines: u64,
    /// Of them, with a session active in the last 30 days.
    pub machines_last_month: u64,
    /// When the first one began.
    pub first_at: Option<Timestamp>,
    /// The latest activity.
    pub last_at: Option<Timestamp>,
}

impl ProjectActivity {
    /// Sessions a week between the first and the last activity, a week at the least; 0 without any.
    pub fn sessions_per_week(&self) -> f64 {
        let (Some(first), Some(last)) = (self.first_at, self.last_at) else { return 0.0 };
        let weeks = (last.micros() - first.micros()) as f64 / (7.0 * DAY_MICROS as f64);
        self.sessions as f64 / weeks.max(1.0)
    }
}

/// A value and how many sessions have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The value: a tag, a model, a day as `YYYY-MM-DD`.
    pub value: String,
    /// Number of sessions.
    pub count: u64,
}
