//! What people say of exchanges (titles, what a share leaves out), and carrying it over when a session's content changes.
//!
//! Exchanges have no id of their own, only a place, and places move when a document grows at its front or shrinks. So
//! marks follow the text. What is hidden must never come to light by that: when a hidden text is not found again,
//! whatever may have become of it is hidden and the session is no longer shared.

use std::collections::HashMap;
use std::io::Read as _;

use futures_util::TryStreamExt as _;
use sg_domain::wtf8::{self, Decoder};
use sg_domain::{Digest, Error, Exchange, Result};
use sg_formats::specstory::ExchangeParts;
use sg_store::Content;

use crate::App;
use crate::session_read::{PIECE_BYTES, WHOLE_BYTES, blocking};

/// The exchanges to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) exchanges: Vec<Exchange>,
    /// A hidden exchange is not among them: the session must not stay shared, or its return would show it.
    pub(crate) is_hidden_lost: bool,
}

/// Whether somebody gave an exchange a title or hid it.
pub(crate) fn is_marked(exchange: &Exchange) -> bool {
    exchange.user_title.is_some() || exchange.hidden_from_share
}

/// Titles and hidden flags of exchanges, as text; empty when nobody changed any.
pub(crate) fn exchange_marks(exchanges: &[Exchange]) -> String {
    let marked = exchanges.iter().filter(|exchange| is_marked(exchange));
    marked.map(|e| format!("{}:{}:{:?};", e.ordinal, e.hidden_from_share, e.user_title)).collect()
}

impl App {
    /// The exchanges of new markdown with the marks of the stored ones.
    pub(crate) async fn carry_marks(
        &self,
        old: Vec<Exchange>,
        (old_markdown, old_size): (Digest, u64),
        new: &[Exchange],
        markdown: &Content,
    ) -> Result<Carried> {
        let new = new.to_vec();
        if !old.iter().any(is_marked) {
            return Ok(Carried { exchanges: new, is_hidden_lost: false });
        }
        if old_size.max(markdown.len()) > WHOLE_BYTES {
            let same = self.common_prefix(old_markdown, markdown).await?;
            return Ok(Matching::of_prefix(&old, &new, same).carry(&old, new));
        }
        let before = self.store().blobs().get(old_markdown).await?;
        let markdown = markdown.clone();
        blocking(move || {
            // Content that was lost matches nothing.
            let before = before.unwrap_or_default();
            let after = markdown.read()?;
            let (before, after) = (wtf8::lossy(&before), wtf8::lossy(&after));
            Ok(Matching::of_text(&old, &before, &new, &after).carry(&old, new))
        })
        .await
    }

    /// How many bytes of text two documents begin with that are the same, without having either in memory.
    async fn common_prefix(&self, old: Digest, new: &Content) -> Result<u64> {
        if new.digest() == old {
            return Ok(u64::MAX);
        }
        let Some(mut pieces) = self.store().blobs().stream(old).await? else { return Ok(0) };
        let mut reader = new.reader();
        let (mut old_text, mut new_text) = (Decoder::default(), Decoder::default());
        let (mut old_rest, mut new_rest) = (String::new(), String::new());
        let mut same = 0;
        loop {
            // An end that is not complete yet waits in the decoder; at the very end it differs at worst.
            let Some(piece) = pieces.try_next().await? else { return Ok(same) };
            old_text.push(&piece, &mut old_rest);
            while new_rest.len() < old_rest.len() {
                let (back, buffer) = blocking(move || {
                    let mut buffer = vec![0; PIECE_BYTES];
                    let read = reader.read(&mut buffer);
                    buffer.truncate(read.map_err(|error| Error::unavailable("a spool cannot be read", error))?);
                    Ok((reader, buffer))
                })
                .await?;
                reader = back;
                if buffer.is_empty() {
                    break;
                }
                new_text.push(&buffer, &mut new_rest);
            }
            let both = old_rest.bytes().zip(new_rest.bytes()).take_while(|(a, b)| a == b).count();
            same += both as u64;
            if both < old_rest.len() {
                return Ok(same);
            }
            old_rest.clear();
            // All of it was equal, so it ends where a character does.
            new_rest.drain(..both);
        }
    }
}

/// Which new exchange is which stored one.
struct Matching {
    /// For each stored exchange, its place among the new ones.
    place: Vec<Option<usize>>,
    /// For each new exchange, whether it is known to be a stored one.
    is_known: Vec<bool>,
    /// New exchanges that are hidden besides those that hidden ones became.
    hide: Vec<usize>,
}

impl Matching {
    fn new(old: usize, new: usize) -> Self {
        Self { place: vec![None; old], is_known: vec![false; new], hide: Vec::new() }
    }

    fn pair(&mut self, old: usize, new: usize) {
        self.place[old] = Some(new);
        self.is_known[new] = true;
    }

    /// Of documents whose first `same` bytes are the same: what lies within stays where it is.
    fn of_prefix(old: &[Exchange], new: &[Exchange], same: u64) -> Self {
        let mut matching = Self::new(old.len(), new.len());
        for (at, (before, after)) in old.iter().zip(new).enumerate() {
            if before.start == after.start && before.end <= same && after.end >= before.end {
                matching.pair(at, at);
            }
        }
        matching
    }

    fn of_text(old: &[Exchange], before: &str, new: &[Exchange], after: &str) -> Self {
        let mut matching = Self::new(old.len(), new.len());
        let (before, after) = (parts(old, before), parts(new, after));
        matching.by(old, &before, &after, |parts| parts.said);
        // The last one may have got its answer, or more of it.
        if let Some(last) = old.len().checked_sub(1)
            && matching.place[last].is_none()
            && !before[last].prompt.is_empty()
        {
            let grown =
                (0..new.len()).find(|at| !matching.is_known[*at] && after[*at].said.starts_with(before[last].said));
            if let Some(at) = grown {
                matching.pair(last, at);
            }
        }
        matching.by(old, &before, &after, |parts| parts.prompt);
        // What stands before the first header is shown with whichever exchange is first. A heading is the title.
        let has_preamble = |parts: &ExchangeParts<'_>| parts.preamble.lines().any(|line| !is_heading(line));
        if old.first().is_some_and(|first| first.hidden_from_share)
            && before.first().is_some_and(has_preamble)
            && after.first().is_some_and(has_preamble)
        {
            matching.hide.push(0);
        }
        matching
    }

    /// Pairs those that are not paired yet and have the same key, in order. When there are not as many on both sides, a
    /// hidden one may be any of them.
    fn by<'a>(
        &mut self,
        old: &[Exchange],
        before: &[ExchangeParts<'a>],
        after: &[ExchangeParts<'a>],
        key: impl Fn(&ExchangeParts<'a>) -> &'a str,
    ) {
        let mut groups: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (at, parts) in before.iter().enumerate().filter(|(at, _)| self.place[*at].is_none()) {
            groups.entry(key(parts)).or_default().0.push(at);
        }
        for (at, parts) in after.iter().enumerate().filter(|(at, _)| !self.is_known[*at]) {
            if let Some(group) = groups.get_mut(key(parts)) {
                group.1.push(at);
            }
        }
        for (key, (olds, news)) in groups {
            if key.is_empty() && olds.len() != news.len() {
                continue;
            }
            if olds.len() != news.len() && olds.iter().any(|at| old[*at].hidden_from_share) {
                self.hide.extend(&news);
            }
            olds.iter().zip(&news).for_each(|(old, new)| self.pair(*old, *new));
        }
    }

    fn carry(mut self, old: &[Exchange], mut new: Vec<Exchange>) -> Carried {
        for (exchange, place) in old.iter().zip(&self.place) {
            if let Some(place) = *place {
                new[place].user_title.clone_from(&exchange.user_title);
                new[place].hidden_from_share = exchange.hidden_from_share;
            }
        }
        let mut is_hidden_lost = false;
        // One that is not found again may have become any of the unknown ones between its neighbours.
        let mut lower = 0;
        for (at, exchange) in old.iter().enumerate() {
            if let Some(place) = self.place[at] {
                lower = place + 1;
                continue;
            }
            if !exchange.hidden_from_share {
                continue;
            }
            is_hidden_lost = true;
            if at < new.len() {
                self.hide.push(at);
            }
            let mut unknown = lower;
            while unknown < new.len() && !self.is_known[unknown] {
                self.hide.push(unknown);
                unknown += 1;
            }
            lower = unknown;
        }
        for at in self.hide {
            new[at].hidden_from_share = true;
        }
        Carried { exchanges: new, is_hidden_lost }
    }
}

fn parts<'a>(exchanges: &[Exchange], text: &'a str) -> Vec<ExchangeParts<'a>> {
    exchanges.iter().map(|exchange| ExchangeParts::of(exchange.slice(text))).collect()
}

fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("# ") || (line.starts_with("<!--") && line.ends_with("-->"))
}
