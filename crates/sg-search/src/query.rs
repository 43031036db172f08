//! The query language: what a person types, made a tree of clauses.
//!
//! Words are ANDed; `"a phrase"`, `prefix*`, `AND`, `OR`, `NOT` (upper case), `-word`, parentheses, and `field:value` or
//! `field:"quoted value"` for `title`, `role`, `tool`, `model`, `branch`, `tag`, `project`, `agent`, `before`, `after`.
//! `before` and `after` take a date or time, a month, a year, or an age such as `7d`; `after` includes its moment.
//! `role:` and `tool:` also narrow where the words beside them are looked for: `role:user login` is a message of the
//! person that says "login". Nothing fails: what is not syntax is text, and what is neither is ignored.

use std::ops::Range;

use sg_domain::{Role, Timestamp};

use crate::tokenizer::{CodeTokenizer, STEM_MARK, TermKind, cut, fold};

mod lexer;

use lexer::{Piece, lex};

/// Bytes of a query that are read; the rest is ignored.
const MAX_QUERY_BYTES: usize = 4_096;
/// Clauses of a query that are read; a mask of 64 bits holds them all.
const MAX_LEAVES: usize = 32;
/// Parentheses deeper than this are ignored.
const MAX_DEPTH: usize = 16;
/// Words of one phrase that are looked for.
const MAX_PHRASE_WORDS: usize = 32;

/// A parsed query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    /// The part of the text that was read.
    pub(crate) text: String,
    /// The clauses that `root` names by place.
    pub(crate) leaves: Vec<Leaf>,
    /// `None` when there is nothing to look for.
    pub(crate) root: Option<Node>,
    /// The clauses that `root` names; the others only narrow these.
    pub(crate) used: Vec<usize>,
}

/// A condition on a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// All of these.
    And(Vec<Node>),
    /// Any of these.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// The session matches a clause somewhere.
    Leaf(usize),
    /// Active at or after `from` and before `to`.
    Active { from: Option<Timestamp>, to: Option<Timestamp> },
}

/// Where a clause is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeafField {
    /// Everything said, titles and labels.
    Text,
    /// The session's title.
    Title,
    /// Branches.
    Branch,
    /// Tags.
    Tag,
    /// The project's name or id.
    Project,
    /// The agent's name.
    Agent,
    /// Models.
    Model,
    /// Who speaks.
    Role,
    /// Names of tools that a message calls or answers for.
    Tool,
}

/// One clause.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Where it is looked for.
    pub(crate) field: LeafField,
    /// Ways to match it; the best one counts.
    pub(crate) variants: Vec<Variant>,
    /// Whether it adds to the score: not under a NOT.
    pub(crate) scored: bool,
    /// Clauses of which one each must hold in the same piece: any of the roles, and any of the tools.
    pub(crate) roles: Vec<usize>,
    /// See `roles`.
    pub(crate) tools: Vec<usize>,
    /// Where it stands in the text.
    pub(crate) span: Range<usize>,
    /// The word, folded, where it is one plain word that may have been mistyped.
    pub(crate) word: Option<String>,
}

/// One way to match a clause.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    /// What is matched.
    pub(crate) matcher: Matcher,
    /// Multiplies its score.
    pub(crate) weight: f32,
}

/// What a variant matches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Matcher {
    /// A term.
    Term(String),
    /// Terms at these distances from the first.
    Phrase(Vec<(usize, String)>),
    /// Every term that starts so.
    Prefix(String),
    /// A phrase whose last term is a prefix.
    PhrasePrefix(Vec<(usize, String)>),
}

/// Parses a query.
pub(crate) fn parse(text: &str, now: Timestamp, tokenizer: &mut CodeTokenizer) -> Parsed {
    let text = cut(text, MAX_QUERY_BYTES).to_owned();
    let pieces = lex(&text);
    let mut parser = Parser { pieces: &pieces, at: 0, leaves: Vec::new(), now, tokenizer, text: &text };
    let mut parts = Vec::new();
    loop {
        parts.extend(parser.any(0));
        // A `)` without its `(`.
        if parser.next().is_none() {
            break;
        }
    }
    let mut leaves = parser.leaves;
    let mut root = and(parts, &leaves);
    let mut used = Vec::new();
    if let Some(root) = &mut root {
        settle(root, true, &mut leaves);
        collect(root, &mut used);
    }
    Parsed { text, leaves, root, used }
}

fn collect(node: &Node, used: &mut Vec<usize>) {
    match node {
        Node::Leaf(i) => used.push(*i),
        Node::Active { .. } => {}
        Node::Not(inner) => collect(inner, used),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect(part, used)),
    }
}

struct Parser<'a> {
    pieces: &'a [Piece],
    at: usize,
    leaves: Vec<Leaf>,
    now: Timestamp,
    tokenizer: &'a mut CodeTokenizer,
    text: &'a str,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Piece> {
        self.pieces.get(self.at)
    }

    fn next(&mut self) -> Option<Piece> {
        let piece = self.pieces.get(self.at).cloned();
        self.at += 1;
        piece
    }

    /// Groups between `OR`s, up to a `)` or the end.
    fn any(&mut self, depth: usize) -> Option<Node> {
        let mut options = Vec::new();
        loop {
            options.extend(self.all(depth));
            match self.peek() {
                Some(Piece::Or) => self.at += 1,
                _ => break,
            }
        }
        match options.len() {
            0 | 1 => options.pop(),
            _ => Some(Node::Or(options)),
        }
    }

    /// Clauses up to an `OR`, a `)` or the end.
    fn all(&mut self, depth: usize) -> Option<Node> {
        let mut parts = Vec::new();
        let mut negated = false;
        while let Some(piece) = self.peek() {
            let node = match piece {
                Piece::Or | Piece::Close => break,
                Piece::And => {
                    self.at += 1;
                    continue;
                }
                Piece::Not => {
                    negated = !negated;
                    self.at += 1;
                    continue;
                }
                Piece::Open if depth < MAX_DEPTH => {
                    self.at += 1;
                    let inner = self.any(depth + 1);
                    if matches!(self.peek(), Some(Piece::Close)) {
                        self.at += 1;
                    }
                    inner
                }
                Piece::Open => {
                    self.at += 1;
                    None
                }
                Piece::Word { .. } | Piece::Quoted { .. } | Piece::Field { .. } => self.clause(),
            };
            if let Some(node) = node {
                parts.push(if negated { Node::Not(Box::new(node)) } else { node });
            }
            negated = false;
        }
        and(parts, &self.leaves)
    }

    fn clause(&mut self) -> Option<Node> {
        let piece = self.next()?;
        if self.leaves.len() >= MAX_LEAVES {
            return None;
        }
        match piece {
            Piece::Word { span, prefix } => self.text_leaf(span, prefix, false),
            Piece::Quoted { inner, .. } => self.text_leaf(inner, false, true),
            Piece::Field { name, value, quoted, prefix, span } => {
                let text = &self.text[value.clone()];
                let field = match name {
                    "before" | "after" => {
                        return match moment(text, self.now) {
                            Some(at) if name == "before" => Some(Node::Active { from: None, to: Some(at) }),
                            Some(at) => Some(Node::Active { from: Some(at), to: None }),
                            None => self.text_leaf(span, false, quoted),
                        };
                    }
                    "title" => LeafField::Title,
                    "branch" => LeafField::Branch,
                    "tag" => LeafField::Tag,
                    "project" => LeafField::Project,
                    "agent" => LeafField::Agent,
                    "model" => LeafField::Model,
                    "tool" => LeafField::Tool,
                    _ => LeafField::Role,
                };
                let variants = match field {
                    LeafField::Role => match role(text) {
                        Some(role) => vec![Variant { matcher: Matcher::Term(role.name().to_owned()), weight: 1.0 }],
                        // No such role: nothing was said in it.
                        None => Vec::new(),
                    },
                    _ => {
                        let text = text.to_owned();
                        let variants = variants(&text, prefix, quoted || field != LeafField::Title, self.tokenizer);
                        if variants.is_empty() {
                            return None;
                        }
                        variants
                    }
                };
                Some(self.push(field, variants, span, None))
            }
            _ => None,
        }
    }

    fn text_leaf(&mut self, span: Range<usize>, prefix: bool, exact: bool) -> Option<Node> {
        let text = self.text[span.clone()].to_owned();
        let variants = variants(&text, prefix, exact, self.tokenizer);
        if variants.is_empty() {
            return None;
        }
        let plain = !prefix && !exact && text.chars().all(char::is_alphanumeric);
        let word = plain.then(|| fold(&text));
        Some(self.push(LeafField::Text, variants, span, word))
    }

    fn push(&mut self, field: LeafField, variants: Vec<Variant>, span: Range<usize>, word: Option<String>) -> Node {
        self.leaves.push(Leaf { field, variants, scored: true, roles: Vec::new(), tools: Vec::new(), span, word });
        Node::Leaf(self.leaves.len() - 1)
    }
}

/// An AND without the words that say nothing, unless there are no others.
fn and(mut parts: Vec<Node>, leaves: &[Leaf]) -> Option<Node> {
    let is_stop = |node: &Node| match node {
        Node::Leaf(i) => leaves[*i].word.as_deref().is_some_and(|word| STOP_WORDS.binary_search(&word).is_ok()),
        _ => false,
    };
    let is_text = |node: &Node| matches!(node, Node::Leaf(i) if leaves[*i].field == LeafField::Text);
    if parts.iter().any(|node| is_text(node) && !is_stop(node)) {
        parts.retain(|node| !is_stop(node));
    }
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Node::And(parts)),
    }
}

/// Marks clauses under a NOT as unscored and hands roles and tools to the words beside them.
fn settle(node: &mut Node, scored: bool, leaves: &mut [Leaf]) {
    match node {
        Node::Leaf(i) => leaves[*i].scored = scored,
        Node::Active { .. } => {}
        Node::Not(inner) => settle(inner, !scored, leaves),
        Node::Or(parts) => parts.iter_mut().for_each(|part| settle(part, scored, leaves)),
        Node::And(parts) => {
            parts.iter_mut().for_each(|part| settle(part, scored, leaves));
            for part in parts.iter() {
                if let Node::Leaf(scope) = part
                    && is_scope(&leaves[*scope])
                {
                    parts.iter().for_each(|part| narrow(part, *scope, leaves));
                }
            }
            // A narrowed word says all that its role and tool say.
            if parts.iter().any(|part| matches!(part, Node::Leaf(i) if leaves[*i].field == LeafField::Text)) {
                parts.retain(|part| !matches!(part, Node::Leaf(i) if is_scope(&leaves[*i])));
            }
        }
    }
}

fn is_scope(leaf: &Leaf) -> bool {
    matches!(leaf.field, LeafField::Role | LeafField::Tool)
}

fn narrow(node: &Node, scope: usize, leaves: &mut [Leaf]) {
    match node {
        Node::Leaf(i) if leaves[*i].field == LeafField::Text => match leaves[scope].field {
            LeafField::Role => leaves[*i].roles.push(scope),
            _ => leaves[*i].tools.push(scope),
        },
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| narrow(part, scope, leaves)),
        // What must not be there must not be there at all.
        Node::Leaf(_) | Node::Not(_) | Node::Active { .. } => {}
    }
}

/// The ways to match a word or phrase; none when it holds no word. `exact` leaves stems and respellings out.
fn variants(text: &str, prefix: bool, exact: bool, tokenizer: &mut CodeTokenizer) -> Vec<Variant> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut singles: Vec<(usize, String)> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut symbol = None;
    let mut last = 0;
    tokenizer.each(text, |token, kind| {
        last = token.position;
        match kind {
            TermKind::Word | TermKind::Pair => words.push((token.position, token.text.clone())),
            TermKind::Single => singles.push((token.position, token.text.clone())),
            TermKind::Part => parts.push(token.text.clone()),
            TermKind::Name => names.push((token.position, token.text.clone())),
            TermKind::Symbol => symbol = Some(token.text.clone()),
            TermKind::Stem => {}
        }
    });
    // A pair says all that its two characters say, except when a prefix may still grow from the last one.
    for (position, text) in singles {
        let paired = words.iter().any(|(at, _)| *at == position || (*at + 1 == position && !prefix));
        if !paired || words.is_empty() {
            words.push((position, text));
        }
    }
    words.sort_by_key(|(position, _)| *position);
    words.truncate(MAX_PHRASE_WORDS);
    let Some(first) = words.first().map(|(position, _)| *position) else { return Vec::new() };
    words.iter_mut().for_each(|(position, _)| *position -= first);

    let mut out = Vec::new();
    let mut add = |matcher, weight| out.push(Variant { matcher, weight });
    // A name that covers the whole text.
    let whole = names.into_iter().next().filter(|(position, _)| *position == first).map(|(_, name)| name);
    let covers = |name: &String| fold(text.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')) == *name;
    let whole = whole.filter(covers);
    if let [(_, word)] = words.as_slice() {
        if prefix {
            add(Matcher::Prefix(whole.unwrap_or_else(|| word.clone())), 1.0);
            return out;
        }
        if let Some(symbol) = symbol {
            add(Matcher::Term(symbol), 1.0);
            return out;
        }
        if let Some(name) = whole {
            add(Matcher::Term(name), 1.2);
        }
        add(Matcher::Term(word.clone()), 1.0);
        if exact {
            return out;
        }
        if let Some(stem) = tokenizer.stem(word) {
            if stem != *word {
                add(Matcher::Term(stem.clone()), 0.7);
            }
            add(Matcher::Term(format!("{STEM_MARK}{stem}")), 0.7);
        }
        if parts.len() > 1 {
            // `parseSession` also stands for `parse_session` and for a part of `parseSessionFile`.
            let spread = parts.iter().cloned().enumerate().collect();
            add(Matcher::Phrase(spread), 0.8);
            add(Matcher::Phrase(parts.into_iter().map(|part| (0, part)).collect()), 0.6);
        }
        return out;
    }
    let joined: String = words.iter().map(|(_, word)| word.as_str()).collect();
    let joins = words.len() <= 4 && joined.is_ascii();
    if prefix {
        if let Some(name) = whole {
            add(Matcher::Prefix(name), 1.2);
        }
        add(Matcher::PhrasePrefix(words), 1.0);
        if joins {
            add(Matcher::Prefix(cut(&joined, 96).to_owned()), 0.8);
        }
        return out;
    }
    if let Some(name) = whole {
        add(Matcher::Term(name), 1.2);
    }
    add(Matcher::Phrase(words), 1.0);
    if joins {
        // `user_id` also stands for `userId`, and the phrase "parse session" for `parseSession`.
        add(Matcher::Term(cut(&joined, 96).to_owned()), 0.8);
    }
    out
}

fn role(name: &str) -> Option<Role> {
    Role::parse(name).or_else(|| match name.to_ascii_lowercase().as_str() {
        "human" | "person" | "me" => Some(Role::User),
        "agent" | "ai" | "model" => Some(Role::Assistant),
        _ => None,
    })
}

/// A date or time, a month, a year, or an age.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        4 if is_digits(text) => return Timestamp::parse(&format!("{text}-01-01")),
        7 if text.as_bytes()[4] == b'-' => return Timestamp::parse(&format!("{text}-01")),
        _ => {}
    }
    match text {
        "today" => return Some(now.start_of_day()),
        "yesterday" => return Some(now.start_of_day().plus_micros(-sg_domain::time::DAY_MICROS)),
        _ => {}
    }
    let unit = match text.bytes().last()? {
        b'h' => sg_domain::time::DAY_MICROS / 24,
        b'd' => sg_domain::time::DAY_MICROS,
        b'w' => 7 * sg_domain::time::DAY_MICROS,
        b'm' => 30 * sg_domain::time::DAY_MICROS,
        b'y' => 365 * sg_domain::time::DAY_MICROS,
        _ => return None,
    };
    let count = &text[..text.len() - 1];
    let count: i64 = if is_digits(count) && count.len() <= 5 { count.parse().ok()? } else { return None };
    Some(now.plus_micros(-unit.saturating_mul(count)))
}

/// English words that say nothing beside others, sorted.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

#[cfg(test)]
mod tests;
