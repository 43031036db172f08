//! Snippets of the exchanges that were found: a part or two of each is read, however long it is and however many there are.

use sg_domain::ExchangeHit;
use tantivy::columnar::Column;
use tantivy::schema::Value;
use tantivy::store::StoreReader;
use tantivy::{DocId, SegmentReader, TantivyDocument};

use super::exchange::Places;
use super::schema::{PLACE, Place};
use super::segment::{SegmentSessions, Snapshot};
use crate::exchange::{Clause, Marker};
use crate::piece::PieceKind;
use crate::snippet::{Style, render, window};

/// Words before and behind a match for which its neighbouring part is read too.
const NEAR_WORDS: u32 = 16;
/// Where no place of a match is known, parts that are looked through for one; behind that the start is shown, unmarked.
const MAX_PARTS_READ: u32 = 16;

/// Makes the hits of one query.
pub(super) struct Excerpts<'a> {
    marker: Marker<'a>,
    /// Words of the longest clause.
    widest: u32,
}

/// The parts of one exchange.
struct Parts<'a> {
    snapshot: &'a Snapshot,
    store: &'a StoreReader,
    places: &'a Column<u64>,
    first: DocId,
    len: u32,
}

impl<'a> Excerpts<'a> {
    /// For the clauses of a query.
    pub(super) fn new(clauses: &'a [Clause]) -> Self {
        let widest = clauses.iter().map(|clause| clause.words.len()).max().unwrap_or(1);
        Self { marker: Marker::new(clauses), widest: u32::try_from(widest).unwrap_or(u32::MAX) }
    }

    /// The hits of one segment, given the exchanges and where something stands in them.
    pub(super) fn make(
        &mut self,
        snapshot: &Snapshot,
        number: usize,
        found: &[DocId],
        at: &Places,
        hits: &mut Vec<ExchangeHit>,
    ) -> tantivy::Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let reader: &SegmentReader = snapshot.searcher.segment_reader(u32::try_from(number).unwrap_or(u32::MAX));
        let sessions: &SegmentSessions = &snapshot.segments[number];
        let places = reader.fast_fields().u64(PLACE)?;
        // Hits come in the order of the file, several to a block of it: one block is kept unpacked.
        let store = reader.get_store_reader(2)?;
        hits.reserve(found.len());
        for doc in found {
            let behind = sessions.kinds[*doc as usize + 1..].iter();
            let len = behind.take_while(|kind| **kind == PieceKind::Part as u8).count();
            let len = u32::try_from(len).unwrap_or(u32::MAX);
            let parts = Parts { snapshot, store: &store, places: &places, first: doc + 1, len };
            hits.push(ExchangeHit {
                session: sessions.id(sessions.session_of[*doc as usize] as usize),
                exchange: Place::unpack(places.first(*doc).unwrap_or_default()).ordinal,
                snippet: self.snippet(&parts, at.get(doc).copied())?,
            });
        }
        Ok(())
    }

    fn snippet(&mut self, parts: &Parts<'_>, at: Option<u32>) -> tantivy::Result<String> {
        let (mut from, mut to) = (0, parts.len.min(1));
        let mut text = String::new();
        if let Some(at) = at {
            let end = at.saturating_add(self.widest);
            from = parts.holding(at.saturating_sub(NEAR_WORDS));
            to = parts.holding(end.saturating_add(NEAR_WORDS)) + 1;
            // A clause that is longer than parts are cannot be shown whole.
            to = to.min(parts.holding(at) + 2);
            (from..to).try_for_each(|part| parts.read(part, &mut text))?;
        } else {
            for part in 0..parts.len.min(MAX_PARTS_READ) {
                text.clear();
                parts.read(part, &mut text)?;
                if !self.marker.spans(&text).is_empty() {
                    (from, to) = (part, part + 1);
                    break;
                }
                // Nothing so far: what is shown in the end is the start.
                if part + 1 == parts.len.min(MAX_PARTS_READ) {
                    text.clear();
                    parts.read(0, &mut text)?;
                }
            }
        }
        let spans = self.marker.spans(&text);
        let shown = window(&text, &spans);
        let (starts_inside, ends_inside) = (from > 0 && shown.start == 0, to < parts.len && shown.end == text.len());
        let mut snippet = render(&text, shown, &spans, Style::PLAIN);
        if starts_inside {
            snippet.insert(0, '…');
        }
        if ends_inside {
            snippet.push('…');
        }
        Ok(snippet)
    }
}

impl Parts<'_> {
    /// The part that holds a word of the exchange; the last one for a word behind its end.
    fn holding(&self, word: u32) -> u32 {
        let (mut low, mut high) = (0, self.len.saturating_sub(1));
        while low < high {
            let middle = (low + high).div_ceil(2);
            let place = Place::unpack(self.places.first(self.first + middle).unwrap_or_default());
            if place.ordinal <= word { low = middle } else { high = middle - 1 }
        }
        low
    }

    fn read(&self, part: u32, text: &mut String) -> tantivy::Result<()> {
        if part < self.len {
            let doc: TantivyDocument = self.store.get(self.first + part)?;
            text.push_str(
                doc.get_first(self.snapshot.fields.shown).and_then(|value| value.as_str()).unwrap_or_default(),
            );
        }
        Ok(())
    }
}
