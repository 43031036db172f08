//! Every filter filters.

use serde_json::{Value, json};

use super::texts;
use crate::harness::{Gateway, Sample};

const NAMES: &str = "query($filters: SessionFilters) { sessions(filters: $filters, orderBy: \"name\", orderDirection: \"asc\") { total sessions { name } } }";

async fn names(gateway: &Gateway, filters: Value) -> Vec<String> {
    let data = gateway.graphql(NAMES, json!({ "filters": filters })).await;
    let names = texts(&data["sessions"]["sessions"], "name");
    assert_eq!(data["sessions"]["total"], names.len(), "{filters}");
    names.into_iter().map(str::to_owned).collect()
}

fn some(values: &[&str]) -> Option<Vec<String>> {
    Some(values.iter().map(|v| (*v).to_owned()).collect())
}

/// Three sessions that differ in everything that can be filtered by. The clock stands at 2026-11-01T12:00Z, a Sunday.
async fn seeded() -> Gateway {
    let gateway = Gateway::start().await;
    let a = Sample::new("a").named("a").project("aaaa", "A").at("2026-11-01T08:00:00Z").with(|m| {
        m.device_id = Some("dev-a".to_owned());
        m.machine_name = Some("box-a".to_owned());
        m.tags = some(&["red", "blue"]);
        m.folder = Some("/home/ada/app/api".to_owned());
    });
    let b = Sample::new("b").named("b").project("bbbb", "B").at("2026-10-20T08:00:00Z").with(|m| {
        m.client_name = Some("other-client".to_owned());
        m.agent_name = Some("Codex CLI".to_owned());
        m.device_id = Some("dev-b".to_owned());
        m.machine_name = Some("box-b".to_owned());
        m.git_branches = some(&["dev"]);
        m.llm_models = some(&["gpt-5"]);
        m.tags = some(&["blue"]);
        m.folder = Some("/home/ada/application".to_owned());
    });
    let c = Sample::new("c").named("c").project("bbbb", "B").at("2026-05-01T08:00:00Z").with(|m| {
        m.git_branches = None;
        m.tags = None;
    });
    for sample in [a, b, c.user("Only here: zeppelin")] {
        gateway.seed(sample).await;
    }
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_filters() {
    let gateway = seeded().await;
    for (filters, want) in [
        (json!({}), "abc"),
        (Value::Null, "abc"),
        (json!({ "projectId": "aaaa" }), "a"),
        (json!({ "projectIds": ["bbbb"] }), "bc"),
        (json!({ "projectId": "aaaa", "projectIds": ["bbbb"] }), "abc"),
        (json!({ "clientName": "other-client" }), "b"),
        (json!({ "clientNames": ["other-client", "specstory-cli"] }), "abc"),
        (json!({ "agentName": "Codex CLI" }), "b"),
        (json!({ "agentNames": ["Claude Code"] }), "ac"),
        (json!({ "deviceId": "dev-a" }), "a"),
        (json!({ "deviceIds": ["dev-a", "dev-b"] }), "ab"),
        (json!({ "machineNames": ["box-b"] }), "b"),
        (json!({ "gitBranches": ["main", "nope"] }), "a"),
        (json!({ "gitBranches": "dev" }), "b"),
        (json!({ "llmModels": ["gpt-5"] }), "b"),
        (json!({ "tags": ["blue"] }), "ab"),
        (json!({ "tags": ["blue"], "agentName": "Codex CLI" }), "b"),
        (json!({ "folders": ["/home/ada/app"] }), "a"),
        (json!({ "startDate": "2026-10-20" }), "ab"),
        (json!({ "endDate": "2026-10-20" }), "bc"),
        (json!({ "dateRange": { "start": "2026-10-01", "end": "2026-10-31" } }), "b"),
        (json!({ "timeFilter": "today" }), "a"),
        (json!({ "timeFilter": "yesterday" }), ""),
        (json!({ "timeFilter": "thisMonth" }), "a"),
        (json!({ "timeFilter": "last30days" }), "ab"),
        (json!({ "timeFilter": "all" }), "abc"),
        (json!({ "createdAfter": "2026-10-31" }), "abc"),
        (json!({ "createdAfter": "2026-12-01" }), ""),
        (json!({ "hasGitBranches": true }), "ab"),
        (json!({ "hasGitBranches": false }), "c"),
        (json!({ "searchText": "zeppelin" }), "c"),
        (json!({ "and": [{ "tags": ["blue"] }, { "projectId": "aaaa" }] }), "a"),
        (json!({ "or": [{ "projectId": "aaaa" }, { "hasGitBranches": false }] }), "ac"),
        (json!({ "not": { "tags": ["blue"] } }), "c"),
        (json!({ "not": { "or": [{ "deviceId": "dev-a" }, { "deviceId": "dev-b" }] } }), "c"),
    ] {
        assert_eq!(names(&gateway, filters.clone()).await.concat(), want, "{filters}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_a_projects_list_stay_inside_it() {
    let gateway = seeded().await;
    let query = "{ project(id: \"bbbb\") { all: sessions { total items { name } } other: sessions(filters: { projectId: \"aaaa\" }) { total items { name } } first: sessions(first: 1, filters: { not: { tags: [\"blue\"] } }) { total nodes { name } } } }";
    let project = &gateway.graphql(query, json!({})).await["project"];
    assert_eq!(project["all"]["total"], 2);
    assert_eq!(project["other"], json!({ "total": 0, "items": [] }));
    assert_eq!(project["first"], json!({ "total": 1, "nodes": [{ "name": "c" }] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_a_validation_error_with_its_path() {
    let gateway = Gateway::start().await;
    for filters in [
        json!({ "startDate": "soon" }),
        json!({ "dateRange": { "end": "2026-02-31" } }),
        json!({ "timeFilter": "lastCentury" }),
        json!({ "projectId": " " }),
        json!({ "cursor": "nonsense" }),
        json!({ "not": { "searchText": "x" } }),
        json!({ "nope": 1 }),
        json!({ "tags": [null] }),
        json!([[1]]),
    ] {
        let answer = gateway.graphql_as(&gateway.me.key, NAMES, json!({ "filters": filters })).await;
        let error = &answer.json()["errors"][0];
        assert_eq!((answer.status, &error["extensions"]["code"]), (200, &json!("VALIDATION_ERROR")), "{filters}");
    }
    let answer = gateway.graphql_as(&gateway.me.key, NAMES, json!({ "filters": { "endDate": "x" } })).await;
    let body = answer.json();
    assert_eq!(body["errors"][0]["path"], json!(["sessions"]));
    assert_eq!(body["data"], Value::Null);
    assert!(body["errors"][0]["extensions"]["requestId"].is_string());
}
