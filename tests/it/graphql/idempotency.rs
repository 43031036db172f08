//! `Idempotency-Key` on mutations: what is answered again, and what is not.

use std::time::Duration;

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sg_domain::Scope;

use crate::harness::{Answer, Engine, Gateway, Sample};

const PUT: &str =
    "mutation Put($name: String!) { putSession(input: { projectId: \"p\", projectName: \"p\", sessionId: \"s\",
    name: $name, markdown: \"# m\", rawData: \"{}\" }) { outcome session { id name updatedAt } } }";

async fn send(gateway: &Gateway, who: &str, path: &str, key: &str, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables });
    gateway.call(Method::POST, path).key(who).header("idempotency-key", key).json(&body).send().await
}

async fn put(gateway: &Gateway, key: &str, name: &str) -> Answer {
    send(gateway, &gateway.me.key, "/api/v1/graphql", key, PUT, json!({ "name": name })).await
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_mutation_gets_the_same_answer() {
    let gateway = Gateway::start().await;
    let first = put(&gateway, "k", "one").await;
    assert_eq!((first.status, is_replay(&first)), (200, false));
    assert_eq!(first.json()["data"]["putSession"]["outcome"], "CREATED");
    gateway.clock.advance(Duration::from_secs(60));
    for path in ["/api/v1/graphql", "/graphql"] {
        let again = send(&gateway, &gateway.me.key, path, "k", PUT, json!({ "name": "one" })).await;
        assert_eq!((again.status, is_replay(&again), &again.body), (200, true, &first.body), "{path}");
        for name in ["content-type", "vary", "cache-control"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
    }
    // It is not done again: what was written since stays.
    let newer = put(&gateway, "other", "two").await;
    assert_eq!(newer.json()["data"]["putSession"]["outcome"], "UPDATED");
    assert!(is_replay(&put(&gateway, "k", "one").await));
    let data = gateway.graphql("{ session(id: \"s\") { name } }", json!({})).await;
    assert_eq!(data["session"]["name"], "two");
    // By its hash alone it is the same document.
    let hash = sg_domain::Digest::of(PUT.as_bytes()).to_string();
    let body = json!({ "variables": { "name": "one" },
        "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } });
    let call = gateway.call(Method::POST, "/graphql").key(&gateway.me.key).header("idempotency-key", "k");
    assert!(is_replay(&call.json(&body).send().await));
    // A day later it is a new request.
    gateway.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert!(!is_replay(&put(&gateway, "k", "one").await));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_document_variable_or_caller_is_another_request() {
    let gateway = Gateway::start().await;
    let other = gateway.other().await;
    assert!(!is_replay(&put(&gateway, "k", "one").await));
    assert!(!is_replay(&put(&gateway, "k", "two").await), "other variables");
    let spaced = PUT.replace("{ outcome", "{  outcome");
    let answer = send(&gateway, &gateway.me.key, "/graphql", "k", &spaced, json!({ "name": "two" })).await;
    assert!(!is_replay(&answer), "another document");
    let answer = send(&gateway, &other.key, "/graphql", "k", &spaced, json!({ "name": "two" })).await;
    assert_eq!((is_replay(&answer), &answer.json()["data"]["putSession"]["outcome"]), (false, &json!("CREATED")));
    // A query changes nothing and is asked each time.
    for _ in 0..2 {
        let answer = send(&gateway, &gateway.me.key, "/graphql", "k", "{ viewer { id } }", json!({})).await;
        assert!(!is_replay(&answer));
    }
    for bad in ["x".repeat(256)] {
        let answer = put(&gateway, &bad, "one").await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "VALIDATION_ERROR"));
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_twice_at_once_it_is_done_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        gateway.seed(Sample::new("s1")).await;
        let query = "mutation { deleteSession(input: { id: \"s1\" }) { deletedSessionId } }";
        let sent = (0..8).map(|_| send(&gateway, &gateway.me.key, "/graphql", "k", query, json!({})));
        let answers = join_all(sent).await;
        assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{engine:?}");
        assert!(answers[0].json()["errors"].is_null(), "{engine:?}: {}", answers[0].text());
        assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1, "{engine:?}");
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_before_anything_changed_may_be_tried_again() {
    let gateway = Gateway::start().await;
    let update = |title: &str| {
        format!("mutation {{ updateSession(input: {{ id: \"s1\", userTitle: \"{title}\" }}) {{ session {{ id }} }} }}")
    };
    let answer = send(&gateway, &gateway.me.key, "/graphql", "k", &update("t"), json!({})).await;
    assert_eq!(code(&answer), "NOT_FOUND");
    gateway.seed(Sample::new("s1")).await;
    let answer = send(&gateway, &gateway.me.key, "/graphql", "k", &update("t"), json!({})).await;
    assert!(answer.json()["errors"].is_null() && !is_replay(&answer), "{}", answer.text());
    // A key that may not write is refused each time, and by the operation.
    let read_only = gateway.key_with(&gateway.me, &[Scope::Read]).await;
    for _ in 0..2 {
        let answer = send(&gateway, &read_only, "/graphql", "k", &update("t"), json!({})).await;
        assert_eq!((code(&answer).as_str(), is_replay(&answer)), ("FORBIDDEN", false));
    }
    // The first of two was done: the request is not one to repeat.
    let query = "mutation { one: updateSession(input: { id: \"s1\", userTitle: \"first\" }) { session { id } }
        two: updateSession(input: { id: \"nobody\", userTitle: \"second\" }) { session { id } } }";
    let first = send(&gateway, &gateway.me.key, "/graphql", "both", query, json!({})).await;
    assert_eq!(code(&first), "NOT_FOUND");
    gateway.graphql(&update("newer"), json!({})).await;
    let again = send(&gateway, &gateway.me.key, "/graphql", "both", query, json!({})).await;
    assert_eq!((is_replay(&again), &again.body), (true, &first.body));
    let data = gateway.graphql("{ session(id: \"s1\") { userTitle } }", json!({})).await;
    assert_eq!(data["session"]["userTitle"], "newer");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_told_once() {
    let gateway = Gateway::start().await;
    let query = "mutation { ...Make } fragment Make on Mutation {
        made: createApiKey(input: { name: \"ci\" }) { secret apiKey { id } } }";
    let first = send(&gateway, &gateway.me.key, "/graphql", "k", query, json!({})).await;
    let secret = first.json()["data"]["made"]["secret"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let again = send(&gateway, &gateway.me.key, "/graphql", "k", query, json!({})).await;
        assert!(is_replay(&again));
        assert_eq!(code(&again), "CONFLICT", "{}", again.text());
        assert!(!again.text().contains(&secret) && again.json().get("data").is_none());
    }
    let keys = gateway.graphql("{ apiKeys { name } }", json!({})).await;
    assert_eq!(keys["apiKeys"].as_array().unwrap().iter().filter(|key| key["name"] == "ci").count(), 1);
    for file in walk(gateway.dir()) {
        let bytes = std::fs::read(&file).unwrap();
        let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!holds, "{} holds the secret", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(walk(&entry)) } else { found.push(entry) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_takes_no_key() {
    let gateway = Gateway::start().await;
    let body = json!({ "query": PUT, "variables": { "name": "one" } });
    let call = gateway.call(Method::POST, "/graphql").key(&gateway.me.key).header("accept", "text/event-stream");
    let answer = call.header("idempotency-key", "k").json(&body).send().await;
    assert_eq!((answer.status, code(&answer).as_str()), (400, "VALIDATION_ERROR"), "{}", answer.text());
    assert_eq!(gateway.graphql("{ sessions { total } }", json!({})).await["sessions"]["total"], 0, "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_read_gets_no_answer_that_shows_something() {
    let gateway = Gateway::start().await;
    put(&gateway, "k", "one").await;
    let write_only = gateway.key_with(&gateway.me, &[Scope::Write]).await;
    let answer = send(&gateway, &write_only, "/api/v1/graphql", "k", PUT, json!({ "name": "one" })).await;
    assert_eq!((is_replay(&answer), code(&answer).as_str()), (false, "FORBIDDEN"), "{}", answer.text());
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_for_good_is_in_no_answer_that_is_given_again() {
    let gateway = Gateway::start().await;
    let id = put(&gateway, "k", "one").await.json()["data"]["putSession"]["session"]["id"].clone();
    for name in ["deleteSession", "purgeSession"] {
        let field = if name == "deleteSession" { "deletedSessionId" } else { "purgedSessionId" };
        let query = format!("mutation($id: String!) {{ {name}(input: {{ id: $id }}) {{ {field} }} }}");
        gateway.graphql(&query, json!({ "id": id })).await;
    }
    let again = put(&gateway, "k", "one").await;
    assert!(!is_replay(&again), "{}", again.text());
    assert_ne!(again.json()["data"]["putSession"]["session"]["id"], id);
    gateway.run_jobs().await;
}
