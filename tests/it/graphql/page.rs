//! Pages of sessions, forwards and backwards, and how many statements they cost.

use axum::http::Method;
use serde_json::{Value, json};

use super::texts;
use crate::harness::{Gateway, Sample};

async fn seeded(projects: usize, sessions: usize) -> Gateway {
    let gateway = Gateway::start().await;
    for project in 0..projects {
        for n in 0..sessions {
            let sample = Sample::new(&format!("{project}-{n}")).named(&format!("s{n}"));
            let sample = sample.project(&format!("p{project}"), &format!("P{project}"));
            gateway.put(&gateway.me, sample).await;
        }
    }
    gateway.run_jobs().await;
    gateway
}

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
    sessions(first: $first, after: $after, last: $last, before: $before, orderBy: \"name\", orderDirection: \"asc\") {
      edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
    } }";

fn names(page: &Value) -> Vec<&str> {
    page["sessions"]["edges"].as_array().unwrap().iter().map(|e| e["node"]["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_meet_in_both_directions() {
    let gateway = seeded(1, 7).await;
    let (mut forward, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = gateway.graphql(PAGE, json!({ "first": 3, "after": after })).await;
        let info = &page["sessions"]["pageInfo"];
        assert_eq!(page["sessions"]["totalCount"], 7);
        assert_eq!(info["hasPreviousPage"], !forward.is_empty());
        forward.extend(names(&page).into_iter().map(str::to_owned));
        after = info["endCursor"].clone();
        if info["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(forward, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    let (mut backward, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = gateway.graphql(PAGE, json!({ "last": 3, "before": before })).await;
        let mut part: Vec<_> = names(&page).into_iter().map(str::to_owned).collect();
        part.append(&mut backward);
        backward = part;
        let info = &page["sessions"]["pageInfo"];
        before = info["startCursor"].clone();
        if info["hasPreviousPage"] == false {
            break;
        }
    }
    assert_eq!(backward, forward);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_cursors_and_filters_cursor() {
    let gateway = seeded(1, 5).await;
    let query =
        "{ sessions(limit: 2, offset: 2, orderBy: \"NAME_ASC\") { items { name } total hasNextPage hasPreviousPage } }";
    let page = gateway.graphql(query, json!({})).await;
    assert_eq!(texts(&page["sessions"]["items"], "name"), ["s2", "s3"]);
    assert_eq!(page["sessions"]["total"], 5);
    assert_eq!((&page["sessions"]["hasNextPage"], &page["sessions"]["hasPreviousPage"]), (&json!(true), &json!(true)));
    let first = gateway.graphql(PAGE, json!({ "first": 2 })).await;
    let cursor = &first["sessions"]["pageInfo"]["endCursor"];
    let behind = "query($c: String) { sessions(filters: { cursor: $c }, orderBy: \"name\", orderDirection: \"asc\") { nodes { name } } }";
    let rest = gateway.graphql(behind, json!({ "c": cursor })).await;
    assert_eq!(texts(&rest["sessions"]["nodes"], "name"), ["s2", "s3", "s4"]);
    // A cursor of another order, and of a project's list in the same order.
    let foreign = "query($c: String) { sessions(after: $c, orderBy: \"createdAt\") { nodes { name } } }";
    assert_eq!(gateway.graphql_code(foreign, json!({ "c": cursor })).await, "VALIDATION_ERROR");
    for size in ["first: 101", "first: 0", "first: -1000000", "last: -1", "limit: 0", "first: 1, last: 1", "offset: -1"]
    {
        let query = format!("{{ sessions({size}) {{ total nodes {{ id }} }} }}");
        assert_eq!(gateway.graphql_code(&query, json!({})).await, "VALIDATION_ERROR", "{size}");
    }
}

async fn statements(gateway: &Gateway, query: &str) -> u64 {
    // What is kept is not looked at: an answer that is costs no statement.
    let ask = async |query: &str| {
        let call =
            gateway.call(Method::POST, "/api/v1/graphql").key(&gateway.me.key).header("cache-control", "no-store");
        let answer = call.json(&json!({ "query": query })).send().await.json();
        assert!(answer.get("errors").is_none(), "{answer:#}");
    };
    // The first request notes the key's use and fills the guard's cache; both are no part of the query.
    ask(query).await;
    let before = gateway.app.statements();
    ask("{ __typename }").await;
    let bare = gateway.app.statements() - before;
    let before = gateway.app.statements();
    ask(query).await;
    gateway.app.statements() - before - bare
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_per_shape() {
    let gateway = seeded(4, 3).await;
    for (query, want) in [
        ("{ __schema { queryType { name } } }", 0),
        ("{ projects { id name sessionCount } }", 1),
        ("{ projects { sessions(limit: 2) { items { id metadata { agentName } } total } } }", 2),
        ("{ projects { sessions(first: 2) { edges { node { id project { name } } } pageInfo { hasNextPage } } } }", 2),
        ("{ projects { sessions { totalCount } } }", 1),
        ("{ projects { a: sessions(first: 1) { nodes { id } } b: sessions(first: 2) { nodes { id } } } }", 3),
        ("{ sessions { items { id } } }", 1),
        ("{ sessions { items { id } total totalCount } }", 1),
        ("{ sessions(first: 2) { nodes { id } total totalCount } }", 2),
        ("{ sessions { total } }", 1),
        ("{ sessions(first: 5) { nodes { id project { name } } } }", 2),
        ("{ sessions(first: 5) { nodes { id subagents { id } } } }", 2),
    ] {
        assert_eq!(statements(&gateway, query).await, want, "{query}");
    }
}
