//! Figures over many sessions and their answers: what they are about, what they are counted by, what comes out.

use crate::{ProjectKey, SessionFilter, Timestamp, TokenUsage};

/// What figures are about. Sessions count by their last activity, answers by the time they were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalyticsScope {
    /// Which sessions.
    pub filter: SessionFilter,
    /// Only sessions of this project.
    pub project: Option<ProjectKey>,
    /// At or after this time.
    pub from: Option<Timestamp>,
    /// At or before this time.
    pub to: Option<Timestamp>,
}

impl AnalyticsScope {
    /// The sessions that were active in the range.
    pub fn active(&self) -> SessionFilter {
        if self.from.is_none() && self.to.is_none() {
            return self.filter.clone();
        }
        let range = SessionFilter { active_from: self.from, active_to: self.to, ..SessionFilter::default() };
        SessionFilter { and: [self.filter.and.clone(), vec![range]].concat(), ..self.filter.clone() }
    }
}

/// What tokens are summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageBy {
    /// Everything together.
    All,
    /// The model that answered.
    Model,
    /// The project, by its key.
    Project,
    /// The UTC day of the answer, `YYYY-MM-DD`.
    Day,
    /// The coding agent, by its display name.
    Agent,
    /// The session, by its id.
    Session,
}

impl UsageBy {
    /// Every one of them.
    pub const ALL: [Self; 6] = [Self::All, Self::Model, Self::Project, Self::Day, Self::Agent, Self::Session];
}

/// Tokens of the answers that one model gave in one span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageGroup {
    /// What it is summed by; `None` where that is not known, and for [`UsageBy::All`].
    pub key: Option<String>,
    /// The model that answered, where it is known.
    pub model: Option<String>,
    /// How many of the given instants lie at or before the answers.
    pub span: usize,
    /// The sum.
    pub usage: TokenUsage,
}

/// What sessions are counted by. A session counts for each model, branch and tag that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsBy {
    /// A model that answered.
    Model,
    /// A branch that it was on.
    Branch,
    /// A tag.
    Tag,
    /// The program that sent it.
    Client,
    /// The coding agent.
    Agent,
    /// The machine, by name.
    Machine,
    /// The project, by its key.
    Project,
}

impl SessionsBy {
    /// Every one of them.
    pub const ALL: [Self; 7] =
        [Self::Model, Self::Branch, Self::Tag, Self::Client, Self::Agent, Self::Machine, Self::Project];
}

/// Sessions that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionGroup {
    /// What they have in common; `None` where that is not known.
    pub value: Option<String>,
    /// Number of sessions.
    pub count: u64,
    /// Bytes of their markdown.
    pub markdown_size: u64,
}

/// Sessions of one UTC day, by last activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayActivity {
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// Number of sessions.
    pub sessions: u64,
    /// Number of projects that they are of.
    pub projects: u64,
}

/// Sessions of one hour of the week in UTC, by last activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourActivity {
    /// From 1, Monday, to 7, Sunday.
    pub weekday: u32,
    /// From 0 to 23.
    pub hour: u32,
    /// Number of sessions.
    pub sessions: u64,
}
