//! Cutting a document at its headers, whether it is in memory or comes in pieces: one logic, so that both give the same.
//!
//! Everything here is bounded: a message that does not end is cut at [`MESSAGE_BYTES`], and documents of nothing but
//! headers stop being cut at [`MAX_MESSAGES`] and [`MAX_EXCHANGES`]. Nothing is left out by that.

use memchr::memchr;
use sg_domain::{ContentBlock, Exchange, Message, Role, Timestamp};

use super::header::{Comments, HEAD_BYTES, Header};
use super::{section, times, written_at};

/// A longer line is no header.
pub(super) const MAX_HEADER_BYTES: usize = 4_096;
/// A message that is longer goes on in another one, of the same header, from the next line on.
const MESSAGE_BYTES: usize = 4 * 1_024 * 1_024;
/// And from here on in the middle of a line.
const LINE_BYTES: usize = 2 * MESSAGE_BYTES;
/// Headers beyond this many are text of the last message.
const MAX_MESSAGES: usize = 200_000;
/// Prompts beyond this many belong to the last exchange.
const MAX_EXCHANGES: usize = 50_000;

/// A document that comes in pieces, cut into messages and exchanges as it comes.
#[derive(Debug)]
pub struct Cutter {
    name: String,
    /// The top of the document until it is known to be complete; then nothing.
    head: Option<String>,
    /// The time in the comments, else in the name.
    written_at: Option<Timestamp>,
    lines: Lines,
    exchanges: Exchanges,
    messages: Messages,
    at: (Option<Timestamp>, Option<Timestamp>),
}

/// What a [`Cutter`] knows at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The same as [`super::exchanges`] of the whole.
    pub exchanges: Vec<Exchange>,
    /// As in the transcript that [`super::read`] makes of the whole.
    pub started_at: Option<Timestamp>,
    /// See `started_at`.
    pub ended_at: Option<Timestamp>,
}

impl Cutter {
    /// Starts a document. `name` is as in [`super::read`].
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            head: Some(String::new()),
            written_at: None,
            lines: Lines::default(),
            exchanges: Exchanges::new(0),
            messages: Messages::default(),
            at: (None, None),
        }
    }

    /// Takes the next piece, which may end anywhere; hands over the messages that are complete with it.
    pub fn push(&mut self, piece: &str, mut take: impl FnMut(Message)) {
        match &mut self.head {
            None => self.body(piece, &mut take),
            Some(head) => {
                head.push_str(piece);
                if head.len() >= HEAD_BYTES {
                    self.begin(&mut take);
                }
            }
        }
    }

    /// Ends the document.
    pub fn finish(mut self, mut take: impl FnMut(Message)) -> Outline {
        if self.head.is_some() {
            self.begin(&mut take);
        }
        let Self { mut lines, mut exchanges, mut messages, mut at, written_at, .. } = self;
        let mut take = |message: Message| {
            at = widened(at, message.at);
            take(message);
        };
        lines.finish(&mut |text, header| {
            exchanges.part(text, header);
            messages.part(text, header, &mut take);
        });
        messages.finish(&mut take);
        let (started_at, ended_at) = times(written_at, at);
        Outline { exchanges: exchanges.finish(), started_at, ended_at }
    }

    fn begin(&mut self, take: &mut impl FnMut(Message)) {
        let head = self.head.take().unwrap_or_default();
        let comments = Comments::of(&head);
        self.written_at = written_at(&comments, &self.name);
        self.exchanges = Exchanges::new(comments.body_at);
        self.body(&head[comments.body_at..], take);
    }

    fn body(&mut self, text: &str, take: &mut impl FnMut(Message)) {
        let Self { lines, exchanges, messages, at, .. } = self;
        lines.push(text, &mut |text, header| {
            exchanges.part(text, header);
            messages.part(text, header, &mut |message: Message| {
                *at = widened(*at, message.at);
                take(message);
            });
        });
    }
}

fn widened(
    (first, last): (Option<Timestamp>, Option<Timestamp>),
    at: Option<Timestamp>,
) -> (Option<Timestamp>, Option<Timestamp>) {
    (first.into_iter().chain(at).min(), last.into_iter().chain(at).max())
}

/// Finds the header lines of text that comes in pieces. What is handed over is the text again, in pieces that end with a
/// line or in the middle of one; a header is always one piece.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line that may be a header.
    held: String,
    /// Whether the line that the last piece ended in is known to be none.
    is_inside: bool,
}

impl Lines {
    pub(super) fn push(&mut self, mut text: &str, part: &mut impl FnMut(&str, Option<&Header<'_>>)) {
        while !text.is_empty() {
            let end = memchr(b'\n', text.as_bytes());
            let (line, rest) = text.split_at(end.map_or(text.len(), |at| at + 1));
            text = rest;
            if self.is_inside {
                part(line, None);
                self.is_inside = end.is_none();
            } else if end.is_some() && self.held.is_empty() {
                whole(line, part);
            } else {
                self.held.push_str(line);
                let is_over = end.is_some();
                if is_over || !may_be_header(&self.held) {
                    self.is_inside = !is_over;
                    if is_over {
                        whole(&self.held, part)
                    } else {
                        part(&self.held, None)
                    }
                    self.held.clear();
                }
            }
        }
    }

    pub(super) fn finish(&mut self, part: &mut impl FnMut(&str, Option<&Header<'_>>)) {
        if !self.held.is_empty() {
            whole(&self.held, part);
            self.held.clear();
        }
    }
}

fn whole(line: &str, part: &mut impl FnMut(&str, Option<&Header<'_>>)) {
    let header = if line.len() <= MAX_HEADER_BYTES { Header::of(line) } else { None };
    part(line, header.as_ref());
}

fn may_be_header(start: &str) -> bool {
    const MARK: &str = "_**";
    start.len() <= MAX_HEADER_BYTES
        && if start.len() < MARK.len() { MARK.starts_with(start) } else { start.starts_with(MARK) }
}

/// Exchanges in the making.
#[derive(Debug)]
pub(super) struct Exchanges {
    out: Vec<Exchange>,
    at: u64,
    answered: bool,
    is_blank: bool,
}

impl Exchanges {
    pub(super) fn new(begin: usize) -> Self {
        let begin = begin as u64;
        Self { out: vec![starting(0, begin)], at: begin, answered: false, is_blank: true }
    }

    pub(super) fn part(&mut self, text: &str, header: Option<&Header<'_>>) {
        let here = self.at;
        self.at += text.len() as u64;
        self.is_blank = self.is_blank && text.trim().is_empty();
        let Some(header) = header else { return };
        if header.role == Role::User && self.answered && self.out.len() < MAX_EXCHANGES {
            self.out.push(starting(self.out.len(), here));
            self.answered = false;
        }
        self.answered |= header.role == Role::Assistant;
        if let Some(last) = self.out.last_mut() {
            (last.started_at, last.ended_at) = widened((last.started_at, last.ended_at), header.at);
        }
    }

    pub(super) fn finish(mut self) -> Vec<Exchange> {
        let mut end = self.at;
        for exchange in self.out.iter_mut().rev() {
            exchange.end = end;
            end = exchange.start;
        }
        if self.is_blank { Vec::new() } else { self.out }
    }
}

fn starting(ordinal: usize, at: u64) -> Exchange {
    Exchange {
        ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
        start: at,
        end: at,
        started_at: None,
        ended_at: None,
        user_title: None,
        hidden_from_share: false,
    }
}

/// What a message takes from its header.
#[derive(Debug)]
struct Speaker {
    role: Role,
    is_sidechain: bool,
    model: Option<String>,
    at: Option<Timestamp>,
}

/// Messages in the making. What stands before the first header is the system's; a document without any is the user's, who
/// wrote it.
#[derive(Debug, Default)]
pub(super) struct Messages {
    speaker: Option<Speaker>,
    body: String,
    /// Whether the message began in an earlier part.
    goes_on: bool,
    headers: usize,
}

impl Messages {
    pub(super) fn part(&mut self, text: &str, header: Option<&Header<'_>>, take: &mut impl FnMut(Message)) {
        if let Some(header) = header.filter(|_| self.headers < MAX_MESSAGES) {
            self.emit(true, take);
            self.headers += 1;
            self.goes_on = false;
            self.speaker = Some(Speaker {
                role: header.role,
                is_sidechain: header.is_sidechain,
                model: header.model.map(str::to_owned),
                at: header.at,
            });
            return;
        }
        let mut rest = text;
        while self.body.len() + rest.len() > LINE_BYTES {
            let (fits, more) = rest.split_at(rest.floor_char_boundary(LINE_BYTES - self.body.len()));
            self.body.push_str(fits);
            rest = more;
            self.go_on(take);
        }
        self.body.push_str(rest);
        if self.body.len() >= MESSAGE_BYTES && self.body.ends_with('\n') {
            self.go_on(take);
        }
    }

    pub(super) fn finish(mut self, take: &mut impl FnMut(Message)) {
        self.emit(false, take);
    }

    fn go_on(&mut self, take: &mut impl FnMut(Message)) {
        self.emit(false, take);
        self.goes_on = true;
    }

    /// Makes a message of the body so far.
    fn emit(&mut self, is_followed: bool, take: &mut impl FnMut(Message)) {
        let text = without_separator(&self.body, is_followed);
        let blocks = match self.speaker.as_ref().map(|s| s.role) {
            Some(Role::Assistant) => section::blocks(text),
            // Thinking and tools are the agent's; what looks like them in a prompt was typed there.
            _ => section::text(text).into_iter().collect::<Vec<ContentBlock>>(),
        };
        self.body.clear();
        if self.body.capacity() > 64 * 1_024 {
            self.body.shrink_to(64 * 1_024);
        }
        let is_nothing = blocks.is_empty() && (self.speaker.is_none() || self.goes_on);
        if is_nothing {
            return;
        }
        take(match &self.speaker {
            None => {
                let role = if is_followed && !self.goes_on { Role::System } else { Role::User };
                Message { blocks, ..Message::text(role, "") }
            }
            Some(speaker) => Message {
                model: speaker.model.clone(),
                at: speaker.at,
                is_sidechain: speaker.is_sidechain,
                blocks,
                ..Message::text(speaker.role, "")
            },
        });
    }
}

/// Drops the rule that stands between the messages of two speakers.
fn without_separator(text: &str, is_followed: bool) -> &str {
    let trimmed = text.trim_end();
    match trimmed.strip_suffix("---") {
        Some(rest) if is_followed && (rest.is_empty() || rest.ends_with('\n')) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::specstory::{exchanges, read};

    fn in_pieces(name: &str, markdown: &str, sizes: &[usize]) -> (Vec<Message>, Outline) {
        let mut cutter = Cutter::new(name);
        let mut messages = Vec::new();
        let (mut rest, mut sizes) = (markdown, sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(rest.len());
            let (piece, more) = rest.split_at(rest.ceil_char_boundary(size.clamp(1, rest.len())));
            cutter.push(piece, |message| messages.push(message));
            rest = more;
        }
        let outline = cutter.finish(|message| messages.push(message));
        (messages, outline)
    }

    fn whole(name: &str, markdown: &str) -> (Vec<Message>, Outline) {
        let transcript = read(name, markdown);
        let (started_at, ended_at) = (transcript.started_at, transcript.ended_at);
        (transcript.messages, Outline { exchanges: exchanges(markdown), started_at, ended_at })
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("<!-- Generated by SpecStory, Markdown v2.1.0 -->".to_owned()),
            Just("<!-- Claude Code Session 11111111-2222-3333-4444-555555555555 (2026-01-16 16:46:41Z) -->".to_owned()),
            Just("# 2026-01-16 16:46:41Z".to_owned()),
            Just("_**User**_".to_owned()),
            Just("_**User (2026-01-16T16:46:41Z)**_\r".to_owned()),
            Just("_**Agent (claude 2026-01-16 16:47:41Z)**_".to_owned()),
            Just("_**Assistant - sidechain**_".to_owned()),
            Just("_**Agent not a header".to_owned()),
            Just("---".to_owned()),
            Just(String::new()),
            Just("<think><details><summary>Thought Process</summary>".to_owned()),
            Just("</details></think>".to_owned()),
            Just("<tool-use data-tool-name=\"Bash\" data-tool-id=\"t1\"><details>".to_owned()),
            Just("</details></tool-use>".to_owned()),
            "[ -~é語🚀\u{2028}]{0,12}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn pieces_give_what_the_whole_gives(
            lines in proptest::collection::vec((line(), any::<bool>()), 0..40),
            sizes in proptest::collection::vec(1_usize..40, 1..8),
        ) {
            let markdown: String = lines.iter().map(|(line, end)| if *end { format!("{line}\n") } else { line.clone() }).collect();
            for name in ["2026-01-16_16-46-41Z-words", ""] {
                prop_assert_eq!(in_pieces(name, &markdown, &sizes), whole(name, &markdown));
            }
        }
    }

    #[test]
    fn what_is_too_long_is_cut_the_same_way() {
        let say = |words: &str, count: usize| words.repeat(count);
        let top = "\n".repeat(HEAD_BYTES + 10) + "<!-- late comment -->\n_**User**_\nhi\n";
        let long_lines = format!(
            "_**User**_\n\n{}\n_**Agent (m)**_\n{}\n---\n\n_**User**_\nbye\n",
            say("語 ", 5_000_000),
            say("x", 9_000_000)
        );
        let many_lines = format!("{}_**Agent**_\n{}_**User**_\nbye", say("before\n", 900_000), say("ab\n", 3_000_000));
        let header = format!("_**Agent {}**_\n_**User**_\nx\n", say("a", MAX_HEADER_BYTES));
        for (markdown, count) in [(top, 2), (long_lines, 6), (many_lines, 6), (header, 2)] {
            let (messages, outline) = whole("n", &markdown);
            assert_eq!(messages.len(), count, "{}", &markdown[..40]);
            for sizes in [&[65_536][..], &[1, 70_001, 333_333]] {
                let (pieces, again) = in_pieces("n", &markdown, sizes);
                assert!(pieces == messages, "{}", &markdown[..40]);
                assert_eq!(again, outline);
            }
            let said = messages.iter().flat_map(|m| &m.blocks).map(|block| match block {
                ContentBlock::Text { text } => text.split_whitespace().map(str::len).sum::<usize>(),
                _ => 0,
            });
            let headers: usize = markdown
                .lines()
                .filter(|l| Header::of(l).is_some() && l.len() < MAX_HEADER_BYTES)
                .flat_map(str::split_whitespace)
                .map(str::len)
                .sum();
            let rules = 3 * markdown.lines().filter(|l| *l == "---").count();
            assert_eq!(said.sum::<usize>() + headers + rules, markdown.split_whitespace().map(str::len).sum::<usize>());
        }
    }

    #[test]
    fn a_document_of_nothing_but_headers_stops_being_cut() {
        let markdown = "_**User**_\n_**Agent**_\n".repeat(MAX_MESSAGES);
        let (messages, outline) = whole("n", &markdown);
        assert_eq!((messages.len(), outline.exchanges.len()), (MAX_MESSAGES, MAX_EXCHANGES));
        assert_eq!(outline.exchanges.last().map(|e| e.end), Some(markdown.len() as u64));
    }
}
