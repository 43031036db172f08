//! Figures over many sessions, computed by the database.

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

/// A value and how many sessions have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The value: a tag, a model, a day as `YYYY-MM-DD`.
    pub value: String,
    /// Number of sessions.
    pub count: u64,
}
