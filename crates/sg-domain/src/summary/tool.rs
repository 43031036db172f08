//! What a call of a tool does, by the names that agents have for the same tools.

use serde_json::Value;

/// The longest path that is kept, in characters; a longer one is none.
const MAX_PATH_CHARS: usize = 1_000;

/// A kind of tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// Writes a file.
    Writes,
    /// Writes the files that a patch names.
    Patches,
    /// Reads files, or looks for them.
    Reads,
    /// Runs a command.
    Command,
    /// Does something else.
    Other,
}

impl Tool {
    /// The kind of a tool, by its name and what it is called with.
    pub(super) fn of(name: &str, input: &Value) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "str_replace_editor" | "str_replace_based_edit_tool" if input["command"] == "view" => Self::Reads,
            "write"
            | "edit"
            | "multiedit"
            | "notebookedit"
            | "write_file"
            | "edit_file"
            | "create_file"
            | "write_to_file"
            | "replace_in_file"
            | "replace"
            | "search_replace"
            | "str_replace_editor"
            | "str_replace_based_edit_tool" => Self::Writes,
            "apply_patch" => Self::Patches,
            "read"
            | "glob"
            | "grep"
            | "read_file"
            | "view_file"
            | "search_file_content"
            | "grep_search"
            | "file_search" => Self::Reads,
            "bash" | "execute_command" | "shell" | "shell_command" | "local_shell" | "exec_command"
            | "run_shell_command" | "run_command" | "run_terminal_cmd" => Self::Command,
            _ => Self::Other,
        }
    }
}

/// Where a call names a file, the likeliest first.
const PATH_KEYS: [&str; 8] =
    ["file_path", "path", "pattern", "filename", "absolute_path", "notebook_path", "target_file", "filepath"];

/// The file that a call names: only what has a slash is one.
pub(super) fn path(input: &Value) -> Option<String> {
    let named = match input {
        Value::String(text) => quoted(text).filter(|text| is_path(text)),
        _ => PATH_KEYS.iter().find_map(|key| input.get(key)?.as_str().filter(|text| is_path(text))),
    };
    named.map(str::to_owned)
}

fn is_path(text: &str) -> bool {
    let is_of_windows = || matches!(text.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic());
    (text.contains('/') || is_of_windows())
        && !text.contains(['\n', '\0'])
        && text.chars().nth(MAX_PATH_CHARS).is_none()
}

/// What stands between the last pair of backquotes, as in text that was an agent's call.
fn quoted(text: &str) -> Option<&str> {
    let text = text.trim_end().strip_suffix('`')?;
    text.rsplit_once('`').map(|(_, quoted)| quoted)
}

/// The files that a patch in Codex's form names.
pub(super) fn patched(input: &Value) -> Vec<String> {
    let text = match input {
        Value::String(text) => text,
        _ => match ["input", "patch"].iter().find_map(|key| input.get(key)?.as_str()) {
            Some(text) => text,
            None => return Vec::new(),
        },
    };
    let named = |line: &str| {
        let line = line.strip_prefix("*** ")?;
        let heads = ["Add File: ", "Update File: ", "Delete File: ", "Move to: "];
        let path = heads.iter().find_map(|head| line.strip_prefix(head))?.trim();
        (!path.is_empty() && path.chars().nth(MAX_PATH_CHARS).is_none()).then(|| path.to_owned())
    };
    text.lines().filter_map(named).collect()
}

/// The command that a call runs, as one text.
pub(super) fn command(input: &Value) -> Option<String> {
    let command = match input {
        Value::String(text) => quoted(text).unwrap_or(text).to_owned(),
        _ => match ["command", "cmd"].iter().find_map(|key| input.get(key))? {
            Value::String(text) => text.clone(),
            Value::Array(words) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                match words.as_slice() {
                    // A shell around the command.
                    [shell, flags, script] if shell.ends_with("sh") && flags.starts_with('-') => (*script).to_owned(),
                    words => words.join(" "),
                }
            }
            _ => return None,
        },
    };
    (!command.trim().is_empty()).then_some(command)
}
