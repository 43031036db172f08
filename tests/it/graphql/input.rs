//! Every rule of a mutation's input names the place it was broken at, and what breaks one changes nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sg_domain::Session;

use crate::harness::{Gateway, Sample};

struct Bad {
    field: &'static str,
    input: Value,
    code: &'static str,
    /// Below `input`.
    path: Value,
}

fn bad(field: &'static str, input: Value, path: Value) -> Bad {
    Bad { field, input, code: "VALIDATION_ERROR", path }
}

/// What each mutation answers with; anything that can be selected.
const PAYLOADS: &[(&str, &str, &str)] = &[
    ("updateProject", "UpdateProjectInput", "project { id }"),
    ("deleteProject", "DeleteProjectInput", "deletedProjectId"),
    ("putSession", "PutSessionInput", "outcome"),
    ("importSession", "ImportSessionInput", "skippedCount"),
    ("updateSession", "UpdateSessionInput", "session { id }"),
    ("tagSession", "TagSessionInput", "session { id }"),
    ("tagSessions", "TagSessionsInput", "failures { id code }"),
    ("deleteSession", "DeleteSessionInput", "deletedSessionId"),
    ("deleteSessions", "DeleteSessionsInput", "failures { id code }"),
    ("restoreSession", "RestoreSessionInput", "session { id }"),
    ("purgeSession", "PurgeSessionInput", "purgedSessionId"),
    ("createShareLink", "CreateShareLinkInput", "shareLink { id }"),
    ("revokeShareLink", "RevokeShareLinkInput", "revokedShareLinkId"),
    ("summarizeSession", "SummarizeSessionInput", "session { id }"),
    ("updateExchange", "UpdateExchangeInput", "session { id }"),
    ("createApiKey", "CreateApiKeyInput", "apiKey { id }"),
    ("revokeApiKey", "RevokeApiKeyInput", "revokedApiKeyId"),
    ("revokeDevice", "RevokeDeviceInput", "revokedDeviceId"),
    ("reindexProject", "ReindexProjectInput", "job { id }"),
    ("retryJob", "RetryJobInput", "job { id }"),
    ("cancelJob", "CancelJobInput", "job { id }"),
    ("createHandoff", "CreateHandoffInput", "handoff { id }"),
    ("claimHandoff", "ClaimHandoffInput", "handoff { id }"),
    ("revokeHandoff", "RevokeHandoffInput", "handoff { id }"),
    ("declineHandoff", "DeclineHandoffInput", "handoff { id }"),
    ("commentOnHandoff", "CommentOnHandoffInput", "comment { content }"),
    ("updateSyncSettings", "UpdateSyncSettingsInput", "syncSettings { mode }"),
    ("watchSession", "WatchSessionInput", "watchedSession { status }"),
    ("unwatchSession", "UnwatchSessionInput", "unwatchedSessionId"),
];

fn put(change: impl FnOnce(&mut Value)) -> Value {
    let mut input = json!({ "projectId": "new", "projectName": "p", "sessionId": "new", "name": "n", "markdown": "m",
        "rawData": "{}" });
    change(&mut input);
    input
}

fn rows(session: &Session) -> Vec<Bad> {
    let id = session.id.to_string();
    let exchange = format!("{id}.x0");
    let long = |chars: usize| "x".repeat(chars);
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let mut rows = vec![
        bad("updateProject", json!({ "id": "a/b", "name": "n" }), json!(["id"])),
        bad("updateProject", json!({ "id": "1111-2222-3333-4444" }), json!([])),
        bad("updateProject", json!({ "id": "1111-2222-3333-4444", "name": " ", "icon": "Bug" }), json!(["name"])),
        bad("updateProject", json!({ "id": "1111-2222-3333-4444", "name": long(256) }), json!(["name"])),
        bad("updateProject", json!({ "id": "1111-2222-3333-4444", "name": "n", "icon": long(65) }), json!(["icon"])),
        bad("updateProject", json!({ "id": "1111-2222-3333-4444", "name": "n", "color": "a\u{7}" }), json!(["color"])),
        bad("deleteProject", json!({ "id": "" }), json!(["id"])),
        bad("reindexProject", json!({ "id": "" }), json!(["id"])),
        bad("putSession", put(|input| input["projectId"] = "a/b".into()), json!(["projectId"])),
        bad("putSession", put(|input| input["sessionId"] = "a\nb".into()), json!(["sessionId"])),
        bad("putSession", put(|input| input["sessionId"] = long(256).into()), json!(["sessionId"])),
        bad("putSession", put(|input| input["name"] = "".into()), json!(["name"])),
        bad("putSession", put(|input| input["name"] = "  ".into()), json!(["name"])),
        bad("putSession", put(|input| input["name"] = long(1_025).into()), json!(["name"])),
        bad("putSession", put(|input| input["projectName"] = "".into()), json!(["projectName"])),
        bad("putSession", put(|input| input["projectName"] = long(1_025).into()), json!(["projectName"])),
        bad("putSession", put(|input| input["markdown"] = "".into()), json!(["markdown"])),
        bad("putSession", put(|input| input["rawData"] = "".into()), json!(["rawData"])),
        bad("importSession", json!({ "content": "" }), json!(["content"])),
        bad("importSession", json!({ "content": "x", "projectId": "a/b" }), json!(["projectId"])),
        bad("importSession", json!({ "content": "x", "fileName": "" }), json!(["fileName"])),
        bad("importSession", json!({ "content": "x", "projectName": "" }), json!(["projectName"])),
        bad(
            "importSession",
            json!({ "content": "x", "files": vec![json!({ "name": "f", "content": "c" }); 11] }),
            json!(["files"]),
        ),
        bad("updateSession", json!({ "id": id }), json!([])),
        bad("updateSession", json!({ "id": id, "etag": "x" }), json!([])),
        bad("updateSession", json!({ "userTitle": "t" }), json!([])),
        bad("updateSession", json!({ "id": id, "projectId": "p", "userTitle": "t" }), json!([])),
        bad("updateSession", json!({ "projectId": "a/b", "sessionId": "s1", "userTitle": "t" }), json!(["projectId"])),
        bad("updateSession", json!({ "id": id, "userTitle": "" }), json!(["userTitle"])),
        bad("updateSession", json!({ "id": id, "userTitle": long(501), "name": "n" }), json!(["userTitle"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "name": "\n" }), json!(["name"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "name": long(256) }), json!(["name"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "alias": "ab" }), json!(["alias"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "alias": "-abc" }), json!(["alias"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "alias": "a b c" }), json!(["alias"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "alias": long(101) }), json!(["alias"])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "tags": ["a", "", "b"] }), json!(["tags", 1])),
        bad("updateSession", json!({ "id": id, "userTitle": "t", "tags": many }), json!(["tags"])),
        bad("tagSession", json!({ "id": id }), json!([])),
        bad("tagSession", json!({ "id": id, "add": [], "remove": [] }), json!([])),
        bad("tagSession", json!({ "add": ["a"] }), json!([])),
        bad("tagSession", json!({ "id": id, "add": ["a", long(101)] }), json!(["add", 1])),
        bad("tagSession", json!({ "id": id, "add": many }), json!(["add"])),
        bad("tagSession", json!({ "id": id, "add": ["a"], "remove": many }), json!(["remove"])),
        bad("tagSessions", json!({ "ids": [id] }), json!([])),
        bad("tagSessions", json!({ "ids": [], "add": ["a"] }), json!(["ids"])),
        bad("tagSessions", json!({ "ids": many, "add": ["a"] }), json!(["ids"])),
        bad("tagSessions", json!({ "ids": [id], "add": ["\t"] }), json!(["add", 0])),
        bad("deleteSession", json!({}), json!([])),
        bad("deleteSession", json!({ "id": id, "sessionId": "s1" }), json!([])),
        bad("deleteSession", json!({ "projectId": "", "sessionId": "s1" }), json!(["projectId"])),
        bad("deleteSessions", json!({ "ids": [] }), json!(["ids"])),
        bad("deleteSessions", json!({ "ids": many }), json!(["ids"])),
        bad("createShareLink", json!({ "id": id, "expiresInHours": 0 }), json!(["expiresInHours"])),
        bad("createShareLink", json!({ "id": id, "expiresInHours": -1 }), json!(["expiresInHours"])),
        bad("createShareLink", json!({ "id": id, "expiresInHours": 8_761 }), json!(["expiresInHours"])),
        bad("createShareLink", json!({ "id": id, "password": long(1_001) }), json!(["password"])),
        // It did not come as an archive.
        bad("createShareLink", json!({ "id": id }), json!(["id"])),
        // There is no model to ask.
        bad("summarizeSession", json!({ "id": id, "narrative": true }), json!(["narrative"])),
        bad("updateExchange", json!({ "id": exchange }), json!([])),
        bad(
            "updateExchange",
            json!({ "id": exchange, "hiddenFromShare": true, "userTitle": " " }),
            json!(["userTitle"]),
        ),
        bad("createHandoff", json!({ "sessionId": id }), json!([])),
        bad("createHandoff", json!({ "sessionId": id, "recipientEmail": "a@b.c", "recipientUserId": "u" }), json!([])),
        bad("createHandoff", json!({ "sessionId": id, "recipientEmail": "nobody" }), json!(["recipientEmail"])),
        bad(
            "createHandoff",
            json!({ "sessionId": id, "recipientEmail": "a@b.c", "message": long(2_001) }),
            json!(["message"]),
        ),
        bad(
            "createHandoff",
            json!({ "sessionId": id, "recipientEmail": "a@b.c", "expiresInHours": 2_161 }),
            json!(["expiresInHours"]),
        ),
        bad("revokeHandoff", json!({ "id": "hnd_1", "reason": " " }), json!(["reason"])),
        bad("declineHandoff", json!({ "id": "hnd_1", "reason": long(501) }), json!(["reason"])),
        bad("commentOnHandoff", json!({ "id": "hnd_1", "content": "" }), json!(["content"])),
        bad("commentOnHandoff", json!({ "id": "hnd_1", "content": long(10_001) }), json!(["content"])),
        bad("updateSyncSettings", json!({ "mode": "ALL", "debounceSeconds": 4 }), json!(["debounceSeconds"])),
        bad("updateSyncSettings", json!({ "mode": "ALL", "debounceSeconds": 301 }), json!(["debounceSeconds"])),
        bad("createApiKey", json!({ "name": "" }), json!(["name"])),
        bad("createApiKey", json!({ "name": long(101) }), json!(["name"])),
        bad("createApiKey", json!({ "name": "n", "scopes": [] }), json!(["scopes"])),
        bad("createApiKey", json!({ "name": "n", "expiresAt": "2020-01-01T00:00:00Z" }), json!(["expiresAt"])),
    ];
    let facts =
        ["clientName", "clientVersion", "agentName", "deviceId", "machineName", "title", "markdownVersion", "summary"];
    for fact in facts {
        let input = put(|input| input["metadata"] = json!({ fact: long(16 * 1_024 + 1) }));
        rows.push(bad("putSession", input, json!(["metadata", fact])));
    }
    for list in ["gitBranches", "llmModels", "tags"] {
        let input = put(|input| input["metadata"] = json!({ list: [long(1_025)] }));
        rows.push(bad("putSession", input, json!(["metadata", list])));
    }
    for field in ["updateSession", "tagSession", "deleteSession", "updateExchange"] {
        let input = match field {
            "updateSession" => json!({ "id": id, "etag": "old", "userTitle": "t" }),
            "tagSession" => json!({ "id": id, "etag": "old", "add": ["a"] }),
            "updateExchange" => json!({ "id": exchange, "etag": "old", "userTitle": "t" }),
            _ => json!({ "id": id, "etag": "old" }),
        };
        rows.push(Bad { field, input, code: "CONFLICT", path: json!(["etag"]) });
    }
    rows.push(Bad {
        field: "updateSession",
        input: json!({ "id": id, "userTitle": "t", "alias": "taken" }),
        code: "CONFLICT",
        path: json!(["alias"]),
    });
    rows
}

async fn state(gateway: &Gateway) -> Value {
    let query = "{ projects { id name icon color updatedAt sessionCount } apiKeys { id name revokedAt }
        sessions { nodes { id name userTitle alias etag updatedAt shareStatus metadata { tags } exchanges { userTitle
        hiddenFromShare } } } deletedSessions { nodes { id } } }";
    gateway.graphql(query, json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_field_is_named_and_changes_nothing() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("s1")).await;
    let other = gateway.seed(Sample::new("s2")).await;
    let alias = "mutation($id: String) { updateSession(input: { id: $id, alias: \"taken\" }) { session { id } } }";
    gateway.graphql(alias, json!({ "id": other.id.to_string() })).await;
    gateway.run_jobs().await;
    let before = state(&gateway).await;
    let rows = rows(&session);
    for row in &rows {
        let (field, ty, payload) = PAYLOADS.iter().find(|(field, ..)| *field == row.field).unwrap();
        let document = format!("mutation($input: {ty}!) {{ {field}(input: $input) {{ {payload} }} }}");
        let body = gateway.graphql_as(&gateway.me.key, &document, json!({ "input": row.input })).await.json();
        let error = &body["errors"][0];
        let at = format!("{field} {}: {body}", row.input.to_string().chars().take(200).collect::<String>());
        assert_eq!(error["extensions"]["code"], row.code, "{at}");
        let mut path = vec![json!("input")];
        path.extend(row.path.as_array().unwrap().iter().cloned());
        assert_eq!(error["extensions"]["inputPath"], Value::Array(path), "{at}");
        assert_eq!(error["path"], json!([field]), "{at}");
        assert_eq!(state(&gateway).await, before, "changed something: {at}");
    }
    // Every mutation whose input has a rule is here; the others take an id, and one that is none is not found.
    let tested: BTreeSet<&str> = rows.iter().map(|row| row.field).collect();
    for (field, ty, payload) in PAYLOADS.iter().filter(|(field, ..)| !tested.contains(field)) {
        let document = format!("mutation($input: {ty}!) {{ {field}(input: $input) {{ {payload} }} }}");
        for id in ["", "no id", "01900000-0000-7000-8000-00000000ffff"] {
            let code = gateway.graphql_code(&document, json!({ "input": { "id": id } })).await;
            assert_eq!(code, "NOT_FOUND", "{field} {id:?}");
        }
    }
    assert_eq!(state(&gateway).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_is_in_the_table() {
    let gateway = Gateway::start().await;
    let schema = gateway.graphql("{ __schema { mutationType { fields { name args { name } } } } }", json!({})).await;
    let fields = schema["__schema"]["mutationType"]["fields"].as_array().unwrap().clone();
    let fields: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let known: BTreeSet<_> = PAYLOADS.iter().map(|(field, ..)| *field).collect();
    let missing: Vec<_> = fields.difference(&known).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}
