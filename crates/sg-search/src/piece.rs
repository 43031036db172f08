//! Messages cut into pieces of 1 to 4 KB: what the index holds, scores, and makes snippets from.
//!
//! Blocks of one kind that follow each other in a message are one text; a longer text is cut at the best place near the
//! end of a piece: a blank line, a line, a sentence, a space. What tools printed is kept whole up to
//! [`MAX_OUTPUT_BYTES`], beyond that its head and tail, so that one huge log does not outweigh a session.

use std::collections::HashMap;

use serde_json::Value;
use sg_domain::{ContentBlock, Message, Role};

/// The most bytes of one piece.
pub(crate) const MAX_PIECE_BYTES: usize = 3_072;
/// A cut is looked for behind this many bytes.
const MIN_PIECE_BYTES: usize = 1_024;
/// The most bytes of one tool output that are indexed: this much in all, a third of it from the tail.
const MAX_OUTPUT_BYTES: usize = 512 * 1_024;
/// The most bytes of one tool call's arguments that are indexed (a written file is one of them).
const MAX_INPUT_BYTES: usize = 512 * 1_024;
/// The most bytes of one session that are indexed.
pub const MAX_SESSION_BYTES: usize = 48 * 1_024 * 1_024;

/// What a piece was made from; decides how much its matches weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PieceKind {
    /// The session's title.
    Title = 0,
    /// Its project, branches, tags and other labels.
    Labels = 1,
    /// Said by the person.
    Asked = 2,
    /// Said by the model.
    Answered = 3,
    /// Instructions around the conversation.
    System = 4,
    /// The model's reasoning.
    Thinking = 5,
    /// Calls of tools.
    Call = 6,
    /// What tools printed.
    Output = 7,
    /// A whole exchange; no piece, and in no search but that for exchanges.
    Exchange = 8,
    /// A part of the exchange before it, to be shown.
    Part = 9,
}

impl PieceKind {
    /// How much a match weighs, by the number that the index keeps.
    pub(crate) const WEIGHTS: [f32; 16] =
        [1.0, 0.6, 1.1, 1.0, 0.6, 0.75, 0.85, 0.65, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];

    /// Whether a document of this kind, by the number that the index keeps, is part of an exchange.
    pub(crate) fn is_exchange(kind: u8) -> bool {
        kind >= Self::Exchange as u8
    }
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    /// The message's place in the session.
    pub(crate) ordinal: u32,
    /// Who speaks.
    pub(crate) role: Role,
    /// What it was made from.
    pub(crate) kind: PieceKind,
    /// Tools it calls or answers for, each once.
    pub(crate) tools: Vec<String>,
    /// The text.
    pub(crate) text: String,
}

/// Cuts messages into pieces and hands each over.
pub(crate) fn cut_messages(messages: &[Message], mut take: impl FnMut(Piece)) {
    let mut tools_by_id: HashMap<&str, &str> = HashMap::new();
    let mut left = MAX_SESSION_BYTES;
    for (ordinal, message) in messages.iter().enumerate() {
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        let mut run = Run { ordinal, role: message.role, kind: None, tools: Vec::new(), text: String::new() };
        for block in &message.blocks {
            let (kind, tool) = match block {
                ContentBlock::Thinking { .. } => (PieceKind::Thinking, None),
                ContentBlock::ToolUse { id, name, .. } => {
                    if let Some(id) = id {
                        tools_by_id.insert(id, name);
                    }
                    (PieceKind::Call, Some(name.as_str()))
                }
                ContentBlock::ToolResult { tool_use_id, .. } => {
                    let tool = tool_use_id.as_deref().and_then(|id| tools_by_id.get(id).copied());
                    (PieceKind::Output, tool)
                }
                ContentBlock::Text { .. } | ContentBlock::Image { .. } | ContentBlock::Other { .. } => {
                    let kind = match message.role {
                        Role::User => PieceKind::Asked,
                        Role::Assistant => PieceKind::Answered,
                        Role::System => PieceKind::System,
                        Role::Tool => PieceKind::Output,
                    };
                    (kind, None)
                }
            };
            if run.kind != Some(kind) {
                run.flush(&mut left, &mut take);
                run.kind = Some(kind);
            }
            if let Some(tool) = tool
                && !run.tools.iter().any(|t| t == tool)
            {
                run.tools.push(tool.to_owned());
            }
            render(block, &mut run.text);
        }
        run.flush(&mut left, &mut take);
    }
}

/// Blocks of one kind.
struct Run {
    ordinal: u32,
    role: Role,
    kind: Option<PieceKind>,
    tools: Vec<String>,
    text: String,
}

impl Run {
    fn flush(&mut self, left: &mut usize, take: &mut impl FnMut(Piece)) {
        let text = std::mem::take(&mut self.text);
        let tools = std::mem::take(&mut self.tools);
        let Some(kind) = self.kind.take() else { return };
        let text = crate::tokenizer::cut(text.trim(), *left);
        *left -= text.len();
        for part in cut_text(text) {
            let (ordinal, role) = (self.ordinal, self.role);
            take(Piece { ordinal, role, kind, tools: tools.clone(), text: part.to_owned() });
        }
    }
}

/// The parts of a text, at most [`MAX_PIECE_BYTES`] each; blank ones are left out.
pub(crate) fn cut_text(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > MAX_PIECE_BYTES {
        let window = &rest[..rest.floor_char_boundary(MAX_PIECE_BYTES)];
        let from = window.floor_char_boundary(MIN_PIECE_BYTES);
        let at = best_cut(&window[from..]).map_or(window.len(), |at| from + at);
        parts.push(&rest[..at]);
        rest = &rest[at..];
    }
    parts.push(rest);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The end of the last paragraph, else line, else sentence, else word.
fn best_cut(window: &str) -> Option<usize> {
    let after = |pattern: &str| window.rfind(pattern).map(|at| at + pattern.len());
    after("\n\n")
        .or_else(|| after("\n"))
        .or_else(|| after(". "))
        .or_else(|| after("。"))
        .or_else(|| window.rfind(char::is_whitespace).map(|at| window.ceil_char_boundary(at + 1)))
}

fn render(block: &ContentBlock, out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    match block {
        ContentBlock::Text { text } | ContentBlock::Thinking { text } => out.push_str(text),
        ContentBlock::ToolUse { name, input, .. } => {
            out.push_str(name);
            out.push('\n');
            let limit = out.len() + MAX_INPUT_BYTES;
            render_value(input, limit, out);
        }
        ContentBlock::ToolResult { output, .. } => push_head_and_tail(output, MAX_OUTPUT_BYTES, out),
        ContentBlock::Image { source, .. } => out.extend(source.as_deref()),
        ContentBlock::Other { kind, value } => {
            out.push_str(kind);
            out.push('\n');
            let limit = out.len() + MAX_INPUT_BYTES;
            for (key, value) in value {
                render_field(key, value, limit, out);
            }
        }
    }
}

/// Arguments as `key: value` lines: what a person reads in a transcript, without JSON's escapes.
fn render_value(value: &Value, limit: usize, out: &mut String) {
    if out.len() >= limit {
        return;
    }
    match value {
        Value::Null => {}
        Value::String(text) => {
            out.push_str(crate::tokenizer::cut(text, limit - out.len()));
            out.push('\n');
        }
        Value::Bool(_) | Value::Number(_) => {
            out.push_str(&value.to_string());
            out.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| render_value(item, limit, out)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| render_field(key, value, limit, out)),
    }
}

fn render_field(key: &str, value: &Value, limit: usize, out: &mut String) {
    if out.len() >= limit || value.is_null() {
        return;
    }
    out.push_str(key);
    out.push_str(": ");
    render_value(value, limit, out);
}

fn push_head_and_tail(text: &str, max: usize, out: &mut String) {
    if text.len() <= max {
        return out.push_str(text);
    }
    let head = text.floor_char_boundary(max / 3 * 2);
    let tail = text.ceil_char_boundary(text.len() - max / 3);
    out.push_str(&text[..head]);
    out.push_str("\n…\n");
    out.push_str(&text[tail..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(messages: &[Message]) -> Vec<Piece> {
        let mut out = Vec::new();
        cut_messages(messages, |piece| out.push(piece));
        out
    }

    #[test]
    fn long_text_is_cut_at_lines_and_nothing_is_lost() {
        let text: String = (0..500).map(|i| format!("line {i} of a long message\n")).collect();
        let parts = cut_text(&text);
        assert!(parts.len() > 3);
        assert_eq!(parts.concat(), text);
        for part in &parts {
            assert!(part.len() <= MAX_PIECE_BYTES);
            assert!(part.ends_with('\n'));
        }
    }

    #[test]
    fn text_without_spaces_is_cut_between_characters() {
        let text = "語".repeat(5_000);
        let parts = cut_text(&text);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.len() <= MAX_PIECE_BYTES));
        assert!(cut_text("  \n ").is_empty());
        // One space, wider than a byte, behind the first kilobyte.
        let wide = format!("{}\u{2003}{}", "é".repeat(900), "é".repeat(2_000));
        assert_eq!(cut_text(&wide).concat(), wide);
    }

    #[test]
    fn kinds_and_tools_follow_the_blocks() {
        let mut call = Message::text(Role::Assistant, "Let me look.");
        call.blocks.push(ContentBlock::ToolUse {
            id: Some("t1".into()),
            name: "Bash".into(),
            input: serde_json::json!({"command": "cargo \"test\"", "env": {"CI": true}, "none": null}),
        });
        let mut answer = Message::text(Role::Tool, "");
        answer.blocks =
            vec![ContentBlock::ToolResult { tool_use_id: Some("t1".into()), output: "ok".into(), is_error: false }];
        let pieces = pieces(&[call, answer]);
        let shapes: Vec<_> = pieces.iter().map(|p| (p.ordinal, p.kind, p.tools.join(","), p.text.as_str())).collect();
        assert_eq!(
            shapes,
            [
                (0, PieceKind::Answered, String::new(), "Let me look."),
                (0, PieceKind::Call, "Bash".into(), "Bash\ncommand: cargo \"test\"\nenv: CI: true"),
                (1, PieceKind::Output, "Bash".into(), "ok"),
            ]
        );
    }

    #[test]
    fn huge_output_keeps_its_head_and_tail() {
        let output: String = (0..100_000).map(|i| format!("row{i}\n")).collect();
        let mut text = String::new();
        push_head_and_tail(&output, MAX_OUTPUT_BYTES, &mut text);
        assert!(text.len() <= MAX_OUTPUT_BYTES + 8);
        assert!(text.starts_with("row0\n") && text.ends_with("row99999\n"));
    }
}
