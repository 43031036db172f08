//! Counts of sessions by value.

use std::collections::HashMap;

use sg_domain::search::FacetBucket;
use sg_domain::{FacetField, Timestamp, time::DAY_MICROS};
use tantivy::SegmentReader;

use super::schema::Facts;
use super::segment::{FactColumn, SegmentSessions};

/// The most values of one facet that are told, the most frequent first.
const MAX_BUCKETS: usize = 1_000;

/// Counts within one segment, where values are numbers.
pub(super) struct SegmentCounts<'a> {
    columns: Vec<(FacetField, &'a FactColumn, Vec<u64>)>,
    days: Option<HashMap<i64, u64>>,
    sessions: &'a SegmentSessions,
}

impl<'a> SegmentCounts<'a> {
    /// Starts to count.
    pub(super) fn new(
        facets: &[FacetField],
        segment: &SegmentReader,
        sessions: &'a SegmentSessions,
    ) -> tantivy::Result<Self> {
        let mut columns: Vec<(FacetField, &FactColumn, Vec<u64>)> = Vec::new();
        let mut days = None;
        for facet in facets {
            let fact = match facet {
                FacetField::Project => Facts::Project,
                FacetField::Agent => Facts::Agent,
                FacetField::Model => Facts::Model,
                FacetField::Branch => Facts::Branch,
                FacetField::Tag => Facts::Tag,
                FacetField::Day => {
                    days = Some(HashMap::new());
                    continue;
                }
            };
            if columns.iter().all(|(known, ..)| known != facet) {
                let column = sessions.fact(segment, fact)?;
                columns.push((*facet, column, vec![0; column.values()]));
            }
        }
        Ok(Self { columns, days, sessions })
    }

    /// Counts a session.
    pub(super) fn add(&mut self, session: usize) {
        for (_, column, counts) in &mut self.columns {
            for ord in column.of(session) {
                counts[*ord as usize] += 1;
            }
        }
        if let Some(days) = &mut self.days {
            *days.entry(self.sessions.activity[session].div_euclid(DAY_MICROS)).or_default() += 1;
        }
    }

    /// Adds the counts to those of other segments.
    pub(super) fn hand_over(self, all: &mut HashMap<FacetField, HashMap<String, u64>>) -> tantivy::Result<()> {
        for (facet, column, counts) in self.columns {
            let sums = all.entry(facet).or_default();
            for (ord, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                *sums.entry(column.value(ord as u32)?).or_default() += count;
            }
        }
        for (day, count) in self.days.into_iter().flatten() {
            let day = Timestamp::from_micros(day.saturating_mul(DAY_MICROS)).day();
            *all.entry(FacetField::Day).or_default().entry(day).or_default() += count;
        }
        Ok(())
    }
}

/// The answer for each facet asked for.
pub(super) fn buckets(
    facets: &[FacetField],
    mut all: HashMap<FacetField, HashMap<String, u64>>,
) -> Vec<(FacetField, Vec<FacetBucket>)> {
    let mut out: Vec<(FacetField, Vec<FacetBucket>)> = Vec::new();
    for facet in facets {
        let sums = all.remove(facet).unwrap_or_default();
        let mut buckets: Vec<_> = sums.into_iter().map(|(value, count)| FacetBucket { value, count }).collect();
        buckets.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        buckets.truncate(MAX_BUCKETS);
        // Asked for twice: told twice.
        let known = out.iter().find(|(known, _)| known == facet).map(|(_, buckets)| buckets.clone());
        out.push((*facet, known.unwrap_or(buckets)));
    }
    out
}
