//! How sessions are ordered, and the pass over the index that finds them.
//!
//! The relevance of a session is
//!
//! ```text
//! ( best + 0.4 * elsewhere + 1.5 * title + 0.5 * labels + min(0.3 * best, 0.05 * others) ) * recency
//! ```
//!
//! - `best`: the highest score of one piece: the sum of BM25 over the clauses it matches, times the weight of its kind,
//!   times 0.5 to 1 for the share of the query's clauses that it matches;
//! - `elsewhere`: for each clause, what its best piece has over the best piece: words that stand in different messages
//!   count less than words that stand together;
//! - `title`, `labels`: the scores of the session's title and of its labels;
//! - `others`: the sum of its other matching pieces;
//! - `recency`: 1.25 for a session of this moment, falling to 1 with a half-life of 30 days. Never more, never less.
//!
//! Order: relevance, then last activity (latest first), then id. `rank` is `(r + 0.01) / (r + 0.01 + 8)`, in (0, 1).

use std::collections::{HashMap, HashSet};

use sg_domain::{FacetField, RankBy, SearchQuery, SessionId, Timestamp, time::DAY_MICROS};
use tantivy::TERMINATED;

use super::clause::Clause;
use super::facet::SegmentCounts;
use super::filter::SegmentFilter;
use super::scan::Scan;
use super::segment::Snapshot;
use crate::piece::PieceKind;
use crate::query::{Node, Parsed};

/// A session that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Relevance, at least 0.
    pub(super) score: f32,
    /// Last activity.
    pub(super) activity: i64,
    /// The segment's place in the snapshot.
    pub(super) segment: u32,
    /// The session's place in the segment.
    pub(super) session: u32,
}

/// All that a query finds.
#[derive(Default)]
pub(super) struct Answer {
    /// Every session, in no order.
    pub(super) found: Vec<Found>,
    /// How many sessions have each value of the facets asked for.
    pub(super) counts: HashMap<FacetField, HashMap<String, u64>>,
}

/// Relevance as callers see it.
pub(super) fn rank(score: f32) -> f64 {
    let score = f64::from(score) + 0.01;
    score / (score + 8.0)
}

/// What each clause of the query that is used looks like in a snapshot.
pub(super) fn prepare(parsed: &Parsed, snapshot: &Snapshot) -> tantivy::Result<Vec<Option<Clause>>> {
    let is_needed = |i: usize| {
        let narrows = |used: &usize| {
            let leaf = &parsed.leaves[*used];
            leaf.roles.contains(&i) || leaf.tools.contains(&i)
        };
        parsed.used.contains(&i) || parsed.used.iter().any(narrows)
    };
    let prepare = |(i, leaf)| is_needed(i).then(|| Clause::prepare(leaf, snapshot)).transpose();
    parsed.leaves.iter().enumerate().map(prepare).collect()
}

/// Finds every session that matches.
pub(super) fn find(
    query: &SearchQuery,
    parsed: &Parsed,
    clauses: &[Option<Clause>],
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<Answer> {
    let mut answer = Answer::default();
    let Some(root) = &parsed.root else { return Ok(answer) };
    // Whether a session that matches no clause at all may be an answer: `-word`, `after:2026`.
    let dense = could_hold(root);
    for (number, (reader, sessions)) in snapshot.each().enumerate() {
        let filter = SegmentFilter::new(reader, sessions, &query.visibility, &query.filter)?;
        if filter.is_never() {
            continue;
        }
        let mut scan = Scan::open(parsed, clauses, number, reader)?;
        let mut counts = SegmentCounts::new(&query.facets, reader, sessions)?;
        let alive = reader.alive_bitset();
        let found = &mut answer.found;
        let mut finish = |session: usize, tally: &Tally| {
            let activity = sessions.activity[session];
            if holds(root, tally.mask, activity)
                && alive.is_none_or(|alive| alive.is_alive(sessions.heads[session]))
                && (removed.is_empty() || !removed.contains(&sessions.id(session)))
                && filter.passes(session)
            {
                let score = tally.relevance() * recency(query.now, activity);
                let (segment, place) = (number as u32, session as u32);
                found.push(Found { score, activity, segment, session: place });
                counts.add(session);
            }
        };
        let mut tally = Tally::new(parsed);
        let mut current = None;
        let mut next = 0;
        scan.run(TERMINATED, |doc, line| {
            let session = sessions.session_of[doc as usize] as usize;
            if current != Some(session) {
                if let Some(current) = current {
                    finish(current, &tally);
                    next = current + 1;
                }
                tally.clear();
                if dense {
                    (next..session).for_each(|untouched| finish(untouched, &tally));
                }
                current = Some(session);
            }
            tally.add(sessions.kinds[doc as usize], line);
        });
        if let Some(current) = current {
            finish(current, &tally);
            next = current + 1;
        }
        if dense {
            tally.clear();
            (next..sessions.len()).for_each(|untouched| finish(untouched, &tally));
        }
        counts.hand_over(&mut answer.counts)?;
    }
    Ok(answer)
}

/// The sessions of a page, in order.
pub(super) fn page(query: &SearchQuery, snapshot: &Snapshot, mut found: Vec<Found>) -> Vec<Found> {
    let id = |found: &Found| snapshot.segments[found.segment as usize].ids[found.session as usize];
    let order = |a: &Found, b: &Found| {
        let by_activity = b.activity.cmp(&a.activity);
        let by_score = b.score.total_cmp(&a.score);
        let first = match query.rank_by {
            RankBy::Relevance => by_score.then(by_activity),
            RankBy::Recent => by_activity,
        };
        first.then_with(|| id(a).cmp(&id(b)))
    };
    let end = query.offset.saturating_add(query.limit);
    if end < found.len() {
        found.select_nth_unstable_by(end, order);
        found.truncate(end);
    }
    found.sort_unstable_by(order);
    found.drain(..query.offset.min(found.len()));
    found
}

/// Adds the pieces of one session up.
pub(super) struct Tally<'a> {
    parsed: &'a Parsed,
    /// How many clauses add to scores; at least 1.
    wanted: f32,
    mask: u64,
    best: f32,
    sum: f32,
    title: f32,
    labels: f32,
    best_line: Vec<f32>,
    most: Vec<f32>,
}

impl<'a> Tally<'a> {
    fn new(parsed: &'a Parsed) -> Self {
        let zeros = || vec![0.0; parsed.leaves.len()];
        let wanted = parsed.used.iter().filter(|leaf| parsed.leaves[**leaf].scored).count().max(1) as f32;
        let (best_line, most) = (zeros(), zeros());
        Self { parsed, wanted, mask: 0, best: 0.0, sum: 0.0, title: 0.0, labels: 0.0, best_line, most }
    }

    fn clear(&mut self) {
        (self.mask, self.best, self.sum, self.title, self.labels) = (0, 0.0, 0.0, 0.0, 0.0);
        self.best_line.fill(0.0);
        self.most.fill(0.0);
    }

    fn add(&mut self, kind: u8, line: &[f32]) {
        let weight = PieceKind::WEIGHTS[kind as usize];
        let is_piece = kind > PieceKind::Labels as u8;
        let (mut sum, mut matched) = (0.0, 0.0_f32);
        for leaf in &self.parsed.used {
            let score = line[*leaf] * weight;
            if score > 0.0 {
                self.mask |= 1 << leaf;
                if self.parsed.leaves[*leaf].scored {
                    sum += score;
                    matched += 1.0;
                    if is_piece {
                        self.most[*leaf] = self.most[*leaf].max(score);
                    }
                }
            }
        }
        if kind == PieceKind::Title as u8 {
            self.title += sum;
        } else if !is_piece {
            self.labels += sum;
        } else {
            sum *= 0.5 + 0.5 * matched / self.wanted;
            self.sum += sum;
            if sum > self.best {
                self.best = sum;
                for leaf in &self.parsed.used {
                    self.best_line[*leaf] = if self.parsed.leaves[*leaf].scored { line[*leaf] * weight } else { 0.0 };
                }
            }
        }
    }

    fn relevance(&self) -> f32 {
        let elsewhere: f32 = self.most.iter().zip(&self.best_line).map(|(most, best)| (most - best).max(0.0)).sum();
        let others = (0.05 * (self.sum - self.best)).min(0.3 * self.best);
        self.best + 0.4 * elsewhere + 1.5 * self.title + 0.5 * self.labels + others
    }
}

fn recency(now: Timestamp, activity: i64) -> f32 {
    let days = now.micros().saturating_sub(activity).max(0) as f64 / DAY_MICROS as f64;
    (1.0 + 0.25 * (-days / 30.0).exp2()) as f32
}

/// Whether a session whose pieces match the clauses of `mask` is an answer.
fn holds(node: &Node, mask: u64, activity: i64) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| holds(part, mask, activity)),
        Node::Or(parts) => parts.iter().any(|part| holds(part, mask, activity)),
        Node::Not(inner) => !holds(inner, mask, activity),
        Node::Leaf(i) => mask & 1 << i != 0,
        Node::Active { from, to } => {
            from.is_none_or(|from| activity >= from.micros()) && to.is_none_or(|to| activity < to.micros())
        }
    }
}

/// Whether a session that matches no clause can be an answer.
fn could_hold(node: &Node) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(could_hold),
        Node::Or(parts) => parts.iter().any(could_hold),
        Node::Not(inner) => could_fail(inner),
        Node::Leaf(_) => false,
        Node::Active { .. } => true,
    }
}

/// Whether such a session can fail to be one.
fn could_fail(node: &Node) -> bool {
    match node {
        Node::And(parts) => parts.iter().any(could_fail),
        Node::Or(parts) => parts.iter().all(could_fail),
        Node::Not(inner) => could_hold(inner),
        Node::Leaf(_) | Node::Active { .. } => true,
    }
}
