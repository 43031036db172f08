//! `SessionFilters` against their meaning in so many words, evaluated here on what the API itself says of each session: on
//! both SQL engines and in the index.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::harness::{Engine, Gateway, Sample};

const SESSIONS: &str = "{ sessions(limit: 200) { nodes { clientId projectId createdAt lastActivity metadata {
    clientName agentName deviceId machineName gitBranches llmModels tags folder } } } }";
const LIST: &str =
    "query($filters: SessionFilters) { sessions(filters: $filters, limit: 200) { total nodes { clientId } } }";
const SEARCH: &str =
    "query($filters: SessionFilters) { searchSessions(query: \"heliotrope\", filters: $filters, limit: 200) {
    total results { session { clientId } } } }";

/// The clock stands at noon of 2026-11-01, a Sunday, when the first is stored.
async fn seeded(engine: Engine) -> Gateway {
    let gateway = Gateway::start_on(engine).await;
    for n in 0..40_usize {
        let text = |values: &[Option<&str>], by: usize| values[n / by % values.len()].map(str::to_owned);
        let some = |values: &[Option<&[&str]>], by: usize| {
            values[n / by % values.len()].map(|list| list.iter().map(|v| (*v).to_owned()).collect())
        };
        let time = ["2026-11-01T00:00:00Z", "2026-10-31T23:59:59Z", "2026-10-25T12:00:00Z", "2026-10-01T08:00:00Z"];
        let sample = Sample::new(&format!("client-{n}")).user("heliotrope").at(time[n * 3 % 4]);
        let sample = sample.project(["aaaa", "bbbb", "cccc"][n % 3], "P").with(|meta| {
            meta.client_name = text(&[Some("cli"), None, Some("web")], 1);
            meta.agent_name = text(&[Some("Claude Code"), None, Some("Codex CLI")], 2);
            meta.device_id = text(&[Some("d0"), Some("d1"), None], 3);
            meta.machine_name = text(&[Some("laptop"), None, Some("Laptop")], 4);
            meta.folder = text(&[Some("/w"), Some("/w/x"), None, Some("/wx"), Some("/w/x/y")], 1);
            meta.git_branches = some(&[Some(&["main"]), None, Some(&["main", "späť"]), Some(&[])], 1);
            meta.llm_models = some(&[Some(&["m-0"]), Some(&["m-1", "m-0"]), None], 2);
            meta.tags = some(&[None, Some(&["red"]), Some(&["red", "blue"])], 3);
        });
        gateway.put(&gateway.me, sample).await;
        if n % 10 == 9 {
            gateway.clock.advance(std::time::Duration::from_secs(1));
        }
    }
    gateway.run_jobs().await;
    gateway
}

/// Values of each field that lists, singular name first where there is one.
const LISTS: [(&str, Option<&str>, &str, &[&str]); 9] = [
    ("projectIds", Some("projectId"), "/projectId", &["aaaa", "bbbb", "none"]),
    ("clientNames", Some("clientName"), "/metadata/clientName", &["cli", "web"]),
    ("agentNames", Some("agentName"), "/metadata/agentName", &["Claude Code", "Codex CLI", "claude code"]),
    ("deviceIds", Some("deviceId"), "/metadata/deviceId", &["d0", "d1"]),
    ("machineNames", None, "/metadata/machineName", &["laptop", "Laptop"]),
    ("gitBranches", None, "/metadata/gitBranches", &["main", "späť", "none"]),
    ("llmModels", None, "/metadata/llmModels", &["m-0", "m-1"]),
    ("tags", None, "/metadata/tags", &["red", "blue"]),
    ("folders", None, "/metadata/folder", &["/w", "/w/x", "/w/x/y/", "/wx"]),
];

fn leaf() -> impl Strategy<Value = Map<String, Value>> {
    let day =
        || prop::sample::select(vec!["2026-10-01", "2026-10-25", "2026-10-31", "2026-11-01", "2026-10-25T12:00:00Z"]);
    let lists: Vec<_> = LISTS
        .iter()
        .map(|(plural, singular, _, values)| {
            let one = || prop::sample::select(*values);
            let many = prop::collection::vec(one(), 1..3).prop_map(move |list| ((*plural).to_owned(), json!(list)));
            let single = one().prop_map(move |value| (singular.unwrap_or(plural).to_owned(), json!(value)));
            prop_oneof![many, single].boxed()
        })
        .collect();
    let times = prop_oneof![
        day().prop_map(|day| ("startDate".to_owned(), json!(day))),
        day().prop_map(|day| ("endDate".to_owned(), json!(day))),
        (day(), day()).prop_map(|(start, end)| ("dateRange".to_owned(), json!({ "start": start, "end": end }))),
        prop::sample::select(vec!["2026-11-01", "2026-11-01T12:00:02.000Z", "2026-11-02"])
            .prop_map(|at| ("createdAfter".to_owned(), json!(at))),
        prop::sample::select(vec!["today", "yesterday", "last7days", "thisWeek", "thisMonth", "all"])
            .prop_map(|name| ("timeFilter".to_owned(), json!(name))),
        any::<bool>().prop_map(|has| ("hasGitBranches".to_owned(), json!(has))),
    ];
    let field = prop_oneof![3 => prop::sample::select(lists).prop_flat_map(|list| list), 1 => times];
    prop::collection::vec(field, 0..3).prop_map(|fields| fields.into_iter().collect())
}

fn filters() -> impl Strategy<Value = Map<String, Value>> {
    leaf().prop_recursive(3, 10, 3, |inner| {
        let list = || proptest::option::weighted(0.4, prop::collection::vec(inner.clone(), 1..3));
        (leaf(), list(), list(), proptest::option::weighted(0.4, inner.clone())).prop_map(|(mut leaf, and, or, not)| {
            leaf.extend(and.map(|and| ("and".to_owned(), json!(and))));
            leaf.extend(or.map(|or| ("or".to_owned(), json!(or))));
            leaf.extend(not.map(|not| ("not".to_owned(), json!(not))));
            leaf
        })
    })
}

/// What the filters mean.
fn passes(session: &Value, filters: &Map<String, Value>) -> bool {
    let list = |value: &Value| match value {
        Value::Array(values) => values.iter().map(|v| v.as_str().unwrap().to_owned()).collect(),
        Value::Null => Vec::new(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    // Times are all written alike, so that they compare as text; a date is the start of the time it means.
    let activity = session["lastActivity"].as_str().unwrap();
    let since = |have: &str, from: &str| have >= from.trim_end_matches('Z');
    let until = |have: &str, to: &str| {
        if to.len() == 10 { &have[..10] <= to } else { have.trim_end_matches(".000Z") <= to.trim_end_matches('Z') }
    };
    for (plural, singular, at, _) in LISTS {
        let mut wanted: Vec<String> = filters.get(plural).map(&list).unwrap_or_default();
        wanted.extend(singular.and_then(|name| filters.get(name)).map(&list).unwrap_or_default());
        let have: Vec<String> = session.pointer(at).map(&list).unwrap_or_default();
        let is_wanted = |have: &String| match plural {
            "folders" => wanted
                .iter()
                .any(|w| have == w.trim_end_matches('/') || have.starts_with(&format!("{}/", w.trim_end_matches('/')))),
            _ => wanted.contains(have),
        };
        if !wanted.is_empty() && !have.iter().any(is_wanted) {
            return false;
        }
    }
    let texts = |name: &str| filters.get(name).and_then(Value::as_str);
    let range = filters.get("dateRange");
    let edge = |name: &str| range.and_then(|range| range[name].as_str());
    let has_branches = session["metadata"]["gitBranches"].as_array().is_some_and(|list| !list.is_empty());
    texts("startDate").is_none_or(|from| since(activity, from))
        && edge("start").is_none_or(|from| since(activity, from))
        && texts("endDate").is_none_or(|to| until(activity, to))
        && edge("end").is_none_or(|to| until(activity, to))
        && texts("createdAfter").is_none_or(|from| since(session["createdAt"].as_str().unwrap(), from))
        && texts("timeFilter").is_none_or(|name| match name {
            "today" | "thisMonth" => activity >= "2026-11-01",
            "yesterday" => activity.starts_with("2026-10-31"),
            "last7days" => activity >= "2026-10-25T12:00:04",
            "thisWeek" => activity >= "2026-10-26",
            _ => true,
        })
        && filters.get("hasGitBranches").is_none_or(|want| *want == has_branches)
        && each(filters, "and").all(|inner| passes(session, inner))
        && (!filters.contains_key("or") || each(filters, "or").any(|inner| passes(session, inner)))
        && filters.get("not").is_none_or(|inner| !passes(session, inner.as_object().unwrap()))
}

fn each<'a>(filters: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    filters.get(name).and_then(Value::as_array).into_iter().flatten().map(|inner| inner.as_object().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_mean_what_they_say_on_every_engine_and_in_the_index() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = seeded(engine).await;
        let sessions = gateway.graphql(SESSIONS, json!({})).await["sessions"]["nodes"].take();
        let sessions = sessions.as_array().unwrap();
        let mut runner = TestRunner::deterministic();
        let strategy = filters();
        let mut telling = 0;
        for _ in 0..200 {
            let filters = strategy.new_tree(&mut runner).unwrap().current();
            let want: Vec<&str> = {
                let passing = sessions.iter().filter(|session| passes(session, &filters));
                let mut ids: Vec<_> = passing.map(|session| session["clientId"].as_str().unwrap()).collect();
                ids.sort_unstable();
                ids
            };
            telling += usize::from(!want.is_empty() && want.len() < sessions.len());
            for (query, list, rows, id) in
                [(LIST, "sessions", "nodes", "/clientId"), (SEARCH, "searchSessions", "results", "/session/clientId")]
            {
                let data = gateway.graphql(query, json!({ "filters": filters })).await;
                let rows = data[list][rows].as_array().unwrap().iter();
                let mut got: Vec<&str> = rows.map(|row| row.pointer(id).unwrap().as_str().unwrap()).collect();
                got.sort_unstable();
                assert_eq!(got, want, "{engine:?} {list} {}", Value::from(filters.clone()));
                assert_eq!(data[list]["total"], want.len(), "{engine:?} {list}");
            }
        }
        assert!(telling > 60, "only {telling} of 200 filters told sessions apart");
    }
}
