//! What a page shows of each session on it: the best messages and their snippets.

use std::collections::BTreeMap;

use sg_domain::search::MessageHit;
use sg_domain::{Hit, SearchQuery};
use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, TantivyDocument};

use super::clause::Clause;
use super::rank::{Found, rank};
use super::scan::Scan;
use super::schema::{PLACE, Place};
use super::segment::Snapshot;
use crate::piece::PieceKind;
use crate::query::Parsed;
use crate::snippet::{Highlighter, Snippet};
use crate::tokenizer::CodeTokenizer;

/// The most messages a hit may carry.
const MAX_MESSAGES: usize = 100;

/// Makes the hits of a page.
pub(super) fn hits(
    query: &SearchQuery,
    parsed: &Parsed,
    clauses: &[Option<Clause>],
    snapshot: &Snapshot,
    page: &[Found],
) -> tantivy::Result<Vec<Hit>> {
    let highlighter = Highlighter::new(parsed);
    let mut tokenizer = CodeTokenizer::default();
    let mut hits: Vec<Option<Hit>> = page.iter().map(|_| None).collect();
    // Postings only go forward: the sessions of a segment are visited in its order.
    let mut by_segment: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
    for (place, found) in page.iter().enumerate() {
        by_segment.entry(found.segment).or_default().push((found.session, place));
    }
    for (segment, mut wanted) in by_segment {
        wanted.sort_unstable();
        let number = segment as usize;
        let reader = snapshot.searcher.segment_reader(segment);
        let sessions = &snapshot.segments[number];
        let places = reader.fast_fields().u64(PLACE)?;
        let mut scan = Scan::open(parsed, clauses, number, reader)?;
        for (session, place) in wanted {
            let block = sessions.block(session as usize);
            let (mut best_of_head, mut pieces) = (None, Vec::new());
            scan.seek(block.start);
            scan.run(block.end, |doc, line| {
                let kind = sessions.kinds[doc as usize];
                let scored = parsed.used.iter().filter(|leaf| parsed.leaves[**leaf].scored);
                let score = scored.map(|leaf| line[*leaf]).sum::<f32>() * PieceKind::WEIGHTS[kind as usize];
                if score <= 0.0 {
                } else if kind > PieceKind::Labels as u8 {
                    pieces.push((score, doc));
                } else if best_of_head.is_none_or(|(best, _)| score > best) {
                    best_of_head = Some((score, doc));
                }
            });
            let mut maker = Maker { query, snapshot, segment, highlighter: &highlighter, tokenizer: &mut tokenizer };
            let (mut messages, mut highlights) =
                maker.messages(pieces, |doc| Place::unpack(places.first(doc).unwrap_or_default()))?;
            let mut snippet = messages.first().and_then(|message| message.snippet.clone());
            if query.snippets && snippet.is_none() {
                // Only the title or a label matched, or nothing had to: the start of what was said.
                let said = block.clone().nth(2).filter(|doc| !PieceKind::is_exchange(sessions.kinds[*doc as usize]));
                let shown = best_of_head.map(|(_, doc)| doc).or(said).unwrap_or(block.start);
                let made = maker.snippet(shown)?;
                highlights.extend(made.highlights);
                snippet = Some(made.html);
            }
            let found = &page[place];
            messages.truncate(query.messages_per_hit);
            hits[place] = Some(Hit {
                session: sessions.id(session as usize),
                rank: rank(found.score),
                snippet,
                highlights,
                messages,
            });
        }
    }
    Ok(hits.into_iter().flatten().collect())
}

struct Maker<'a> {
    query: &'a SearchQuery,
    snapshot: &'a Snapshot,
    segment: u32,
    highlighter: &'a Highlighter,
    tokenizer: &'a mut CodeTokenizer,
}

impl Maker<'_> {
    /// The best messages, and the words that matched in them.
    fn messages(
        &mut self,
        mut pieces: Vec<(f32, DocId)>,
        place: impl Fn(DocId) -> Place,
    ) -> tantivy::Result<(Vec<MessageHit>, Vec<String>)> {
        pieces.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut messages: Vec<MessageHit> = Vec::new();
        let mut highlights = Vec::new();
        // At least one, for the snippet of the hit.
        let wanted = self.query.messages_per_hit.clamp(1, MAX_MESSAGES);
        for (_, doc) in pieces {
            if messages.len() == wanted {
                break;
            }
            let place = place(doc);
            if messages.iter().any(|message| message.ordinal == place.ordinal) {
                continue;
            }
            let snippet = if self.query.snippets { Some(self.snippet(doc)?) } else { None };
            let html = snippet.map(|snippet| {
                for word in snippet.highlights {
                    if !highlights.contains(&word) {
                        highlights.push(word);
                    }
                }
                snippet.html
            });
            messages.push(MessageHit { ordinal: place.ordinal, role: place.role, snippet: html });
        }
        Ok((messages, highlights))
    }

    fn snippet(&mut self, doc: DocId) -> tantivy::Result<Snippet> {
        let doc: TantivyDocument = self.snapshot.searcher.doc(DocAddress::new(self.segment, doc))?;
        let text = doc.get_first(self.snapshot.fields.text).and_then(|value| value.as_str()).unwrap_or_default();
        Ok(self.highlighter.snippet(text, self.tokenizer))
    }
}
