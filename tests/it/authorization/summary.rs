//! Fields of summaries.

use super::{Field, Foreign};

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[Field {
    name: "summarizeSession",
    query: r#"mutation { summarizeSession(input: { id: "$session" }) { summary { title } session { name summary { toolCallCount } } } }"#,
    shows: super::MINE,
    foreign: Foreign::NotFound,
}];
