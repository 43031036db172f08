//! Blocks of a message, as Anthropic's API writes them; SessionFS's are close enough to share the readers.

use serde_json::{Map, Value};
use sg_domain::{ContentBlock, Role};

use crate::field::{self, take_bool, take_object, take_string};

/// Blocks of a message's `content`: a text or a list of blocks.
pub(crate) fn blocks(content: Value) -> Vec<ContentBlock> {
    let mut out = Vec::new();
    match content {
        Value::Array(list) => list.into_iter().for_each(|item| push(item, &mut out)),
        Value::Null => {}
        other => push(other, &mut out),
    }
    out
}

fn push(item: Value, out: &mut Vec<ContentBlock>) {
    let mut map = match item {
        Value::Object(map) => map,
        Value::String(text) => return push_text(text, out),
        Value::Null => return,
        other => return push_text(other.to_string(), out),
    };
    let kind = take_string(&mut map, "type").unwrap_or_default();
    match kind.as_str() {
        "text" | "input_text" | "output_text" | "summary" if map.get("text").is_some_and(Value::is_string) => {
            push_text(take_string(&mut map, "text").unwrap_or_default(), out);
        }
        "thinking" | "redacted_thinking" => {
            let text = take_string(&mut map, "thinking").or_else(|| take_string(&mut map, "text")).unwrap_or_default();
            out.push(ContentBlock::Thinking { text });
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let id = take_string(&mut map, "id").or_else(|| take_string(&mut map, "tool_use_id"));
            let name = take_string(&mut map, "name").or_else(|| take_string(&mut map, "tool_name")).unwrap_or_default();
            let input = map.remove("input").unwrap_or_default();
            out.push(ContentBlock::ToolUse { id, name, input });
        }
        // Results of tools that the provider runs (web search) have types of their own.
        _ if kind == "tool_result" || kind.ends_with("_tool_result") => result(map, out),
        "image" | "document" => out.push(picture(map, &kind)),
        _ => {
            let mut value = Value::Object(map);
            field::shed(&mut value, 64 * 1024);
            let Value::Object(value) = value else { return };
            let kind = if kind.is_empty() { "unknown".to_owned() } else { kind };
            out.push(ContentBlock::Other { kind, value });
        }
    }
}

fn push_text(text: String, out: &mut Vec<ContentBlock>) {
    if !text.is_empty() {
        out.push(ContentBlock::Text { text });
    }
}

fn result(mut map: Map<String, Value>, out: &mut Vec<ContentBlock>) {
    let tool_use_id = take_string(&mut map, "tool_use_id").or_else(|| take_string(&mut map, "id"));
    let is_error = take_bool(&mut map, "is_error").unwrap_or_default();
    let mut pictures = Vec::new();
    let output = match map.remove("content").or_else(|| map.remove("output")) {
        Some(content) => output_text(content, &mut pictures),
        None => String::new(),
    };
    out.push(ContentBlock::ToolResult { tool_use_id, output, is_error });
    out.append(&mut pictures);
}

/// The text of a tool's answer; pictures in it become blocks.
pub(crate) fn output_text(content: Value, pictures: &mut Vec<ContentBlock>) -> String {
    let list = match content {
        Value::String(text) => return text,
        Value::Null => return String::new(),
        Value::Array(list) => list,
        other => return pretty(&other),
    };
    let mut parts = Vec::new();
    for item in list {
        match item {
            Value::String(text) => parts.push(text),
            Value::Object(mut map) => match map.get("type").and_then(Value::as_str) {
                Some("text" | "input_text" | "output_text") if map.get("text").is_some_and(Value::is_string) => {
                    parts.extend(take_string(&mut map, "text"));
                }
                Some(kind @ ("image" | "document")) => {
                    let kind = kind.to_owned();
                    pictures.push(picture(map, &kind));
                }
                Some("input_image") => pictures.push(picture_at(map.get("image_url").and_then(Value::as_str))),
                _ => {
                    let mut other = Value::Object(map);
                    field::shed(&mut other, 64 * 1024);
                    parts.push(pretty(&other));
                }
            },
            Value::Null => {}
            other => parts.push(other.to_string()),
        }
    }
    parts.join("\n")
}

/// A picture (or a document) without its bytes.
fn picture(mut map: Map<String, Value>, kind: &str) -> ContentBlock {
    let mut source = take_object(&mut map, "source").unwrap_or_default();
    let media_type = take_string(&mut source, "media_type").or_else(|| take_string(&mut map, "media_type"));
    let place = ["url", "path", "file_id"].iter().find_map(|key| take_string(&mut source, key));
    let place = place.or_else(|| take_string(&mut source, "data").filter(|data| is_place(&source, data)));
    let place = place.filter(|place| !place.starts_with("data:"));
    let media_type = media_type.or_else(|| (kind == "document").then(|| "application/octet-stream".to_owned()));
    ContentBlock::Image { media_type, source: place }
}

/// SessionFS keeps a path or URL under `data` when the type says so.
fn is_place(source: &Map<String, Value>, data: &str) -> bool {
    matches!(source.get("type").and_then(Value::as_str), Some("url" | "path")) && data.len() < 4096
}

/// A picture by its URL; of a `data:` URL only the type is kept.
pub(crate) fn picture_at(url: Option<&str>) -> ContentBlock {
    match url.and_then(|url| url.strip_prefix("data:")) {
        Some(inline) => {
            let media_type = inline.split([';', ',']).next().filter(|media| !media.is_empty() && media.len() < 100);
            ContentBlock::Image { media_type: media_type.map(str::to_owned), source: None }
        }
        None => ContentBlock::Image { media_type: None, source: url.map(str::to_owned) },
    }
}

/// Who speaks in a record of the user's side: the user, or only tools.
pub(crate) fn user_role(blocks: &[ContentBlock]) -> Role {
    let results = blocks.iter().any(|b| matches!(b, ContentBlock::ToolResult { .. }));
    let said = blocks.iter().any(|b| matches!(b, ContentBlock::Text { .. }));
    if results && !said { Role::Tool } else { Role::User }
}

/// A prompt that the user typed while the agent was busy: it is kept as an attachment.
pub(crate) fn queued_prompt(record: &Map<String, Value>) -> Option<&Value> {
    let attachment = record.get("attachment")?;
    let queued = attachment.get("type").and_then(Value::as_str) == Some("queued_command");
    attachment.get("prompt").filter(|prompt| queued && (prompt.is_string() || prompt.is_array()))
}

/// Takes what [`queued_prompt`] finds.
pub(crate) fn take_queued_prompt(record: &mut Map<String, Value>) -> Option<Value> {
    record.get_mut("attachment")?.as_object_mut()?.remove("prompt")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
