//! Which sessions are wanted: one filter type for lists, search, facets and statistics.

use crate::{Session, SessionId, Timestamp};

/// A filter over sessions. AND across fields, OR inside a list; an empty list and `None` do not filter.
///
/// [`SessionFilter::matches`] is the definition; the SQL and the index must agree with it (property tests compare them).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFilter {
    /// Projects, as clients name them.
    pub project_ids: Vec<String>,
    /// Exactly these sessions; `Some(vec![])` matches none.
    pub session_ids: Option<Vec<SessionId>>,
    /// `metadata.client_name`.
    pub client_names: Vec<String>,
    /// `metadata.agent_name`.
    pub agent_names: Vec<String>,
    /// `metadata.device_id`.
    pub device_ids: Vec<String>,
    /// `metadata.machine_name`.
    pub machine_names: Vec<String>,
    /// Any of `metadata.git_branches`.
    pub git_branches: Vec<String>,
    /// Any of `metadata.llm_models`.
    pub llm_models: Vec<String>,
    /// Any of `metadata.tags`.
    pub tags: Vec<String>,
    /// `metadata.folder` is one of these or below one of them.
    pub folders: Vec<String>,
    /// Subagents' sessions of these parents, by the parent's client id.
    pub parent_client_ids: Vec<String>,
    /// Active at or after this time.
    pub active_from: Option<Timestamp>,
    /// Active at or before this time.
    pub active_to: Option<Timestamp>,
    /// Stored at or after this time.
    pub created_from: Option<Timestamp>,
    /// Whether any branch is known.
    pub has_git_branches: Option<bool>,
    /// Whether session data is stored, so that the session can be resumed elsewhere.
    pub resumable: Option<bool>,
    /// All of these.
    pub and: Vec<SessionFilter>,
    /// Any of these; empty does not filter.
    pub or: Vec<SessionFilter>,
    /// Not this.
    pub not: Option<Box<SessionFilter>>,
}

/// The deepest nesting of `and`, `or`, `not`.
pub const MAX_FILTER_DEPTH: usize = 5;
/// The most folders, `and` filters or `or` filters in one list: each is a condition of its own, and SQL engines bound how
/// deep those nest.
pub const MAX_FILTER_BRANCHES: usize = 100;
/// The most values in all lists of one filter.
pub const MAX_FILTER_VALUES: usize = 1_000;

impl SessionFilter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a session passes.
    pub fn matches(&self, session: &Session) -> bool {
        let meta = &session.metadata;
        one_of(&self.project_ids, Some(session.project_id.as_str()))
            && self.session_ids.as_ref().is_none_or(|ids| ids.contains(&session.id))
            && one_of(&self.client_names, meta.client_name.as_deref())
            && one_of(&self.agent_names, meta.agent_name.as_deref())
            && one_of(&self.device_ids, meta.device_id.as_deref())
            && one_of(&self.machine_names, meta.machine_name.as_deref())
            && any_of(&self.git_branches, meta.git_branches.as_deref())
            && any_of(&self.llm_models, meta.llm_models.as_deref())
            && any_of(&self.tags, meta.tags.as_deref())
            && (self.folders.is_empty()
                || meta.folder.as_deref().is_some_and(|have| self.folders.iter().any(|want| is_within(have, want))))
            && one_of(&self.parent_client_ids, session.parent_client_id.as_deref())
            && self.active_from.is_none_or(|from| session.activity_at >= from)
            && self.active_to.is_none_or(|to| session.activity_at <= to)
            && self.created_from.is_none_or(|from| session.created_at >= from)
            && self
                .has_git_branches
                .is_none_or(|want| want == meta.git_branches.as_ref().is_some_and(|b| !b.is_empty()))
            && self.resumable.is_none_or(|want| want == session.session_data_size.is_some_and(|size| size > 0))
            && self.and.iter().all(|f| f.matches(session))
            && (self.or.is_empty() || self.or.iter().any(|f| f.matches(session)))
            && self.not.as_ref().is_none_or(|f| !f.matches(session))
    }

    /// Checks nesting and size, so that no filter costs more than a bounded amount.
    pub fn check(&self) -> crate::Result<()> {
        if self.widest() > MAX_FILTER_BRANCHES {
            return Err(crate::Error::invalid(format!(
                "a filter lists more than {MAX_FILTER_BRANCHES} folders, and or or filters"
            )));
        }
        let (depth, values) = self.measure();
        if depth > MAX_FILTER_DEPTH {
            return Err(crate::Error::invalid(format!("filters nest deeper than {MAX_FILTER_DEPTH}, flatten them")));
        }
        if values > MAX_FILTER_VALUES {
            return Err(crate::Error::invalid(format!("filters hold more than {MAX_FILTER_VALUES} values")));
        }
        Ok(())
    }

    /// The longest of the lists that become one condition an entry, here and below.
    fn widest(&self) -> usize {
        let below = self.and.iter().chain(&self.or).chain(self.not.as_deref()).map(Self::widest);
        let here = self.folders.len().max(self.and.len()).max(self.or.len());
        below.max().unwrap_or(0).max(here)
    }

    fn measure(&self) -> (usize, usize) {
        let lists = [
            &self.project_ids,
            &self.client_names,
            &self.agent_names,
            &self.device_ids,
            &self.machine_names,
            &self.git_branches,
            &self.llm_models,
            &self.tags,
            &self.folders,
            &self.parent_client_ids,
        ];
        let mut values: usize = lists.iter().map(|l| l.len()).sum();
        let mut depth = 0;
        for child in self.and.iter().chain(&self.or).chain(self.not.as_deref()) {
            let (d, v) = child.measure();
            depth = depth.max(d);
            values += v + 1;
        }
        (depth + 1, values)
    }
}

/// Whether folder `have` is `want` or lies below it, by whole path segments.
pub fn is_within(have: &str, want: &str) -> bool {
    let want = want.trim_end_matches(['/', '\\']);
    match have.strip_prefix(want) {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '\\']),
        None => false,
    }
}

fn one_of(wanted: &[String], have: Option<&str>) -> bool {
    wanted.is_empty() || have.is_some_and(|have| wanted.iter().any(|w| w == have))
}

fn any_of(wanted: &[String], have: Option<&[String]>) -> bool {
    wanted.is_empty() || have.is_some_and(|have| have.iter().any(|h| wanted.contains(h)))
}
