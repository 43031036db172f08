//! A question in words and its answer.

use serde::{Deserialize, Serialize};

use crate::{ProjectId, Role, SessionFilter, SessionId, Timestamp, Visibility};

/// What decides the order of hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankBy {
    /// BM25 over messages, with title and recency taken into account.
    #[default]
    Relevance,
    /// Last activity, newest first.
    Recent,
}

/// What hits can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FacetField {
    /// Project id.
    Project,
    /// Agent name.
    Agent,
    /// Model.
    Model,
    /// Branch.
    Branch,
    /// Tag.
    Tag,
    /// UTC day of last activity, `YYYY-MM-DD`.
    Day,
}

impl FacetField {
    /// Every field.
    pub const ALL: [Self; 6] = [Self::Project, Self::Agent, Self::Model, Self::Branch, Self::Tag, Self::Day];

    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Agent => "agent",
            Self::Model => "model",
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Day => "day",
        }
    }
}

/// A search. `visibility` is not optional.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Whose sessions may be found.
    pub visibility: Visibility,
    /// What the person typed.
    pub text: String,
    /// Which sessions are looked at.
    pub filter: SessionFilter,
    /// What decides the order.
    pub rank_by: RankBy,
    /// At most this many sessions.
    pub limit: usize,
    /// Skip this many sessions.
    pub offset: usize,
    /// Counts to make over all matches; empty costs nothing.
    pub facets: Vec<FacetField>,
    /// Whether to make snippets.
    pub snippets: bool,
    /// At most this many matching messages a session.
    pub messages_per_hit: usize,
    /// The time that recency is measured from.
    pub now: Timestamp,
}

/// A session that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The session.
    pub session: SessionId,
    /// Relevance in (0, 1], best first.
    pub rank: f64,
    /// The best matching piece: HTML-escaped text with matches in `<mark>`. `None` when not asked for.
    pub snippet: Option<String>,
    /// The matched words as they stand in the text, each once.
    pub highlights: Vec<String>,
    /// The messages that matched best, best first.
    pub messages: Vec<MessageHit>,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageHit {
    /// Place of the message in its session, from 0.
    pub ordinal: u32,
    /// Who said it.
    pub role: Role,
    /// As [`Hit::snippet`], of this message.
    pub snippet: Option<String>,
}

/// A value and how many of the found sessions have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetBucket {
    /// The value.
    pub value: String,
    /// Number of sessions.
    pub count: u64,
}

/// One page of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPage {
    /// Sessions, best first.
    pub hits: Vec<Hit>,
    /// Number of sessions that match in all.
    pub total: u64,
    /// Counts, in the order they were asked for, most frequent value first.
    pub facets: Vec<(FacetField, Vec<FacetBucket>)>,
    /// What the person may have meant, when little was found.
    pub suggestion: Option<String>,
}

/// A search as a person types it, for a session to go on with: all its words in one exchange of a session that another
/// machine can resume.
#[derive(Clone, Debug)]
pub struct ExchangeQuery {
    /// Whose sessions may be found.
    pub visibility: Visibility,
    /// What was typed so far.
    pub text: String,
    /// Only sessions of projects with this id.
    pub project: Option<ProjectId>,
}

/// A session one of whose exchanges holds all that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeHit {
    /// The session.
    pub session: SessionId,
    /// Place of its first such exchange, from 0.
    pub exchange: u32,
    /// Part of that exchange: plain text on one line without control characters, except [`MATCH_START`] and
    /// [`MATCH_END`] around each match; `…` stands where text was left out.
    pub snippet: String,
}

/// Stands before a match in [`ExchangeHit::snippet`].
pub const MATCH_START: char = '\u{2}';
/// Stands behind a match in [`ExchangeHit::snippet`].
pub const MATCH_END: char = '\u{3}';
