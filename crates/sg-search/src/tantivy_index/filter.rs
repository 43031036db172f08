//! A [`SessionFilter`] against the columns of one segment. `SessionFilter::matches` is the definition; this agrees with
//! it (a property test compares them).

use std::collections::HashSet;

use sg_domain::filter::is_within;
use sg_domain::{SessionFilter, Timestamp, Visibility};
use tantivy::SegmentReader;

use super::schema::{Facts, HAS_BRANCHES, RESUMABLE};
use super::segment::{FactColumn, SegmentSessions};

/// Conditions that a session of one segment must all meet.
pub(super) struct SegmentFilter<'a> {
    conditions: Vec<Condition<'a>>,
}

enum Condition<'a> {
    /// No session meets it.
    Never,
    /// One of the session's values is one of these, sorted.
    Any(&'a FactColumn, Vec<u32>),
    /// A number is within these bounds, both included.
    Range(&'a [i64], i64, i64),
    /// A flag is set or not.
    Flag(&'a [u8], u64, bool),
    /// It is one of these.
    Ids(&'a [u128], HashSet<u128>),
    /// Any of these.
    Or(Vec<SegmentFilter<'a>>),
    /// Not this.
    Not(Box<SegmentFilter<'a>>),
}

impl<'a> SegmentFilter<'a> {
    /// Prepares a filter and the tenants whose sessions may be seen at all.
    pub(super) fn new(
        segment: &'a SegmentReader,
        sessions: &'a SegmentSessions,
        visibility: &Visibility,
        filter: &SessionFilter,
    ) -> tantivy::Result<Self> {
        let mut this = Self { conditions: Vec::new() };
        match visibility {
            Visibility::Owner(owner) => {
                let column = sessions.fact(segment, Facts::Owner)?;
                this.conditions.push(match column.ord(owner.as_str())? {
                    Some(ord) => Condition::Any(column, vec![ord]),
                    None => Condition::Never,
                });
            }
            Visibility::Everyone => {}
        }
        this.add(segment, sessions, filter)?;
        Ok(this)
    }

    fn add(
        &mut self,
        segment: &'a SegmentReader,
        sessions: &'a SegmentSessions,
        filter: &SessionFilter,
    ) -> tantivy::Result<()> {
        let lists = [
            (Facts::Project, &filter.project_ids),
            (Facts::ClientName, &filter.client_names),
            (Facts::Agent, &filter.agent_names),
            (Facts::Device, &filter.device_ids),
            (Facts::Machine, &filter.machine_names),
            (Facts::Branch, &filter.git_branches),
            (Facts::Model, &filter.llm_models),
            (Facts::Tag, &filter.tags),
            (Facts::Parent, &filter.parent_client_ids),
        ];
        for (fact, wanted) in lists {
            if wanted.is_empty() {
                continue;
            }
            let column = sessions.fact(segment, fact)?;
            let mut ords = Vec::new();
            for value in wanted {
                ords.extend(column.ord(value)?);
            }
            ords.sort_unstable();
            self.conditions.push(if ords.is_empty() { Condition::Never } else { Condition::Any(column, ords) });
        }
        if let Some(ids) = &filter.session_ids {
            let ids: HashSet<u128> = ids.iter().map(|id| id.0.as_u128()).collect();
            self.conditions.push(Condition::Ids(&sessions.ids, ids));
        }
        if !filter.folders.is_empty() {
            // There are few folders: looking at each once is cheaper than at each session.
            let column = sessions.fact(segment, Facts::Folder)?;
            let mut ords = Vec::new();
            for ord in 0..u32::try_from(column.values()).unwrap_or(u32::MAX) {
                let have = column.value(ord)?;
                if filter.folders.iter().any(|want| is_within(&have, want)) {
                    ords.push(ord);
                }
            }
            self.conditions.push(Condition::Any(column, ords));
        }
        if filter.active_from.is_some() || filter.active_to.is_some() {
            let from = filter.active_from.map_or(i64::MIN, Timestamp::micros);
            let to = filter.active_to.map_or(i64::MAX, Timestamp::micros);
            self.conditions.push(Condition::Range(&sessions.activity, from, to));
        }
        if let Some(from) = filter.created_from {
            self.conditions.push(Condition::Range(sessions.created(segment)?, from.micros(), i64::MAX));
        }
        if let Some(want) = filter.has_git_branches {
            self.conditions.push(Condition::Flag(sessions.flags(segment)?, HAS_BRANCHES, want));
        }
        if let Some(want) = filter.resumable {
            self.conditions.push(Condition::Flag(sessions.flags(segment)?, RESUMABLE, want));
        }
        let inner = |filter: &SessionFilter| -> tantivy::Result<Self> {
            let mut inner = Self { conditions: Vec::new() };
            inner.add(segment, sessions, filter)?;
            Ok(inner)
        };
        for filter in &filter.and {
            self.add(segment, sessions, filter)?;
        }
        if !filter.or.is_empty() {
            let options = filter.or.iter().map(inner).collect::<tantivy::Result<_>>()?;
            self.conditions.push(Condition::Or(options));
        }
        if let Some(not) = &filter.not {
            self.conditions.push(Condition::Not(Box::new(inner(not)?)));
        }
        Ok(())
    }

    /// Whether no session of the segment can pass.
    pub(super) fn is_never(&self) -> bool {
        self.conditions.iter().any(|condition| matches!(condition, Condition::Never))
    }

    /// Whether a session passes.
    pub(super) fn passes(&self, session: usize) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::Never => false,
            Condition::Any(column, wanted) => column.of(session).iter().any(|ord| wanted.binary_search(ord).is_ok()),
            Condition::Range(values, from, to) => (*from..=*to).contains(&values[session]),
            Condition::Flag(flags, bit, want) => (u64::from(flags[session]) & bit != 0) == *want,
            Condition::Ids(ids, wanted) => wanted.contains(&ids[session]),
            Condition::Or(options) => options.iter().any(|option| option.passes(session)),
            Condition::Not(inner) => !inner.passes(session),
        })
    }
}
