//! Whose data is seen; ids round trip; errors are coded and masked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Gateway, Sample};

async fn ids(gateway: &Gateway) -> Vec<(&'static str, String)> {
    let device = sg_app::NewDevice { hostname: "laptop".to_owned(), ..sg_app::NewDevice::default() };
    gateway.app.create_device(&gateway.me.caller, &gateway.me.user.id, &device).await.unwrap();
    let query = "{ viewer { id } apiKeys { id } devices { id } jobs(first: 1) { nodes { id } } projects { id sessions { items { id exchanges { id } messages(first: 1) { nodes { id } } } } } }";
    let data = gateway.graphql(query, json!({})).await;
    let session = &data["projects"][0]["sessions"]["items"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let handoff = crate::sessionfs::world::given_to_oneself(&gateway.app, &gateway.me, "m").await;
    gateway.run_jobs().await;
    vec![
        ("Handoff", handoff),
        ("User", text(&data["viewer"]["id"])),
        ("ApiKey", text(&data["apiKeys"][0]["id"])),
        ("Device", text(&data["devices"][0]["id"])),
        ("Job", text(&data["jobs"]["nodes"][0]["id"])),
        ("Project", text(&data["projects"][0]["id"])),
        ("Session", text(&session["id"])),
        ("Exchange", text(&session["exchanges"][0]["id"])),
        ("Message", text(&session["messages"]["nodes"][0]["id"])),
    ]
}

const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";

#[tokio::test(flavor = "multi_thread")]
async fn nodes_round_trip_and_stay_private() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let other = gateway.other().await;
    let ids = ids(&gateway).await;
    let schema = gateway.graphql("{ __type(name: \"Node\") { possibleTypes { name } } }", json!({})).await;
    let types = schema["__type"]["possibleTypes"].as_array().unwrap().iter().map(|ty| ty["name"].as_str().unwrap());
    let tested = ids.iter().map(|(ty, _)| *ty).collect::<BTreeSet<_>>();
    assert_eq!(types.collect::<BTreeSet<_>>(), tested, "the schema's on the left, this test's on the right");
    for (ty, id) in &ids {
        let data = gateway.graphql(NODE, json!({ "id": id })).await;
        assert_eq!(data["node"], json!({ "__typename": ty, "id": id }));
        let theirs = gateway.graphql_as(&other.key, NODE, json!({ "id": id })).await.outcome();
        assert_eq!(theirs, json!({ "data": { "node": null } }), "{ty}");
    }
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let mut wanted: Vec<_> = ids.iter().map(|(_, id)| json!(id)).collect();
    wanted.insert(2, json!("nope"));
    let data = gateway.graphql(query, json!({ "ids": wanted })).await;
    assert_eq!(data["nodes"][2], Value::Null);
    assert_eq!(data["nodes"][3]["id"], wanted[3]);
    let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(gateway.graphql_code(query, json!({ "ids": many })).await, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_not_found() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("a")).await;
    let other = gateway.other().await;
    let (project, id) = (session.project_id.as_str(), session.id.to_string());
    for (query, detail) in [
        (format!("{{ project(id: \"{project}\") {{ name }} }}"), ("projectId", project)),
        (format!("{{ session(id: \"{id}\") {{ markdownContent }} }}"), ("sessionId", id.as_str())),
        (format!("{{ session(projectId: \"{project}\", sessionId: \"a\") {{ name }} }}"), ("projectId", project)),
        ("{ session(sessionId: \"a\") { name } }".to_owned(), ("sessionId", "a")),
    ] {
        assert!(gateway.graphql(&query, json!({})).await.as_object().unwrap().values().all(|v| v.is_object()));
        let answer = gateway.graphql_as(&other.key, &query, json!({})).await;
        let body = answer.json();
        assert_eq!(answer.status, 200);
        assert_eq!(body["errors"][0]["extensions"]["code"], "NOT_FOUND", "{query}");
        assert_eq!(body["errors"][0]["extensions"][detail.0], detail.1, "{query}");
        // The field is nullable: its own null, and nothing above it.
        assert!(body["data"].as_object().unwrap().values().all(Value::is_null), "{body:#}");
    }
    let everything = "{ projects { id } sessions { total items { id } } searchSessions(query: \"login\") { total } stats { totalSessions totalProjects } }";
    let theirs = gateway.graphql_as(&other.key, everything, json!({})).await.json();
    assert_eq!(
        theirs["data"],
        json!({ "projects": [], "sessions": { "total": 0, "items": [] }, "searchSessions": { "total": 0 },
                "stats": { "totalSessions": 0, "totalProjects": 0 } })
    );
    let bad = "{ session { id } }";
    assert_eq!(gateway.graphql_code(bad, json!({})).await, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_field_leaves_the_others() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let query = "{ good: session(sessionId: \"a\") { name } bad: session(sessionId: \"b\") { name } }";
    let body = gateway.graphql_as(&gateway.me.key, query, json!({})).await.json();
    assert_eq!(body["data"], json!({ "good": { "name": "Session a" }, "bad": null }));
    assert_eq!(body["errors"][0]["path"], json!(["bad"]));
    let many: String = (0..40).map(|n| format!("a{n}: session(sessionId: \"x{n}\") {{ id }} ")).collect();
    let body = gateway.graphql_as(&gateway.me.key, &format!("{{ {many} }}"), json!({})).await.json();
    assert_eq!(body["errors"].as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_blob_is_masked() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    std::fs::remove_dir_all(gateway.dir().join("blobs")).unwrap();
    let answer =
        gateway.graphql_as(&gateway.me.key, "{ session(id: \"a\") { name markdownContent } }", json!({})).await;
    let body = answer.json();
    let error = &body["errors"][0];
    assert_eq!(
        (&error["message"], &error["extensions"]["code"]),
        (&json!("internal error"), &json!("INTERNAL_SERVER_ERROR"))
    );
    assert_eq!(error["path"], json!(["session", "markdownContent"]));
    assert_eq!(error["extensions"]["requestId"], answer.header("x-request-id"));
    assert!(!answer.text().contains("blob"), "{}", answer.text());
}
