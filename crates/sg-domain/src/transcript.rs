//! A session as a format reads it out of an agent's file, before anything is stored.

use serde_json::{Map, Value};

use crate::{Message, SessionMetadata, Timestamp, TokenUsage};

/// What a format found in a file: a session's messages and everything it could learn about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The agent's id of the session.
    pub client_id: String,
    /// The format it was read with, such as `claude-code`.
    pub format: &'static str,
    /// A name: the agent's own title or the file's stem.
    pub name: String,
    /// The session that started this one, when it is a subagent's.
    pub parent_client_id: Option<String>,
    /// The subagent's id, when it is one's.
    pub agent_id: Option<String>,
    /// Where and by what it was made; branches and models are collected from the messages.
    pub metadata: SessionMetadata,
    /// The conversation in order.
    pub messages: Vec<Message>,
    /// The readable form, when the source is one already; otherwise it is written from the messages.
    pub markdown: Option<String>,
    /// SpecStory's session data, when the source carries it, as it came.
    pub session_data: Option<String>,
    /// First and last times found.
    pub started_at: Option<Timestamp>,
    /// See `started_at`.
    pub ended_at: Option<Timestamp>,
    /// Facts of the file that have no place above, as they came.
    pub raw: Map<String, Value>,
}

impl Transcript {
    /// Tokens of all messages.
    pub fn usage(&self) -> TokenUsage {
        let mut sum = TokenUsage::default();
        for usage in self.messages.iter().filter_map(|m| m.usage) {
            sum += usage;
        }
        sum
    }
}

/// A part of a file that could not be read. The rest of the file was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Line number from 1; 0 when it is about the whole file.
    pub line: u64,
    /// Why, for a person.
    pub reason: String,
}
