//! One turn of a session, as the agent recorded it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ContentBlock, Timestamp, TokenUsage};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Instructions around the conversation, summaries included.
    System,
    /// A message that only carries tool results.
    Tool,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::User, Self::Assistant, Self::System, Self::Tool];

    /// Its name in storage, queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
        }
    }

    /// Reads a name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(name))
    }
}

/// A message: role, content, and what the agent knew about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The agent's own id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The agent's id of the message this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_source_id: Option<String>,
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub blocks: Vec<ContentBlock>,
    /// The model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens this answer cost. When an agent writes one answer as several lines, only the last of them carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whether it belongs to a side conversation (a subagent) inside the same file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_sidechain: bool,
    /// The subagent that said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Fields of the agent's record that have no place above, as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub raw: Map<String, Value>,
}

impl Message {
    /// A message that only says something.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            source_id: None,
            parent_source_id: None,
            role,
            blocks: vec![ContentBlock::text(text)],
            model: None,
            usage: None,
            at: None,
            is_sidechain: false,
            agent_id: None,
            raw: Map::new(),
        }
    }

    /// Number of tool calls.
    pub fn tool_uses(&self) -> usize {
        self.blocks.iter().filter(|b| matches!(b, ContentBlock::ToolUse { .. })).count()
    }
}
