//! A query from its text to a page.

use std::collections::HashSet;

use sg_domain::{SearchPage, SearchQuery, SessionId};

use super::correct::correct;
use super::facet::buckets;
use super::hit::hits;
use super::rank::{find, page, prepare};
use super::segment::Snapshot;
use crate::query::parse;
use crate::tokenizer::CodeTokenizer;

/// With fewer sessions than this, typing errors are looked for.
const FEW: usize = 3;

/// Answers a query.
pub(super) fn search(
    query: &SearchQuery,
    snapshot: &Snapshot,
    removed: &HashSet<SessionId>,
) -> tantivy::Result<SearchPage> {
    let mut tokenizer = CodeTokenizer::default();
    let mut parsed = parse(&query.text, query.now, &mut tokenizer);
    let mut clauses = prepare(&parsed, snapshot)?;
    let mut answer = find(query, &parsed, &clauses, snapshot, removed)?;
    let mut suggestion = None;
    if answer.found.len() < FEW
        && let Some(corrected) = correct(query, &parsed, snapshot, removed)?
    {
        let with = prepare(&corrected.parsed, snapshot)?;
        let better = find(query, &corrected.parsed, &with, snapshot, removed)?;
        if better.found.len() > answer.found.len() {
            (parsed, clauses, answer) = (corrected.parsed, with, better);
            suggestion = Some(corrected.text);
        }
    }
    let total = answer.found.len() as u64;
    let facets = buckets(&query.facets, answer.counts);
    let page = page(query, snapshot, answer.found);
    let hits = hits(query, &parsed, &clauses, snapshot, &page)?;
    Ok(SearchPage { hits, total, facets, suggestion })
}
