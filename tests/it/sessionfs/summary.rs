//! Summaries: what a model tells, what tiers may, and sessions of any format.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sg_app::{AccountRules, ModelClient, ModelEndpoint, ModelFault, ModelRequest, OfferedModel};
use sg_domain::Tier;

use super::world::World;
use crate::harness::{Engine, Setup};

const ID: &str = "ses_5a77a00000000001";

/// Answers what it was told to, one after the other, and keeps the questions.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<String, ModelFault>>>,
    asked: Mutex<Vec<(ModelEndpoint, ModelRequest)>>,
}

#[async_trait::async_trait]
impl ModelClient for Scripted {
    async fn ask(&self, endpoint: &ModelEndpoint, request: &ModelRequest) -> Result<String, ModelFault> {
        self.asked.lock().unwrap().push((endpoint.clone(), request.clone()));
        self.answers.lock().unwrap().pop_front().expect("no more answers")
    }

    async fn offered(&self, _: &ModelEndpoint) -> Result<Vec<OfferedModel>, ModelFault> {
        Ok(Vec::new())
    }
}

fn messages() -> String {
    let line = |n: usize| {
        let text = format!("step {n} {}", "x".repeat(600));
        let block = json!({ "type": "text", "text": text });
        json!({ "role": "assistant", "content": [block], "timestamp": "2026-10-01T10:00:00Z" }).to_string()
    };
    let write = r#"{"role":"assistant","content":[{"type":"tool_use","tool_use_id":"t","name":"Write","input":{"path":"/a.rs"}}]}"#;
    (0..130).map(line).chain([write.to_owned()]).collect::<Vec<_>>().join("\n")
}

async fn narrative(engine: Engine) {
    let model = Arc::new(Scripted::default());
    let world = World::start_as(Setup { engine, model: model.clone(), ..Setup::default() }).await;
    world.push("me", ID, &[("manifest.json", r#"{"title":"Long"}"#), ("messages.jsonl", &messages())]).await;
    let path = format!("/api/v1/sessions/{ID}/summary/narrative");
    let body = json!({ "llm_api_key": "sk-1", "model": "some-model", "base_url": "https://models.example.com/v1" });
    let told = json!({ "what_happened": "It went well.", "key_decisions": ["Use Rust"], "outcome": "Done.",
        "open_issues": ["Docs"] });
    model.answers.lock().unwrap().push_back(Ok(format!("```json\n{told}\n```")));
    let answer = world.tell("me", "POST", &path, &body).await.json();
    let parts = |of: &Value| {
        json!([of["what_happened"], of["key_decisions"], of["outcome"], of["open_issues"], of["narrative_model"]])
    };
    let wanted = json!(["It went well.", ["Use Rust"], "Done.", ["Docs"], "some-model"]);
    assert_eq!(parts(&answer), wanted, "{answer}");
    assert_eq!(answer["files_modified"], json!(["/a.rs"]));
    let (endpoint, request) = model.asked.lock().unwrap()[0].clone();
    assert_eq!((endpoint.base_url.as_str(), endpoint.key.as_deref()), ("https://models.example.com/v1", Some("sk-1")));
    assert_eq!(request.model, "some-model");
    // The last twenty texts, oldest first, each cut.
    let said: Vec<_> = request.prompt.split("---\n").skip(1).collect();
    assert_eq!(said.len(), 20);
    assert!(said[0].starts_with("step 110 ") && said[19].starts_with("step 129 "), "{}", said[0]);
    assert!(said.iter().all(|said| said.trim_end().chars().count() == 500));
    assert!(request.prompt.contains("Files modified: /a.rs") && !request.prompt.contains("sk-1"));

    // It stays: when it is read, when the rest is made anew, and when another model tells nothing.
    let read = async || world.get(&format!("/api/v1/sessions/{ID}/summary")).await.json();
    assert_eq!(parts(&read().await), wanted);
    let again = world.send("me", "POST", &format!("/api/v1/sessions/{ID}/summary"), &[], Vec::new()).await.json();
    assert_eq!(parts(&again), json!([null, null, null, null, null]));
    assert_eq!(parts(&read().await), wanted);
    for (failure, code, status) in [
        (Err(ModelFault::Timeout), "llm_timeout", 504),
        (Err(ModelFault::Failed("the model answered 500".to_owned())), "llm_request_failed", 502),
        (Err(ModelFault::Refused("not a public address".to_owned())), "llm_endpoint_refused", 400),
        (Ok("I would rather not.".to_owned()), "llm_invalid_response", 502),
    ] {
        model.answers.lock().unwrap().push_back(failure);
        let answer = world.tell("me", "POST", &path, &body).await;
        assert_eq!(answer.status, 200);
        let answer = answer.json();
        assert_eq!(parts(&answer), json!([null, null, null, null, null]));
        assert_eq!(
            (&answer["narrative_error"]["code"], &answer["narrative_error"]["status"]),
            (&json!(code), &json!(status))
        );
        assert_eq!(answer["files_modified"], json!(["/a.rs"]));
        assert_eq!(parts(&read().await), wanted);
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_tells_what_happened_on_sqlite() {
    narrative(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_tells_what_happened_on_postgresql() {
    narrative(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_decide_who_has_one_made() {
    for (tier, make, narrate) in [(Tier::Starter, 200, 403), (Tier::Pro, 200, 400)] {
        let accounts = AccountRules { default_tier: tier, ..Setup::default().accounts };
        let world = World::start_as(Setup { accounts, ..Setup::default() }).await;
        world.push("me", ID, &[("messages.jsonl", r#"{"role":"user","content":"x"}"#)]).await;
        let path = format!("/api/v1/sessions/{ID}/summary");
        assert_eq!(world.get(&path).await.status, 200, "reading is everyone's");
        assert_eq!(world.send("me", "POST", &path, &[], Vec::new()).await.status, make);
        let answer = world.tell("me", "POST", &format!("{path}/narrative"), &json!({})).await;
        assert_eq!(answer.status, narrate, "{}", answer.text());
        if narrate == 403 {
            let details = &answer.json()["error"]["details"];
            assert_eq!((&details["error"], &details["required_tier"]), (&json!("upgrade_required"), &json!("pro")));
        }
        world.gateway.run_jobs().await;
    }
}

/// Pages of messages, read one after the other, are one session.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_session_is_summarised_whole() {
    let world = World::start().await;
    let line = |n: usize| {
        let call = json!({ "type": "tool_use", "tool_use_id": format!("t{n}"), "name": "Bash", "input": { "command": "pytest" } });
        let result = json!({ "type": "tool_result", "tool_use_id": format!("t{n}"), "content": "2 passed in 0.1s" });
        let message = |role: &str, block: Value| json!({ "role": role, "content": [block] }).to_string();
        [message("assistant", call), message("tool", result)].join("\n")
    };
    let text = (0..1_000).map(line).collect::<Vec<_>>().join("\n");
    world.push("me", ID, &[("messages.jsonl", &text)]).await;
    let answer = world.get(&format!("/api/v1/sessions/{ID}/summary")).await.json();
    let counted = json!([
        answer["tool_call_count"],
        answer["commands_executed"],
        answer["tests_passed"],
        answer["message_count"]
    ]);
    assert_eq!(counted, json!([1_000, 1_000, 2_000, 2_000]));
    world.gateway.run_jobs().await;
}

/// One type for every session: the same fields tell of what a client of SpecStory's synced.
#[tokio::test(flavor = "multi_thread")]
async fn graphql_shows_summaries_and_links_and_makes_them() {
    let model = Arc::new(Scripted::default());
    let world = World::start_as(Setup { model: model.clone(), ..Setup::default() }).await;
    world.push("me", ID, &[("manifest.json", r#"{"title":"Long"}"#), ("messages.jsonl", &messages())]).await;
    world.push("me", "ses_5a77a00000000002", &[("manifest.json", r#"{"title":"Empty"}"#)]).await;
    world.gateway.seed(crate::harness::Sample::new("synced")).await;
    let list = "{ sessions(orderBy: \"createdAt\", orderDirection: \"asc\") { nodes { clientId
        summary { title toolCallCount filesModified messageCount generatedAt narrative { outcome } }
        shareLinks { id hasPassword expiresAt } } } }";
    let statements = world.gateway.app.statements();
    let nodes = async || {
        let data = world.gateway.graphql(list, json!({})).await;
        let nodes = data["sessions"]["nodes"].as_array().unwrap().clone();
        nodes
            .into_iter()
            .map(|node| (node["clientId"].as_str().unwrap().to_owned(), node))
            .collect::<std::collections::HashMap<_, _>>()
    };
    let first = nodes().await;
    assert!(first["ses_5a77a00000000002"]["summary"].is_null());
    assert_eq!(first[ID]["summary"]["filesModified"], json!(["/a.rs"]));
    assert!(first["synced"]["summary"]["title"].is_string(), "{:?}", first["synced"]);
    assert_eq!(first[ID]["shareLinks"], json!([]));
    assert!(world.gateway.app.statements() - statements < 60, "a few a session that is summarised for the first time");

    let make = "mutation($i: CreateShareLinkInput!) { createShareLink(input: $i) { url
        shareLink { id hasPassword expiresAt } session { clientId shareLinks { id } } } }";
    let input = json!({ "id": ID, "password": "pw", "expiresInHours": 1 });
    let made = world.gateway.graphql(make, json!({ "i": input })).await["createShareLink"].clone();
    let url = made["url"].as_str().unwrap().strip_prefix("https://sessions.example.com").unwrap().to_owned();
    let opened = world.tell("nobody", "POST", &url, &json!({ "password": "pw" })).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    // Kept answers move with it.
    let then = nodes().await;
    assert_eq!(then[ID]["shareLinks"][0], made["shareLink"]);
    assert!(!then[ID].to_string().contains(url.rsplit('/').next().unwrap()));
    let revoke = "mutation($id: String!) { revokeShareLink(input: { id: $id }) { revokedShareLinkId } }";
    let id = made["shareLink"]["id"].clone();
    assert_eq!(world.gateway.graphql(revoke, json!({ "id": id })).await["revokeShareLink"]["revokedShareLinkId"], id);
    assert_eq!(nodes().await[ID]["shareLinks"], json!([]));
    assert_eq!(world.tell("nobody", "POST", &url, &json!({ "password": "pw" })).await.status, 410);

    world.gateway.clock.advance(std::time::Duration::from_secs(60));
    let again = "mutation($id: String!) { summarizeSession(input: { id: $id }) { narrativeError { code }
        summary { generatedAt } } }";
    let made = world.gateway.graphql(again, json!({ "id": ID })).await["summarizeSession"].clone();
    assert_eq!(made["summary"]["generatedAt"], "2026-11-01T12:01:00.000Z");
    assert_eq!(nodes().await[ID]["summary"]["generatedAt"], made["summary"]["generatedAt"]);
    // What was told over REST is seen here.
    let told = json!({ "what_happened": "It went well.", "outcome": "Done." });
    model.answers.lock().unwrap().push_back(Ok(told.to_string()));
    let path = format!("/api/v1/sessions/{ID}/summary/narrative");
    world.tell("me", "POST", &path, &json!({ "llm_api_key": "k" })).await;
    assert_eq!(nodes().await[ID]["summary"]["narrative"]["outcome"], "Done.");
    let code = world.gateway.graphql_code(again, json!({ "id": "ses_5a77a00000000002" })).await;
    assert_eq!(code, "VALIDATION_ERROR");
    world.gateway.run_jobs().await;
}
