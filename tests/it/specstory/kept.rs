//! Answers that are kept between requests: they cost little, and none is ever stale, whoever changed what through which
//! door of which server.

use axum::http::Method;
use serde_json::json;
use sg_app::NewSession;
use sg_domain::Scope;
use sg_domain::id::SessionRef;

use super::world::{BARE, FULL, MINE, OWN, SHARED, Who, World, bare, full};

/// Every path whose answers are kept.
fn paths() -> Vec<String> {
    vec![
        "/api/v1/projects".to_owned(),
        "/api/v1/projects?resumable=true".to_owned(),
        format!("/api/v1/projects/{SHARED}"),
        format!("/api/v1/projects/{SHARED}/sessions"),
        format!("/api/v1/projects/{SHARED}/sessions/sizes"),
        format!("/api/v1/projects/{SHARED}/sessions/{FULL}"),
        "/api/v1/sessions/recent?limit=7".to_owned(),
    ]
}

async fn answers(world: &World) -> Vec<String> {
    let mut answers = Vec::new();
    for path in paths() {
        let answer = world.get(&path).await;
        answers.push(format!("{} {} {}", answer.status, answer.header("etag"), answer.text()));
    }
    answers
}

/// What a server that keeps nothing yet says: its router is new.
async fn fresh(world: &World) -> Vec<String> {
    let stack = world.gateway.with_config(&sg_server::config::Config::default());
    let mut answers = Vec::new();
    for path in paths() {
        let answer = stack.call(Method::GET, &path).key(&world.gateway.me.key).send().await;
        answers.push(format!("{} {} {}", answer.status, answer.header("etag"), answer.text()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_through_any_door_is_seen_at_once() {
    let world = World::start().await;
    let me = world.caller(Who::Me).clone();
    let full_session = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let mut last = answers(&world).await;
    let doors = [
        "operation",
        "another server",
        "REST",
        "GraphQL",
        "a part of a session",
        "a deleted session",
        "a deleted project",
    ];
    for door in doors {
        assert_eq!(answers(&world).await, last, "before {door}: asked again, the same");
        match door {
            "operation" => {
                let changed = NewSession { markdown: "# changed".into(), ..bare(SHARED, BARE, MINE) };
                world.put(Who::Me, changed).await;
            }
            // Its router keeps its own answers; the database is what both have.
            "another server" => {
                let call = world.gateway.call(Method::PATCH, &full_session).key(&world.gateway.me.key);
                assert_eq!(call.json(&json!({ "userTitle": "by another server" })).send().await.status, 200);
            }
            "REST" => {
                let (path, body) = (format!("/api/v1/projects/{SHARED}"), json!({ "name": "by REST" }));
                assert_eq!(world.tell(Who::Me, "PATCH", &path, &body).await.status, 200);
            }
            "GraphQL" => {
                let query = format!(
                    r#"mutation {{ updateProject(input: {{ id: "{SHARED}", name: "by GraphQL" }}) {{ project {{ name }} }} }}"#
                );
                let answer = world.graphql(Who::Me, &query, json!({})).await;
                assert!(answer.json()["errors"].is_null(), "{}", answer.text());
            }
            "a part of a session" => {
                let first = world.get(&full_session).await.json()["data"]["session"]["exchanges"][0]["id"].clone();
                let path = format!("{full_session}/exchanges/{}", first.as_str().unwrap());
                assert_eq!(world.tell(Who::Me, "PATCH", &path, &json!({ "hiddenFromShare": true })).await.status, 200);
            }
            "a deleted session" => {
                let wanted = SessionRef::InProject(sg_domain::ProjectId::new(SHARED).unwrap(), FULL.to_owned());
                world.gateway.app.delete_session(&me, &wanted).await.unwrap();
            }
            _ => {
                let answer = world.ask(Who::Me, "DELETE", &format!("/api/v1/projects/{SHARED}"), &[]).await;
                assert_eq!(answer.status, 200);
            }
        }
        let now = answers(&world).await;
        assert_ne!(now, last, "{door} changed nothing that is seen");
        assert_eq!(now, fresh(&world).await, "after {door}");
        last = now;
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_again_only_the_caller_and_the_version_are_read() {
    let world = World::start().await;
    for path in paths() {
        world.get(&path).await;
        let tag = world.get(&path).await.header("etag").to_owned();
        let mut requests = vec![(Vec::new(), 200)];
        if !tag.is_empty() {
            requests.push((vec![("if-none-match", tag.as_str())], 304));
        }
        for (headers, status) in requests {
            let before = world.gateway.app.statements();
            let answer = world.ask(Who::Me, "GET", &path, &headers).await;
            assert_eq!(answer.status, status, "{path}");
            let cost = world.gateway.app.statements() - before;
            assert!(cost <= 3, "{path} {headers:?} costs {cost} statements");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_is_its_owners_in_its_form_and_whole() {
    let world = World::start().await;
    for path in paths() {
        let (first, again) = (world.get(&path).await, world.get(&path).await);
        assert_eq!((first.status, first.body), (again.status, again.body), "{path}");
        let headers = |answer: &axum::http::HeaderMap| {
            let mut headers = answer.clone();
            for name in ["x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"] {
                headers.remove(name);
            }
            headers
        };
        assert_eq!(headers(&first.headers), headers(&again.headers), "{path}");
        assert_eq!(world.ask(Who::Nobody, "GET", &path, &[]).await.status, 401, "{path}");
        assert_eq!(world.ask(Who::WriteOnly, "GET", &path, &[]).await.status, 403, "{path}");
        assert!(!world.ask(Who::Other, "GET", &path, &[]).await.text().contains(MINE), "{path}");
        assert!(world.get(&path).await.text().contains(if path.ends_with("sizes") { FULL } else { MINE }), "{path}");
    }
    let session = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    for _ in 0..2 {
        let json = world.ask(Who::Me, "GET", &session, &[("accept", "application/json")]).await;
        assert!(json.json().is_object());
        let markdown = world.ask(Who::Me, "GET", &session, &[("accept", "text/markdown")]).await;
        assert!(markdown.text().starts_with("<!-- Generated"), "{}", markdown.text());
        let tag = markdown.header("etag").to_owned();
        // A condition comes first of all: nothing of the body is kept then, and the next one gets it.
        let unmodified = world.ask(Who::Me, "GET", &session, &[("if-none-match", &tag), ("accept", "x/y")]).await;
        assert_eq!((unmodified.status, unmodified.body.len()), (304, 0));
        assert_eq!((unmodified.header("etag"), unmodified.header("content-type")), (tag.as_str(), ""));
        let whole = world.ask(Who::Me, "GET", &session, &[("accept", "x/y")]).await;
        assert!(whole.json().is_object());
        let other = world.ask(Who::Me, "GET", &session, &[("if-none-match", "W/\"other\"")]).await;
        assert_eq!(other.status, 200);
        // The one client that does not survive a 304.
        let python = [("if-none-match", tag.as_str()), ("user-agent", "specstory-sdk-python/0.1.0")];
        assert_eq!(world.ask(Who::Me, "GET", &session, &python).await.status, 200);
        let head = world.ask(Who::Me, "HEAD", &session, &[]).await;
        assert!(head.status == 200 && head.body.is_empty() && !head.header("content-length").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_opens_nothing_that_is_kept() {
    let world = World::start().await;
    let key = world.gateway.key_with(&world.gateway.me, &[Scope::Read]).await;
    let ask = || world.gateway.call(Method::GET, "/api/v1/projects").key(&key).send();
    assert_eq!(ask().await.status, 200);
    assert_eq!(ask().await.status, 200);
    for key in world.gateway.app.keys(world.caller(Who::Me), false).await.unwrap() {
        world.gateway.app.revoke_key(world.caller(Who::Me), key.id).await.unwrap();
    }
    assert_eq!(ask().await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_whole_each_time() {
    let world = World::empty().await;
    // Larger than what one answer may take of what is kept.
    let text = "all work and no play ".repeat(5 * 50_000);
    world.put(Who::Me, NewSession { markdown: text.clone().into(), ..full(OWN, FULL, MINE) }).await;
    let path = format!("/api/v1/projects/{OWN}/sessions/{FULL}");
    for _ in 0..2 {
        let answer = world.get(&path).await.json();
        assert!(answer["data"]["session"]["markdownContent"] == text.as_str(), "not whole");
    }
    world.gateway.run_jobs().await;
}
