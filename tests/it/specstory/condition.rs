//! `If-Match`: a change that is made to the state its client has seen or not at all.

use axum::body::Body;
use serde_json::json;

use super::world::{FULL, SHARED, Who, World};
use crate::harness::Answer;

const WRONG: &str = "W/\"0000\"";

/// The routes that change a session, with a body that does.
fn changes(exchange: &str) -> Vec<(&'static str, String, String)> {
    let session = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let put = json!({ "projectName": "p", "name": "changed", "markdown": "# m", "rawData": "{}" });
    vec![
        ("PATCH", session.clone(), r#"{"userTitle":"changed"}"#.to_owned()),
        ("PATCH", format!("{session}/exchanges/{exchange}"), r#"{"userTitle":"changed"}"#.to_owned()),
        ("PUT", session.clone(), put.to_string()),
        ("DELETE", session, String::new()),
    ]
}

async fn send(world: &World, method: &str, path: &str, tags: Option<&str>, body: &str) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(tags.map(|tags| ("if-match", tags)));
    world.send(Who::Me, method, path, &headers, Body::from(body.to_owned())).await
}

async fn session(world: &World) -> Answer {
    world.get(&format!("/api/v1/projects/{SHARED}/sessions/{FULL}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_state_is_412_and_nothing_is_written() {
    let world = World::start().await;
    let before = session(&world).await;
    let tag = before.header("etag").to_owned();
    let exchange = before.json()["data"]["session"]["exchanges"][0]["id"].as_str().unwrap().to_owned();
    for (method, path, body) in changes(&exchange) {
        for tags in [WRONG, "", "nonsense", "W/\"1\", \"2\""] {
            let answer = send(&world, method, &path, Some(tags), &body).await;
            assert_eq!(answer.status, 412, "{method} {path} {tags:?}: {}", answer.text());
            assert_eq!(answer.header("etag"), tag, "{method} {path}");
            assert_eq!(answer.json()["success"], false);
            assert!(answer.json()["error"].as_str().unwrap().starts_with("The session has changed since"));
        }
        let now = session(&world).await;
        assert_eq!((now.status, now.header("etag"), &now.body), (200, tag.as_str(), &before.body), "{method} {path}");
    }
    // The state that was seen, alone or among others, or whatever it is.
    let bare = tag.trim_start_matches("W/").to_owned();
    for (number, (method, path, body)) in changes(&exchange).into_iter().enumerate() {
        let world = World::start().await;
        let list = format!("{WRONG}, {tag}");
        let tags = [tag.as_str(), &bare, &list, "*"][number];
        let answer = send(&world, method, &path, Some(tags), &body).await;
        assert_eq!(answer.status, 200, "{method} {path} {tags}: {}", answer.text());
        assert_ne!(session(&world).await.header("etag"), tag, "{method} {path} changed nothing");
        world.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_not_made_anew() {
    let world = World::start().await;
    let path = format!("/api/v1/projects/{SHARED}/sessions/another");
    let body = json!({ "projectName": "p", "name": "n", "markdown": "# m", "rawData": "{}" }).to_string();
    for tags in ["*", WRONG] {
        let answer = send(&world, "PUT", &path, Some(tags), &body).await;
        assert_eq!((answer.status, answer.header("etag")), (412, ""), "{tags}");
    }
    assert_eq!(world.get(&path).await.status, 404);
    for method in ["PATCH", "DELETE"] {
        let answer = send(&world, method, &path, Some("*"), r#"{"userTitle":"t"}"#).await;
        assert_eq!(answer.status, 404, "{method}: what is not there has no state");
    }
    // Without the header all is as it always was.
    assert_eq!(send(&world, "PUT", &path, None, &body).await.status, 201);
    world.gateway.run_jobs().await;
}
