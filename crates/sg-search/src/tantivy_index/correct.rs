//! Typing errors: when little is found, words that nearly match are looked for in the index's own vocabulary.
//!
//! The vocabulary is that of all tenants. A correction is only used, and only told, if a session that the caller may see
//! says it.

use std::collections::{HashMap, HashSet};

use sg_domain::{SearchQuery, SessionId};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED, Term};

use super::filter::SegmentFilter;
use super::segment::Snapshot;
use crate::query::{Matcher, Parsed, Variant};
use crate::tokenizer::STEM_MARK;

/// Words shorter than this are not corrected.
const MIN_LETTERS: usize = 4;
/// From this length on, two errors are forgiven.
const TWO_ERRORS: usize = 8;
/// Candidates that are compared with what the caller may see, the most frequent first.
const MAX_CANDIDATES: usize = 24;
/// Words of a query that are corrected.
const MAX_WORDS: usize = 4;
/// Documents of a candidate that are looked at for one that the caller may see.
const MAX_LOOKED_AT: usize = 20_000;

/// A query with its typing errors mended.
pub(super) struct Corrected {
    /// The query that also matches the mended words.
    pub(super) parsed: Parsed,
    /// The text as the person may have meant it.
    pub(super) text: String,
}

/// Mends the words of a query that the caller's sessions do not know; `None` when there is nothing to mend.
pub(super) fn correct(
    query: &SearchQuery,
    parsed: &Parsed,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Option<Corrected>> {
    let mut mended = parsed.clone();
    let mut replacements = Vec::new();
    let mut tried = 0;
    let words = parsed.used.iter().filter(|leaf| parsed.leaves[**leaf].scored);
    for leaf in words {
        let Some(word) = &parsed.leaves[*leaf].word else { continue };
        // A number or a code is meant as it stands: E0308 is not a mistyped E0309.
        if word.chars().count() < MIN_LETTERS || word.bytes().any(|b| b.is_ascii_digit()) {
            continue;
        }
        if is_known(query, &parsed.leaves[*leaf].variants, snapshot, removed)? {
            continue;
        }
        // Looking is what costs, whether something is found or not.
        if tried == MAX_WORDS {
            break;
        }
        tried += 1;
        if let Some(better) = nearest(query, word, snapshot, removed)? {
            let variants = &mut mended.leaves[*leaf].variants;
            variants.push(Variant { matcher: Matcher::Term(better.clone()), weight: 0.5 });
            replacements.push((parsed.leaves[*leaf].span.clone(), better));
        }
    }
    if replacements.is_empty() {
        return Ok(None);
    }
    let mut text = parsed.text.clone();
    replacements.sort_unstable_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, better) in replacements {
        text.replace_range(span, &better);
    }
    Ok(Some(Corrected { parsed: mended, text }))
}

/// Whether the word itself, or an inflection of it, is said where the caller looks.
fn is_known(
    query: &SearchQuery,
    variants: &[Variant],
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<bool> {
    for variant in variants {
        if let Matcher::Term(term) = &variant.matcher
            && is_visible(query, term, snapshot, removed)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The nearest word of the vocabulary that the caller may know: fewest errors, then most frequent.
fn nearest(
    query: &SearchQuery,
    word: &str,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Option<String>> {
    let field = snapshot.fields.text;
    let letters = word.chars().count();
    let most = if letters >= TWO_ERRORS { 2 } else { 1 };
    for distance in 1..=most {
        let fuzzy = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
        let mut frequency: HashMap<Vec<u8>, u64> = HashMap::new();
        for segment in snapshot.searcher.segment_readers() {
            let reader = segment.inverted_index(field)?;
            let mut stream = reader.terms().search(fuzzy.automaton()?).into_stream()?;
            while stream.advance() {
                let term = stream.key();
                if term != word.as_bytes() && term.first() != Some(&(STEM_MARK as u8)) {
                    *frequency.entry(term.to_vec()).or_default() += u64::from(stream.value().doc_freq);
                }
            }
        }
        let mut candidates: Vec<(Vec<u8>, u64)> = frequency.into_iter().collect();
        // A typing error seldom hits the first letter.
        let first = word.as_bytes().first();
        let key = |(term, count): &(Vec<u8>, u64)| (term.first() != first, std::cmp::Reverse(*count));
        candidates.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.0.cmp(&b.0)));
        for (term, _) in candidates.into_iter().take(MAX_CANDIDATES) {
            if let Ok(term) = String::from_utf8(term)
                && term.chars().all(char::is_alphanumeric)
                && is_visible(query, &term, snapshot, removed)?
            {
                return Ok(Some(term));
            }
        }
    }
    Ok(None)
}

/// Whether a session that the query may find says a term.
fn is_visible(
    query: &SearchQuery,
    term: &str,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<bool> {
    let term = Term::from_field_text(snapshot.fields.text, term);
    for (reader, sessions) in snapshot.each() {
        let filter = SegmentFilter::new(reader, sessions, &query.visibility, &query.filter)?;
        let postings = reader.inverted_index(snapshot.fields.text)?.read_postings(&term, IndexRecordOption::Basic)?;
        let Some(mut postings) = postings.filter(|_| !filter.is_never()) else { continue };
        let mut looked_at = 0;
        while postings.doc() != TERMINATED && looked_at < MAX_LOOKED_AT {
            let session = sessions.session_of[postings.doc() as usize] as usize;
            let alive = reader.alive_bitset().is_none_or(|alive| alive.is_alive(sessions.heads[session]));
            if alive && filter.passes(session) && !removed.contains(&sessions.id(session)) {
                return Ok(true);
            }
            postings.seek(sessions.block(session).end);
            looked_at += 1;
        }
    }
    Ok(false)
}
