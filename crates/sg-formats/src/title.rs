//! Choosing a name for a session that its agent gave none (`contracts/sessionfs.md` 2.4).

use std::sync::LazyLock;

use regex::Regex;
use sg_domain::{ContentBlock, Message, Role};

/// Longest title, in characters.
const MAX_CHARS: usize = 80;

/// A sentence shorter than this is not worth cutting for.
const MIN_SENTENCE_CHARS: usize = 10;

/// Lines that say how to behave, or are machinery, rather than what is wanted.
static UNUSABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?: [\#<\[(|] | --- | ``` | IMPORTANT: | Note: | WARNING: | Caveat: | Set\x20 | You\x20are\x20
        | Co-Authored-By: | (?:CLAUDE|README|AGENTS)\.md\b | Implement\x20the\x20following\x20plan:
        | (?:Load|Using)\x20persona\b | (?:Agent|Persona):
        | This\x20session\x20is\x20being\x20continued\x20from\x20a\x20previous )",
    )
    .ok()
});

/// Slash commands that keep house and say nothing about the session.
const HOUSEKEEPING: &[&str] = &[
    "/agents",
    "/clear",
    "/compact",
    "/config",
    "/context",
    "/cost",
    "/doctor",
    "/effort",
    "/exit",
    "/fast",
    "/help",
    "/hooks",
    "/ide",
    "/init",
    "/login",
    "/logout",
    "/mcp",
    "/memory",
    "/model",
    "/permissions",
    "/plugin",
    "/quit",
    "/rename",
    "/resume",
    "/status",
    "/terminal-setup",
    "/usage",
    "/vim",
];

/// The agent's own title if it is usable, else the first usable line of what the user said, else a count.
pub(crate) fn choose(given: Option<&str>, messages: &[Message]) -> String {
    given.and_then(usable).or_else(|| derive(messages)).unwrap_or_else(|| untitled(messages.len()))
}

/// What a session of so many messages is called that says nothing.
pub(crate) fn untitled(messages: usize) -> String {
    match messages {
        0 => "Untitled session".to_owned(),
        1 => "Untitled session (1 message)".to_owned(),
        n => format!("Untitled session ({n} messages)"),
    }
}

/// The first usable line of what the user said.
pub(crate) fn derive(messages: &[Message]) -> Option<String> {
    let said = messages.iter().filter(|m| m.role == Role::User && !m.is_sidechain).flat_map(|m| &m.blocks);
    said.filter_map(|block| match block {
        ContentBlock::Text { text } => Some(text),
        _ => None,
    })
    .find_map(|text| command(text).or_else(|| first_line(text)))
}

/// Whether a title says something, made short.
pub(crate) fn usable(title: &str) -> Option<String> {
    let title = title.trim().trim_start_matches(['*', '_', '"', '\'']).trim_end_matches(['*', '_']).trim();
    if title.chars().take(3).count() < 3 || !title.chars().any(char::is_alphanumeric) {
        return None;
    }
    if UNUSABLE.as_ref().is_some_and(|unusable| unusable.is_match(title)) {
        return None;
    }
    Some(shorten(title))
}

/// `/review 150`, when a message is what Claude Code makes of a slash command.
fn command(text: &str) -> Option<String> {
    let tag = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner.trim())
    };
    if !text.trim_start().starts_with("<command-") {
        return None;
    }
    let name = tag("command-name").filter(|name| !name.is_empty() && !HOUSEKEEPING.contains(name))?;
    let args = tag("command-args").unwrap_or_default().lines().next().unwrap_or_default();
    Some(shorten(format!("{name} {args}").trim()))
}

/// The first usable line outside front matter and code fences.
fn first_line(text: &str) -> Option<String> {
    let mut fenced = false;
    let mut front_matter = text.trim_start().starts_with("---\n");
    let mut tag: Option<String> = None;
    for (at, line) in text.trim_start().lines().enumerate().take(200) {
        let line = line.trim();
        if front_matter {
            front_matter = at == 0 || line != "---";
            continue;
        }
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if let Some(open) = &tag {
            if line.contains(open.as_str()) {
                tag = None;
            }
            continue;
        }
        // What an agent wraps in a tag of its own (a caveat, a reminder) is not the user's line.
        if let Some(name) = opening_tag(line) {
            let close = format!("</{name}>");
            if !line.contains(&close) && text.contains(&close) {
                tag = Some(close);
            }
            continue;
        }
        if !fenced && let Some(title) = usable(line) {
            return Some(title);
        }
    }
    None
}

fn opening_tag(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('<')?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
    (end > 0).then(|| &rest[..end])
}

/// The first sentence, at most 80 characters, cut between words, without secrets.
fn shorten(line: &str) -> String {
    // A line can be a megabyte of minified code: nothing past this can end up in the title.
    let line = &line[..line.floor_char_boundary(MAX_CHARS * 16)];
    let line: String = line.split(char::is_control).collect::<Vec<_>>().join(" ");
    let clean = crate::redact::text(line.trim());
    let sentence = [". ", "! ", "? "].iter().filter_map(|end| clean.find(end)).min().map(|at| &clean[..=at]);
    let title = sentence.filter(|s| s.chars().count() >= MIN_SENTENCE_CHARS).unwrap_or(&clean).trim_end_matches('.');
    let Some((cut, _)) = title.char_indices().nth(MAX_CHARS) else { return title.to_owned() };
    let last = title.char_indices().nth(MAX_CHARS - 1).map_or(cut, |(at, _)| at);
    let word = title[..last].rfind(' ').filter(|at| *at > last / 2).unwrap_or(last);
    format!("{}…", title[..word].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> String {
        choose(None, &texts.iter().map(|t| Message::text(Role::User, *t)).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_usable_line_of_the_user_is_the_title() {
        assert_eq!(of(&["Fix the login bug"]), "Fix the login bug");
        assert_eq!(of(&["# Heading\n\nIMPORTANT: x\n```\ncode\n```\nMake it fast. And small."]), "Make it fast");
        assert_eq!(of(&["---\ntitle: x\n---\nThe question"]), "The question");
        assert_eq!(of(&["ok", "<system-reminder>\nnot this\n</system-reminder>\nthis one"]), "this one");
        assert_eq!(of(&[]), "Untitled session");
        assert_eq!(of(&["<x>"]), "Untitled session (1 message)");
        assert_eq!(of(&["#", "hi"]), "Untitled session (2 messages)");
    }

    #[test]
    fn a_slash_command_is_a_title_unless_it_keeps_house() {
        let command = |name: &str, args: &str| {
            format!(
                "<command-message>x</command-message>\n<command-name>{name}</command-name>\n<command-args>{args}</command-args>"
            )
        };
        assert_eq!(of(&[&command("/clear", ""), &command("/pr-review", "150")]), "/pr-review 150");
    }

    #[test]
    fn long_titles_are_cut_between_words() {
        let title = of(&[&"word ".repeat(100)]);
        assert!(title.chars().count() <= MAX_CHARS && title.ends_with("word…"), "{title}");
        let title = of(&[&"語".repeat(100)]);
        assert_eq!(title.chars().count(), MAX_CHARS);
        assert_eq!(choose(Some("#bad"), &[Message::text(Role::User, "good one")]), "good one");
    }

    #[test]
    fn secrets_do_not_become_titles() {
        let title = of(&["use postgres://admin:hunter2hunter2@db/x"]);
        assert!(!title.contains("hunter2"), "{title}");
    }
}
