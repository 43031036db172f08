//! `importSession`: an agent's own file as text, through the same reading and redaction as an import from a folder.

use std::path::Path;

use serde_json::{Value, json};

use super::change::error;
use crate::harness::Gateway;

const IMPORT: &str = "mutation($input: ImportSessionInput!) { importSession(input: $input) {
    sessions { outcome sessionId session { id clientId projectId format project { name } markdownContent rawData
        messages(first: 100) { nodes { role } } } }
    skippedCount skipped { line reason } redacted { kind count } } }";

fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn import(gateway: &Gateway, input: Value) -> Value {
    gateway.graphql(IMPORT, json!({ "input": input })).await["importSession"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_comes_in_whether_it_is_named_or_not() {
    let gateway = Gateway::start().await;
    let files = json!([{ "name": "messages.jsonl", "content": fixture("sessionfs/folder/messages.jsonl") }]);
    for (format, name, content, files) in [
        ("CLAUDE_CODE", "claude-code", fixture("claude-code/ordinary/input.jsonl"), Value::Null),
        ("CODEX", "codex", fixture("codex/ordinary/input.jsonl"), Value::Null),
        ("GEMINI_CLI", "gemini-cli", fixture("gemini-cli/ordinary/input.json"), Value::Null),
        ("SPECSTORY", "specstory", fixture("specstory/version-2/input.md"), Value::Null),
        ("SESSIONFS", "sessionfs", fixture("sessionfs/folder/input.json"), files),
    ] {
        let input = json!({ "content": content, "projectId": format!("of-{name}"), "projectName": "Orchard",
            "files": files });
        let mut named = input.clone();
        named["format"] = format.into();
        let first = import(&gateway, named).await;
        let session = &first["sessions"][0];
        assert_eq!(
            (&session["outcome"], &session["session"]["format"]),
            (&json!("CREATED"), &json!(name)),
            "{first:#}"
        );
        assert_eq!(session["session"]["projectId"], format!("of-{name}"));
        assert_eq!(session["session"]["project"]["name"], "Orchard");
        assert!(!session["session"]["messages"]["nodes"].as_array().unwrap().is_empty(), "{name}");
        // The same again, with the format found out: nothing changes.
        let again = import(&gateway, input).await;
        assert_eq!(again["sessions"][0]["outcome"], "UNCHANGED", "{name}");
        assert_eq!(again["sessions"][0]["sessionId"], session["session"]["id"], "{name}");
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_line_by_line() {
    let gateway = Gateway::start().await;
    let done = import(&gateway, json!({ "content": fixture("claude-code/malformed-lines/input.jsonl") })).await;
    assert_eq!(done["sessions"][0]["outcome"], "CREATED");
    let lines: Vec<_> = done["skipped"].as_array().unwrap().iter().map(|line| line["line"].as_i64().unwrap()).collect();
    assert!(lines.starts_with(&[2, 3, 4]), "{done:#}");
    assert_eq!(done["skippedCount"], lines.len());
    assert!(done["skipped"].as_array().unwrap().iter().all(|line| !line["reason"].as_str().unwrap().is_empty()));
    // It says where it was made: the project is the one that an import from that folder finds.
    let project = sg_domain::ProjectId::derive("/home/ada/orchard");
    assert_eq!(done["sessions"][0]["session"]["projectId"], project.as_str());
    assert_eq!(done["sessions"][0]["session"]["project"]["name"], "orchard");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_out_unless_they_are_wanted() {
    let gateway = Gateway::start().await;
    // Made here, so that no scanner takes this file for a leak.
    let secret: String = ["ghp", "_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let content =
        fixture("claude-code/ordinary/input.jsonl").replace("Why does the harvest", &format!("My {secret} the"));
    assert!(content.contains(&secret));
    let done = import(&gateway, json!({ "content": content })).await;
    assert_eq!(done["redacted"], json!([{ "kind": "github-token", "count": 1 }]));
    assert!(!done.to_string().contains(&secret), "{done:#}");
    let data = gateway.graphql("{ sessions { nodes { rawData markdownContent firstExchange } } }", json!({})).await;
    assert!(!data.to_string().contains(&secret));
    let kept = import(&gateway, json!({ "content": content, "redact": false })).await;
    assert_eq!((&kept["redacted"], &kept["sessions"][0]["outcome"]), (&json!([]), &json!("UPDATED")));
    assert!(kept["sessions"][0]["session"]["rawData"].as_str().unwrap().contains(&secret));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_trash_stays_there() {
    let gateway = Gateway::start().await;
    let content = fixture("claude-code/ordinary/input.jsonl");
    let first = import(&gateway, json!({ "content": content })).await["sessions"][0]["session"].clone();
    let delete = "mutation($id: String!) { deleteSession(input: { id: $id }) { deletedSessionId } }";
    gateway.graphql(delete, json!({ "id": first["id"] })).await;
    let again = import(&gateway, json!({ "content": content })).await["sessions"][0].clone();
    assert_eq!(again, json!({ "outcome": "IN_TRASH", "sessionId": first["id"], "session": null }));
    let data = gateway.graphql("{ sessions { total } deletedSessions { totalCount } }", json!({})).await;
    assert_eq!((&data["sessions"]["total"], &data["deletedSessions"]["totalCount"]), (&json!(0), &json!(1)));
    let restore = "mutation($id: String!) { restoreSession(input: { id: $id }) { session { id } } }";
    gateway.graphql(restore, json!({ "id": first["id"] })).await;
    assert_eq!(import(&gateway, json!({ "content": content })).await["sessions"][0]["outcome"], "UNCHANGED");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_session_is_refused_and_stores_nothing() {
    let gateway = Gateway::start().await;
    let prose = "hello there, this is nobody's format";
    let bare = json!({ "type": "user", "message": { "role": "user", "content": "hi" }, "uuid": "u", "sessionId": "s" });
    for (input, code, path) in [
        (json!({ "content": "" }), "VALIDATION_ERROR", "content"),
        (json!({ "content": prose }), "UNSUPPORTED_FORMAT", "content"),
        (json!({ "content": prose, "format": "GEMINI_CLI" }), "VALIDATION_ERROR", "content"),
        (json!({ "content": prose, "format": "CLAUDE_CODE" }), "VALIDATION_ERROR", "content"),
        (json!({ "content": fixture("claude-code/empty/input.jsonl") }), "VALIDATION_ERROR", "content"),
        (json!({ "content": bare.to_string() }), "VALIDATION_ERROR", "projectId"),
        (json!({ "content": "{}", "projectId": "a/b" }), "VALIDATION_ERROR", "projectId"),
        (json!({ "content": "{}", "fileName": "a/b.jsonl" }), "VALIDATION_ERROR", "fileName"),
        (json!({ "content": "{}", "projectName": " " }), "VALIDATION_ERROR", "projectName"),
    ] {
        let refused = error(&gateway, IMPORT, json!({ "input": input })).await;
        assert_eq!(refused["extensions"]["code"], code, "{input}: {refused}");
        assert_eq!(refused["extensions"]["inputPath"], json!(["input", path]), "{input}: {refused}");
    }
    let data = gateway.graphql("{ sessions { total } projects { id } }", json!({})).await;
    assert_eq!(data, json!({ "sessions": { "total": 0 }, "projects": [] }));
}
