//! Exchanges as someone looks for them who types: runs of letters and digits, each a word, nothing stemmed or left out.
//!
//! A word is a run of Unicode letters and digits; combining marks belong to the letter before them. Words compare by
//! their fold: lower case, accents off, compatibility forms (full width, ligatures) replaced, as in the other search, so
//! that what is found there under one spelling is found here. Scripts that write no spaces between words would make one
//! word of a whole sentence, and only its beginning could be found: there each character is a word of its own, and a run
//! of them in a query is looked for as neighbours. So `日本` finds `全日本語`, which a prefix of the run would not.
//!
//! A query is split at white space. Each part is one clause: its words must follow each other, and the last one may be
//! the beginning of a word, because it is still being typed: `poem.t` finds `poem.txt`. What stands in closed `"quotes"`
//! is one clause of whole words; a quote that is still open is one whose last word may be a beginning. Anything else is
//! no syntax.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use crate::tokenizer::{cut, fold_into, is_unspaced};

mod part;

pub(crate) use part::Parts;

/// The longest word in bytes; of a longer one (base64, minified code) only this much is compared.
const MAX_WORD_BYTES: usize = 96;
/// A query with fewer letters and digits than this finds nothing: it would find everything.
const MIN_LETTERS: usize = 2;
/// Clauses of a query that are looked for, the first ones; so many in one exchange have found it.
const MAX_CLAUSES: usize = 64;
/// Beginnings up to this many characters are kept for each exchange: there are so many words behind one of them that
/// going through them takes longer than anything else.
pub(crate) const MAX_START_CHARS: usize = 3;

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Clause {
    /// Folded; at least one.
    pub(crate) words: Vec<String>,
    /// Whether the last word is the beginning of one.
    pub(crate) is_open: bool,
}

/// The clauses of a query, each once; none when it says too little.
pub(crate) fn parse(text: &str) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    if text.chars().filter(|c| c.is_alphanumeric()).nth(MIN_LETTERS - 1).is_none() {
        return clauses;
    }
    let mut add = |text: &str, is_open: bool| {
        let clause = Clause { words: words(text), is_open };
        if !clause.words.is_empty() && clauses.len() < MAX_CLAUSES && !clauses.contains(&clause) {
            clauses.push(clause);
        }
    };
    let mut parts = text.split('"').peekable();
    let mut is_quoted = false;
    while let Some(part) = parts.next() {
        if is_quoted {
            add(part, parts.peek().is_none());
        } else {
            part.split_whitespace().for_each(|word| add(word, true));
        }
        is_quoted = !is_quoted;
    }
    clauses
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut folded = String::new();
    let mut at = 0;
    while let Some(range) = next_word(text, at, &mut folded) {
        words.push(folded.clone());
        at = range.end;
    }
    words
}

/// The first word at or behind `at`: where it stands, and its fold.
pub(crate) fn next_word(text: &str, mut at: usize, folded: &mut String) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    loop {
        while at < bytes.len() && bytes[at].is_ascii() && !bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let first = text[at..].chars().next()?;
        if !first.is_alphanumeric() {
            at += first.len_utf8();
            continue;
        }
        let end = word_end(text, at, first);
        fold_into(&text[at..end], folded);
        if !folded.is_ascii() {
            // A few letters stand for whole phrases when they are taken apart.
            folded.retain(|c| !c.is_whitespace());
        }
        folded.truncate(cut(folded, MAX_WORD_BYTES).len());
        if !folded.is_empty() {
            return Some(at..end);
        }
        at = end;
    }
}

fn word_end(text: &str, from: usize, first: char) -> usize {
    let is_alone = is_unspaced(first);
    let rest = from + first.len_utf8();
    let bytes = text.as_bytes();
    let mut at = rest;
    while at < bytes.len() {
        if bytes[at].is_ascii() {
            if is_alone || !bytes[at].is_ascii_alphanumeric() {
                break;
            }
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let goes_on = match is_alone {
            // Voicing marks and conjoining vowels belong to the character before them.
            true => is_combining_mark(c) || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}'),
            false => is_combining_mark(c) || (c.is_alphanumeric() && !is_unspaced(c)),
        };
        if !goes_on {
            break;
        }
        at += c.len_utf8();
    }
    at
}

/// Marks the matches of a query in a text.
pub(crate) struct Marker<'a> {
    clauses: &'a [Clause],
    folded: String,
    /// Folds of the words of a text, one behind the other.
    buffer: String,
    /// Where each word's fold lies in the buffer, and the word in the text.
    seen: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Marker<'a> {
    /// For a query.
    pub(crate) fn new(clauses: &'a [Clause]) -> Self {
        Self { clauses, folded: String::new(), buffer: String::new(), seen: Vec::new() }
    }

    /// The matches in a text: ascending, not overlapping.
    pub(crate) fn spans(&mut self, text: &str) -> Vec<Range<usize>> {
        self.buffer.clear();
        self.seen.clear();
        let mut at = 0;
        while let Some(range) = next_word(text, at, &mut self.folded) {
            let from = self.buffer.len();
            self.buffer.push_str(&self.folded);
            at = range.end;
            self.seen.push((from..self.buffer.len(), range));
        }
        let mut spans: Vec<Range<usize>> = Vec::new();
        for first in 0..self.seen.len() {
            let longest = self.clauses.iter().filter(|clause| self.stands(clause, first)).map(|c| c.words.len()).max();
            let Some(words) = longest else { continue };
            let (start, end) = (self.seen[first].1.start, self.seen[first + words - 1].1.end);
            match spans.last_mut() {
                Some(last) if start < last.end => last.end = last.end.max(end),
                _ => spans.push(start..end),
            }
        }
        spans
    }

    /// Whether a clause matches from a word on.
    fn stands(&self, clause: &Clause, first: usize) -> bool {
        let Some(seen) = self.seen.get(first..first + clause.words.len()) else { return false };
        let last = clause.words.len() - 1;
        clause.words.iter().zip(seen).enumerate().all(|(i, (want, (have, _)))| {
            let have = &self.buffer[have.clone()];
            if i == last && clause.is_open { have.starts_with(want.as_str()) } else { have == want }
        })
    }
}

#[cfg(test)]
mod tests;
