//! Words of prose and code: one analysis for indexing, for queries and for highlighting.
//!
//! Positions count *words*: what stands between separators, `_` and the other joiners included. At the position of a
//! word stand, besides it, its camel-case parts and its English stem; at the position of its first word stands every
//! longer name that joiners hold together. So `src/auth/userToken.rs` is
//!
//! | position | terms |
//! |--:|---|
//! | 0 | `src/auth/usertoken.rs`, `src` |
//! | 1 | `auth` |
//! | 2 | `usertoken.rs`, `usertoken`, `user`, `token` |
//! | 3 | `rs` |
//!
//! and the name is found whole, by each part, and inside phrases of its parts. Stems carry a mark ([`STEM_MARK`]), so
//! that an exact word and a stem are never taken for each other. Scripts without spaces give each character and each
//! pair of characters, one position a character.

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Stands before a term that is a stem. No text yields it: it is not a word character.
pub(crate) const STEM_MARK: char = '\u{1}';

/// The longest term in bytes; a longer one (base64, minified code) is cut here, in the index and in queries alike.
const MAX_TERM_BYTES: usize = 96;
/// The most words that joiners hold together; what follows starts a new name.
const MAX_WORDS_IN_NAME: usize = 32;
/// A word longer than this is data, not a name: its capitals do not part it.
const MAX_CAMEL_BYTES: usize = 64;
/// Slots of the memory of stems; a power of two.
const STEM_SLOTS: usize = 4_096;

/// What a term is of the text it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TermKind {
    /// A whole word between separators.
    Word,
    /// A camel-case part of one, or the digits of a `v1`.
    Part,
    /// A marked stem of a word or part.
    Stem,
    /// Several words with their joiners: `parse_session`, `mod.rs`, `src/auth/mod.rs`.
    Name,
    /// A word with the symbols that belong to it: `c++`, `c#`.
    Symbol,
    /// One character of a script without spaces.
    Single,
    /// Two neighbours of such a script.
    Pair,
}

/// The tokenizer, with the memory it reuses from text to text.
#[derive(Clone, Default)]
pub(crate) struct CodeTokenizer {
    tokens: Vec<Token>,
    kinds: Vec<TermKind>,
    filled: usize,
    words: Vec<WordSpan>,
    clusters: Vec<(usize, usize)>,
    folded: String,
    stems: StemCache,
}

/// A word inside a name: byte range, and the joiner rank that precedes it.
#[derive(Clone, Copy)]
struct WordSpan {
    from: usize,
    to: usize,
    /// How strongly it is parted from the word before: 0 `_`, 1 `.` `-`, 2 the rest.
    gap: u8,
}

impl Tokenizer for CodeTokenizer {
    type TokenStream<'a> = CodeTokenStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CodeTokenStream<'a> {
        self.filled = 0;
        CodeTokenStream { tokenizer: self, text, at: 0, position: 0, next: 0 }
    }
}

impl CodeTokenizer {
    /// Calls back with each term of a text and its kind.
    pub(crate) fn each(&mut self, text: &str, mut call: impl FnMut(&Token, TermKind)) {
        let mut stream = self.token_stream(text);
        while stream.advance() {
            call(stream.token(), stream.kind());
        }
    }

    /// The stem of a folded word, where it is one that English stemming applies to; it may equal the word.
    pub(crate) fn stem(&mut self, word: &str) -> Option<String> {
        self.stems.stem(word).map(|stem| stem.unwrap_or(word).to_owned())
    }

    fn push(&mut self, kind: TermKind, position: usize, from: usize, to: usize, text: &str) {
        let text = cut(text, MAX_TERM_BYTES);
        if text.is_empty() {
            return;
        }
        if self.filled == self.tokens.len() {
            self.tokens.push(Token::default());
            self.kinds.push(kind);
        }
        let token = &mut self.tokens[self.filled];
        token.text.clear();
        token.text.push_str(text);
        token.position = position;
        token.offset_from = from;
        token.offset_to = to;
        token.position_length = 1;
        self.kinds[self.filled] = kind;
        self.filled += 1;
    }

    /// Pushes the fold of a byte range, and its stem where it has one.
    fn push_folded(&mut self, kind: TermKind, position: usize, from: usize, to: usize, text: &str) {
        let mut folded = std::mem::take(&mut self.folded);
        fold_into(&text[from..to], &mut folded);
        self.push(kind, position, from, to, &folded);
        if matches!(kind, TermKind::Word | TermKind::Part)
            && let Some(Some(stem)) = self.stems.stem(&folded)
        {
            let marked = format!("{STEM_MARK}{stem}");
            self.push(TermKind::Stem, position, from, to, &marked);
        }
        self.folded = folded;
    }

    /// A name in `words`: every term of it, in order of position.
    fn push_name(&mut self, text: &str, position: usize) {
        let words = std::mem::take(&mut self.words);
        for (i, word) in words.iter().enumerate() {
            // Longer names that start at this word: the widest first. A name of rank r ends before the first gap above r.
            let starts = if i == 0 { 3 } else { word.gap };
            let mut last_end = i;
            for rank in (0..starts).rev() {
                let end = words[i + 1..].iter().position(|w| w.gap > rank).map_or(words.len() - 1, |n| i + n);
                if end > i && end != last_end {
                    self.push_folded(TermKind::Name, position + i, word.from, words[end].to, text);
                }
                last_end = end;
            }
            self.push_word(text, position + i, *word);
        }
        self.words = words;
    }

    fn push_word(&mut self, text: &str, position: usize, word: WordSpan) {
        let span = &text[word.from..word.to];
        let core = span.trim_matches('_');
        if core.is_empty() {
            return self.push_folded(TermKind::Word, position, word.from, word.to, text);
        }
        let from = word.from + (span.len() - span.trim_start_matches('_').len());
        let to = from + core.len();
        if core.len() < span.len() {
            self.push_folded(TermKind::Name, position, word.from, word.to, text);
        }
        self.push_folded(TermKind::Word, position, from, to, text);
        let symbols = text[to..].bytes().take_while(|b| matches!(b, b'+' | b'#')).take(2).count();
        if symbols > 0 && core.len() <= 3 && text[to + symbols..].chars().next().is_none_or(|c| !is_word(c)) {
            self.push_folded(TermKind::Symbol, position, from, to + symbols, text);
        }
        if core.len() > MAX_CAMEL_BYTES {
            return;
        }
        let mut start = from;
        for_each_camel_end(core, |end| {
            let end = from + end;
            if end != to || start != from {
                self.push_folded(TermKind::Part, position, start, end, text);
            }
            start = end;
        });
        // `v1.2.3` is found by `1.2.3`.
        if let Some(digits) = core.strip_prefix(['v', 'V'])
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
        {
            self.push_folded(TermKind::Part, position, from + 1, to, text);
        }
    }
}

/// The terms of one text.
pub(crate) struct CodeTokenStream<'a> {
    tokenizer: &'a mut CodeTokenizer,
    text: &'a str,
    at: usize,
    position: usize,
    next: usize,
}

impl CodeTokenStream<'_> {
    /// The kind of the current term.
    pub(crate) fn kind(&self) -> TermKind {
        self.tokenizer.kinds[self.next - 1]
    }

    /// Fills the buffer with the next name or run; `false` at the end of the text.
    fn fill(&mut self) -> bool {
        self.tokenizer.filled = 0;
        self.next = 0;
        while self.tokenizer.filled == 0 {
            let rest = &self.text[self.at..];
            let Some((skip, first)) = rest.char_indices().find(|(_, c)| is_word(*c)) else {
                self.at = self.text.len();
                return false;
            };
            self.at += skip;
            if is_unspaced(first) {
                self.fill_unspaced();
            } else {
                self.fill_name();
            }
        }
        true
    }

    fn fill_name(&mut self) {
        let bytes = self.text.as_bytes();
        let words = &mut self.tokenizer.words;
        words.clear();
        let mut gap = 0;
        let mut at = self.at;
        loop {
            let from = at;
            at = word_end(self.text, from);
            split_underscores(self.text, from, at, gap, words);
            if words.len() >= MAX_WORDS_IN_NAME {
                break;
            }
            // Up to three joiners between words: `.`, `::`, `://`, `../`.
            let joiners = bytes[at..].iter().take(4).take_while(|b| joiner_rank(**b).is_some()).count();
            if joiners == 0 || joiners > 3 {
                break;
            }
            let after = at + joiners;
            if !self.text[after..].chars().next().is_some_and(|c| is_word(c) && !is_unspaced(c)) {
                break;
            }
            gap = bytes[at..after].iter().filter_map(|b| joiner_rank(*b)).max().unwrap_or(2);
            at = after;
        }
        let count = words.len();
        self.at = at;
        self.tokenizer.push_name(self.text, self.position);
        self.position += count;
    }

    fn fill_unspaced(&mut self) {
        let rest = &self.text[self.at..];
        let mut clusters = std::mem::take(&mut self.tokenizer.clusters);
        clusters.clear();
        for (i, c) in rest.char_indices() {
            if !is_unspaced(c) {
                break;
            }
            let (from, to) = (self.at + i, self.at + i + c.len_utf8());
            match clusters.last_mut() {
                // Voicing marks and conjoining vowels belong to the character before them.
                Some(last)
                    if is_combining_mark(c) || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}') =>
                {
                    last.1 = to;
                }
                _ => clusters.push((from, to)),
            }
            // Long runs are taken in steps, so that the buffer stays small.
            if clusters.len() > 64 {
                break;
            }
        }
        // A step that ends inside a run leaves its last character to start the next one, so that no pair is lost.
        let more = clusters.len() > 64;
        let count = if more { clusters.len() - 1 } else { clusters.len() };
        for i in 0..count {
            let (from, to) = clusters[i];
            let position = self.position + i;
            self.tokenizer.push_folded(TermKind::Single, position, from, to, self.text);
            if let Some((_, pair_to)) = clusters.get(i + 1) {
                self.tokenizer.push_folded(TermKind::Pair, position, from, *pair_to, self.text);
            }
        }
        self.at = if more { clusters[count].0 } else { clusters.last().map_or(self.at + 1, |c| c.1) };
        self.position += count;
        self.tokenizer.clusters = clusters;
    }
}

impl TokenStream for CodeTokenStream<'_> {
    fn advance(&mut self) -> bool {
        if self.next == self.tokenizer.filled && !self.fill() {
            return false;
        }
        self.next += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.tokenizer.tokens[self.next - 1]
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokenizer.tokens[self.next - 1]
    }
}

/// Lower case, accents off, compatibility forms (full width, ligatures) replaced.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::new();
    fold_into(text, &mut out);
    cut(&out, MAX_TERM_BYTES).to_owned()
}

/// [`fold`] at any length, in the place of what was in `out`.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    out.clear();
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
        return;
    }
    let plain = text.nfkd().flat_map(char::to_lowercase).filter(|c| !matches!(c, '\u{300}'..='\u{36f}'));
    for c in plain.nfc() {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'þ' => out.push_str("th"),
            'ı' => out.push('i'),
            'ς' => out.push('σ'),
            c => out.push(c),
        }
    }
}

/// The longest prefix of at most `max` bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Where the word that starts at `from` ends. Underscores are part of words here.
fn word_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii() {
            if !(byte.is_ascii_alphanumeric() || byte == b'_') {
                break;
            }
            at += 1;
        } else {
            match text[at..].chars().next() {
                Some(c) if is_word(c) && !is_unspaced(c) => at += c.len_utf8(),
                _ => break,
            }
        }
    }
    at
}

/// Parts a word at its inner underscores; leading and trailing ones stay with their neighbour.
fn split_underscores(text: &str, from: usize, to: usize, gap: u8, words: &mut Vec<WordSpan>) {
    let span = &text[from..to];
    let lead = span.len() - span.trim_start_matches('_').len();
    let end = span.trim_end_matches('_').len();
    if lead >= end {
        words.push(WordSpan { from, to, gap });
        return;
    }
    let bytes = span.as_bytes();
    let (mut start, mut at, mut first) = (0, lead, true);
    while at < end {
        if bytes[at] == b'_' {
            words.push(WordSpan { from: from + start, to: from + at, gap: if first { gap } else { 0 } });
            first = false;
            while at < end && bytes[at] == b'_' {
                at += 1;
            }
            start = at;
        } else {
            at += 1;
        }
    }
    words.push(WordSpan { from: from + start, to, gap: if first { gap } else { 0 } });
}

/// Calls back with the end of each camel-case part: `parseHTTPUrl2x` is `parse`, `HTTP`, `Url2x`.
fn for_each_camel_end(word: &str, mut call: impl FnMut(usize)) {
    let mut chars = word.char_indices().peekable();
    let mut previous: Option<char> = None;
    while let Some((at, c)) = chars.next() {
        if let Some(p) = previous
            && c.is_uppercase()
        {
            let next_is_lower = chars.peek().is_some_and(|(_, n)| n.is_lowercase());
            if p.is_lowercase() || (next_is_lower && (p.is_uppercase() || p.is_numeric())) {
                call(at);
            }
        }
        previous = Some(c);
    }
    call(word.len());
}

fn joiner_rank(byte: u8) -> Option<u8> {
    match byte {
        b'.' | b'-' => Some(1),
        b'/' | b'\\' | b':' | b'@' => Some(2),
        _ => None,
    }
}

fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Whether a character is of a script that writes no spaces between words (or, as Korean, glues particles to them).
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF
        | 0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x3041..=0x309F | 0x30A1..=0x30FA
        | 0x30FC..=0x318F | 0x31A0..=0x31BF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFF66..=0xFFDC | 0x1B000..=0x1B16F | 0x20000..=0x3FFFF)
        && is_word(c)
}

/// Stems of words seen before. Stemming costs ten times the rest of the analysis, and words repeat.
#[derive(Clone)]
struct StemCache {
    analyzer: TextAnalyzer,
    slots: Vec<Option<Stemmed>>,
}

/// A word and its stem, where that differs.
type Stemmed = (Box<str>, Option<Box<str>>);

impl Default for StemCache {
    fn default() -> Self {
        let analyzer = TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(Language::English)).build();
        Self { analyzer, slots: Vec::new() }
    }
}

impl StemCache {
    /// `None`: not a word that is stemmed. `Some(None)`: it is its own stem.
    fn stem(&mut self, word: &str) -> Option<Option<&str>> {
        if !(3..=32).contains(&word.len()) || !word.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        if self.slots.is_empty() {
            self.slots.resize(STEM_SLOTS, None);
        }
        let hash =
            word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let slot = (hash >> 40) as usize & (STEM_SLOTS - 1);
        if self.slots[slot].as_ref().is_none_or(|(known, _)| **known != *word) {
            let mut stream = self.analyzer.token_stream(word);
            let stem = stream.next().map(|token| token.text.as_str()).filter(|stem| !stem.is_empty() && *stem != word);
            self.slots[slot] = Some((word.into(), stem.map(Into::into)));
        }
        self.slots[slot].as_ref().map(|(_, stem)| stem.as_deref())
    }
}

#[cfg(test)]
mod tests;
