//! What a search knows of a segment beyond its postings: where each session's block lies, and the columns of its head.
//!
//! Segments never change, so this is made once for each and shared by all snapshots that hold the segment. Columns that
//! few searches need are read on first use.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, OnceLock};

use sg_domain::SessionId;
use tantivy::columnar::BytesColumn;
use tantivy::index::SegmentId;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, IndexReader, Searcher, SegmentReader, TERMINATED, TantivyError, Term};
use uuid::Uuid;

use super::schema::{ACTIVITY, CREATED, FLAGS, Facts, Fields, HEAD, ID_HIGH, ID_LOW, LEADING_DOCS, PLACE, Place};
use crate::piece::PieceKind;

/// A consistent view of the index.
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) fields: Arc<Fields>,
    /// One for each segment reader of `searcher`, in its order.
    pub(super) segments: Vec<Arc<SegmentSessions>>,
}

impl Snapshot {
    /// The view that a reader has now; `previous` lends what it knows of segments they share.
    pub(super) fn of(
        reader: &IndexReader,
        fields: &Arc<Fields>,
        previous: Option<&Snapshot>,
    ) -> tantivy::Result<Arc<Self>> {
        let searcher = reader.searcher();
        let known: HashMap<SegmentId, &Arc<SegmentSessions>> = previous
            .map(|p| p.searcher.segment_readers().iter().map(SegmentReader::segment_id).zip(&p.segments).collect())
            .unwrap_or_default();
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for segment in searcher.segment_readers() {
            segments.push(match known.get(&segment.segment_id()) {
                Some(sessions) => Arc::clone(sessions),
                None => Arc::new(SegmentSessions::read(segment, fields)?),
            });
        }
        Ok(Arc::new(Self { searcher, fields: Arc::clone(fields), segments }))
    }

    /// Each segment with what is known of it.
    pub(super) fn each(&self) -> impl Iterator<Item = (&SegmentReader, &Arc<SegmentSessions>)> {
        self.searcher.segment_readers().iter().zip(&self.segments)
    }

    /// Sessions and pieces that are not deleted.
    pub(super) fn size(&self) -> (u64, u64) {
        let alive = |(reader, known): (&SegmentReader, &Arc<SegmentSessions>)| match reader.alive_bitset() {
            None => (known.len() as u64, u64::from(known.searched)),
            Some(alive) => {
                let sessions = known.heads.iter().filter(|head| alive.is_alive(**head)).count() as u64;
                let searched = (0..).zip(&known.kinds).filter(|(_, kind)| !PieceKind::is_exchange(**kind));
                (sessions, searched.filter(|(doc, _)| alive.is_alive(*doc)).count() as u64)
            }
        };
        let (sessions, docs) = self.each().map(alive).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (sessions, docs.saturating_sub(sessions * u64::from(LEADING_DOCS)))
    }

    /// Documents that a search for words looks at: titles, labels and pieces, deleted ones included.
    pub(super) fn searched(&self) -> u64 {
        self.segments.iter().map(|known| u64::from(known.searched)).sum()
    }
}

/// What phrases are scored by. Exchanges are no part of it: that a session can be resumed makes no word rarer.
impl Bm25StatisticsProvider for Snapshot {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        Bm25StatisticsProvider::total_num_tokens(&self.searcher, field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.searched())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Bm25StatisticsProvider::doc_freq(&self.searcher, term)
    }
}

/// The sessions of one segment, by their place in it.
pub(super) struct SegmentSessions {
    /// The first document of each block, ascending.
    pub(super) heads: Vec<DocId>,
    /// The session that each document belongs to.
    pub(super) session_of: Vec<u32>,
    /// The kind of each document, as in `PieceKind`.
    pub(super) kinds: Vec<u8>,
    /// How many documents are no part of an exchange.
    searched: u32,
    /// The documents that are a whole exchange, ascending.
    pub(super) exchanges: Vec<DocId>,
    /// Ids.
    pub(super) ids: Vec<u128>,
    /// Last activity, in microseconds.
    pub(super) activity: Vec<i64>,
    max_doc: DocId,
    created: OnceLock<Vec<i64>>,
    flags: OnceLock<Vec<u8>>,
    facts: [OnceLock<FactColumn>; Facts::ALL.len()],
}

impl SegmentSessions {
    fn read(segment: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        let max_doc = segment.max_doc();
        let mut heads = Vec::new();
        let term = Term::from_field_text(fields.head, HEAD);
        if let Some(mut postings) =
            segment.inverted_index(fields.head)?.read_postings(&term, IndexRecordOption::Basic)?
        {
            while postings.doc() != TERMINATED {
                heads.push(postings.doc());
                postings.advance();
            }
        }
        let ends = heads.iter().skip(1).copied().chain([max_doc]);
        let sound = heads.first().is_none_or(|first| *first == 0) && (heads.is_empty() == (max_doc == 0));
        let mut session_of = Vec::with_capacity(max_doc as usize);
        for (session, end) in ends.enumerate() {
            session_of.resize(end as usize, u32::try_from(session).unwrap_or(u32::MAX));
        }
        if !sound || session_of.len() != max_doc as usize {
            return Err(TantivyError::InternalError("a segment does not consist of blocks of sessions".to_owned()));
        }
        let places = segment.fast_fields().u64(PLACE)?;
        let kinds: Vec<u8> =
            (0..max_doc).map(|doc| Place::unpack(places.first(doc).unwrap_or_default()).kind).collect();
        let searched = kinds.iter().filter(|kind| !PieceKind::is_exchange(**kind)).count();
        let searched = u32::try_from(searched).unwrap_or(u32::MAX);
        let exchanges = (0..max_doc).filter(|doc| kinds[*doc as usize] == PieceKind::Exchange as u8).collect();
        let high = segment.fast_fields().u64(ID_HIGH)?;
        let low = segment.fast_fields().u64(ID_LOW)?;
        let ids = heads.iter().map(|head| {
            let (high, low) = (high.first(*head).unwrap_or_default(), low.first(*head).unwrap_or_default());
            u128::from(high) << 64 | u128::from(low)
        });
        let ids = ids.collect();
        let activity = segment.fast_fields().i64(ACTIVITY)?;
        let activity = heads.iter().map(|head| activity.first(*head).unwrap_or_default()).collect();
        let (created, flags) = (OnceLock::new(), OnceLock::new());
        let facts = std::array::from_fn(|_| OnceLock::new());
        Ok(Self { heads, session_of, kinds, searched, exchanges, ids, activity, max_doc, created, flags, facts })
    }

    /// Number of sessions.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The documents of a session.
    pub(super) fn block(&self, session: usize) -> std::ops::Range<DocId> {
        self.heads[session]..self.heads.get(session + 1).copied().unwrap_or(self.max_doc)
    }

    /// A session's id.
    pub(super) fn id(&self, session: usize) -> SessionId {
        SessionId(Uuid::from_u128(self.ids[session]))
    }

    /// When each session was stored, in microseconds.
    pub(super) fn created(&self, segment: &SegmentReader) -> tantivy::Result<&[i64]> {
        if let Some(created) = self.created.get() {
            return Ok(created);
        }
        let column = segment.fast_fields().i64(CREATED)?;
        let values = self.heads.iter().map(|head| column.first(*head).unwrap_or_default()).collect();
        Ok(self.created.get_or_init(|| values))
    }

    /// The flags of each session.
    pub(super) fn flags(&self, segment: &SegmentReader) -> tantivy::Result<&[u8]> {
        if let Some(flags) = self.flags.get() {
            return Ok(flags);
        }
        let column = segment.fast_fields().u64(FLAGS)?;
        let values = self.heads.iter().map(|head| column.first(*head).unwrap_or_default() as u8).collect();
        Ok(self.flags.get_or_init(|| values))
    }

    /// A column of strings.
    pub(super) fn fact(&self, segment: &SegmentReader, fact: Facts) -> tantivy::Result<&FactColumn> {
        let slot = &self.facts[fact as usize];
        if let Some(column) = slot.get() {
            return Ok(column);
        }
        let column = segment.fast_fields().bytes(fact.name())?;
        let (mut starts, mut ords) = (vec![0], Vec::new());
        for head in &self.heads {
            if let Some(column) = &column {
                ords.extend(column.term_ords(*head).map(|ord| u32::try_from(ord).unwrap_or(u32::MAX)));
            }
            starts.push(u32::try_from(ords.len()).unwrap_or(u32::MAX));
        }
        Ok(slot.get_or_init(|| FactColumn { column, starts, ords }))
    }
}

/// The strings of each session, as numbers of a sorted dictionary.
pub(super) struct FactColumn {
    column: Option<BytesColumn>,
    starts: Vec<u32>,
    ords: Vec<u32>,
}

impl FactColumn {
    /// The numbers of a session's values.
    pub(super) fn of(&self, session: usize) -> &[u32] {
        &self.ords[self.starts[session] as usize..self.starts[session + 1] as usize]
    }

    /// The number of a value, if any session of the segment has it.
    pub(super) fn ord(&self, value: &str) -> io::Result<Option<u32>> {
        match &self.column {
            Some(column) => Ok(column.dictionary().term_ord(value)?.and_then(|ord| u32::try_from(ord).ok())),
            None => Ok(None),
        }
    }

    /// The value of a number.
    pub(super) fn value(&self, ord: u32) -> io::Result<String> {
        let mut bytes = Vec::new();
        if let Some(column) = &self.column {
            column.ord_to_bytes(u64::from(ord), &mut bytes)?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How many different values there are.
    pub(super) fn values(&self) -> usize {
        self.column.as_ref().map_or(0, BytesColumn::num_terms)
    }
}
