//! Connections: any mix of `first`, `last`, `after` and `before` is the full list, cut up; and a walk over pages meets
//! everything that was there all the while exactly once, whatever comes and goes meanwhile.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::{Engine, Gateway, Sample};

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];
const ORDERS: [&str; 6] = ["createdAt", "updatedAt", "endedAt", "lastActivity", "name", "markdownSize"];
const PROJECTS: [&str; 2] = ["aaaa", "bbbb"];

/// A connection somewhere in the schema: how it is asked for, and where it stands in the answer.
struct List {
    /// The document around it; `ARGS` stands for its arguments.
    query: String,
    /// Where the connection is in `data`.
    at: &'static str,
    /// Whether it pages backward too.
    has_last: bool,
}

impl List {
    fn new(query: impl Into<String>, at: &'static str) -> Self {
        Self { query: query.into(), at, has_last: true }
    }

    async fn page(&self, gateway: &Gateway, args: &str) -> Value {
        let page = "edges { cursor node { id } } \
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount";
        let query = self.query.replace("ARGS", args).replace("PAGE", page);
        gateway.graphql(&query, json!({})).await.pointer(self.at).unwrap_or_else(|| panic!("{query}")).clone()
    }

    /// All of it, a page after the other: ids with their cursors.
    async fn whole(&self, gateway: &Gateway) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut args = "first: 100".to_owned();
        loop {
            let page = self.page(gateway, &args).await;
            all.extend(edges(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                return all;
            }
            args = format!("first: 100, after: {}", page["pageInfo"]["endCursor"]);
        }
    }
}

fn edges(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    page["edges"].as_array().unwrap().iter().map(|edge| (text(&edge["node"]["id"]), text(&edge["cursor"]))).collect()
}

/// Sessions with ties in every order, in two projects; one of them with many messages. All of them say `heliotrope`.
async fn seeded(engine: Engine) -> (Gateway, String) {
    let gateway = Gateway::start_on(engine).await;
    for n in 0..23_usize {
        let name = ["b", "B", "ä", "日本", "\u{1f600}"][n * 7 % 5];
        let day = 1 + n % 4;
        let sample = Sample::new(&format!("client-{n}")).named(name).project(PROJECTS[n % 2], "P");
        let sample = sample.at(&format!("2026-10-0{day}T08:00:00Z")).user(&"heliotrope ".repeat(1 + n % 3));
        gateway.put(&gateway.me, sample).await;
        if n % 5 == 0 {
            gateway.clock.advance(std::time::Duration::from_secs(60));
        }
    }
    let talk = (0..17).fold(Sample::new("talk").project("cccc", "Talk"), |talk, n| match n % 3 {
        0 => talk.user(&format!("question {n}")),
        1 => talk.assistant(&format!("answer {n}")),
        _ => talk.tool("Bash", json!({ "command": "ls" }), "a.rs"),
    });
    let talk = gateway.seed(talk).await.id.to_string();
    (gateway, talk)
}

/// Every connection of the schema that lists something of a tenant's.
fn lists(talk: &str) -> Vec<List> {
    let mut lists = Vec::new();
    for order in ORDERS {
        for way in ["asc", "desc"] {
            let sorted = format!("orderBy: \"{order}\", orderDirection: \"{way}\", ARGS");
            lists.push(List::new(format!("{{ sessions({sorted}) {{ PAGE }} }}"), "/sessions"));
            let of_project = format!("{{ project(id: \"bbbb\") {{ sessions({sorted}) {{ PAGE }} }} }}");
            lists.push(List::new(of_project, "/project/sessions"));
        }
    }
    let some = "filters: { not: { projectId: \"aaaa\" } }, ARGS";
    lists.push(List::new(format!("{{ sessions({some}) {{ PAGE }} }}"), "/sessions"));
    for roles in ["ARGS", "role: USER, ARGS", "roles: [ASSISTANT, TOOL], ARGS"] {
        let messages = format!("{{ session(id: \"{talk}\") {{ messages({roles}) {{ PAGE }} }} }}");
        lists.push(List::new(messages, "/session/messages"));
    }
    let search = "{ searchSessions(query: \"heliotrope\", ARGS) { PAGE } }";
    lists.push(List { has_last: false, ..List::new(search, "/searchSessions") });
    lists
}

#[tokio::test(flavor = "multi_thread")]
async fn any_page_is_the_full_list_cut_up() {
    let place = || proptest::option::weighted(0.4, any::<prop::sample::Index>());
    let any_page = (1..9_usize, any::<bool>(), place(), place());
    let mut runner = TestRunner::deterministic();
    for engine in ENGINES {
        let (gateway, talk) = seeded(engine).await;
        for list in lists(&talk) {
            let all = list.whole(&gateway).await;
            assert!(all.len() > 5, "{}: only {} rows", list.query, all.len());
            for _ in 0..12 {
                let (size, backward, after, before) = any_page.new_tree(&mut runner).unwrap().current();
                let backward = backward && list.has_last;
                let after = after.map(|place| place.index(all.len()));
                let before = before.filter(|_| list.has_last).map(|place| place.index(all.len()));
                let mut args = format!("{}: {size}", if backward { "last" } else { "first" });
                for (name, place) in [("after", after), ("before", before)] {
                    if let Some(place) = place {
                        args += &format!(", {name}: \"{}\"", all[place].1);
                    }
                }
                let start = after.map_or(0, |at| at + 1);
                let end = before.unwrap_or(all.len()).max(start);
                let mut want = &all[start..end];
                want = match backward {
                    true => &want[want.len().saturating_sub(size)..],
                    false => &want[..want.len().min(size)],
                };
                let page = list.page(&gateway, &args).await;
                assert_eq!(edges(&page), want, "{engine:?} {} {args}", list.query);
                assert_eq!(page["totalCount"], all.len(), "{engine:?} {} {args}", list.query);
                let info = &page["pageInfo"];
                assert_eq!(info["startCursor"].as_str(), want.first().map(|row| row.1.as_str()));
                assert_eq!(info["endCursor"].as_str(), want.last().map(|row| row.1.as_str()));
                if let (Some(first), Some(last)) = (want.first(), want.last()) {
                    assert_eq!(info["hasPreviousPage"], *first != all[0], "{engine:?} {} {args}", list.query);
                    assert_eq!(info["hasNextPage"], *last != all[all.len() - 1], "{engine:?} {} {args}", list.query);
                }
            }
        }
    }
}

/// What happens between two pages of a walk.
#[derive(Clone, Debug)]
enum Event {
    /// A session is stored.
    Insert(String, usize),
    /// The session at this place of the first list is deleted, if it is still there.
    Delete(prop::sample::Index),
    /// The last session of the page that was just read is deleted: the one whose cursor is used next.
    DeleteLast,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => ("[a-c]{1,2}", 1..9_usize).prop_map(|(name, day)| Event::Insert(name, day)),
        3 => any::<prop::sample::Index>().prop_map(Event::Delete),
        1 => Just(Event::DeleteLast),
    ];
    prop::collection::vec(event, 0..3)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_meets_what_stays_exactly_once() {
    let mut runner = TestRunner::deterministic();
    let walk = (1..5_usize, prop::collection::vec(events(), 40));
    for engine in ENGINES {
        let mut number = 0;
        // Orders in which a session does not move while others come and go.
        for order in ["createdAt", "endedAt", "lastActivity", "name", "markdownSize"] {
            for (way, size_name, cursor_name, cursor) in [
                ("asc", "first", "after", "endCursor"),
                ("desc", "first", "after", "endCursor"),
                ("desc", "last", "before", "startCursor"),
            ] {
                let (gateway, _) = seeded(engine).await;
                let list = List::new(
                    format!("{{ sessions(orderBy: \"{order}\", orderDirection: \"{way}\", ARGS) {{ PAGE }} }}"),
                    "/sessions",
                );
                let before: Vec<String> = list.whole(&gateway).await.into_iter().map(|row| row.0).collect();
                let (size, steps) = walk.new_tree(&mut runner).unwrap().current();
                let mut deleted = Vec::new();
                let mut met: Vec<String> = Vec::new();
                let mut args = format!("{size_name}: {size}");
                for events in steps.iter().chain(std::iter::repeat(&Vec::new())) {
                    let page = list.page(&gateway, &args).await;
                    let rows: Vec<String> = edges(&page).into_iter().map(|row| row.0).collect();
                    met.extend(rows.iter().cloned());
                    let more = if size_name == "first" { "hasNextPage" } else { "hasPreviousPage" };
                    if page["pageInfo"][more] == false {
                        break;
                    }
                    args = format!("{size_name}: {size}, {cursor_name}: {}", page["pageInfo"][cursor]);
                    for event in events {
                        match event {
                            Event::Insert(name, day) => {
                                number += 1;
                                let sample = Sample::new(&format!("new-{number}")).named(name);
                                gateway.put(&gateway.me, sample.at(&format!("2026-10-0{day}T08:00:00Z"))).await;
                            }
                            Event::Delete(place) => deleted.push(before[place.index(before.len())].clone()),
                            Event::DeleteLast => deleted.extend(rows.last().cloned()),
                        }
                        if let Some(id) = deleted.last() {
                            let query =
                                "mutation($id: String!) { deleteSession(input: { id: $id }) { deletedSessionId } }";
                            // It may be gone already.
                            gateway.graphql_as(&gateway.me.key, query, json!({ "id": id })).await;
                        }
                    }
                }
                let mut once = met.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), met.len(), "{engine:?} {order} {way} {size_name}: met twice");
                for id in before.iter().filter(|id| !deleted.contains(id)) {
                    assert!(met.contains(id), "{engine:?} {order} {way} {size_name}: {id} was never met");
                }
                gateway.run_jobs().await;
            }
        }
    }
}
