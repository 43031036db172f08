//! Items of a rollout, as OpenAI's Responses API writes them: messages, reasoning, calls and their outputs.

use serde_json::{Map, Value};
use sg_domain::{ContentBlock, Message, Role};

use crate::claude_code::{output_text, picture_at};
use crate::field::{self, take_bool, take_name, take_object, take_string};

/// An item: something said or done, or a record of another kind.
pub(super) enum Item {
    Message(Box<Message>),
    Other(String, Map<String, Value>),
}

/// What Codex itself puts into the conversation in the user's name.
const CONTEXT: &[&str] = &[
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<skills_instructions>",
    "<skill>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<personality_spec>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
];

/// The folder that Codex tells the model it works in; older rollouts name it nowhere else.
pub(super) fn folder(message: &Message) -> Option<String> {
    let Some(ContentBlock::Text { text }) = message.blocks.first() else { return None };
    let context = text.trim_start().strip_prefix("<environment_context>")?;
    let folder = match context.split_once("<cwd>") {
        Some((_, rest)) => rest.split_once("</cwd>")?.0,
        None => context.split_once("Current working directory: ")?.1.lines().next()?,
    };
    Some(folder.trim().to_owned()).filter(|folder| !folder.is_empty())
}

/// Reads an item. One without a type that has a role is a message.
pub(super) fn read(mut item: Map<String, Value>) -> Item {
    let kind = take_string(&mut item, "type").unwrap_or_else(|| match item.contains_key("role") {
        true => "message".to_owned(),
        false => "unknown".to_owned(),
    });
    let (role, blocks) = match kind.as_str() {
        "message" => message(&mut item),
        "reasoning" => (Role::Assistant, reasoning(&mut item)),
        "function_call" => (Role::Assistant, vec![call(&mut item, "arguments")]),
        "custom_tool_call" => (Role::Assistant, vec![call(&mut item, "input")]),
        "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" | "tool_search_output" => {
            (Role::Tool, output(&mut item))
        }
        "local_shell_call" => (Role::Assistant, vec![action(&mut item, "local_shell")]),
        "web_search_call" => (Role::Assistant, vec![action(&mut item, "web_search")]),
        "tool_search_call" => (Role::Assistant, vec![action(&mut item, "tool_search")]),
        "image_generation_call" => {
            item.remove("result");
            let prompt = take_string(&mut item, "revised_prompt").map_or(Value::Null, Value::String);
            let id = take_string(&mut item, "id");
            let image = ContentBlock::Image { media_type: Some("image/png".to_owned()), source: None };
            (
                Role::Assistant,
                vec![ContentBlock::ToolUse { id, name: "image_generation".to_owned(), input: prompt }, image],
            )
        }
        // Undo data, and history that only the provider can read.
        "ghost_snapshot" | "compaction" | "compaction_summary" | "context_compaction" => {
            item.remove("encrypted_content");
            return Item::Other(kind, item);
        }
        _ => return Item::Other(kind, item),
    };
    let source_id = take_name(&mut item, "id");
    field::drop_empty(&mut item);
    Item::Message(Box::new(Message { source_id, blocks, raw: item, ..Message::text(role, "") }))
}

fn message(item: &mut Map<String, Value>) -> (Role, Vec<ContentBlock>) {
    let role = take_string(item, "role").unwrap_or_default();
    let blocks = match item.remove("content") {
        Some(Value::Array(list)) => list.into_iter().filter_map(part).collect(),
        Some(Value::String(text)) if !text.is_empty() => vec![ContentBlock::Text { text }],
        _ => Vec::new(),
    };
    let role = match role.as_str() {
        "user" if is_context(&blocks) => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::System,
    };
    (role, blocks)
}

fn is_context(blocks: &[ContentBlock]) -> bool {
    let mut texts = blocks.iter().map(|block| match block {
        ContentBlock::Text { text } => CONTEXT.iter().any(|start| text.trim_start().starts_with(start)),
        _ => false,
    });
    // All of it: a prompt may travel together with the context.
    !blocks.is_empty() && texts.by_ref().all(|context| context)
}

fn part(part: Value) -> Option<ContentBlock> {
    let mut map = match part {
        Value::Object(map) => map,
        Value::String(text) => return Some(ContentBlock::Text { text }),
        _ => return None,
    };
    let kind = take_string(&mut map, "type").unwrap_or_default();
    match kind.as_str() {
        "input_image" | "image" => Some(picture_at(map.get("image_url").and_then(Value::as_str))),
        "refusal" => take_string(&mut map, "refusal").map(ContentBlock::text),
        _ => match take_string(&mut map, "text") {
            Some(text) if text.is_empty() => None,
            Some(text) => Some(ContentBlock::Text { text }),
            None => {
                let mut value = Value::Object(map);
                field::shed(&mut value, 64 * 1024);
                let Value::Object(value) = value else { return None };
                Some(ContentBlock::Other { kind, value })
            }
        },
    }
}

/// One thinking block for the summary and one for the reasoning itself; empty when the provider keeps it to itself.
fn reasoning(item: &mut Map<String, Value>) -> Vec<ContentBlock> {
    item.remove("encrypted_content");
    let mut blocks: Vec<ContentBlock> = Vec::new();
    for key in ["summary", "content"] {
        let texts: Vec<String> = match item.remove(key) {
            Some(Value::Array(list)) => list
                .into_iter()
                .filter_map(|part| match part {
                    Value::Object(mut map) => take_string(&mut map, "text"),
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
            Some(Value::String(text)) => vec![text],
            _ => continue,
        };
        let text = texts.join("\n\n");
        if !text.is_empty() {
            blocks.push(ContentBlock::Thinking { text });
        }
    }
    if blocks.is_empty() {
        blocks.push(ContentBlock::Thinking { text: String::new() });
    }
    blocks
}

fn call(item: &mut Map<String, Value>, arguments: &str) -> ContentBlock {
    let id = take_string(item, "call_id");
    let name = take_string(item, "name").unwrap_or_default();
    let input = match item.remove(arguments) {
        // Functions take an object, written as text; custom tools take text.
        Some(Value::String(text)) if arguments == "arguments" => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Some(other) => other,
        None => Value::Null,
    };
    if item.get("status").and_then(Value::as_str) == Some("completed") {
        item.remove("status");
    }
    ContentBlock::ToolUse { id, name, input }
}

/// A call of a tool that the provider or the agent itself runs: its action is the argument.
fn action(item: &mut Map<String, Value>, name: &str) -> ContentBlock {
    let id = take_string(item, "call_id").or_else(|| item.get("id").and_then(Value::as_str).map(str::to_owned));
    let input = item.remove("action").or_else(|| item.remove("arguments")).unwrap_or_default();
    ContentBlock::ToolUse { id, name: name.to_owned(), input }
}

fn output(item: &mut Map<String, Value>) -> Vec<ContentBlock> {
    let tool_use_id = take_string(item, "call_id").or_else(|| take_string(item, "id"));
    let mut pictures = Vec::new();
    let mut is_error = false;
    let output = match item.remove("output").or_else(|| item.remove("tools")) {
        Some(Value::String(text)) => unwrap_output(text, &mut is_error),
        Some(Value::Object(mut map)) => {
            is_error = take_bool(&mut map, "success") == Some(false);
            match map.remove("content") {
                Some(content) => output_text(content, &mut pictures),
                None => output_text(Value::Object(map), &mut pictures),
            }
        }
        Some(other) => output_text(other, &mut pictures),
        None => String::new(),
    };
    let mut blocks = vec![ContentBlock::ToolResult { tool_use_id, output, is_error }];
    blocks.append(&mut pictures);
    blocks
}

/// Older versions wrap the output of a command: `{"output": "...", "metadata": {"exit_code": 0, ...}}`.
fn unwrap_output(text: String, is_error: &mut bool) -> String {
    if text.starts_with("{\"output\"") || (text.starts_with('{') && text.contains("\"exit_code\"")) {
        if let Ok(mut map) = serde_json::from_str::<Map<String, Value>>(&text)
            && let Some(mut metadata) = take_object(&mut map, "metadata")
            && let Some(output) = take_string(&mut map, "output")
        {
            *is_error = metadata.remove("exit_code").and_then(|code| code.as_i64()).is_some_and(|code| code != 0);
            return output;
        }
        return text;
    }
    // Newer ones write a few lines before it.
    let head = &text[..text.floor_char_boundary(512)];
    for marker in ["Process exited with code ", "Exit code: "] {
        if let Some((_, rest)) = head.split_once(marker) {
            let code: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
            *is_error = code.parse::<i64>().is_ok_and(|code| code != 0);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_read_where_codex_tells_it_to_the_model() {
        let of = |text: &str| folder(&Message::text(Role::User, text));
        let tagged = "<environment_context>\n  <cwd>/home/ana/shop</cwd>\n  <shell>zsh</shell>\n</environment_context>";
        assert_eq!(of(tagged).as_deref(), Some("/home/ana/shop"));
        let older = "<environment_context>\nCurrent working directory: /home/ana/shop\nApproval policy: never\n";
        assert_eq!(of(older).as_deref(), Some("/home/ana/shop"));
        for other in ["<cwd>/x</cwd>", "<environment_context>\n<cwd>  </cwd>", "<environment_context><cwd>/x", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
