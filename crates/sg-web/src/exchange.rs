//! An exchange as its markdown says it: what a shared session shows, and what its owner sees when deciding what to share.

use maud::{Markup, html};
use sg_app::ExchangeText;
use sg_domain::Timestamp;

use crate::code::Budget;
use crate::markdown::{self, Kind};
use crate::shown;

/// One speaker's part.
struct Part<'a> {
    /// What stands in the header, such as `Agent (claude-opus-4-6 2026-02-03T13:00:05Z)`; empty before the first one.
    speaker: &'a str,
    text: &'a str,
}

/// The text of an exchange, speaker by speaker, cut at what a page renders of one text.
pub(crate) fn rendered(content: &str, budget: &mut Budget) -> Markup {
    let most = budget.take_text(content.len().min(markdown::MAX_BYTES));
    let shown_text = markdown::cut(content, most);
    html! {
        @for part in parts(shown_text) {
            @if !part.speaker.is_empty() || !part.text.is_empty() {
                @let is_person = part.speaker.starts_with("User");
                div class={ "message " @if is_person { "user" } @else { "assistant" } } {
                    @if !part.speaker.is_empty() { (header(part.speaker)) }
                    (markdown::rendered(part.text, if is_person { Kind::Prompt } else { Kind::Exchange }, budget))
                }
            }
        }
        @if shown_text.len() < content.len() {
            p.cut { "The first " (shown::size(shown_text.len() as u64)) " of " (shown::size(content.len() as u64)) "." }
        }
    }
}

/// What an exchange is called: the person's title, else the start of the prompt.
pub(crate) fn title(exchange: &ExchangeText) -> String {
    if let Some(title) = &exchange.exchange.user_title {
        return title.clone();
    }
    let first = parts(markdown::cut(&exchange.content, 4 * 1_024)).into_iter().find_map(|part| {
        let line = part.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("<!--"))?;
        Some(line.trim_start_matches(['#', ' ']).chars().take(100).collect::<String>())
    });
    first.unwrap_or_else(|| format!("Exchange {}", exchange.exchange.ordinal + 1))
}

fn header(speaker: &str) -> Markup {
    let (who, rest) = speaker.split_once(" (").unwrap_or((speaker, ""));
    let rest = rest.trim_end_matches(')').trim();
    // `time`, `model time`, or anything at all; the time may be written with a blank in it.
    let (model, at) = match Timestamp::parse(rest) {
        Some(at) => ("", Some(at)),
        None => match rest.split_once(' ').map(|(model, time)| (model, Timestamp::parse(time))) {
            Some((model, Some(at))) => (model, Some(at)),
            _ => (rest, None),
        },
    };
    html! {
        p.small-text.soft {
            b { (shown::name(who)) }
            @if !model.is_empty() { " " (shown::name(model)) }
            @if let Some(at) = at { " " (shown::time(at)) }
        }
    }
}

/// Cuts at SpecStory's headers, outside of fenced code. The rules between parts are layout, not text.
fn parts(content: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut speaker, mut start, mut at) = ("", 0, 0);
    let mut fence: Option<&str> = None;
    for line in content.split_inclusive('\n') {
        let text = line.trim();
        match fence {
            Some(mark) if text.starts_with(mark) && text.trim_end_matches('`').trim_end_matches('~').is_empty() => {
                fence = None
            }
            Some(_) => {}
            None if text.starts_with("```") || text.starts_with("~~~") => {
                let mark = text.as_bytes()[0] as char;
                fence = Some(&text[..text.len() - text.trim_start_matches(mark).len()]);
            }
            None => {
                let inside = text.strip_prefix("_**").and_then(|text| text.strip_suffix("**_"));
                let known = |inside: &&str| ["User", "Agent", "Assistant"].iter().any(|word| inside.starts_with(word));
                if let Some(inside) = inside.filter(known) {
                    parts.push(Part { speaker, text: body(&content[start..at]) });
                    (speaker, start) = (inside, at + line.len());
                }
            }
        }
        at += line.len();
    }
    parts.push(Part { speaker, text: body(&content[start..]) });
    parts
}

/// A part's text without the rule that ends it.
fn body(text: &str) -> &str {
    let text = text.trim();
    text.strip_suffix("\n---").or(if text == "---" { Some("") } else { None }).unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_falls_into_its_speakers() {
        let text = "_**User (2026-02-03T13:00:00Z)**_\n\nPrune\nthem.\n\n---\n\n_**Agent (opus 2026)**_\n\nSee:\n\n```text\n\
            _**User**_\n```\n\n---\n\n_**Agent - sidechain**_\n\nDone.\n\n---\n";
        let parts = parts(text);
        let of: Vec<_> = parts.iter().map(|part| (part.speaker, part.text)).collect();
        assert_eq!(
            of,
            [
                ("", ""),
                ("User (2026-02-03T13:00:00Z)", "Prune\nthem."),
                ("Agent (opus 2026)", "See:\n\n```text\n_**User**_\n```"),
                ("Agent - sidechain", "Done."),
            ]
        );
    }

    #[test]
    fn a_header_tells_model_and_time() {
        let shown = |speaker| header(speaker).into_string();
        assert!(shown("User (2026-02-03 13:00:07Z)").contains(">2026-02-03 13:00 UTC<"));
        let html = shown("Agent (opus-4 2026-02-03 13:00:07Z)");
        assert!(html.contains("<bdi>opus-4</bdi>") && html.contains("13:00 UTC"), "{html}");
        assert!(shown("Agent (some model)").contains("<bdi>some model</bdi>"));
    }

    #[test]
    fn a_hostile_header_stays_text() {
        let text = "_**User <script>alert(1)</script> (\"><img src=x>)**_\n\n<script>alert(1)</script>\n";
        let html = rendered(text, &mut Budget::none()).into_string();
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
}
