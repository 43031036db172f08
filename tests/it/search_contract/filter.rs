//! Filters of the index against `SessionFilter::matches`, on random sessions and random filters.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sg_domain::search::FacetField;
use sg_domain::{ProjectId, SearchQuery, Session, SessionFilter, SessionId, SessionMetadata, Timestamp, Visibility};
use sg_search::SessionDocument;

use super::{engines, fill, id, ids, query, says, user};

fn values() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "A", "a b", "é", "/w", "/w/x", "/w/xy", "/w/x/y", "C:\\w", "C:\\w\\x", "/"])
        .prop_map(str::to_owned)
}

fn maybe<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.6, of)
}

fn lists() -> impl Strategy<Value = Option<Vec<String>>> {
    maybe(prop::collection::vec(values(), 0..3))
}

fn times() -> impl Strategy<Value = Timestamp> {
    (0..6_i64).prop_map(|n| Timestamp::from_secs(1_700_000_000 + n * 40_000))
}

fn documents() -> impl Strategy<Value = SessionDocument> {
    let facts = (maybe(values()), maybe(values()), maybe(values()), maybe(values()), maybe(values()), maybe(values()));
    let more = (lists(), lists(), lists(), times(), times(), maybe(0..2_u64), 0..3_usize, 0..2_usize);
    (0..40_u64, facts, more).prop_map(|(n, facts, more)| {
        let mut document = says(n, "constant");
        let (client_name, agent_name, device_id, machine_name, folder, parent) = facts;
        let (git_branches, llm_models, tags, activity_at, created_at, data, project, owner) = more;
        document.session.metadata = SessionMetadata {
            client_name,
            agent_name,
            device_id,
            machine_name,
            folder,
            git_branches,
            llm_models,
            tags,
            ..SessionMetadata::default()
        };
        document.session.parent_client_id = parent;
        document.session.activity_at = activity_at;
        document.session.created_at = created_at;
        document.session.session_data_size = data;
        document.session.project_id = ProjectId::new(["p", "q", "P"][project]).unwrap();
        document.session.owner = user(["ann", "bob"][owner]);
        document
    })
}

fn filters() -> impl Strategy<Value = SessionFilter> {
    let list = || prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec(values(), 1..3)].boxed();
    let leaf = (
        (
            prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(prop::sample::select(vec!["p", "q", "zz"]).prop_map(str::to_owned), 1..3)],
            prop::option::weighted(0.15, prop::collection::vec((0..40_u64).prop_map(id), 0..30)),
            list(),
            list(),
            list(),
            list(),
        ),
        (list(), list(), list(), list(), list()),
        (
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, any::<bool>()),
            prop::option::weighted(0.2, any::<bool>()),
        ),
    );
    // Few fields at a time: a filter that nothing passes shows nothing.
    let leaf = (leaf, any::<u32>()).prop_map(|((one, two, three), mask)| {
        let on = |bit: u32| mask >> (bit * 2) & 3 == 0;
        let keep = |bit: u32, list: Vec<String>| if on(bit) { list } else { Vec::new() };
        SessionFilter {
            project_ids: keep(0, one.0),
            session_ids: one.1,
            client_names: keep(1, one.2),
            agent_names: keep(2, one.3),
            device_ids: keep(3, one.4),
            machine_names: keep(4, one.5),
            git_branches: keep(5, two.0),
            llm_models: keep(6, two.1),
            tags: keep(7, two.2),
            folders: keep(8, two.3),
            parent_client_ids: keep(9, two.4),
            active_from: three.0,
            active_to: three.1,
            created_from: three.2,
            has_git_branches: three.3,
            resumable: three.4,
            ..SessionFilter::default()
        }
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (
            inner.clone(),
            prop::collection::vec(inner.clone(), 0..3),
            prop::collection::vec(inner.clone(), 0..3),
            prop::option::weighted(0.3, inner),
        )
            .prop_map(|(base, and, or, not)| SessionFilter { and, or, not: not.map(Box::new), ..base })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_agree_with_their_definition() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let runtime = tokio::runtime::Handle::current();
        let strategy = (prop::collection::vec(documents(), 1..25), prop::collection::vec(filters(), 25));
        tokio::task::block_in_place(|| {
            let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
            let mut held: BTreeMap<SessionId, Session> = BTreeMap::new();
            let held = std::cell::RefCell::new(&mut held);
            let run = runner.run(&strategy, |(documents, filters)| {
                let mut held = held.borrow_mut();
                runtime.block_on(fill(index, documents.clone()));
                held.extend(documents.into_iter().map(|document| (document.session.id, document.session)));
                for filter in filters {
                    for (owner, text) in [(Some(user("ann")), "constant"), (None, "-absent")] {
                        let visibility = owner.clone().map_or(Visibility::everyone(), Visibility::Owner);
                        let want: Vec<_> = held
                            .values()
                            .filter(|session| visibility.allows(&session.owner) && filter.matches(session))
                            .map(|session| session.id)
                            .collect();
                        let asked = SearchQuery {
                            visibility,
                            filter: filter.clone(),
                            snippets: false,
                            limit: 100,
                            facets: vec![FacetField::Branch],
                            ..query(text)
                        };
                        let page = runtime.block_on(index.search(asked)).unwrap();
                        let mut got = ids(&page);
                        got.sort();
                        prop_assert_eq!(&got, &want, "{:?}", filter);
                        prop_assert_eq!(page.total, want.len() as u64);
                        let mut branches: BTreeMap<String, u64> = BTreeMap::new();
                        for session in want.iter().map(|id| &held[id]) {
                            let values: BTreeSet<_> = session.metadata.git_branches.iter().flatten().cloned().collect();
                            values.into_iter().for_each(|value| *branches.entry(value).or_default() += 1);
                        }
                        let counted =
                            page.facets[0].1.iter().map(|b| (b.value.clone(), b.count)).collect::<BTreeMap<_, _>>();
                        prop_assert_eq!(counted, branches);
                    }
                }
                Ok(())
            });
            run.unwrap_or_else(|error| panic!("{name}: {error}"));
        });
    }
}
