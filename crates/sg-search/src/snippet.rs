//! Snippets: the part of a piece with the most matches, as HTML that is safe to show.
//!
//! The text is escaped; the only tags are `<mark>` and `</mark>` around matches. White space is folded to single
//! spaces, and `…` stands where text was left out.

use std::collections::HashSet;
use std::ops::Range;

use crate::query::{LeafField, Matcher, Parsed};
use crate::tokenizer::CodeTokenizer;

/// Bytes of text that a snippet aims for.
const SNIPPET_BYTES: usize = 240;
/// The most different matches that are told.
const MAX_HIGHLIGHTS: usize = 20;
/// The most matches of a piece that are looked at.
const MAX_SPANS: usize = 500;

/// A snippet and the words that matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// HTML.
    pub(crate) html: String,
    /// The matches as they stand in the piece, each once, in order.
    pub(crate) highlights: Vec<String>,
}

/// What to mark, made once for a query.
#[derive(Default)]
pub(crate) struct Highlighter {
    terms: HashSet<String>,
    prefixes: Vec<String>,
    phrases: Vec<Phrase>,
    phrase_terms: HashSet<String>,
}

struct Phrase {
    words: Vec<(usize, String)>,
    is_prefix: bool,
}

/// A term of the text that may belong to a phrase.
struct Seen {
    position: usize,
    text: String,
    range: Range<usize>,
}

impl Highlighter {
    /// Marks what the clauses of a query that are wanted in the text would match.
    pub(crate) fn new(parsed: &Parsed) -> Self {
        let mut this = Self::default();
        for leaf in parsed.used.iter().map(|i| &parsed.leaves[*i]) {
            if leaf.scored && matches!(leaf.field, LeafField::Text | LeafField::Title | LeafField::Tool) {
                leaf.variants.iter().for_each(|variant| this.add(&variant.matcher));
            }
        }
        this
    }

    fn add(&mut self, matcher: &Matcher) {
        match matcher {
            Matcher::Term(term) => {
                self.terms.insert(term.clone());
            }
            Matcher::Prefix(prefix) => self.prefixes.push(prefix.clone()),
            Matcher::Phrase(words) | Matcher::PhrasePrefix(words) => {
                self.phrase_terms.extend(words.iter().map(|(_, word)| word.clone()));
                let is_prefix = matches!(matcher, Matcher::PhrasePrefix(_));
                self.phrases.push(Phrase { words: words.clone(), is_prefix });
            }
        }
    }

    /// A snippet of a text.
    pub(crate) fn snippet(&self, text: &str, tokenizer: &mut CodeTokenizer) -> Snippet {
        let spans = self.spans(text, tokenizer);
        let mut known = HashSet::new();
        let words = spans.iter().map(|span| &text[span.clone()]);
        let highlights = words.filter(|word| known.insert(*word)).take(MAX_HIGHLIGHTS).map(str::to_owned).collect();
        let window = window(text, &spans);
        Snippet { html: render(text, window, &spans, Style::HTML), highlights }
    }

    /// The matches in a text: ascending, not overlapping.
    fn spans(&self, text: &str, tokenizer: &mut CodeTokenizer) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut seen: Vec<Seen> = Vec::new();
        let last_prefixes: Vec<&str> = self
            .phrases
            .iter()
            .filter(|phrase| phrase.is_prefix)
            .filter_map(|phrase| phrase.words.last().map(|(_, word)| word.as_str()))
            .collect();
        tokenizer.each(text, |token, _| {
            let range = token.offset_from..token.offset_to;
            let term = token.text.as_str();
            if self.terms.contains(term) || self.prefixes.iter().any(|prefix| term.starts_with(prefix.as_str())) {
                spans.push(range.clone());
            }
            if !self.phrases.is_empty()
                && (self.phrase_terms.contains(term) || last_prefixes.iter().any(|prefix| term.starts_with(prefix)))
            {
                seen.push(Seen { position: token.position, text: term.to_owned(), range });
            }
        });
        for phrase in &self.phrases {
            find_phrase(phrase, &seen, &mut spans);
        }
        spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
            if merged.len() == MAX_SPANS {
                break;
            }
        }
        merged
    }
}

fn find_phrase(phrase: &Phrase, seen: &[Seen], spans: &mut Vec<Range<usize>>) {
    let Some((first_at, first)) = phrase.words.first() else { return };
    for start in seen.iter().filter(|seen| seen.text == *first) {
        let mut range = start.range.clone();
        let complete = phrase.words.iter().enumerate().skip(1).all(|(i, (at, word))| {
            let position = start.position + at - first_at;
            let from = seen.partition_point(|seen| seen.position < position);
            let is_last = i + 1 == phrase.words.len();
            let mut here = seen[from..].iter().take_while(|seen| seen.position == position);
            let hit = here.find(|seen| {
                seen.text == *word || (phrase.is_prefix && is_last && seen.text.starts_with(word.as_str()))
            });
            if let Some(hit) = hit {
                range = range.start.min(hit.range.start)..range.end.max(hit.range.end);
            }
            hit.is_some()
        });
        if complete {
            spans.push(range);
        }
    }
}

/// The part of a text to show: around the densest matches, or its start.
pub(crate) fn window(text: &str, spans: &[Range<usize>]) -> Range<usize> {
    let mut best: Option<(usize, usize, Range<usize>)> = None;
    let mut end = 0;
    for (i, first) in spans.iter().enumerate() {
        end = end.max(i);
        while end + 1 < spans.len() && spans[end + 1].end <= first.start + SNIPPET_BYTES {
            end += 1;
        }
        let inside = &spans[i..=end];
        let mut words: Vec<&str> = inside.iter().map(|span| &text[span.clone()]).collect();
        words.sort_unstable();
        words.dedup();
        let merit = (words.len(), inside.len());
        if best.as_ref().is_none_or(|(distinct, count, _)| merit > (*distinct, *count)) {
            best = Some((merit.0, merit.1, first.start..spans[end].end));
        }
    }
    let cluster = best.map_or(0..0, |(_, _, cluster)| cluster);
    // One match longer than a snippet is shown from its start.
    let cluster = cluster.start..cluster.end.min(cluster.start + SNIPPET_BYTES * 2);
    let room = SNIPPET_BYTES.saturating_sub(cluster.len());
    let before = if spans.is_empty() { 0 } else { room / 3 };
    let from = text.ceil_char_boundary(cluster.start.saturating_sub(before));
    let to = text.floor_char_boundary((from + SNIPPET_BYTES.max(cluster.end - from)).min(text.len()));
    // What is left of the room when the text ends soon goes to the front.
    let from = text.floor_char_boundary(from.min(to.saturating_sub(SNIPPET_BYTES)));
    snap(text, from, cluster.start, true)..snap(text, to.max(from), cluster.end, false)
}

/// Moves an edge to the nearest space that does not cut into the matches, if there is one near.
fn snap(text: &str, edge: usize, cluster: usize, is_start: bool) -> usize {
    const REACH: usize = 24;
    if edge == 0 || edge == text.len() {
        return edge;
    }
    if is_start {
        let stop = text.floor_char_boundary(cluster.min(edge + REACH)).max(edge);
        let space = text[edge..stop].char_indices().find(|(_, c)| c.is_whitespace());
        space.map_or(edge, |(at, c)| edge + at + c.len_utf8())
    } else {
        let stop = text.ceil_char_boundary(cluster.max(edge.saturating_sub(REACH))).min(edge);
        text[stop..edge].rfind(char::is_whitespace).map_or(edge, |at| stop + at)
    }
}

/// How matches are marked, and what is done to the text around them.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    open: &'static str,
    close: &'static str,
    push: fn(&str, &mut String),
}

impl Style {
    const HTML: Self = Self { open: "<mark>", close: "</mark>", push: push_escaped };
    /// For a terminal: matches between two control characters, all others gone, nothing escaped.
    pub(crate) const PLAIN: Self = Self { open: "\u{2}", close: "\u{3}", push: push_plain };
}

/// The window of a text with its matches marked.
pub(crate) fn render(text: &str, window: Range<usize>, spans: &[Range<usize>], style: Style) -> String {
    let mut html = String::with_capacity(window.len() + 64);
    if window.start > 0 && !text[..window.start].trim().is_empty() {
        html.push('…');
    }
    let mut at = window.start;
    for span in spans.iter().filter(|span| span.start < window.end && span.end > window.start) {
        let (from, to) = (span.start.max(window.start), span.end.min(window.end));
        (style.push)(&text[at..from], &mut html);
        html.push_str(style.open);
        (style.push)(&text[from..to], &mut html);
        html.push_str(style.close);
        at = to;
    }
    (style.push)(&text[at..window.end], &mut html);
    if !text[window.end..].trim().is_empty() {
        html.truncate(html.trim_end().len());
        html.push('…');
    }
    html.trim().to_owned()
}

fn push_escaped(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_whitespace() => {
                if !html.ends_with(' ') {
                    html.push(' ');
                }
            }
            c if c.is_control() => {}
            c => html.push(c),
        }
    }
}

fn push_plain(text: &str, out: &mut String) {
    for c in text.chars() {
        if !c.is_whitespace() && !c.is_control() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests;
