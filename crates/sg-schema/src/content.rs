//! What a message is made of.

use async_graphql::{SimpleObject, Union};
use serde_json::Value;
use sg_domain::ContentBlock as Block;

/// One block of a message's content.
#[derive(Union)]
#[graphql(name = "ContentBlock")]
pub(crate) enum ContentBlock {
    /// Something said.
    Text(TextBlock),
    /// The model's reasoning.
    Thinking(ThinkingBlock),
    /// A call of a tool.
    ToolUse(ToolUseBlock),
    /// What a tool answered.
    ToolResult(ToolResultBlock),
    /// A picture.
    Image(ImageBlock),
    /// Anything else.
    Other(OtherBlock),
}

/// Something said.
#[derive(SimpleObject)]
pub(crate) struct TextBlock {
    /// The words, as markdown.
    text: String,
}

/// The model's reasoning.
#[derive(SimpleObject)]
pub(crate) struct ThinkingBlock {
    /// The reasoning, as markdown; empty when the provider withheld it.
    thinking: String,
}

/// A call of a tool.
#[derive(SimpleObject)]
pub(crate) struct ToolUseBlock {
    /// Pairs the call with its result.
    tool_use_id: Option<String>,
    /// The tool's name, as the agent writes it.
    name: String,
    /// The arguments, as the agent wrote them.
    input: Option<Value>,
}

/// What a tool answered.
#[derive(SimpleObject)]
pub(crate) struct ToolResultBlock {
    /// Pairs the result with its call.
    tool_use_id: Option<String>,
    /// The answer as text.
    output: String,
    /// Whether the tool said that it failed.
    is_error: bool,
}

/// A picture. Its bytes stay in the session's raw data.
#[derive(SimpleObject)]
pub(crate) struct ImageBlock {
    /// The media type, such as `image/png`.
    media_type: Option<String>,
    /// A URL or path.
    source: Option<String>,
}

/// A block of a kind that has no type of its own here.
#[derive(SimpleObject)]
pub(crate) struct OtherBlock {
    /// The agent's name for it.
    kind: String,
    /// The block as it came.
    value: Value,
}

impl From<&Block> for ContentBlock {
    fn from(block: &Block) -> Self {
        match block.clone() {
            Block::Text { text } => Self::Text(TextBlock { text }),
            Block::Thinking { text } => Self::Thinking(ThinkingBlock { thinking: text }),
            Block::ToolUse { id, name, input } => {
                let input = if input.is_null() { None } else { Some(input) };
                Self::ToolUse(ToolUseBlock { tool_use_id: id, name, input })
            }
            Block::ToolResult { tool_use_id, output, is_error } => {
                Self::ToolResult(ToolResultBlock { tool_use_id, output, is_error })
            }
            Block::Image { media_type, source } => Self::Image(ImageBlock { media_type, source }),
            Block::Other { kind, value } => Self::Other(OtherBlock { kind, value: Value::Object(value) }),
        }
    }
}
