//! Messages, exchanges, subagents, content.

use serde_json::json;

use super::texts;
use crate::harness::{Gateway, Sample};

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_pages_by_role_and_around() {
    let gateway = Gateway::start().await;
    let mut sample = Sample::new("long").silent();
    for n in 0..10 {
        sample = sample.user(&format!("question {n}")).assistant(&format!("answer {n}"));
    }
    let session = gateway.seed(sample.tool("Bash", json!({ "command": "ls" }), "a.rs")).await;
    let id = session.id.to_string();
    let query = "query($id: String!, $cursor: String) { session(id: $id) {
        page: messages(first: 3) { nodes { ordinal text role } pageInfo { endCursor hasNextPage } totalCount }
        next: messages(first: 2, after: $cursor) { nodes { ordinal } hasPreviousPage }
        end: messages(last: 2) { nodes { ordinal role blocks { __typename ... on ToolUseBlock { name input } ... on ToolResultBlock { output isError } } } }
        mine: messages(role: USER, first: 100) { nodes { text } totalCount }
        both: messages(roles: [USER, TOOL], first: 100) { total }
        around: messages(around: 10, first: 5) { nodes { ordinal } }
        counts { messages turns toolUses } usage { input output total } } }";
    let first = &gateway.graphql(query, json!({ "id": id })).await["session"];
    assert_eq!(texts(&first["page"]["nodes"], "text"), ["question 0", "answer 0", "question 1"]);
    assert_eq!(first["page"]["nodes"][1]["role"], "ASSISTANT");
    assert_eq!(first["page"]["totalCount"], 22);
    let cursor = first["page"]["pageInfo"]["endCursor"].clone();
    let session = &gateway.graphql(query, json!({ "id": id, "cursor": cursor })).await["session"];
    assert_eq!(session["next"], json!({ "nodes": [{ "ordinal": 3 }, { "ordinal": 4 }], "hasPreviousPage": true }));
    assert_eq!(session["mine"]["totalCount"], 10);
    assert_eq!(session["both"]["total"], 11);
    let around: Vec<_> =
        session["around"]["nodes"].as_array().unwrap().iter().map(|n| n["ordinal"].as_i64().unwrap()).collect();
    assert!(around.contains(&10) && around.len() == 5, "{around:?}");
    let end = &session["end"]["nodes"];
    assert_eq!(
        end[0]["blocks"],
        json!([{ "__typename": "ToolUseBlock", "name": "Bash", "input": { "command": "ls" } }])
    );
    assert_eq!(end[1]["blocks"], json!([{ "__typename": "ToolResultBlock", "output": "a.rs", "isError": false }]));
    assert_eq!(session["usage"], json!({ "input": 1_000, "output": 200, "total": 1_200 }));
    let bad = "query($id: String!) { session(id: $id) { messages(around: -1) { total } } }";
    assert_eq!(gateway.graphql_code(bad, json!({ "id": id })).await, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_exchanges_parent_and_subagents() {
    let gateway = Gateway::start().await;
    let mut parent = Sample::new("parent").named("parent");
    parent.session_data = Some("{\"v\":1}".to_owned());
    parent.raw = Some("raw line".to_owned());
    gateway.seed(parent).await;
    let mut child = Sample::new("child").named("child");
    child.parent = Some("parent".to_owned());
    gateway.seed(child).await;
    let query = "{ session(projectId: \"1111-2222-3333-4444\", sessionId: \"parent\") {
        name markdownContent markdownSize rawData rawDataSize sessionData sessionDataSize etag firstExchange shareStatus
        parent { id } subagents { name parent { name } } exchanges { id orderNumber content sessionId } } }";
    let session = &gateway.graphql(query, json!({})).await["session"];
    let markdown = session["markdownContent"].as_str().unwrap();
    assert_eq!(session["markdownSize"], markdown.len());
    assert_eq!((&session["rawData"], &session["rawDataSize"]), (&json!("raw line"), &json!(8)));
    assert_eq!((&session["sessionData"], &session["sessionDataSize"]), (&json!("{\"v\":1}"), &json!(7)));
    assert_eq!(session["parent"], json!(null));
    assert_eq!(session["subagents"], json!([{ "name": "child", "parent": { "name": "parent" } }]));
    assert_eq!(session["shareStatus"], "PRIVATE");
    let exchanges = session["exchanges"].as_array().unwrap();
    assert_eq!(exchanges.len(), 1);
    assert!(markdown.contains(exchanges[0]["content"].as_str().unwrap()));
    let none = "{ session(id: \"child\") { rawData sessionData sessionDataSize } }";
    let session = &gateway.graphql(none, json!({})).await["session"];
    assert_eq!(*session, json!({ "rawData": null, "sessionData": null, "sessionDataSize": null }));
}
