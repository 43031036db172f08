//! Markdown that a stranger wrote, as HTML that only shows.
//!
//! Three lines of defence: raw HTML never passes (it is shown as the text it is, except the folds that SpecStory writes),
//! nesting and size are bounded before anything builds a tree, and the result goes through a strict allow-list. Behind
//! them stands the page's policy, which runs no inline script.

use std::collections::HashSet;
use std::sync::OnceLock;

use ammonia::{Builder, UrlRelative};
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::code::{self, Budget};

mod fold;

/// The most bytes of one text that are rendered; what is longer is cut, and the page links to the whole.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// The deepest nesting of quotes, lists and emphasis; deeper ones lose their markup and keep their text.
const MAX_DEPTH: usize = 24;
/// The most parts a text may fall into; one with more is shown as plain text.
const MAX_EVENTS: usize = 30_000;

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person typed it: line breaks are meant.
    Prompt,
    /// A model wrote it.
    Answer,
    /// SpecStory's rendering of an exchange: its `<details>` are folds.
    Exchange,
}

/// A text as HTML, cut at [`MAX_BYTES`].
pub(crate) fn rendered(text: &str, kind: Kind, budget: &mut Budget) -> Markup {
    let text = cut(text, MAX_BYTES);
    let Some(html) = rewritten(text, kind, budget) else {
        return html! { pre.plain dir="auto" { (code::escaped(text)) } };
    };
    html! { div.prose dir="auto" { (PreEscaped(sanitiser().clean(&html).to_string())) } }
}

/// The first bytes of a text, ending at a line's end where there is one near, else at a character.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let start = &text[..end];
    match start.rfind('\n') {
        Some(line) if line > end / 2 => &start[..line],
        _ => start,
    }
}

/// `None` when it falls into too many parts.
fn rewritten(text: &str, kind: Kind, budget: &mut Budget) -> Option<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut out: Vec<Event<'_>> = Vec::new();
    let mut folds = fold::Folds::default();
    // For each open tag whether it was written.
    let mut open: Vec<bool> = Vec::new();
    let mut depth = 0;
    let mut code: Option<(String, String)> = None;
    for (count, event) in Parser::new_ext(text, options).enumerate() {
        if count > MAX_EVENTS {
            return None;
        }
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                code = Some((language, String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                let (language, text) = code.take().unwrap_or_default();
                let block = html! { pre tabindex="0" { code { (code::highlighted(&text, &language, budget)) } } };
                out.push(Event::Html(block.into_string().into()));
            }
            Event::Text(text) if code.is_some() => {
                if let Some((_, code)) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::Start(Tag::HtmlBlock) => out.push(Event::Html(CowStr::Borrowed("<p>"))),
            Event::End(TagEnd::HtmlBlock) => out.push(Event::Html(CowStr::Borrowed("</p>"))),
            Event::Start(tag) => {
                let written = depth < MAX_DEPTH;
                open.push(written);
                if written {
                    depth += 1;
                    out.push(Event::Start(shown(tag)));
                }
            }
            Event::End(tag) => {
                if open.pop().unwrap_or(false) {
                    depth -= 1;
                    out.push(Event::End(shown_end(tag)));
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => match kind {
                Kind::Exchange => folds.rewrite(&html, &mut out),
                Kind::Prompt | Kind::Answer => fold::as_text(&html, &mut out),
            },
            Event::SoftBreak if kind == Kind::Prompt => out.push(Event::HardBreak),
            other => out.push(other),
        }
    }
    if out.len() > MAX_EVENTS {
        return None;
    }
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, out.into_iter());
    Some(html)
}

/// Headings go below those of the page, pictures become links: a page loads nothing from elsewhere.
fn shown(tag: Tag<'_>) -> Tag<'_> {
    match tag {
        Tag::Heading { level, .. } => {
            Tag::Heading { level: lowered(level), id: None, classes: Vec::new(), attrs: Vec::new() }
        }
        Tag::Image { link_type, dest_url, title, id } => Tag::Link { link_type, dest_url, title, id },
        other => other,
    }
}

fn shown_end(tag: TagEnd) -> TagEnd {
    match tag {
        TagEnd::Heading(level) => TagEnd::Heading(lowered(level)),
        TagEnd::Image => TagEnd::Link,
        other => other,
    }
}

fn lowered(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel::{H1, H2, H4, H5, H6};
    match level {
        H1 => H4,
        H2 => H5,
        _ => H6,
    }
}

/// The allow-list: what pulldown-cmark writes, folds, and the spans of [`crate::code`].
fn sanitiser() -> &'static Builder<'static> {
    static SANITISER: OnceLock<Builder<'static>> = OnceLock::new();
    SANITISER.get_or_init(|| {
        let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
        let mut builder = Builder::empty();
        builder
            .tags(set(&[
                "p",
                "br",
                "hr",
                "em",
                "strong",
                "del",
                "code",
                "pre",
                "blockquote",
                "ul",
                "ol",
                "li",
                "h4",
                "h5",
                "h6",
                "a",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
                "span",
                "details",
                "summary",
            ]))
            .clean_content_tags(set(&["script", "style"]))
            .tag_attributes(
                [("a", set(&["href", "title"])), ("ol", set(&["start"])), ("pre", set(&["tabindex"]))].into(),
            )
            .allowed_classes([("span", code::CLASS_NAMES.iter().copied().collect())].into())
            .url_schemes(set(&["http", "https", "mailto"]))
            .url_relative(UrlRelative::Deny)
            .link_rel(Some("noopener noreferrer nofollow"));
        builder
    })
}

#[cfg(test)]
mod tests;
