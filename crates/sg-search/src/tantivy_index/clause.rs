//! Clauses of a query against the postings: prepared once for all segments, then walked segment by segment.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::query::{Bm25Weight, EnableScoring, PhrasePrefixQuery, PhraseQuery, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::segment::Snapshot;
use crate::query::{Leaf, LeafField, Matcher};
use crate::tokenizer::STEM_MARK;

/// Terms of a segment that a prefix is looked up among.
const MAX_PREFIX_SCAN: usize = 10_000;
/// Of those, the ones that are used: the most frequent.
const MAX_PREFIX_TERMS: usize = 128;
/// The same for the last word of a phrase.
const MAX_PHRASE_PREFIX_TERMS: u32 = 128;
/// The score of matches whose frequency says nothing: roles, tools.
const FLAT_SCORE: f32 = 0.05;

/// A clause, ready for every segment of one snapshot.
pub(super) struct Clause {
    field: Field,
    is_text: bool,
    variants: Vec<Prepared>,
}

enum Prepared {
    /// Terms of each segment that count alike, and how they score.
    Terms { by_segment: Vec<Vec<TermInfo>>, score: Bm25Weight },
    /// A phrase.
    Phrase { weight: Box<dyn Weight>, boost: f32 },
}

impl Clause {
    /// Looks a clause's terms up.
    pub(super) fn prepare(leaf: &Leaf, snapshot: &Snapshot) -> tantivy::Result<Self> {
        let field = snapshot.fields.of(leaf.field);
        let is_text = leaf.field == LeafField::Text;
        let mut readers = Vec::with_capacity(snapshot.segments.len());
        let mut tokens = 0;
        for segment in snapshot.searcher.segment_readers() {
            let reader = segment.inverted_index(field)?;
            tokens += reader.total_num_tokens();
            readers.push(reader);
        }
        let docs = snapshot.searched();
        let scoring = || EnableScoring::enabled_from_statistics_provider(snapshot, &snapshot.searcher);
        let mut variants = Vec::new();
        for variant in &leaf.variants {
            let prepared = match &variant.matcher {
                Matcher::Term(term) => {
                    let mut by_segment = Vec::with_capacity(readers.len());
                    for reader in &readers {
                        by_segment.push(reader.terms().get(term.as_bytes())?.into_iter().collect());
                    }
                    terms(by_segment, docs, tokens, variant.weight)
                }
                Matcher::Prefix(prefix) => {
                    let mut by_segment = Vec::with_capacity(readers.len());
                    for reader in &readers {
                        by_segment.push(expand(reader, prefix)?);
                    }
                    terms(by_segment, docs, tokens, variant.weight)
                }
                Matcher::Phrase(words) => {
                    let words = words.iter().map(|(at, word)| (*at, Term::from_field_text(field, word))).collect();
                    let query = PhraseQuery::new_with_offset(words);
                    let weight = query.weight(scoring())?;
                    Some(Prepared::Phrase { weight, boost: variant.weight })
                }
                Matcher::PhrasePrefix(words) => {
                    let words = words.iter().map(|(at, word)| (*at, Term::from_field_text(field, word))).collect();
                    let mut query = PhrasePrefixQuery::new_with_offset(words);
                    query.set_max_expansions(MAX_PHRASE_PREFIX_TERMS);
                    let weight = query.weight(scoring())?;
                    Some(Prepared::Phrase { weight, boost: variant.weight })
                }
            };
            variants.extend(prepared);
        }
        Ok(Self { field, is_text, variants })
    }

    /// The matches in one segment.
    pub(super) fn open(&self, number: usize, segment: &SegmentReader) -> tantivy::Result<Matches> {
        let mut cursors = Vec::new();
        for variant in &self.variants {
            match variant {
                Prepared::Terms { by_segment, score } => {
                    let infos = &by_segment[number];
                    if infos.is_empty() {
                        continue;
                    }
                    let reader = segment.inverted_index(self.field)?;
                    let norms = if self.is_text { Some(segment.get_fieldnorms_reader(self.field)?) } else { None };
                    for info in infos {
                        let postings = reader.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
                        let (norms, score) = (norms.clone(), score.clone());
                        cursors.push(Cursor::Term { postings, norms, score });
                    }
                }
                Prepared::Phrase { weight, boost } => {
                    let scorer = weight.scorer(segment, *boost)?;
                    if scorer.doc() != TERMINATED {
                        cursors.push(Cursor::Phrase(scorer));
                    }
                }
            }
        }
        Ok(Matches { cursors })
    }
}

fn terms(by_segment: Vec<Vec<TermInfo>>, docs: u64, tokens: u64, boost: f32) -> Option<Prepared> {
    let found: u64 = by_segment.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
    if found == 0 {
        return None;
    }
    let average = tokens as f32 / docs.max(1) as f32;
    let score = Bm25Weight::for_one_term_without_explain(found.min(docs), docs, average).boost_by(boost);
    Some(Prepared::Terms { by_segment, score })
}

/// The most frequent terms of a segment that start so.
fn expand(reader: &InvertedIndexReader, prefix: &str) -> tantivy::Result<Vec<TermInfo>> {
    let mut stream = reader.terms().range().ge(prefix.as_bytes()).into_stream()?;
    let mut found = Vec::new();
    while found.len() < MAX_PREFIX_SCAN && stream.advance() {
        if !stream.key().starts_with(prefix.as_bytes()) {
            break;
        }
        if !stream.key().starts_with(&[STEM_MARK as u8]) {
            found.push(stream.value().clone());
        }
    }
    if found.len() > MAX_PREFIX_TERMS {
        found.select_nth_unstable_by_key(MAX_PREFIX_TERMS, |info| std::cmp::Reverse(info.doc_freq));
        found.truncate(MAX_PREFIX_TERMS);
    }
    Ok(found)
}

/// The documents of one segment that match a clause, with scores; a document may come more than once.
pub(super) struct Matches {
    cursors: Vec<Cursor>,
}

// Most are terms, and they are walked in the innermost loop: a box would only cost.
#[allow(clippy::large_enum_variant)]
enum Cursor {
    Term { postings: SegmentPostings, norms: Option<FieldNormReader>, score: Bm25Weight },
    Phrase(Box<dyn Scorer>),
}

impl Matches {
    /// The next document that any variant matches.
    pub(super) fn doc(&self) -> DocId {
        self.cursors.iter().map(Cursor::doc).min().unwrap_or(TERMINATED)
    }

    /// Goes to the first match at or after a document.
    pub(super) fn seek(&mut self, target: DocId) {
        for cursor in &mut self.cursors {
            if cursor.doc() < target {
                match cursor {
                    Cursor::Term { postings, .. } => postings.seek(target),
                    Cursor::Phrase(scorer) => scorer.seek(target),
                };
            }
        }
    }

    /// Visits all matches before `end` and goes behind them.
    pub(super) fn drain(&mut self, end: DocId, mut visit: impl FnMut(DocId, f32)) {
        for cursor in &mut self.cursors {
            match cursor {
                Cursor::Term { postings, norms: Some(norms), score } => {
                    let mut doc = postings.doc();
                    while doc < end {
                        visit(doc, score.score(norms.fieldnorm_id(doc), postings.term_freq()));
                        doc = postings.advance();
                    }
                }
                Cursor::Term { postings, norms: None, .. } => {
                    let mut doc = postings.doc();
                    while doc < end {
                        visit(doc, FLAT_SCORE);
                        doc = postings.advance();
                    }
                }
                Cursor::Phrase(scorer) => {
                    let mut doc = scorer.doc();
                    while doc < end {
                        visit(doc, scorer.score());
                        doc = scorer.advance();
                    }
                }
            }
        }
    }
}

impl Cursor {
    fn doc(&self) -> DocId {
        match self {
            Self::Term { postings, .. } => postings.doc(),
            Self::Phrase(scorer) => scorer.doc(),
        }
    }
}
