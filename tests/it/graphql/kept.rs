//! Answers to queries that are kept between requests: they cost one read, and none is ever stale.

use axum::http::Method;
use serde_json::{Value, json};
use sg_domain::Scope;

use crate::harness::{Answer, Engine, Gateway, Sample};

const QUERY: &str =
    "query($id: String) { projects { name sessionCount sessions(first: 3) { nodes { name userTitle } } }
    session(projectId: \"1111-2222-3333-4444\", sessionId: \"s1\") { name markdownContent exchanges { userTitle } }
    other: sessions(filters: { projectId: $id }) { total } }";

async fn ask(gateway: &Gateway, key: &str) -> Answer {
    gateway.graphql_as(key, QUERY, json!({ "id": "1111-2222-3333-4444" })).await
}

/// What a server that keeps nothing yet says.
async fn fresh(gateway: &Gateway) -> String {
    let stack = gateway.with_config(&sg_server::config::Config::default());
    let body = json!({ "query": QUERY, "variables": { "id": "1111-2222-3333-4444" } });
    stack.call(Method::POST, "/api/v1/graphql").key(&gateway.me.key).json(&body).send().await.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_kept_costs_one_read() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        gateway.seed(Sample::new("s1")).await;
        let first = ask(&gateway, &gateway.me.key).await;
        let before = gateway.app.statements();
        let again = ask(&gateway, &gateway.me.key).await;
        assert_eq!(gateway.app.statements() - before, 1, "{engine:?}");
        assert_eq!((again.text(), again.status), (first.text(), 200));
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_through_any_door_is_seen_at_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let session = gateway.seed(Sample::new("s1")).await;
        let elsewhere = gateway.with_config(&sg_server::config::Config::default());
        let rest = "/api/v1/projects/1111-2222-3333-4444";
        let me = &gateway.me;
        // Errors carry the id of their request.
        let data = |text: &str| serde_json::from_str::<Value>(text).unwrap()["data"].clone();
        let mut last = data(&ask(&gateway, &me.key).await.text());
        for door in
            ["operation", "GraphQL", "REST", "another server", "an exchange", "a deleted session", "a deleted project"]
        {
            assert_eq!(data(&ask(&gateway, &me.key).await.text()), last, "before {door}");
            match door {
                "operation" => drop(gateway.put(me, Sample::new("s1").user("more")).await),
                "GraphQL" => {
                    let rename = "mutation($id: String!) { updateSession(input: { id: $id, userTitle: \"t\" }) { session { id } } }";
                    gateway.graphql(rename, json!({ "id": session.id.to_string() })).await;
                }
                "REST" => {
                    let call = gateway.call(Method::PATCH, rest).key(&me.key).json(&json!({ "name": "renamed" }));
                    assert_eq!(call.send().await.status, 200);
                }
                "another server" => {
                    let call = elsewhere.call(Method::PATCH, rest).key(&me.key).json(&json!({ "name": "again" }));
                    assert_eq!(call.send().await.status, 200);
                }
                "an exchange" => {
                    let found = gateway.graphql("{ session(id: \"s1\") { exchanges { id } } }", json!({})).await;
                    let mark = "mutation($id: String!) { updateExchange(input: { id: $id, userTitle: \"x\" }) { session { id } } }";
                    gateway.graphql(mark, json!({ "id": found["session"]["exchanges"][0]["id"] })).await;
                }
                "a deleted session" => {
                    let delete = "mutation($id: String!) { deleteSession(input: { id: $id }) { deletedSessionId } }";
                    gateway.graphql(delete, json!({ "id": session.id.to_string() })).await;
                }
                _ => {
                    let delete =
                        "mutation { deleteProject(input: { id: \"1111-2222-3333-4444\" }) { deletedProjectId } }";
                    gateway.graphql(delete, json!({})).await;
                }
            }
            let now = data(&ask(&gateway, &me.key).await.text());
            assert_ne!(now, last, "{engine:?}: {door} was not seen");
            assert_eq!(now, data(&fresh(&gateway).await), "{engine:?}: after {door}");
            last = now;
        }
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_the_callers_own() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1")).await;
    let other = gateway.other().await;
    let write_only = gateway.key_with(&gateway.me, &[Scope::Write]).await;
    for _ in 0..2 {
        assert_eq!(ask(&gateway, &gateway.me.key).await.json()["data"]["projects"][0]["sessionCount"], 1);
        let theirs = ask(&gateway, &other.key).await.json();
        assert_eq!(theirs["data"]["projects"], json!([]));
        assert_eq!(ask(&gateway, &write_only).await.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let nobody = ask(&gateway, "sk_live_0000").await;
        assert_eq!(nobody.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_clock_decides_is_not_kept() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1").at("2026-11-01T10:00:00Z")).await;
    let today = "query($f: SessionFilters) { sessions(filters: $f) { total } }";
    let total =
        async || gateway.graphql(today, json!({ "f": { "timeFilter": "today" } })).await["sessions"]["total"].clone();
    assert_eq!((total().await, total().await), (json!(1), json!(1)));
    gateway.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    assert_eq!(total().await, json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn caches_and_packers_are_served() {
    let gateway = Gateway::start().await;
    let mut talk = Sample::new("s1");
    for n in 0..60 {
        talk = talk.user(&format!("question {n} about the very same thing"));
    }
    gateway.seed(talk).await;
    let path = "/api/v1/graphql?query=%7Bsession(id:%22s1%22)%7Bname%20markdownContent%7D%7D";
    let first = gateway.get(path).send().await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.status == 200, "{tag}");
    let known = gateway.get(path).header("if-none-match", &tag).send().await;
    assert_eq!((known.status, known.header("etag"), known.body.len()), (304, tag.as_str(), 0));
    for _ in 0..2 {
        let packed = gateway.get(path).header("accept-encoding", "gzip").send().await;
        assert_eq!(
            (packed.status, packed.header("content-encoding"), packed.header("etag")),
            (200, "gzip", tag.as_str())
        );
        assert_eq!(packed.unpacked().unwrap(), first.body);
    }
    for control in ["no-cache", "no-store"] {
        let before = gateway.app.statements();
        let anew = gateway.get(path).header("cache-control", control).send().await;
        assert_eq!(anew.body, first.body);
        assert!(gateway.app.statements() - before > 1, "{control} is answered anew");
    }
    gateway.put(&gateway.me, Sample::new("s2")).await;
    gateway.run_jobs().await;
    let changed = gateway.get(path).header("if-none-match", &tag).send().await;
    assert_eq!(changed.status, 200, "another version, another tag");
    assert_ne!(changed.header("etag"), tag);
}
