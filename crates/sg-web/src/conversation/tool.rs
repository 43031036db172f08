//! A tool's input as people read it: one line of what it is about, then each argument by its name.

use maud::{Markup, html};
use serde_json::Value;

use super::MAX_TOOL_BYTES;
use crate::code::{self, Budget};
use crate::{markdown, shown};

/// Arguments that tell what a call is about, the most telling first, by what agents call them.
const TELLING: [&str; 14] = [
    "description",
    "command",
    "cmd",
    "file_path",
    "path",
    "filePath",
    "absolute_path",
    "notebook_path",
    "pattern",
    "query",
    "url",
    "prompt",
    "skill",
    "title",
];
/// The most arguments that are listed one by one.
const MAX_ARGUMENTS: usize = 30;
/// The most bytes that a hint has.
const HINT_BYTES: usize = 100;

/// What a call is about, on one line.
pub(super) fn hint(input: &Value) -> Option<String> {
    let text = match input {
        Value::String(text) => text.clone(),
        Value::Object(map) => TELLING.iter().find_map(|name| words(map.get(*name)?))?,
        _ => return None,
    };
    let line = text.trim().lines().next().unwrap_or_default();
    let hint = markdown::cut(line, HINT_BYTES);
    let dots = if hint.len() < text.trim().len() { "…" } else { "" };
    (!hint.is_empty()).then(|| format!("{hint}{dots}"))
}

/// A text, or a command in parts.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) => {
            let words: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
        }
        _ => None,
    }
}

/// The grammar of what a reading tool answers: that of the file it read.
pub(super) fn language(name: &str, input: &Value) -> Option<String> {
    let reads = ["read", "read_file", "readfile", "view", "cat"].contains(&name.to_ascii_lowercase().as_str());
    let path = ["file_path", "path", "filePath", "absolute_path"].iter().find_map(|key| input.get(*key)?.as_str());
    path.filter(|path| reads && path.len() < 4_096 && path.contains('.')).map(str::to_owned)
}

/// All arguments.
pub(super) fn input(input: &Value, budget: &mut Budget) -> Markup {
    let Value::Object(map) = input else {
        return match input {
            Value::Null => html! {},
            Value::String(text) => block(text, "", budget),
            other => block(&pretty(other), "json", budget),
        };
    };
    if map.len() > MAX_ARGUMENTS {
        return block(&pretty(input), "json", budget);
    }
    let path = TELLING[3..8].iter().find_map(|name| map.get(*name)?.as_str()).unwrap_or_default();
    html! {
        @for (name, value) in map {
            @match value {
                Value::String(text) if text.contains('\n') || text.len() > 120 || is_command(name) => {
                    p.label { (shown::name(name)) }
                    (block(text, if is_command(name) { "sh" } else if is_content(name) { path } else { "" }, budget))
                }
                Value::String(text) => p.label { (shown::name(name)) ": " code { (shown::name(text)) } },
                Value::Null | Value::Bool(_) | Value::Number(_) => p.label { (shown::name(name)) ": " code { (value.to_string()) } },
                Value::Array(_) if is_command(name) && words(value).is_some() => {
                    p.label { (shown::name(name)) }
                    (block(&words(value).unwrap_or_default(), "sh", budget))
                }
                other => {
                    p.label { (shown::name(name)) }
                    (block(&pretty(other), "json", budget))
                }
            }
        }
    }
}

/// Whether [`input`] leaves something out.
pub(super) fn is_large(input: &Value) -> bool {
    weight(input) > MAX_TOOL_BYTES
}

/// About how many bytes an input has, counted no further than matters.
pub(super) fn weight(input: &Value) -> usize {
    fn count(value: &Value, left: &mut usize) {
        let bytes = match value {
            Value::String(text) => text.len(),
            Value::Array(_) | Value::Object(_) => 2,
            _ => 5,
        };
        *left = left.saturating_sub(bytes);
        match value {
            Value::Array(items) => {
                items.iter().take_while(|_| *left > 0).collect::<Vec<_>>().iter().for_each(|v| count(v, left))
            }
            Value::Object(map) => {
                for (name, value) in map {
                    if *left == 0 {
                        break;
                    }
                    *left = left.saturating_sub(name.len() + 4);
                    count(value, left);
                }
            }
            _ => {}
        }
    }
    let mut left = 4 * MAX_TOOL_BYTES;
    count(input, &mut left);
    4 * MAX_TOOL_BYTES - left
}

fn is_command(name: &str) -> bool {
    matches!(name, "command" | "cmd" | "script")
}

fn is_content(name: &str) -> bool {
    matches!(
        name,
        "content"
            | "contents"
            | "new_string"
            | "old_string"
            | "new_str"
            | "old_str"
            | "file_text"
            | "newString"
            | "oldString"
    )
}

fn block(text: &str, language: &str, budget: &mut Budget) -> Markup {
    let text = markdown::cut(text, MAX_TOOL_BYTES);
    html! { pre.plain dir="auto" tabindex="0" { code { (code::highlighted(text, language, budget)) } } }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
