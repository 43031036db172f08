//! Sessions that have to do with another one: more like this, session by session.
//!
//! A session is told by its own words: those of a sample of its pieces, by how often it says them and how few of the
//! caller's other sessions do. Another session is as near as the share of that vocabulary which it holds:
//!
//! ```text
//! content    = sum over words of weight * n / (n + 0.5 * (0.25 + 0.75 * pieces / average)) / sum of weights
//!              (at least that of eight words)
//! files      = the same over the files that the session's tools touched, one mention being enough
//! similarity = (1 - (1 - content) * (1 - 0.5 * files)) * (0.8 + 0.15 same project + 0.05 same branch of it)
//! ```
//!
//! with `n` the other session's pieces that hold the word. The cost is bounded: so many pieces are read, so many words
//! are looked up, and words that stand nearly everywhere are left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use sg_domain::{RelatedHit, RelatedQuery, RelatedReason, SessionFilter, SessionId};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, DocId, DocSet, TERMINATED, TantivyDocument, Term};

use super::filter::SegmentFilter;
use super::schema::{Facts, LEADING_DOCS};
use super::segment::{FactColumn, Snapshot};
use crate::path::{each_path, file_name};
use crate::piece::PieceKind;
use crate::tokenizer::{CodeTokenizer, TermKind};

/// Pieces of each kind that are read of a session, spread over all of it.
const SAMPLE: [(PieceKind, usize); 5] = [
    (PieceKind::Asked, 20),
    (PieceKind::Answered, 16),
    (PieceKind::Call, 20),
    (PieceKind::Thinking, 4),
    (PieceKind::Output, 4),
];
/// Words that are looked up in the whole index, the session's most telling ones.
const MAX_LOOKED_UP: usize = 72;
/// Of those, the ones that tell it from the caller's other sessions.
const MAX_WORDS: usize = 32;
/// Files that are looked up.
const MAX_FILES: usize = 24;
/// In an index of at least this many pieces, a word that stands in a tenth of them tells nothing.
const LARGE: u64 = 2_000;
/// So many words make a vocabulary: one that two sessions share by chance is not all that the one says.
const FEW_WORDS: f64 = 8.0;
/// What is less near than this has nothing to do with a session.
const MIN_SIMILARITY: f64 = 0.1;
/// From this share of the vocabulary on, content is a reason.
const CONTENT_REASON: f64 = 0.1;

/// Finds the sessions nearest to one.
pub(super) fn related(
    query: &RelatedQuery,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Vec<RelatedHit>> {
    let Some((number, place)) = locate(query, snapshot, removed)? else { return Ok(Vec::new()) };
    let world = World::open(query, snapshot, removed, (number, place))?;
    let vocabulary = Vocabulary::read(snapshot, number, place)?;
    let words = telling(vocabulary.words, snapshot)?;
    let mut files: Vec<(String, f64)> = vocabulary.files.into_iter().collect();
    files.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    files.truncate(MAX_FILES);

    let mut words = world.look_up(snapshot, words)?;
    words.truncate(MAX_WORDS);
    let files = world.look_up(snapshot, files)?;
    let others: HashMap<u32, Near> = world.nearness(&words, &files);

    let mut hits: Vec<(f64, &Visible, RelatedHit)> = Vec::new();
    for (index, near) in others {
        let other = &world.sessions[index as usize];
        let (in_project, on_branch) = (other.in_project, other.on_branch);
        let shared = 1.0 - (1.0 - near.content) * (1.0 - 0.5 * near.files);
        let weight = 0.8 + if in_project { 0.15 } else { 0.0 } + if on_branch { 0.05 } else { 0.0 };
        let similarity = (shared * weight).min(1.0);
        if similarity < MIN_SIMILARITY {
            continue;
        }
        let reasons = [
            (near.content >= CONTENT_REASON || near.files == 0.0, RelatedReason::Content),
            (near.files > 0.0, RelatedReason::Files),
            (in_project, RelatedReason::Project),
            (on_branch, RelatedReason::Branch),
        ];
        let reasons = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        hits.push((similarity, other, RelatedHit { session: other.id, similarity, reasons }));
    }
    hits.sort_by(|a, b| {
        let by_activity = b.1.activity.cmp(&a.1.activity);
        b.0.total_cmp(&a.0).then(by_activity).then_with(|| a.1.id.cmp(&b.1.id))
    });
    hits.truncate(query.limit);
    Ok(hits.into_iter().map(|(.., hit)| hit).collect())
}

/// A session that the caller may see.
struct Visible {
    id: SessionId,
    activity: i64,
    /// Documents of its block that are pieces of what was said.
    pieces: f64,
    /// Whether it is of the same project as the session that others are held against.
    in_project: bool,
    /// Whether it was on one of its branches too.
    on_branch: bool,
}

/// The caller's sessions.
struct World {
    sessions: Vec<Visible>,
    /// For each segment, each session's place in `sessions`; `NOT_SEEN` is one that may not be seen.
    index: Vec<Vec<u32>>,
    /// The place in `sessions` of the one that others are held against.
    source: u32,
    average_pieces: f64,
}

const NOT_SEEN: u32 = u32::MAX;

/// The segment of a session and its place in it, if it may be seen.
fn locate(
    query: &RelatedQuery,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Option<(usize, usize)>> {
    if removed.contains(&query.session) {
        return Ok(None);
    }
    let wanted = query.session.0.as_u128();
    for (number, (reader, sessions)) in snapshot.each().enumerate() {
        let alive = reader.alive_bitset();
        let lives = |place: &usize| alive.is_none_or(|alive| alive.is_alive(sessions.heads[*place]));
        let places = sessions.ids.iter().enumerate().filter(|(_, id)| **id == wanted).map(|(place, _)| place);
        if let Some(place) = places.into_iter().find(lives) {
            let filter = SegmentFilter::new(reader, sessions, &query.visibility, &SessionFilter::default())?;
            return Ok(filter.passes(place).then_some((number, place)));
        }
    }
    Ok(None)
}

impl World {
    fn open(
        query: &RelatedQuery,
        snapshot: &Snapshot,
        removed: &HashSet<SessionId>,
        source: (usize, usize),
    ) -> tantivy::Result<Self> {
        let of_source = |fact: Facts| -> tantivy::Result<Vec<String>> {
            let reader = snapshot.searcher.segment_reader(u32::try_from(source.0).unwrap_or(u32::MAX));
            let column = snapshot.segments[source.0].fact(reader, fact)?;
            Ok(column.of(source.1).iter().map(|ord| column.value(*ord)).collect::<Result<_, _>>()?)
        };
        let (project, branches) = (of_source(Facts::Project)?, of_source(Facts::Branch)?);
        let mut world = Self { sessions: Vec::new(), index: Vec::new(), source: NOT_SEEN, average_pieces: 1.0 };
        for (number, (reader, sessions)) in snapshot.each().enumerate() {
            let mut index = vec![NOT_SEEN; sessions.len()];
            let filter = SegmentFilter::new(reader, sessions, &query.visibility, &SessionFilter::default())?;
            if !filter.is_never() {
                let same_project = SameValue::of(&project, sessions.fact(reader, Facts::Project)?)?;
                let same_branch = SameValue::of(&branches, sessions.fact(reader, Facts::Branch)?)?;
                let alive = reader.alive_bitset();
                for (session, place) in index.iter_mut().enumerate() {
                    let id = sessions.id(session);
                    let lives = alive.is_none_or(|alive| alive.is_alive(sessions.heads[session]));
                    if !lives || removed.contains(&id) || !filter.passes(session) {
                        continue;
                    }
                    *place = u32::try_from(world.sessions.len()).unwrap_or(NOT_SEEN);
                    if (number, session) == source {
                        world.source = *place;
                    }
                    let block = sessions.block(session);
                    let end = block.clone().position(|doc| PieceKind::is_exchange(sessions.kinds[doc as usize]));
                    let pieces = end.unwrap_or(block.len()).saturating_sub(LEADING_DOCS as usize).max(1);
                    let in_project = same_project.holds(session);
                    world.sessions.push(Visible {
                        id,
                        activity: sessions.activity[session],
                        pieces: pieces as f64,
                        in_project,
                        on_branch: in_project && same_branch.holds(session),
                    });
                }
            }
            world.index.push(index);
        }
        let sum: f64 = world.sessions.iter().map(|session| session.pieces).sum();
        world.average_pieces = sum / (world.sessions.len().max(1) as f64);
        Ok(world)
    }

    /// Where each term stands among the caller's other sessions: the most telling first, those that stand in none of
    /// them left out.
    fn look_up(&self, snapshot: &Snapshot, terms: Vec<(String, f64)>) -> tantivy::Result<Vec<Found>> {
        let field = snapshot.fields.text;
        let all = self.sessions.len() as f64;
        let mut found = Vec::new();
        for (text, frequency) in terms {
            let term = Term::from_field_text(field, &text);
            let mut pieces: BTreeMap<u32, u32> = BTreeMap::new();
            for ((reader, sessions), index) in snapshot.each().zip(&self.index) {
                let postings = reader.inverted_index(field)?.read_postings(&term, IndexRecordOption::Basic)?;
                let Some(mut postings) = postings else { continue };
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    let place = sessions.session_of[doc as usize] as usize;
                    let seen = index[place];
                    if seen == NOT_SEEN {
                        doc = postings.seek(sessions.block(place).end);
                        continue;
                    }
                    // Labels are the same in all sessions of a project.
                    if sessions.kinds[doc as usize] != PieceKind::Labels as u8 {
                        *pieces.entry(seen).or_default() += 1;
                    }
                    doc = postings.advance();
                }
            }
            pieces.remove(&self.source);
            if pieces.is_empty() {
                continue;
            }
            let holding = pieces.len() as f64 + 1.0;
            let rarity = (1.0 + (all - holding + 0.5).max(0.0) / (holding + 0.5)).ln();
            if rarity > 0.0 {
                found.push(Found { text, weight: (1.0 + frequency.ln_1p()) * rarity, pieces });
            }
        }
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
        Ok(found)
    }

    /// How near each session comes.
    fn nearness(&self, words: &[Found], files: &[Found]) -> HashMap<u32, Near> {
        let mut near: HashMap<u32, Near> = HashMap::new();
        // A word that one other session has, said once.
        let all = self.sessions.len() as f64;
        let one = (1.0 + 1.0_f64.ln_1p()) * (1.0 + (all - 1.5).max(0.0) / 2.5).ln();
        let sum = words.iter().map(|word| word.weight).sum::<f64>().max(FEW_WORDS * one);
        for word in words {
            for (session, pieces) in &word.pieces {
                let length = self.sessions[*session as usize].pieces / self.average_pieces;
                let said = f64::from(*pieces);
                let share = said / (said + 0.5 * (0.25 + 0.75 * length));
                near.entry(*session).or_default().content += word.weight / sum * share;
            }
        }
        let sum: f64 = files.iter().map(|file| file.weight).sum();
        for file in files {
            for session in file.pieces.keys() {
                near.entry(*session).or_default().files += file.weight / sum;
            }
        }
        near
    }
}

/// The sessions of a segment that have one of some values.
struct SameValue<'a> {
    column: &'a FactColumn,
    wanted: Vec<u32>,
}

impl<'a> SameValue<'a> {
    fn of(values: &[String], column: &'a FactColumn) -> tantivy::Result<Self> {
        let mut wanted = Vec::new();
        for value in values {
            wanted.extend(column.ord(value)?);
        }
        Ok(Self { column, wanted })
    }

    fn holds(&self, session: usize) -> bool {
        self.column.of(session).iter().any(|ord| self.wanted.contains(ord))
    }
}

/// A term and the pieces of other sessions that hold it.
struct Found {
    text: String,
    weight: f64,
    pieces: BTreeMap<u32, u32>,
}

/// How near a session comes, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
struct Near {
    content: f64,
    files: f64,
}

/// What a session says, and the files it is about, by how often.
#[derive(Default)]
struct Vocabulary {
    words: HashMap<String, f64>,
    files: HashMap<String, f64>,
}

impl Vocabulary {
    /// Reads a sample of a session.
    fn read(snapshot: &Snapshot, number: usize, place: usize) -> tantivy::Result<Self> {
        let sessions = &snapshot.segments[number];
        let block = sessions.block(place);
        let mut this = Self::default();
        let mut tokenizer = CodeTokenizer::default();
        // The title stands on the head.
        let mut wanted: Vec<(DocId, f64, bool)> = vec![(block.start, 3.0, false)];
        for (kind, most) in SAMPLE {
            let docs: Vec<DocId> = block.clone().filter(|doc| sessions.kinds[*doc as usize] == kind as u8).collect();
            let weight = f64::from(PieceKind::WEIGHTS[kind as usize]);
            let step = docs.len().div_ceil(most).max(1);
            wanted.extend(docs.into_iter().step_by(step).map(|doc| (doc, weight, kind == PieceKind::Call)));
        }
        for (doc, weight, is_call) in wanted {
            let address = DocAddress::new(u32::try_from(number).unwrap_or(u32::MAX), doc);
            let stored: TantivyDocument = snapshot.searcher.doc(address)?;
            let text = stored.get_first(snapshot.fields.text).and_then(|value| value.as_str()).unwrap_or_default();
            this.add_words(text, weight, &mut tokenizer);
            if is_call {
                each_path(text, |path| this.add_file(path, &mut tokenizer));
            }
        }
        Ok(this)
    }

    fn add_words(&mut self, text: &str, weight: f64, tokenizer: &mut CodeTokenizer) {
        let words = &mut self.words;
        let mut held: Option<(String, usize)> = None;
        let mut put = |word: String| *words.entry(word).or_default() += weight;
        tokenizer.each(text, |token, kind| {
            match (kind, held.take()) {
                // A stem says more than the one form of the word before it.
                (TermKind::Stem, Some((_, at))) if at == token.position => put(token.text.clone()),
                (_, Some((word, _))) => put(word),
                _ => {}
            }
            let is_telling = match kind {
                TermKind::Word => is_word(&token.text),
                TermKind::Pair | TermKind::Symbol => true,
                _ => false,
            };
            if is_telling {
                held = Some((token.text.clone(), token.position));
            }
        });
        if let Some((word, _)) = held {
            put(word);
        }
    }

    /// A file counts by its whole path and by its name, which is the same in another checkout.
    fn add_file(&mut self, path: &str, tokenizer: &mut CodeTokenizer) {
        let name = crate::tokenizer::fold(file_name(path));
        let mut longest = String::new();
        tokenizer.each(path, |token, kind| {
            if kind == TermKind::Name && token.text.len() > longest.len() {
                longest.clone_from(&token.text);
            }
        });
        for term in [longest, name] {
            if term.contains('.') || term.contains('/') {
                *self.files.entry(term).or_default() += 1.0;
            }
        }
    }
}

fn is_word(word: &str) -> bool {
    let letters = word.chars().take(3).count();
    let long_enough = if word.is_ascii() { letters >= 3 } else { letters >= 2 };
    long_enough && !word.bytes().all(|b| b.is_ascii_digit()) && !STOP_WORDS.contains(&word)
}

/// The words worth looking up: by how often the session says them and how rare they are in the whole index.
fn telling(words: HashMap<String, f64>, snapshot: &Snapshot) -> tantivy::Result<Vec<(String, f64)>> {
    let field = snapshot.fields.text;
    let all = snapshot.searched().max(1);
    let mut readers = Vec::new();
    for segment in snapshot.searcher.segment_readers() {
        readers.push(segment.inverted_index(field)?);
    }
    let mut known = Vec::with_capacity(words.len());
    for (word, frequency) in words {
        let mut pieces = 0;
        for reader in &readers {
            pieces += reader.terms().get(word.as_bytes())?.map_or(0, |info| u64::from(info.doc_freq));
        }
        // One piece alone is the session's own.
        if pieces < 2 || (all >= LARGE && pieces > all / 10) {
            continue;
        }
        let rarity = (1.0 + all as f64 / pieces as f64).ln();
        known.push(((1.0 + frequency.ln_1p()) * rarity, word, frequency));
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    known.truncate(MAX_LOOKED_UP);
    Ok(known.into_iter().map(|(_, word, frequency)| (word, frequency)).collect())
}

/// Words that every conversation has, whatever it is about.
#[rustfmt::skip]
const STOP_WORDS: [&str; 133] = [
    "about", "after", "again", "all", "also", "and", "any", "are", "because", "been", "before", "being", "both",
    "but", "can", "cannot", "could", "did", "does", "doing", "don", "done", "down", "each", "else", "even", "few",
    "for", "from", "get", "give", "going", "got", "had", "has", "have", "having", "help", "her", "here", "him", "his",
    "how", "into", "isn", "its", "just", "know", "let", "like", "look", "make", "many", "may", "maybe", "more",
    "most", "much", "must", "need", "new", "not", "now", "off", "okay", "once", "one", "only", "other", "our", "out",
    "over", "own", "please", "really", "right", "same", "say", "see", "should", "show", "since", "some", "something",
    "still", "such", "sure", "take", "than", "thank", "thanks", "that", "the", "their", "them", "then", "there",
    "these", "they", "thing", "think", "this", "those", "through", "too", "try", "two", "under", "until", "use",
    "used", "using", "very", "want", "was", "way", "well", "were", "what", "when", "where", "which", "while", "who",
    "why", "will", "with", "work", "would", "yes", "yet", "you", "your",
];
