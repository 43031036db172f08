//! Sections inside a message: thinking, tool calls with their results, and the text between them.

use serde_json::Value;
use sg_domain::ContentBlock;

use super::header::looks_like_header;

pub(super) const THINK_OPEN: &str = "<think><details><summary>Thought Process</summary>";
pub(super) const THINK_CLOSE: &str = "</details></think>";
pub(super) const TOOL_OPEN: &str = "<tool-use ";
pub(super) const TOOL_CLOSE: &str = "</details></tool-use>";
pub(super) const INPUT: &str = "**Input:**";
pub(super) const RESULT: &str = "**Result:**";
pub(super) const ERROR: &str = "**Error:**";

/// Blocks of an agent's message.
pub(super) fn blocks(body: &str) -> Vec<ContentBlock> {
    let lines: Vec<&str> = body.lines().collect();
    // A quoted end of a section inside a tool's result would cut it short. SpecStory writes one tool a message, so
    // where there is one only, it ends at the last end.
    let opened = lines.iter().filter(|line| line.starts_with(TOOL_OPEN)).count();
    let mut out = Vec::new();
    let mut said: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = &lines[at + 1..];
        if let Some(first) = line.strip_prefix("<think>") {
            flush(&mut said, &mut out);
            at += 1 + thinking(first, rest, &mut out, &mut said);
        } else if let Some(attributes) = line.strip_prefix(TOOL_OPEN) {
            flush(&mut said, &mut out);
            let is_end = |line: &&str| line.trim_end() == TOOL_CLOSE;
            let end = if opened == 1 { rest.iter().rposition(is_end) } else { rest.iter().position(is_end) };
            let end = end.unwrap_or(rest.len());
            tool(attributes, &rest[..end], &mut out);
            at += 2 + end;
        } else if let Some(named) = line.strip_prefix("Tool use: **") {
            // Documents from before the sections: the tool goes on to the next one, or to the end of the message.
            flush(&mut said, &mut out);
            let end = rest.iter().position(|line| line.starts_with("Tool use: **")).unwrap_or(rest.len());
            let (name, about) = named.split_once("**").unwrap_or((named, ""));
            content(name, None, about, &rest[..end], &mut out);
            at += 1 + end;
        } else {
            said.push(line);
            at += 1;
        }
    }
    flush(&mut said, &mut out);
    out
}

/// A message's text as a block, unless it is blank.
pub(super) fn text(body: &str) -> Option<ContentBlock> {
    let text = plain(&body.lines().collect::<Vec<_>>());
    (!text.is_empty()).then_some(ContentBlock::Text { text })
}

/// Whether a line would be taken for structure: a writer puts a `\` before it, a reader takes one away.
pub(super) fn is_structure(line: &str) -> bool {
    looks_like_header(line)
        || ["<think>", "<!-- ", TOOL_OPEN, TOOL_CLOSE, THINK_CLOSE, "<summary>", "Tool use: **", "Result:", "Output:"]
            .iter()
            .any(|mark| line.starts_with(mark))
        || [INPUT, RESULT, ERROR, "---"].contains(&line.trim_end())
}

/// Lines joined, blank ones around them dropped, escapes taken back.
fn plain(lines: &[&str]) -> String {
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(first, |at| at + 1);
    let mut out = String::with_capacity(lines[first..last].iter().map(|line| line.len() + 1).sum());
    for (at, line) in lines[first..last].iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        out.push_str(unescape(line));
    }
    out
}

fn unescape(line: &str) -> &str {
    match line.strip_prefix('\\') {
        Some(rest) if is_structure(rest.trim_start_matches('\\')) => rest,
        _ => line,
    }
}

fn flush(said: &mut Vec<&str>, out: &mut Vec<ContentBlock>) {
    let text = plain(said);
    said.clear();
    if !text.is_empty() {
        out.push(ContentBlock::Text { text });
    }
}

/// Reads thinking that begins on a line after `<think>`; the number of further lines it takes. What follows its end on
/// the same line is said.
fn thinking<'a>(first: &'a str, rest: &[&'a str], out: &mut Vec<ContentBlock>, said: &mut Vec<&'a str>) -> usize {
    // Either folded away, and ended by a line of its own, or bare, and ended anywhere.
    let folded = first.strip_prefix("<details><summary>Thought Process</summary>");
    let (first, close) = folded.map_or((first, "</think>"), |first| (first, THINK_CLOSE));
    if let Some(end) = first.find(close) {
        out.push(ContentBlock::Thinking { text: first[..end].trim().to_owned() });
        said.push(&first[end + close.len()..]);
        return 0;
    }
    let ends = |line: &&str| if folded.is_some() { line.starts_with(close) } else { line.contains(close) };
    let end = rest.iter().position(ends);
    let mut lines = vec![first];
    lines.extend(&rest[..end.unwrap_or(rest.len())]);
    if let Some((last, cut)) = end.and_then(|at| rest[at].find(close).map(|cut| (rest[at], cut))) {
        lines.push(&last[..cut]);
        said.push(&last[cut + close.len()..]);
    }
    let text = plain(&lines);
    if !text.is_empty() {
        out.push(ContentBlock::Thinking { text });
    }
    end.map_or(rest.len(), |at| at + 1)
}

/// Reads a tool's section: the attributes of its opening line, and the lines inside.
fn tool(attributes: &str, lines: &[&str], out: &mut Vec<ContentBlock>) {
    let name = attribute(attributes, "data-tool-name").unwrap_or_default();
    let id = attribute(attributes, "data-tool-id");
    let start = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
    let summary = lines.get(start).and_then(|line| line.strip_prefix("<summary>"));
    let (about, lines) = match summary {
        Some(first) => {
            // A command of several lines makes a summary of several lines.
            let end = lines[start..].iter().position(|line| line.contains("</summary>")).unwrap_or(0);
            let mut about = vec![first];
            about.extend(&lines[start + 1..start + 1 + end]);
            (about.join("\n"), &lines[start + 1 + end..])
        }
        None => (String::new(), lines),
    };
    let about = about.trim_end().trim_end_matches("</summary>");
    // `Tool use: **Bash**` repeats the name; what else a summary says is part of the call.
    let about = about
        .strip_prefix("Tool use: **")
        .and_then(|a| a.strip_prefix(name.as_str()))
        .and_then(|a| a.strip_prefix("**"))
        .unwrap_or(about);
    if attribute(attributes, "data-tool-type").as_deref() == Some("result") {
        let (output, is_error) = outcome(lines).unwrap_or_else(|| (plain(lines), false));
        out.push(ContentBlock::ToolResult { tool_use_id: id, output, is_error });
        return;
    }
    content(&name, id, about, lines, out);
}

/// The lines of a tool after its name: its input and, where it begins, its result.
fn content(name: &str, id: Option<String>, about: &str, lines: &[&str], out: &mut Vec<ContentBlock>) {
    let split = result_at(lines);
    let given = &lines[..split];
    let input = json_input(about, given).unwrap_or_else(|| {
        let given = plain(given);
        let text =
            [about.trim(), given.trim()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
        if text.is_empty() { Value::Null } else { Value::String(text) }
    });
    out.push(ContentBlock::ToolUse { id: id.clone(), name: name.to_owned(), input });
    if let Some((output, is_error)) = outcome(&lines[split..]) {
        out.push(ContentBlock::ToolResult { tool_use_id: id, output, is_error });
    }
}

/// The line at which the result begins: a `**Result:**` label, or the first fence that is not the call's own. A call's
/// fences name a language (a script, a diff, the file that is written), results are bare or `text`.
fn result_at(lines: &[&str]) -> usize {
    let mut fences: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let ticks = line.bytes().take_while(|b| *b == b'`').count();
        if ticks >= 3 {
            let language = line[ticks..].trim();
            match fences.last() {
                // Writers of three backticks around anything nest them; longer fences end at their own length.
                Some(open) if language.is_empty() && ticks >= *open => _ = fences.pop(),
                Some(open) if *open == 3 && ticks == 3 => fences.push(ticks),
                Some(_) => {}
                None if matches!(language, "" | "text") => return at,
                None => fences.push(ticks),
            }
            continue;
        }
        let label = line.trim_end();
        if fences.is_empty() && [RESULT, ERROR, "Result:", "Output:"].contains(&label) {
            return at;
        }
    }
    // A fence in the call that never closed has hidden the result, if there is one; all of it is the call's then.
    lines.len()
}

/// The input of a call that was written by [`super::write`].
fn json_input(about: &str, lines: &[&str]) -> Option<Value> {
    let lines: Vec<&str> = lines.iter().copied().skip_while(|line| line.trim().is_empty()).collect();
    let (label, rest) = lines.split_first()?;
    if !about.trim().is_empty() || label.trim_end() != INPUT {
        return None;
    }
    let rest: Vec<&str> = rest.iter().copied().skip_while(|line| line.trim().is_empty()).collect();
    let (fence, rest) = rest.split_first()?;
    let ticks = fence.strip_suffix("json").filter(|t| t.len() >= 3 && t.bytes().all(|b| b == b'`'))?;
    let end = rest.iter().position(|line| line.trim_end() == ticks)?;
    if rest[end + 1..].iter().any(|line| !line.trim().is_empty()) {
        return None;
    }
    serde_json::from_str(&rest[..end].join("\n")).ok()
}

/// The result: what the fence holds, whose end is the last line.
fn outcome(lines: &[&str]) -> Option<(String, bool)> {
    let mut lines: &[&str] = lines;
    let mut is_error = false;
    let mut labelled = false;
    while let Some((first, rest)) = lines.split_first() {
        match first.trim_end() {
            "" => {}
            ERROR if !labelled => (is_error, labelled) = (true, true),
            RESULT | "Result:" | "Output:" if !labelled => labelled = true,
            _ => break,
        }
        lines = rest;
    }
    let last = lines.iter().rposition(|line| !line.trim().is_empty())?;
    lines = &lines[..=last];
    let (first, rest) = lines.split_first()?;
    let ticks = first.bytes().take_while(|b| *b == b'`').count();
    if ticks < 3 || !matches!(first[ticks..].trim(), "" | "text") {
        return Some((plain(lines), is_error));
    }
    match rest.split_last() {
        Some((end, inside)) if end.trim_end().bytes().all(|b| b == b'`') && end.trim_end().len() >= 3 => {
            Some((verbatim(inside), is_error))
        }
        _ => Some((verbatim(rest), is_error)),
    }
}

/// What a fence holds, blank lines included.
fn verbatim(lines: &[&str]) -> String {
    lines.iter().map(|line| unescape(line)).collect::<Vec<_>>().join("\n")
}

/// The value of an attribute of a tool's opening line.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let (_, rest) = attributes.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    let value = value
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#10;", "\n")
        .replace("&amp;", "&");
    (!value.is_empty()).then_some(value)
}
