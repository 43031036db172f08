//! An exchange cut into parts for showing: what a snippet is made from, however long the exchange is.
//!
//! A part begins with a word and knows that word's place in the exchange. White space is folded, control characters are
//! gone, and of a run of characters that nobody would read (base64, a ruled line) only the beginning is kept; the words
//! stay as many as they are, so that a place counted in the exchange is the same place counted here.

use std::collections::HashSet;

use super::{MAX_START_CHARS, next_word};
use crate::tokenizer::cut;

/// Bytes of a part. It is read whole for one snippet of a tenth of that, and makes documents few.
const PART_BYTES: usize = 2_048;
/// The most bytes that are kept of one word, and of what stands between two.
const MAX_RUN_BYTES: usize = 256;

/// A part of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Place of its first word in the exchange, from 0.
    pub(crate) first_word: u32,
    /// The text.
    pub(crate) text: String,
}

/// An exchange in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The parts, in order; none when there are no words.
    pub(crate) parts: Vec<Part>,
    /// The beginnings of all its words, each once, parted by spaces.
    pub(crate) starts: String,
}

impl Parts {
    /// Cuts an exchange.
    pub(crate) fn of(text: &str) -> Self {
        let mut this = Self::default();
        let mut known: HashSet<String> = HashSet::new();
        let mut folded = String::new();
        let mut part = String::new();
        let (mut at, mut word, mut first_word) = (0, 0_u32, 0);
        while let Some(range) = next_word(text, at, &mut folded) {
            push_gap(&text[at..range.start], &mut part);
            if part.len() >= PART_BYTES {
                this.parts.push(Part { first_word, text: std::mem::take(&mut part) });
                first_word = word;
            }
            part.push_str(cut(&text[range.clone()], MAX_RUN_BYTES));
            for (place, c) in folded.char_indices().take(MAX_START_CHARS) {
                let start = &folded[..place + c.len_utf8()];
                if !known.contains(start) {
                    known.insert(start.to_owned());
                    this.starts.push_str(start);
                    this.starts.push(' ');
                }
            }
            at = range.end;
            word = word.saturating_add(1);
        }
        if word > 0 {
            push_gap(&text[at..], &mut part);
            this.parts.push(Part { first_word, text: part });
        }
        this
    }
}

/// Adds what stands between two words. Something that parts them stays something.
fn push_gap(gap: &str, out: &mut String) {
    for c in cut(gap, MAX_RUN_BYTES).chars() {
        if c.is_whitespace() || c.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}
