//! `Idempotency-Key`: what is answered again, and what is not.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::put::{PATH, gzip, upload, with};
use super::world::{SHARED, Who, World};
use crate::harness::{Answer, Engine, Gateway};

async fn put(world: &World, who: Who, path: &str, key: &str, body: &Value) -> Answer {
    world.send(who, "PUT", path, &[("idempotency-key", key)], Body::from(body.to_string())).await
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_answer() {
    let world = World::empty().await;
    let first = put(&world, Who::Me, PATH, "test-session-001", &upload()).await;
    assert_eq!((first.status, is_replay(&first)), (201, false));
    let again = put(&world, Who::Me, PATH, "test-session-001", &upload()).await;
    assert_eq!((again.status, is_replay(&again)), (201, true));
    assert_eq!(again.body, first.body);
    for name in ["etag", "last-modified", "content-type", "cache-control"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert!(!again.header("x-request-id").is_empty() && again.header("x-request-id") != first.header("x-request-id"));
    // Packed or not, it is the same body.
    let packed = gzip(upload().to_string().as_bytes());
    let headers = [("idempotency-key", "test-session-001"), ("content-encoding", "gzip")];
    assert!(is_replay(&world.send(Who::Me, "PUT", PATH, &headers, Body::from(packed)).await));
    // It is not done again: what was written since stays.
    assert_eq!(world.tell(Who::Me, "PUT", PATH, &with("name", "newer".into())).await.status, 200);
    assert!(is_replay(&put(&world, Who::Me, PATH, "test-session-001", &upload()).await));
    assert_eq!(world.get(PATH).await.json()["data"]["session"]["name"], "newer");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_body_path_or_caller_is_another_request() {
    let world = World::empty().await;
    let first = put(&world, Who::Me, PATH, "k", &upload()).await;
    assert_eq!(first.status, 201);
    let other = format!("/api/v1/projects/{SHARED}/sessions/s2");
    for (who, path, key, body, status) in [
        (Who::Me, PATH, "k", with("name", "second".into()), 200),
        (Who::Me, PATH, "k2", upload(), 200),
        (Who::Me, other.as_str(), "k", upload(), 201),
        (Who::Other, PATH, "k", upload(), 201),
        // The first body again: the key has been another request's since.
        (Who::Me, PATH, "k", upload(), 200),
    ] {
        let answer = put(&world, who, path, key, &body).await;
        assert_eq!((answer.status, is_replay(&answer)), (status, false), "{who:?} {path} {key}");
    }
    assert_eq!(world.get(PATH).await.json()["data"]["session"]["name"], "first");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_successes_are_kept_and_only_for_a_day() {
    let world = World::empty().await;
    let bad = json!({ "name": "n" });
    for _ in 0..2 {
        let answer = put(&world, Who::Me, PATH, "k", &bad).await;
        assert_eq!((answer.status, is_replay(&answer)), (400, false));
    }
    put(&world, Who::Me, PATH, "k", &upload()).await;
    world.gateway.clock.advance(Duration::from_secs(23 * 3_600));
    assert!(is_replay(&put(&world, Who::Me, PATH, "k", &upload()).await));
    world.gateway.clock.advance(Duration::from_secs(2 * 3_600));
    world.gateway.app.schedule_sweep().await.unwrap();
    world.gateway.run_jobs().await;
    let answer = put(&world, Who::Me, PATH, "k", &upload()).await;
    assert_eq!((answer.status, is_replay(&answer)), (200, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_refused() {
    let world = World::empty().await;
    let long = "x".repeat(256);
    for key in [long.as_str(), "a\tb"] {
        let answer = put(&world, Who::Me, PATH, key, &upload()).await;
        let text = "Idempotency-Key must be at most 255 bytes without control characters";
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(text)));
    }
    for key in ["", &long[..255], "größe"] {
        assert!(put(&world, Who::Me, PATH, key, &upload()).await.status < 300, "{key}");
    }
    let answer = put(&world, Who::ReadOnly, PATH, &long, &upload()).await;
    assert_eq!(answer.status, 403, "the scope comes first");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_done_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let put = || {
            let call = gateway.call(axum::http::Method::PUT, PATH).key(&gateway.me.key).json(&upload());
            async move { call.header("idempotency-key", "k").send().await }
        };
        let answers = join_all((0..8).map(|_| put())).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{engine:?}");
        assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1, "{engine:?}");
        assert!(answers.iter().all(|answer| answer.header("etag") == answers[0].header("etag")));
        gateway.run_jobs().await;
    }
}
