//! The search for sessions to resume: which exchanges hold every clause, segment by segment.
//!
//! The documents that may be an answer are a set of bits, which each clause narrows; clauses of one word go first, since
//! they cost the least. A beginning of up to `MAX_START_CHARS` characters has one list of documents of its own, a longer
//! one those of all words behind it, however many. Neighbours are looked for only in documents that hold their words.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sg_domain::{ExchangeHit, ExchangeQuery, SessionFilter, SessionId};
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, SegmentReader, TERMINATED};

use super::excerpt::Excerpts;
use super::filter::SegmentFilter;
use super::segment::{SegmentSessions, Snapshot};
use crate::exchange::{Clause, MAX_START_CHARS, parse};

/// Answers a query.
pub(super) fn exchanges(
    query: &ExchangeQuery,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Vec<ExchangeHit>> {
    let mut clauses = parse(&query.text);
    // One word before several, and of those the longer first: it stands in fewer exchanges.
    clauses.sort_by_key(|clause| {
        let letters: usize = clause.words.iter().map(String::len).sum();
        (clause.words.len() > 1, std::cmp::Reverse(letters))
    });
    let mut hits = Vec::new();
    if clauses.is_empty() {
        return Ok(hits);
    }
    let filter = SessionFilter {
        project_ids: query.project.iter().map(|project| project.as_str().to_owned()).collect(),
        resumable: Some(true),
        ..SessionFilter::default()
    };
    let mut excerpts = Excerpts::new(&clauses);
    for (number, (reader, sessions)) in snapshot.each().enumerate() {
        let filter = SegmentFilter::new(reader, sessions, &query.visibility, &filter)?;
        if filter.is_never() || sessions.exchanges.is_empty() {
            continue;
        }
        let alive = reader.alive_bitset();
        let may_be_found = |session: usize| {
            alive.is_none_or(|alive| alive.is_alive(sessions.heads[session]))
                && (removed.is_empty() || !removed.contains(&sessions.id(session)))
                && filter.passes(session)
        };
        let segment = Segment::open(snapshot, reader, sessions)?;
        let mut candidates = candidates(sessions, reader.max_doc(), may_be_found);
        let Some(phrases) = segment.narrow(&clauses, &mut candidates)? else { continue };
        let found = first_of_each(sessions, &candidates);
        let places = segment.places(&clauses, &phrases, &found)?;
        excerpts.make(snapshot, number, &found, &places, &mut hits)?;
    }
    Ok(hits)
}

/// The exchanges of all sessions that may be found.
fn candidates(sessions: &SegmentSessions, docs: DocId, may_be_found: impl Fn(usize) -> bool) -> Docs {
    let mut all = Docs::new(docs);
    let mut last = None;
    for doc in &sessions.exchanges {
        let session = sessions.session_of[*doc as usize] as usize;
        let (_, is_wanted) = *match &last {
            Some(known @ (of, _)) if *of == session => known,
            _ => last.insert((session, may_be_found(session))),
        };
        if is_wanted {
            all.add(*doc);
        }
    }
    all
}

/// Of each session its first exchange that was found.
fn first_of_each(sessions: &SegmentSessions, found: &Docs) -> Vec<DocId> {
    let mut first: Vec<DocId> = Vec::new();
    let mut last = None;
    for doc in found.iter() {
        let session = sessions.session_of[doc as usize];
        if last != Some(session) {
            first.push(doc);
            last = Some(session);
        }
    }
    first
}

/// Where the words of a clause stand in documents: one place each.
pub(super) type Places = HashMap<DocId, u32>;

/// A document that is in no slot.
const NO_SLOT: u32 = u32::MAX;

/// What of each session is decided already.
struct Settled<'a> {
    sessions: &'a SegmentSessions,
    /// Of each session the first document that was found; empty when each document counts for itself.
    first: Vec<DocId>,
}

impl<'a> Settled<'a> {
    fn new(sessions: &'a SegmentSessions, by_session: bool) -> Self {
        Self { sessions, first: if by_session { vec![DocId::MAX; sessions.len()] } else { Vec::new() } }
    }

    /// Whether a document cannot change the answer any more.
    fn is_enough(&self, doc: DocId) -> bool {
        !self.first.is_empty() && self.first[self.sessions.session_of[doc as usize] as usize] <= doc
    }

    fn add(&mut self, doc: DocId) {
        if !self.first.is_empty() {
            let first = &mut self.first[self.sessions.session_of[doc as usize] as usize];
            *first = doc.min(*first);
        }
    }
}

/// The words of one segment.
struct Segment<'a> {
    words: Arc<InvertedIndexReader>,
    starts: Arc<InvertedIndexReader>,
    sessions: &'a SegmentSessions,
    docs: DocId,
}

impl<'a> Segment<'a> {
    fn open(snapshot: &Snapshot, reader: &SegmentReader, sessions: &'a SegmentSessions) -> tantivy::Result<Self> {
        let words = reader.inverted_index(snapshot.fields.exchange)?;
        let starts = reader.inverted_index(snapshot.fields.starts)?;
        Ok(Self { words, starts, sessions, docs: reader.max_doc() })
    }

    /// Leaves the documents that hold every clause, of a session at least the first one, and tells where clauses of
    /// several words stand; `None` when there are no such documents.
    fn narrow(&self, clauses: &[Clause], candidates: &mut Docs) -> tantivy::Result<Option<Vec<Option<Places>>>> {
        let mut phrases = Vec::with_capacity(clauses.len());
        for (number, clause) in clauses.iter().enumerate() {
            let last = clause.words.len() - 1;
            for (i, word) in clause.words.iter().enumerate() {
                if candidates.is_empty() {
                    return Ok(None);
                }
                candidates.keep(&self.holding(word, clause.is_open && i == last)?);
            }
            let is_final = number + 1 == clauses.len();
            phrases.push(if last > 0 { Some(self.neighbours(clause, candidates, is_final)?) } else { None });
        }
        Ok((!candidates.is_empty()).then_some(phrases))
    }

    /// The documents that hold a word, or one that begins so.
    fn holding(&self, word: &str, is_start: bool) -> tantivy::Result<Docs> {
        let mut docs = Docs::new(self.docs);
        let (index, infos) = match is_start {
            true if word.chars().nth(MAX_START_CHARS).is_none() => (&self.starts, exact(&self.starts, word)?),
            true => (&self.words, beginning(&self.words, word)?),
            false => (&self.words, exact(&self.words, word)?),
        };
        for info in &infos {
            let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                docs.add(doc);
                doc = postings.advance();
            }
        }
        Ok(docs)
    }

    /// Leaves the candidates in which the words of a clause follow each other, and tells a place where they do. For the
    /// final clause the first such document of a session is enough, and nothing is read of those behind it.
    fn neighbours(&self, clause: &Clause, candidates: &mut Docs, is_final: bool) -> tantivy::Result<Places> {
        let whole = clause.words.len() - usize::from(clause.is_open);
        let mut postings = Vec::with_capacity(whole);
        for word in &clause.words[..whole] {
            for info in exact(&self.words, word)? {
                postings.push(self.positions_of(&info)?);
            }
        }
        let mut settled = Settled::new(self.sessions, is_final);
        let mut found = Places::new();
        // Where all words but the one that is a beginning follow each other.
        let mut almost = Vec::new();
        let mut slot_of: Vec<u32> = if clause.is_open { vec![NO_SLOT; self.docs as usize] } else { Vec::new() };
        let (mut places, mut others) = (Vec::new(), Vec::new());
        for doc in candidates.iter() {
            if settled.is_enough(doc) {
                continue;
            }
            places.clear();
            for (i, postings) in (0..).zip(&mut postings) {
                if postings.doc() < doc {
                    postings.seek(doc);
                }
                if postings.doc() != doc {
                    places.clear();
                } else if i == 0 {
                    postings.positions(&mut places);
                } else {
                    postings.positions(&mut others);
                    keep_followed(&mut places, i, &others);
                }
                if places.is_empty() {
                    break;
                }
            }
            let Some(first) = places.first() else { continue };
            if clause.is_open {
                slot_of[doc as usize] = u32::try_from(almost.len()).unwrap_or(NO_SLOT);
                almost.push(places.clone());
            } else {
                found.insert(doc, *first);
                settled.add(doc);
            }
        }
        if clause.is_open && !almost.is_empty() {
            let distance = u32::try_from(whole).unwrap_or(u32::MAX);
            // The most frequent words settle most documents, so that nothing has to be read of the many rare ones.
            for info in frequent_first(beginning(&self.words, &clause.words[whole])?) {
                let mut postings = self.positions_of(&info)?;
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    let slot = slot_of[doc as usize];
                    if slot != NO_SLOT && !settled.is_enough(doc) {
                        postings.positions(&mut others);
                        let is_followed = |at: &&u32| others.binary_search(&at.saturating_add(distance)).is_ok();
                        if let Some(first) = almost[slot as usize].iter().find(is_followed) {
                            found.insert(doc, *first);
                            settled.add(doc);
                            slot_of[doc as usize] = NO_SLOT;
                        }
                    }
                    doc = postings.advance();
                }
            }
        }
        candidates.retain(|doc| found.contains_key(&doc));
        Ok(found)
    }

    /// Where to look for a snippet in each document. One clause decides, the one that says most: neighbours, else the
    /// longest word. Of short beginnings no places are kept; they stand near the start of an exchange.
    fn places(&self, clauses: &[Clause], phrases: &[Option<Places>], found: &[DocId]) -> tantivy::Result<Places> {
        if let Some(places) = phrases.iter().flatten().next() {
            return Ok(found.iter().filter_map(|doc| Some((*doc, *places.get(doc)?))).collect());
        }
        let mut places = Places::new();
        let says_most =
            clauses.iter().find(|clause| !clause.is_open || clause.words[0].chars().nth(MAX_START_CHARS).is_some());
        let Some(clause) = says_most else { return Ok(places) };
        let word = &clause.words[0];
        let infos = if clause.is_open { beginning(&self.words, word)? } else { exact(&self.words, word)? };
        let mut wanted = Docs::new(self.docs);
        found.iter().for_each(|doc| wanted.add(*doc));
        let mut positions = Vec::new();
        for info in frequent_first(infos) {
            let mut postings = self.positions_of(&info)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if wanted.has(doc) {
                    postings.positions(&mut positions);
                    places.extend(positions.first().map(|first| (doc, *first)));
                    wanted.remove(doc);
                }
                doc = postings.advance();
            }
        }
        Ok(places)
    }

    fn positions_of(&self, info: &TermInfo) -> tantivy::Result<SegmentPostings> {
        Ok(self.words.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions)?)
    }
}

/// Leaves the places that have one of `others` at a distance behind them. Both ascend.
fn keep_followed(places: &mut Vec<u32>, distance: u32, others: &[u32]) {
    let mut at = 0;
    places.retain(|place| {
        let wanted = place.saturating_add(distance);
        while others.get(at).is_some_and(|other| *other < wanted) {
            at += 1;
        }
        others.get(at) == Some(&wanted)
    });
}

fn exact(index: &InvertedIndexReader, word: &str) -> tantivy::Result<Vec<TermInfo>> {
    Ok(index.terms().get(word.as_bytes())?.into_iter().collect())
}

/// Every word that begins so.
fn beginning(index: &InvertedIndexReader, start: &str) -> tantivy::Result<Vec<TermInfo>> {
    let mut stream = index.terms().range().ge(start.as_bytes()).into_stream()?;
    let mut found = Vec::new();
    while stream.advance() && stream.key().starts_with(start.as_bytes()) {
        found.push(stream.value().clone());
    }
    Ok(found)
}

fn frequent_first(mut infos: Vec<TermInfo>) -> Vec<TermInfo> {
    infos.sort_unstable_by_key(|info| std::cmp::Reverse(info.doc_freq));
    infos
}

/// A set of documents of one segment.
struct Docs {
    words: Vec<u64>,
}

impl Docs {
    fn new(docs: DocId) -> Self {
        Self { words: vec![0; (docs as usize).div_ceil(64)] }
    }

    fn add(&mut self, doc: DocId) {
        self.words[doc as usize / 64] |= 1 << (doc % 64);
    }

    fn remove(&mut self, doc: DocId) {
        self.words[doc as usize / 64] &= !(1 << (doc % 64));
    }

    fn has(&self, doc: DocId) -> bool {
        self.words[doc as usize / 64] & 1 << (doc % 64) != 0
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Leaves what is in the other set too.
    fn keep(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    fn retain(&mut self, wanted: impl Fn(DocId) -> bool) {
        let gone: Vec<DocId> = self.iter().filter(|doc| !wanted(*doc)).collect();
        gone.into_iter().for_each(|doc| self.remove(doc));
    }

    /// Ascending.
    fn iter(&self) -> impl Iterator<Item = DocId> + '_ {
        (0..).zip(&self.words).flat_map(|(place, word): (DocId, &u64)| {
            let mut bits = *word;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(place * 64 + bit)
            })
        })
    }
}
