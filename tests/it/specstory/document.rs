//! SpecStory's published examples of GraphQL run as they are printed: the documents in
//! `fixtures/specstory/documents`, and that making them fit opens no hole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Gateway, Sample};

const PROJECT: &str = "1111-2222-3333-4444";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/specstory/documents")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.graphql"))).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Two sessions about one thing, the later one stored last.
async fn world() -> (Gateway, String) {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a").with(|m| m.tags = Some(vec!["x".to_owned()]))).await;
    gateway.clock.advance(std::time::Duration::from_secs(60));
    let later = gateway.seed(Sample::new("b").with(|m| m.tags = Some(vec!["x".to_owned()]))).await;
    (gateway, later.id.to_string())
}

/// What a document answers, by pointer.
struct Case {
    name: &'static str,
    variables: Value,
    operation: Option<&'static str>,
    wanted: Vec<(&'static str, Value)>,
}

fn case(name: &'static str, variables: Value, wanted: Vec<(&'static str, Value)>) -> Case {
    Case { name, variables, operation: None, wanted }
}

fn cases(session: &str) -> Vec<Case> {
    let basics = json!({ "clientName": "specstory-cli", "llmModels": ["claude-opus-4-6"] });
    vec![
        case(
            "sessions_list",
            json!({}),
            vec![("/sessions/0/name", json!(null)), ("/sessions/1/project/name", json!("gateway"))],
        ),
        case(
            "sessions_variables",
            json!({ "limit": 1, "order": "NAME_ASC" }),
            vec![("/recent", json!([{ "id": null, "name": "Session a", "metadata": basics }]))],
        ),
        case("sessions_variables", json!({ "limit": 9 }), vec![("/recent/0/name", json!(null))]),
        case(
            "sessions_connection",
            json!({ "first": 1 }),
            vec![("/sessions/pageInfo/hasNextPage", json!(true)), ("/sessions/edges/0/node/name", json!(null))],
        ),
        case(
            "sessions_hosted",
            json!({ "filters": { "projectId": PROJECT } }),
            vec![("/sessions/total", json!(2)), ("/sessions/sessions/0/metadata/tags", json!(["x"]))],
        ),
        case(
            "project_sessions",
            json!({ "projectId": PROJECT }),
            vec![("/project/id", json!(PROJECT)), ("/project/sessions/1/name", json!("Session a"))],
        ),
        case(
            "project_connection",
            json!({ "projectId": PROJECT }),
            vec![
                ("/project/sessions/edges/0/node/name", json!(null)),
                ("/project/stats/topTags", json!([{ "tag": "x", "count": 2 }])),
            ],
        ),
        case(
            "project_items",
            json!({ "projectId": PROJECT, "limit": 1 }),
            vec![("/project/sessions/total", json!(2)), ("/project/sessions/items/0/name", json!(null))],
        ),
        case("projects_nested", json!({}), vec![("/projects/0/sessions/0/metadata/agentName", json!("Claude Code"))]),
        case(
            "session_related",
            json!({ "id": session }),
            vec![
                ("/session/relatedSessions/0/name", json!("Session a")),
                ("/session/relatedSessions/0/project/id", json!(PROJECT)),
                ("/session/relatedSessions/0/metadata/llmModels", json!(["claude-opus-4-6"])),
            ],
        ),
        case(
            "session_related_selected",
            json!({ "id": session, "limit": 3 }),
            vec![
                ("/session/near/0/name", json!("Session a")),
                ("/session/near/0/metadata/clientName", json!("specstory-cli")),
                ("/session/near/0/project/name", json!("gateway")),
            ],
        ),
        case(
            "session_events",
            json!({ "id": session }),
            vec![
                ("/session/events/0", json!({ "timestamp": "2026-11-01T11:00:00.000Z", "type": "user" })),
                ("/session/events/1/type", json!("assistant")),
            ],
        ),
        case(
            "fragment_everywhere",
            json!({ "query": "login", "projectId": PROJECT }),
            vec![
                ("/list/0/__typename", json!("Session")),
                ("/page/edges/0/node/metadata", basics.clone()),
                ("/project/sessions/1/name", json!("Session a")),
                // It is no lie what a hit is.
                ("/searchSessions/results/0/__typename", json!("SearchHit")),
                ("/searchSessions/results/0/metadata", basics),
            ],
        ),
        case(
            "fragment_on_results",
            json!({ "query": "login", "filters": { "tags": ["x"] } }),
            vec![
                ("/searchSessions/results/0/metadata/tags", json!(["x"])),
                ("/searchSessions/results/1/highlights", json!(["login"])),
            ],
        ),
        case("search_sdk", json!({ "query": "login", "limit": 1 }), vec![("/searchSessions/total", json!(2))]),
        case(
            "analytics",
            json!({ "timeRange": { "start": "2026-11-01", "end": "2026-11-01" } }),
            vec![
                ("/analytics/totalSessions", json!(2)),
                ("/analytics/totalProjects", json!(1)),
                ("/analytics/sessionsByModel/0/model", json!("claude-opus-4-6")),
                ("/analytics/sessionsByClient/0/count", json!(2)),
                ("/analytics/activityByDay", json!([{ "date": "2026-11-01", "sessions": 2, "projects": 1 }])),
            ],
        ),
        case(
            "analytics_inline",
            json!({}),
            vec![("/analytics/totalSessions", json!(2)), ("/stats/topLLMModels/0/count", json!(2))],
        ),
        case(
            "update_session",
            json!({ "id": session, "name": "A better name" }),
            vec![("/updateSession/id", json!(session)), ("/updateSession/name", json!("A better name"))],
        ),
        case(
            "session_hosted",
            json!({ "projectId": PROJECT, "sessionId": "a" }),
            vec![("/session/name", json!("Session a"))],
        ),
        case("type_session", json!({}), vec![("/__type/name", json!("Session")), ("/__type/kind", json!("OBJECT"))]),
        Case {
            operation: Some("List"),
            ..case("several_operations", json!({}), vec![("/sessions/0/name", json!(null))])
        },
        Case {
            operation: Some("Page"),
            ..case("several_operations", json!({}), vec![("/sessions/nodes/0/name", json!(null))])
        },
    ]
}

async fn run(gateway: &Gateway, query: &str, variables: &Value, operation: Option<&str>) -> Value {
    let body = json!({ "query": query, "variables": variables, "operationName": operation });
    let call = gateway.call(axum::http::Method::POST, "/api/v1/graphql").key(&gateway.me.key);
    call.json(&body).send().await.json()
}

/// Whether all of `wanted` is in `found`; null in `wanted` stands for anything that is not null.
fn holds(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (found, Value::Null) => !found.is_null(),
        (Value::Object(found), Value::Object(wanted)) => {
            found.len() == wanted.len() && wanted.iter().all(|(k, v)| found.get(k).is_some_and(|f| holds(f, v)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| holds(f, w))
        }
        _ => found == wanted,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_example_runs_as_printed() {
    let (gateway, session) = world().await;
    let cases = cases(&session);
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    });
    let named: BTreeSet<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(files.collect::<BTreeSet<_>>(), named, "the files on the left, the cases of this test on the right");
    for case in &cases {
        // The second time it is a document that is known already.
        for _ in 0..2 {
            let answer = run(&gateway, &text(case.name), &case.variables, case.operation).await;
            assert!(answer.get("errors").is_none(), "{}: {answer:#}", case.name);
            for (pointer, wanted) in &case.wanted {
                let found = answer["data"].pointer(pointer).unwrap_or(&Value::Null);
                assert!(holds(found, wanted), "{} at {pointer}: {answer:#}", case.name);
            }
        }
    }
    gateway.run_jobs().await;
}

/// A name that a person gives lasts: the client's own name comes with each upload.
#[tokio::test(flavor = "multi_thread")]
async fn a_printed_rename_outlives_the_next_upload() {
    let (gateway, session) = world().await;
    for name in ["One", "Two"] {
        let answer = run(&gateway, &text("update_session"), &json!({ "id": session, "name": name }), None).await;
        assert_eq!(answer["data"]["updateSession"]["name"], name, "{answer:#}");
    }
    gateway.put(&gateway.me, Sample::new("b").project(PROJECT, "P").named("uploaded again").user("more")).await;
    gateway.run_jobs().await;
    let query = "query($id: String!) { session(id: $id) { name userTitle } }";
    let found = gateway.graphql(query, json!({ "id": session })).await;
    assert_eq!(found["session"], json!({ "name": "uploaded again", "userTitle": "Two" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_still_wrong() {
    let (gateway, session) = world().await;
    for (query, says) in [
        // A mixture of list and connection is neither.
        ("{ sessions { id total } }", "id"),
        ("{ sessions { id nme } }", "nme"),
        ("{ sessions { nodes { id } name } }", "name"),
        ("{ sessions { ...F } } fragment F on Project { id }", "F"),
        (
            "{ searchSessions(query: \"x\") { results { ...F } } } fragment F on Session { exchanges { id } }",
            "exchanges",
        ),
        ("{ searchSessions(query: \"x\") { results { ...F } } } fragment F on Project { id }", "F"),
        ("{ session(id: \"x\") { project } }", "project"),
        ("{ sessions(orderBy: [NAME]) { id } }", "String cannot represent"),
        ("query($o: Nope) { sessions(limit: $o) { id } }", "Nope"),
        ("mutation { updateSession(id: \"x\", nme: \"y\") { id } }", "nme"),
        ("{ sessions { id } } fragment Unused on Session { id }", "Unused"),
    ] {
        let answer = run(&gateway, query, &json!({}), None).await;
        assert!(answer.get("data").is_none(), "{query}: {answer:#}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "VALIDATION_ERROR", "{query}: {answer:#}");
        let messages: String = answer["errors"].as_array().unwrap().iter().map(|e| e["message"].to_string()).collect();
        assert!(messages.contains(says), "{query}: {answer:#}");
    }
    // A place is one in the text that was sent.
    let answer = run(&gateway, "{\n  sessions {\n    id\n    nme\n  }\n}", &json!({}), None).await;
    assert_eq!(answer["errors"][0]["locations"], json!([{ "line": 4, "column": 5 }]), "{answer:#}");
    // What fails while it runs has the path of the printed document, and no place in a text that nobody sent.
    let query = "{ sessions(limit: 1, orderBy: UP) { id } }";
    let answer = run(&gateway, query, &json!({}), None).await;
    assert_eq!(answer["errors"][0]["path"], json!(["sessions"]), "{answer:#}");
    assert!(answer["errors"][0].get("locations").is_none_or(|l| l == &json!([])), "{answer:#}");
    // Another's session is as far away as ever.
    let other = gateway.other().await;
    let body = json!({ "id": session, "name": "mine now" });
    let answer = gateway.graphql_as(&other.key, &text("update_session"), body).await.json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{answer:#}");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_documents_fit_opens_no_hole() {
    let (gateway, _) = world().await;
    let refused = |answer: &Value, says: &str, what: &str| {
        assert!(answer.get("data").is_none(), "{what}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "VALIDATION_ERROR", "{what}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(says), "{what}: {answer}");
    };
    // A bomb of fragments, spread where they have to be copied.
    let bomb: String = (0..40).map(|n| format!("fragment F{n} on Session {{ id ...F{0} ...F{0} }} ", n + 1)).collect();
    let query =
        format!("{{ searchSessions(query: \"x\") {{ results {{ ...F0 }} }} }} {bomb} fragment F40 on Session {{ id }}");
    refused(&run(&gateway, &query, &json!({}), None).await, "fields", "bomb");
    let query = "{ searchSessions(query: \"x\") { results { ...A } } } fragment A on Session { ...B } fragment B on Session { ...A }";
    refused(&run(&gateway, query, &json!({}), None).await, "Cannot spread fragment", "cycle");
    // Aliases that the fit adds count like any others.
    let query = format!("{{ {} }}", "sessions(limit: 1) { id } ".repeat(65));
    refused(&run(&gateway, &query, &json!({}), None).await, "aliases", "aliases");
    // Deeper than a document may be.
    let nested = |depth: usize| {
        let open = "sessions(limit: 1) { project { ".repeat(depth);
        format!("{{ {open} id {} }}", "} } ".repeat(depth))
    };
    let shallow = run(&gateway, &nested(4), &json!({}), None).await;
    assert!(shallow.get("errors").is_none(), "{shallow}");
    refused(&run(&gateway, &nested(8), &json!({}), None).await, "levels", "depth");
    // What a list can hold is counted as the list that runs.
    let wide = "{ projects { sessions { id project { sessions { id name project { sessions { id } } } } } } }";
    refused(&run(&gateway, wide, &json!({}), None).await, "objects", "objects");
    let searches = "{ projects { sessions { relatedSessions(limit: 50) { session { relatedSessions { id } } } } } }";
    refused(&run(&gateway, searches, &json!({}), None).await, "objects", "searches");
    // As many copies as there are fragments, not as there are spreads.
    let chain: String = (0..90).map(|n| format!("fragment F{n} on Session {{ id ...F{} }} ", n + 1)).collect();
    let results = "results { ...F60 }".to_owned();
    let query = format!(
        "{{ searchSessions(query: \"x\") {{ {results} }} sessions {{ ...F0 }} }} {chain} fragment F90 on Session {{ id }}"
    );
    let answer = run(&gateway, &query, &json!({}), None).await;
    assert!(answer.get("errors").is_none(), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_fit_are_not_touched() {
    let (gateway, _) = world().await;
    // An error at run time has its place in the text that was sent: what ran is that text.
    let query = "{\n  sessions(orderBy: \"up\") {\n    nodes { id }\n  }\n}";
    let answer = run(&gateway, query, &json!({}), None).await;
    assert_eq!(answer["errors"][0]["locations"], json!([{ "line": 2, "column": 3 }]), "{answer:#}");
    // `__typename` alone is what a connection has too.
    let answer = run(&gateway, "{ sessions { __typename } }", &json!({}), None).await;
    assert_eq!(answer["data"]["sessions"]["__typename"], "SessionConnection");
}
