//! Cuts the text of a query into words, quotes, fields and operators. Every text can be cut.

use std::ops::Range;

/// Names that stand before a `:`.
const FIELDS: [&str; 10] = ["title", "role", "tool", "model", "branch", "tag", "project", "agent", "before", "after"];

/// A piece of a query. Ranges are bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A word, without the `*` that made it a prefix.
    Word { span: Range<usize>, prefix: bool },
    /// What stands between quotes.
    Quoted { inner: Range<usize> },
    /// A known field and its value.
    Field { name: &'static str, value: Range<usize>, quoted: bool, prefix: bool, span: Range<usize> },
    /// `AND`.
    And,
    /// `OR`.
    Or,
    /// `NOT` or a leading `-`.
    Not,
    /// `(`.
    Open,
    /// `)`.
    Close,
}

/// Cuts a text.
pub(crate) fn lex(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        match c {
            c if c.is_whitespace() || c.is_control() => at = next,
            '(' => {
                pieces.push(Piece::Open);
                at = next;
            }
            ')' => {
                pieces.push(Piece::Close);
                at = next;
            }
            c if is_quote(c) => {
                let (inner, after) = quoted(text, next);
                pieces.push(Piece::Quoted { inner });
                at = after;
            }
            '-' | '+' => {
                // An operator only at the start of a clause: the words of `a-b` hold together.
                let starts = text[next..].chars().next().is_some_and(|c| !c.is_whitespace() && c != '-');
                if c == '-' && starts {
                    pieces.push(Piece::Not);
                }
                at = if c == '-' && !starts { skip(text, next, '-') } else { next };
            }
            _ => at = word(text, at, &mut pieces),
        }
    }
    pieces
}

fn word(text: &str, from: usize, pieces: &mut Vec<Piece>) -> usize {
    if let Some((name, value)) = field(&text[from..]).map(|(name, len)| (name, from + len)) {
        match text[value..].chars().next() {
            Some(c) if is_quote(c) => {
                let (inner, after) = quoted(text, value + c.len_utf8());
                pieces.push(Piece::Field { name, value: inner, quoted: true, prefix: false, span: from..after });
                return after;
            }
            Some(c) if !c.is_whitespace() && c != '(' && c != ')' => {
                let to = bare_end(text, value);
                let end = text[value..to].trim_end_matches('*').len() + value;
                let prefix = end < to;
                pieces.push(Piece::Field { name, value: value..end, quoted: false, prefix, span: from..to });
                return to;
            }
            _ => {}
        }
    }
    let to = bare_end(text, from);
    let span = from..to;
    pieces.push(match &text[span.clone()] {
        "AND" | "&&" => Piece::And,
        "OR" | "||" => Piece::Or,
        "NOT" | "!" => Piece::Not,
        word => {
            let end = from + word.trim_end_matches('*').len();
            Piece::Word { span: from..end, prefix: end < to }
        }
    });
    to
}

/// A known field name with its colon at the start of a text, and the bytes it takes.
fn field(text: &str) -> Option<(&'static str, usize)> {
    let colon = text.bytes().take(10).position(|b| b == b':')?;
    let name = text.get(..colon)?;
    FIELDS.into_iter().find(|field| field.eq_ignore_ascii_case(name)).map(|field| (field, colon + 1))
}

fn bare_end(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    let end =
        rest.char_indices().find(|(i, c)| *i > 0 && (c.is_whitespace() || matches!(c, '(' | ')') || is_quote(*c)));
    end.map_or(text.len(), |(i, _)| from + i)
}

/// The range up to the closing quote, or to the end of the text; and what follows it.
fn quoted(text: &str, from: usize) -> (Range<usize>, usize) {
    match text[from..].char_indices().find(|(_, c)| is_quote(*c)) {
        Some((i, c)) => (from..from + i, from + i + c.len_utf8()),
        None => (from..text.len(), text.len()),
    }
}

fn skip(text: &str, from: usize, what: char) -> usize {
    from + (text[from..].len() - text[from..].trim_start_matches(what).len())
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}
