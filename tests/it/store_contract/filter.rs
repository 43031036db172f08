//! The SQL of a filter against its definition in the domain.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sg_domain::{PageRequest, Session, SessionFilter, Visibility};
use sg_store::SessionColumns;

use super::Fixture;
use super::sample::{at, owner, project, put, session, session_id};

/// Some of a few values, so that filters and sessions often meet; NULL-like gaps everywhere.
fn some(values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let one = prop::sample::select(values).prop_map(str::to_owned);
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(one, 1..4)]
}

const FOLDERS: &[&str] = &["/a", "/a/b", "/a/b/", "/ab", "/", "", "C:\\a", "C:\\a\\b", "/a%", "/A", "/a_b", "日本/x"];

fn any_leaf() -> impl Strategy<Value = SessionFilter> {
    let times = || proptest::option::weighted(0.2, (-5..25_i64).prop_map(at));
    let flags = || proptest::option::weighted(0.2, any::<bool>());
    let ids = prop::collection::vec((0..30_u128).prop_map(session_id), 0..20);
    (
        (some(&["p0", "p1", "none"]), proptest::option::weighted(0.15, ids), some(&["cli", "web"])),
        (some(&["Claude Code", "Codex CLI"]), some(&["d0", "d1"]), some(&["laptop", "Laptop"])),
        (some(&["main", "topic/1", ""]), some(&["model-0", "model-1"]), some(&["b", "späť", "none"])),
        (some(FOLDERS), some(&["client-1", "client-2"]), times(), times(), times()),
        (flags(), flags()),
    )
        .prop_map(|(a, b, c, d, e)| SessionFilter {
            project_ids: a.0,
            session_ids: a.1,
            client_names: a.2,
            agent_names: b.0,
            device_ids: b.1,
            machine_names: b.2,
            git_branches: c.0,
            llm_models: c.1,
            tags: c.2,
            folders: d.0,
            parent_client_ids: d.1,
            active_from: d.2,
            active_to: d.3,
            created_from: d.4,
            has_git_branches: e.0,
            resumable: e.1,
            ..SessionFilter::default()
        })
}

fn any_filter() -> impl Strategy<Value = SessionFilter> {
    any_leaf().prop_recursive(3, 8, 3, |inner| {
        let list = || prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(inner.clone(), 1..3)];
        let not = proptest::option::weighted(0.4, inner.clone().prop_map(Box::new));
        (any_leaf(), list(), list(), not).prop_map(|(leaf, and, or, not)| SessionFilter { and, or, not, ..leaf })
    })
}

async fn varied(f: &Fixture) -> Vec<Session> {
    let ann = owner("ann");
    let keys = [project(&f.store, &ann, "p0").await, project(&f.store, &ann, "p1").await];
    let sessions: Vec<_> = (0..30_u128)
        .map(|n| {
            let i = n as usize;
            let mut s = session(n, &ann, ["p0", "p1"][i % 2], keys[i % 2]);
            let text = |values: &[Option<&str>], by: usize| values[i / by % values.len()].map(str::to_owned);
            let meta = &mut s.metadata;
            meta.client_name = text(&[Some("cli"), None, Some("web")], 1);
            meta.agent_name = text(&[None, Some("Claude Code"), Some("Codex CLI")], 2);
            meta.device_id = text(&[Some("d0"), Some("d1"), None], 3);
            meta.machine_name = text(&[Some("laptop"), None], 4);
            meta.folder = if i % 4 == 3 { None } else { Some(FOLDERS[i % FOLDERS.len()].to_owned()) };
            meta.git_branches = match i % 5 {
                0 => None,
                1 => Some(Vec::new()),
                2 => Some(vec![String::new()]),
                _ => Some(vec!["main".to_owned(), format!("topic/{}", i % 3)]),
            };
            meta.llm_models = (i % 3 != 0).then(|| vec![format!("model-{}", i % 2)]);
            s.session_data_size = [None, Some(0), Some(1)][i % 3];
            s.activity_at = at(i64::try_from(i % 20).unwrap());
            s.created_at = at(i64::try_from(i % 7).unwrap());
            s
        })
        .collect();
    put(&f.store, &sessions).await;
    sessions
}

async fn agrees(f: &Fixture, sessions: &[Session], filter: &SessionFilter) -> usize {
    let who = Visibility::Owner(owner("ann"));
    let (order, way) = Default::default();
    let page = f.store.sessions(&who, filter, order, way, &PageRequest::all(), SessionColumns::ALL).await.unwrap();
    let mut found: Vec<_> = page.items.iter().map(|s| s.id).collect();
    found.sort();
    let wanted: Vec<_> = sessions.iter().filter(|s| filter.matches(s)).map(|s| s.id).collect();
    assert_eq!(found, wanted, "{filter:#?}");
    assert_eq!(f.store.session_count(&who, filter).await.unwrap(), wanted.len() as u64, "{filter:#?}");
    wanted.len()
}

pub(crate) async fn sql_agrees_with_the_definition(f: &Fixture) {
    let sessions = varied(f).await;
    let mut runner = TestRunner::deterministic();
    let strategy = any_filter();
    let mut some = 0;
    for _ in 0..400 {
        let filter = strategy.new_tree(&mut runner).unwrap().current();
        let found = agrees(f, &sessions, &filter).await;
        some += usize::from(found > 0 && found < sessions.len());
    }
    assert!(some > 40, "only {some} of 400 filters told sessions apart");
}

pub(crate) async fn folders_are_whole_segments(f: &Fixture) {
    let sessions = varied(f).await;
    for folder in FOLDERS.iter().chain(&["/a//", "C:\\", "/a\\"]) {
        let filter = SessionFilter { folders: vec![(*folder).to_owned()], ..Default::default() };
        agrees(f, &sessions, &filter).await;
        agrees(f, &sessions, &SessionFilter { not: Some(Box::new(filter)), ..Default::default() }).await;
    }
}
