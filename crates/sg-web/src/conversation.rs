//! A conversation as it reads on a page: messages in order, tool calls with their results folded, reasoning folded.

use std::collections::HashMap;

use maud::{Markup, html};
use sg_domain::{ContentBlock, Message, Role};

use crate::code::{self, Budget};
use crate::markdown::{self, Kind};
use crate::shown;

mod tool;

/// The most bytes of one tool's input or output that a page shows.
const MAX_TOOL_BYTES: usize = 16 * 1024;

/// What a page needs to know around its messages.
pub(crate) struct Talk<'a> {
    /// Messages with their places in the session, ascending.
    pub(crate) messages: &'a [(u32, Message)],
    /// The page of the session, without a final slash: whole messages are below it.
    pub(crate) base: &'a str,
    /// What stands before a message: an exchange's title.
    pub(crate) headings: &'a HashMap<u32, Markup>,
}

/// The messages of one page.
pub(crate) fn talk(talk: &Talk<'_>, budget: &mut Budget) -> Markup {
    let results = Results::of(talk.messages);
    let mut before: Option<&Message> = None;
    let mut out = String::new();
    for (ordinal, message) in talk.messages {
        if let Some(heading) = talk.headings.get(ordinal) {
            out.push_str(&heading.0);
            before = None;
        }
        let shown = Shown { ordinal: *ordinal, message, base: talk.base };
        let blocks = shown.blocks(&results);
        // A link to the message must lead somewhere even when there is nothing to see of it.
        let html = match blocks.as_slice() {
            [] => html! { span id={ "m" (ordinal) } {} },
            blocks => {
                let goes_on = before.is_some_and(|before| goes_on(before, message));
                before = Some(message);
                shown.article(blocks, goes_on, &results, budget)
            }
        };
        out.push_str(&html.0);
    }
    maud::PreEscaped(out)
}

/// Whether a message is the same agent's next one, so that its name need not be said again.
fn goes_on(before: &Message, message: &Message) -> bool {
    message.role == before.role
        && message.role != Role::User
        && message.is_sidechain == before.is_sidechain
        && (message.model.is_none() || message.model == before.model)
}

/// Results of tools by the id of their call, as far as both are on the page.
struct Results<'a> {
    by_call: HashMap<&'a str, (u32, &'a str, bool)>,
}

impl<'a> Results<'a> {
    fn of(messages: &'a [(u32, Message)]) -> Self {
        let mut calls = std::collections::HashSet::new();
        let mut by_call = HashMap::new();
        for (ordinal, message) in messages {
            for block in &message.blocks {
                match block {
                    ContentBlock::ToolUse { id: Some(id), .. } => {
                        calls.insert(id.as_str());
                    }
                    // The first answer to a call belongs to it; a second one is shown where it stands.
                    ContentBlock::ToolResult { tool_use_id: Some(id), output, is_error }
                        if calls.contains(id.as_str()) =>
                    {
                        by_call.entry(id.as_str()).or_insert((*ordinal, output.as_str(), *is_error));
                    }
                    _ => {}
                }
            }
        }
        Self { by_call }
    }

    fn is_shown_with_its_call(&self, ordinal: u32, block: &ContentBlock) -> bool {
        let ContentBlock::ToolResult { tool_use_id: Some(id), output, .. } = block else { return false };
        self.by_call
            .get(id.as_str())
            .is_some_and(|(at, text, _)| *at == ordinal && std::ptr::eq(*text, output.as_str()))
    }
}

struct Shown<'a> {
    ordinal: u32,
    message: &'a Message,
    base: &'a str,
}

impl Shown<'_> {
    /// What there is to see of the message.
    fn blocks(&self, results: &Results<'_>) -> Vec<&ContentBlock> {
        let seen = |block: &&ContentBlock| !results.is_shown_with_its_call(self.ordinal, block) && !is_empty(block);
        self.message.blocks.iter().filter(seen).collect()
    }

    fn article(&self, blocks: &[&ContentBlock], goes_on: bool, results: &Results<'_>, budget: &mut Budget) -> Markup {
        let Message { role, model, at, is_sidechain, .. } = self.message;
        let id = format!("m{}", self.ordinal);
        let class = [role.name(), if *is_sidechain { "side" } else { "" }, if goes_on { "cont" } else { "" }].join(" ");
        let time = at.map(|at| at.to_iso_millis());
        html! {
            article #(id) class={ "message " (class) } {
                header {
                    @if !goes_on {
                        span.role { (speaker(*role)) }
                        @if let Some(model) = model { span { (shown::name(model)) } }
                        @if *is_sidechain { span.tag { "side conversation" } }
                        @if let Some(at) = at { (shown::time(*at)) }
                    }
                    a.anchor href={ "#" (id) } title=[time] aria-label={ "Link to message " (self.ordinal + 1) } { "#" (self.ordinal + 1) }
                }
                @for block in blocks { (self.block(block, results, budget)) }
            }
        }
    }

    fn block(&self, block: &ContentBlock, results: &Results<'_>, budget: &mut Budget) -> Markup {
        match block {
            ContentBlock::Text { text } => {
                let kind = if self.message.role == Role::User { Kind::Prompt } else { Kind::Answer };
                html! { (markdown::rendered(text, kind, budget)) (self.rest(text.len(), markdown::MAX_BYTES)) }
            }
            ContentBlock::Thinking { text } => html! {
                details.fold {
                    summary { span.name { "Thinking" } }
                    (markdown::rendered(text, Kind::Answer, budget))
                    (self.rest(text.len(), markdown::MAX_BYTES))
                }
            },
            ContentBlock::ToolUse { id, name, input } => {
                let result = id.as_deref().and_then(|id| results.by_call.get(id));
                let failed = result.is_some_and(|(_, _, is_error)| *is_error);
                html! {
                    details class={ "fold" @if failed { " bad" } } {
                        summary {
                            span.name { (shown::name(name)) } " "
                            @if let Some(hint) = tool::hint(input) { span.hint { (shown::name(&hint)) } }
                            @if failed { " " span.tag.bad { "failed" } }
                        }
                        (tool::input(input, budget))
                        @if tool::is_large(input) { (self.whole_link()) }
                        @if let Some((at, output, _)) = result {
                            @let here = Shown { ordinal: *at, message: self.message, base: self.base };
                            (here.output(output, tool::language(name, input), budget))
                        }
                    }
                }
            }
            ContentBlock::ToolResult { output, is_error, .. } => html! {
                details class={ "fold" @if *is_error { " bad" } } {
                    summary {
                        span.name { "Result" } " " span.hint { (shown::name(first_line(output))) }
                        @if *is_error { " " span.tag.bad { "failed" } }
                    }
                    (self.output(output, None, budget))
                }
            },
            ContentBlock::Image { media_type, source } => html! {
                p.cut {
                    "Picture" @if let Some(kind) = media_type { " (" (shown::name(kind)) ")" }
                    @if let Some(source) = source { ": " code { (shown::name(markdown::cut(source, 500))) } }
                    ", kept in the raw data."
                }
            },
            ContentBlock::Other { kind, value } => html! {
                details.fold {
                    summary { span.name { (shown::name(kind)) } }
                    (tool::input(&serde_json::Value::Object(value.clone()), budget))
                }
            },
        }
    }

    fn output(&self, output: &str, language: Option<String>, budget: &mut Budget) -> Markup {
        let text = markdown::cut(output, MAX_TOOL_BYTES);
        html! {
            p.label { "Result" @if output.is_empty() { ": nothing" } }
            @if !text.is_empty() {
                pre.plain dir="auto" tabindex="0" {
                    @match language {
                        Some(language) => (code::highlighted(text, &language, budget)),
                        None => (code::escaped(text)),
                    }
                }
            }
            (self.rest(output.len(), MAX_TOOL_BYTES))
        }
    }

    /// Where the whole text is, when only its start is shown.
    fn rest(&self, bytes: usize, shown: usize) -> Markup {
        html! {
            @if bytes > shown {
                p.cut { "The first " (shown::size(shown as u64)) " of " (shown::size(bytes as u64)) ". " (self.link()) }
            }
        }
    }

    fn whole_link(&self) -> Markup {
        html! { p.cut { "Long values are cut. " (self.link()) } }
    }

    fn link(&self) -> Markup {
        html! { a href={ (self.base) "/messages/" (self.ordinal) } { "The whole message as text" } }
    }
}

/// A message as plain text, for the link behind what a page cuts.
pub(crate) fn plain(message: &Message) -> String {
    let mut out = String::new();
    for block in &message.blocks {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        match block {
            ContentBlock::Text { text } => out.push_str(text),
            ContentBlock::Thinking { text } => out.extend(["[thinking]\n", text]),
            ContentBlock::ToolUse { name, input, .. } => {
                let input = serde_json::to_string_pretty(input).unwrap_or_default();
                out.extend(["[tool ", name, "]\n", &input]);
            }
            ContentBlock::ToolResult { output, is_error, .. } => {
                out.extend([if *is_error { "[result, failed]\n" } else { "[result]\n" }, output]);
            }
            ContentBlock::Image { source, .. } => out.extend(["[picture] ", source.as_deref().unwrap_or_default()]),
            ContentBlock::Other { kind, value } => {
                let value = serde_json::to_string_pretty(value).unwrap_or_default();
                out.extend(["[", kind, "]\n", &value]);
            }
        }
    }
    out
}

/// About how many bytes of a message a page would show.
pub(crate) fn weight(message: &Message) -> usize {
    let block = |block: &ContentBlock| match block {
        ContentBlock::Text { text } | ContentBlock::Thinking { text } => text.len().min(markdown::MAX_BYTES),
        ContentBlock::ToolResult { output, .. } => output.len().min(MAX_TOOL_BYTES),
        ContentBlock::ToolUse { input, .. } => tool::weight(input).min(2 * MAX_TOOL_BYTES),
        ContentBlock::Other { .. } => MAX_TOOL_BYTES,
        ContentBlock::Image { .. } => 500,
    };
    200 + message.blocks.iter().map(block).sum::<usize>()
}

/// The first words of a prompt, for an outline.
pub(crate) fn opening(message: &Message) -> Option<String> {
    let text = message.blocks.iter().find_map(|block| match block {
        ContentBlock::Text { text } if !text.trim().is_empty() => Some(text.trim()),
        _ => None,
    })?;
    Some(first_line(text).chars().take(90).collect())
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::User => "You",
        Role::Assistant => "Agent",
        Role::System => "System",
        Role::Tool => "Tool",
    }
}

fn is_empty(block: &ContentBlock) -> bool {
    match block {
        ContentBlock::Text { text } | ContentBlock::Thinking { text } => text.trim().is_empty(),
        _ => false,
    }
}

fn first_line(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    markdown::cut(line, 120)
}

#[cfg(test)]
mod tests;
