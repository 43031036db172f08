//! Walks the documents of one segment that match any clause, in order, with each clause's score.
//!
//! Works window by window: every clause writes its scores into its row of a small table, then the touched columns are
//! visited. That keeps the inner loops free of comparisons between clauses, however many there are.

use tantivy::{DocId, SegmentReader, TERMINATED};

use super::clause::{Clause, Matches};
use crate::query::Parsed;

/// Documents a window.
const WINDOW: usize = 2_048;
const WORDS: usize = WINDOW / 64;

/// Clauses over one segment.
pub(super) struct Scan {
    rows: Vec<Row>,
    scores: Vec<f32>,
    touched: [u64; WORDS],
    /// One score for each clause of the query; those that do not match the document are 0.
    line: Vec<f32>,
}

/// A clause that is walked.
struct Row {
    leaf: usize,
    matches: Matches,
    /// Each document must be in one of each group, where there are any.
    scopes: Vec<Vec<Matches>>,
}

impl Scan {
    /// Opens the clauses that the query's tree uses.
    pub(super) fn open(
        parsed: &Parsed,
        clauses: &[Option<Clause>],
        number: usize,
        segment: &SegmentReader,
    ) -> tantivy::Result<Self> {
        let mut rows = Vec::new();
        for (leaf, clause) in clauses.iter().enumerate() {
            let Some(clause) = clause else { continue };
            if !parsed.used.contains(&leaf) {
                continue;
            }
            let matches = clause.open(number, segment)?;
            if matches.doc() == TERMINATED {
                continue;
            }
            let mut scopes = Vec::new();
            for group in [&parsed.leaves[leaf].roles, &parsed.leaves[leaf].tools] {
                if !group.is_empty() {
                    let open = |i: &usize| clauses[*i].as_ref().map(|clause| clause.open(number, segment));
                    scopes.push(group.iter().filter_map(open).collect::<tantivy::Result<_>>()?);
                }
            }
            rows.push(Row { leaf, matches, scopes });
        }
        let scores = vec![0.0; rows.len() * WINDOW];
        Ok(Self { rows, scores, touched: [0; WORDS], line: vec![0.0; clauses.len()] })
    }

    /// Goes to the first match at or after a document.
    pub(super) fn seek(&mut self, target: DocId) {
        for row in &mut self.rows {
            row.matches.seek(target);
        }
    }

    /// Visits each matching document before `until` with the score of each clause.
    pub(super) fn run(&mut self, until: DocId, mut visit: impl FnMut(DocId, &[f32])) {
        loop {
            let base = self.rows.iter().map(|row| row.matches.doc()).min().unwrap_or(TERMINATED);
            if base >= until {
                return;
            }
            let end = until.min(base.saturating_add(WINDOW as DocId));
            for (row, scores) in self.rows.iter_mut().zip(self.scores.chunks_exact_mut(WINDOW)) {
                let touched = &mut self.touched;
                let allowed = scope(&mut row.scopes, base, end);
                row.matches.drain(end, |doc, score| {
                    let column = (doc - base) as usize;
                    let (word, bit) = (column / 64, 1 << (column % 64));
                    if allowed.as_ref().is_some_and(|allowed| allowed[word] & bit == 0) {
                        return;
                    }
                    // A match is never worth nothing: 0 means that there is none.
                    scores[column] = scores[column].max(score).max(f32::MIN_POSITIVE);
                    touched[word] |= bit;
                });
            }
            for word in 0..WORDS {
                let mut bits = std::mem::take(&mut self.touched[word]);
                while bits != 0 {
                    let column = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    for (i, row) in self.rows.iter().enumerate() {
                        self.line[row.leaf] = std::mem::take(&mut self.scores[i * WINDOW + column]);
                    }
                    visit(base + column as DocId, &self.line);
                }
            }
        }
    }
}

/// The documents of a window that are in one of each group.
fn scope(groups: &mut [Vec<Matches>], base: DocId, end: DocId) -> Option<[u64; WORDS]> {
    let mut all: Option<[u64; WORDS]> = None;
    for group in groups {
        let mut any = [0; WORDS];
        for matches in group {
            matches.seek(base);
            matches.drain(end, |doc, _| {
                let column = (doc - base) as usize;
                any[column / 64] |= 1 << (column % 64);
            });
        }
        match &mut all {
            Some(all) => all.iter_mut().zip(any).for_each(|(all, any)| *all &= any),
            None => all = Some(any),
        }
    }
    all
}
