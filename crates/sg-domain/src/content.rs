//! What a message is made of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One block of a message's content.
///
/// The JSON form is what the store keeps and GraphQL shows: tagged by `type`, names in snake case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentBlock {
    /// Something said.
    Text {
        /// Markdown.
        text: String,
    },
    /// The model's reasoning.
    Thinking {
        /// Markdown; empty when the provider redacted it.
        text: String,
    },
    /// A call of a tool.
    ToolUse {
        /// Pairs the call with its result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name as the agent writes it.
        name: String,
        /// The arguments as the agent wrote them.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        input: Value,
    },
    /// What a tool answered.
    ToolResult {
        /// The `id` of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool_use_id: Option<String>,
        /// The answer as text.
        output: String,
        /// Whether the tool said it failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    /// A picture; its bytes stay in the raw data.
    Image {
        /// `image/png` and the like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
        /// A URL or path, never inline data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// Anything else, kept as it came.
    Other {
        /// The agent's name for it.
        kind: String,
        /// The block itself.
        value: Map<String, Value>,
    },
}

impl ContentBlock {
    /// A text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}
