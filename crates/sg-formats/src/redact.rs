//! Finding secrets in an agent's file before anything of it is stored: cloud keys, tokens, private keys, passwords in
//! addresses and assignments. Works on the raw bytes, JSON-escaped or not, and replaces the secret alone by
//! `[REDACTED:<kind>]`, so that JSON stays JSON and the text around it stays readable.

mod rules;
mod scan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use crate::sessionfs;
use rules::RULES;

/// Finds and replaces secrets. Cheap to share, costly to make: see [`Redactor::shared`].
pub struct Redactor {
    /// Every rule starts from a literal; one automaton finds them all in one pass. `None` only if it cannot be built,
    /// which a test rules out.
    anchors: Option<AhoCorasick>,
}

/// Bytes without their secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The bytes; borrowed when there was nothing to replace.
    pub bytes: Cow<'a, [u8]>,
    /// How many secrets were replaced, by kind.
    pub counts: BTreeMap<&'static str, u64>,
}

/// Looks at one text; each but the last must have found something.
const MAX_PASSES: usize = 8;

static SHARED: LazyLock<Redactor> = LazyLock::new(Redactor::new);

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// Builds it.
    pub fn new() -> Self {
        let anchors = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(RULES.iter().map(|rule| rule.anchor));
        Self { anchors: anchors.ok() }
    }

    /// One for the whole process.
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// Replaces every secret. Doing it again changes nothing. A SessionFS archive is unpacked, and packed again if a
    /// secret was in it; one that cannot be unpacked is left alone, as no format reads it.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Redacted<'a> {
        if bytes.starts_with(sessionfs::GZIP) {
            return self.archive(bytes).unwrap_or(Redacted { bytes: Cow::Borrowed(bytes), counts: BTreeMap::new() });
        }
        self.redact_text(bytes)
    }

    fn archive<'a>(&self, bytes: &'a [u8]) -> Option<Redacted<'a>> {
        let mut members = sessionfs::unpack(bytes, &sessionfs::Limits::default()).ok()?;
        let mut counts = BTreeMap::new();
        for member in &mut members {
            let redacted = self.redact_text(&member.bytes);
            for (kind, count) in &redacted.counts {
                *counts.entry(*kind).or_default() += count;
            }
            if let Cow::Owned(clean) = redacted.bytes {
                member.bytes = clean;
            }
        }
        let bytes = if counts.is_empty() { Cow::Borrowed(bytes) } else { Cow::Owned(sessionfs::pack(&members).ok()?) };
        Some(Redacted { bytes, counts })
    }

    /// The same of bytes that are no archive, whatever they begin with.
    pub fn redact_text<'a>(&self, bytes: &'a [u8]) -> Redacted<'a> {
        let mut redacted = self.pass(bytes);
        // One secret may have hidden another: a password that runs into a key is seen once the key is gone.
        for _ in 1..MAX_PASSES {
            let Cow::Owned(clean) = &redacted.bytes else { break };
            let again = self.pass(clean);
            let Cow::Owned(cleaner) = again.bytes else { break };
            for (kind, count) in again.counts {
                *redacted.counts.entry(kind).or_default() += count;
            }
            redacted.bytes = Cow::Owned(cleaner);
        }
        redacted
    }

    /// One look from the beginning to the end.
    fn pass<'a>(&self, bytes: &'a [u8]) -> Redacted<'a> {
        let mut counts = BTreeMap::new();
        let mut out: Vec<u8> = Vec::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(found) = self.anchors.as_ref().and_then(|a| a.find(Input::new(bytes).range(at..))) {
            at = found.end();
            let Some(rule) = RULES.get(found.pattern().as_usize()) else { continue };
            let Some((kind, secret)) = scan::secret(bytes, found.start(), found.end(), rule) else { continue };
            // Anchors are found in order, but a secret may stand before the last one that was copied up to.
            if secret.start < copied || secret.is_empty() {
                continue;
            }
            out.extend_from_slice(&bytes[copied..secret.start]);
            out.extend_from_slice(b"[REDACTED:");
            out.extend_from_slice(kind.as_bytes());
            out.push(b']');
            *counts.entry(kind).or_default() += 1;
            copied = secret.end;
            at = at.max(secret.end);
        }
        if counts.is_empty() {
            return Redacted { bytes: Cow::Borrowed(bytes), counts };
        }
        out.extend_from_slice(&bytes[copied..]);
        Redacted { bytes: Cow::Owned(out), counts }
    }
}

/// A short text without its secrets, for titles.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    match Redactor::shared().redact(text.as_bytes()).bytes {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests;
