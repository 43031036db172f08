//! Raw HTML inside markdown: shown as the text it is, except SpecStory's folds.

use pulldown_cmark::{CowStr, Event};

/// The most folds inside each other.
const MAX_FOLDS: usize = 8;

/// HTML as the text it is, line by line.
pub(super) fn as_text<'a>(html: &str, out: &mut Vec<Event<'a>>) {
    for line in html.split_inclusive('\n') {
        let text = line.trim_end_matches(['\r', '\n']);
        out.push(Event::Text(text.to_owned().into()));
        if text.len() < line.len() {
            out.push(Event::HardBreak);
        }
    }
}

/// Which folds are open.
#[derive(Default)]
pub(super) struct Folds {
    open: usize,
    in_summary: bool,
}

impl Folds {
    /// `<details>` and `<summary>` become ours, `<tool-use …>` and `<think>` and comments disappear, all else is text.
    pub(super) fn rewrite<'a>(&mut self, html: &str, out: &mut Vec<Event<'a>>) {
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            self.text(&rest[..at], out);
            rest = &rest[at..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            let Some(end) = rest.find('>') else { break };
            let (tag, behind) = rest.split_at(end + 1);
            let inner = tag[1..end].trim();
            let name = inner.split([' ', '\t', '\n']).next().unwrap_or_default();
            match name {
                "details" if self.open < MAX_FOLDS => {
                    self.open += 1;
                    out.push(literal("</p><details>"));
                }
                "/details" if self.open > 0 => {
                    self.open -= 1;
                    out.push(literal("</details><p>"));
                }
                "summary" if self.open > 0 && !self.in_summary => {
                    self.in_summary = true;
                    out.push(literal("<summary>"));
                }
                "/summary" if self.in_summary => {
                    self.in_summary = false;
                    out.push(literal("</summary><p>"));
                }
                "tool-use" | "/tool-use" | "think" | "/think" | "details" | "/details" | "summary" | "/summary" => {}
                _ => self.text(tag, out),
            }
            rest = behind;
        }
        self.text(rest, out);
    }

    fn text<'a>(&self, text: &str, out: &mut Vec<Event<'a>>) {
        if text.is_empty() {
            return;
        }
        if self.in_summary {
            // Markdown is not read inside HTML, so the stars of `Tool use: **Bash**` would be seen.
            out.push(Event::Text(text.replace("**", "").into()));
        } else if text.trim().is_empty() {
            out.push(Event::SoftBreak);
        } else {
            as_text(text, out);
        }
    }
}

fn literal<'a>(html: &'static str) -> Event<'a> {
    Event::Html(CowStr::Borrowed(html))
}
