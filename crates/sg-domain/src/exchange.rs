//! A question and its answer: the part of a session's markdown from one prompt to the next.

use crate::Timestamp;

/// One exchange of a session. Its text is a slice of the session's markdown, kept as byte offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Place in the session, from 0.
    pub ordinal: u32,
    /// First byte in the markdown.
    pub start: u64,
    /// One past the last byte in the markdown.
    pub end: u64,
    /// First time written in its headers.
    pub started_at: Option<Timestamp>,
    /// Last time written in its headers.
    pub ended_at: Option<Timestamp>,
    /// A title that a person gave it.
    pub user_title: Option<String>,
    /// Left out when the session is shared.
    pub hidden_from_share: bool,
}

impl Exchange {
    /// Its text, cut out of the session's markdown; empty when the offsets do not fit it.
    pub fn slice<'a>(&self, markdown: &'a str) -> &'a str {
        let range = usize::try_from(self.start).ok().zip(usize::try_from(self.end).ok());
        range.and_then(|(start, end)| markdown.get(start..end)).unwrap_or_default()
    }
}
