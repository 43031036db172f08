//! What the command line relies on when a device signs in, and what nobody may get away with.

use axum::body::Body;
use serde_json::{Value, json};
use sg_app::NewDevice;
use sg_domain::Timestamp;

use super::world::{Who, World};
use crate::harness::Answer;

async fn code(world: &World) -> String {
    world.gateway.app.create_device_code(world.caller(Who::Me), None).await.unwrap().code
}

async fn login(world: &World, code: &str) -> Answer {
    world.tell(Who::Nobody, "POST", "/api/v1/device-login", &json!({ "device_code": code })).await
}

async fn with(world: &World, method: &str, path: &str, token: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    world.send(Who::Nobody, method, path, &[("authorization", &authorization)], Body::empty()).await
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_code_is_a_401_whose_text_makes_the_command_line_ask_again() {
    let world = World::empty().await;
    let used = code(&world).await;
    assert_eq!(login(&world, &used).await.status, 200);
    let old = code(&world).await;
    world.gateway.clock.advance(std::time::Duration::from_secs(600));
    for bad in [used.as_str(), &old, "aaaaaa", "aaaaa", "aaaaaaa", "------", "aaa aaa aaa", "ааааaa", "\u{0}aaaaa"]
    {
        let answer = login(&world, bad).await;
        let body = answer.json();
        let said = text(&body, "error");
        assert!(answer.status == 401 && (said.contains("invalid") || said.contains("expired")), "{bad}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_device_are_bare_objects_with_times_that_go_reads() {
    let world = World::empty().await;
    let body = login(&world, &code(&world).await).await.json();
    assert_eq!(body["user"], json!({ "email": "me@example.com" }));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&body), ["createdAt", "expiresAt", "refreshToken", "user"]);
    let answer = with(&world, "POST", "/api/v1/device-refresh", text(&body, "refreshToken")).await;
    assert_eq!(answer.status, 200);
    let access = answer.json();
    assert_eq!(keys(&access), ["accessToken", "createdAt", "expiresAt"]);
    let at = |value: &Value, field| Timestamp::parse(text(value, field)).unwrap();
    let secs = |value: &Value| at(value, "expiresAt").secs() - at(value, "createdAt").secs();
    assert_eq!((secs(&body) / 86_400, secs(&access)), (3_652, 3_600));
    assert_eq!(at(&access, "createdAt"), world.gateway.app.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_secret_is_never_cached() {
    let world = World::empty().await;
    let answer = login(&world, &code(&world).await).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let answer = with(&world, "POST", "/api/v1/device-refresh", text(&body, "refreshToken")).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = world.tell(Who::Me, "POST", "/api/v1/api-tokens", &json!({ "name": "x" })).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_lets_one_of_many_devices_in() {
    let world = World::empty().await;
    let code = code(&world).await;
    let answers = futures_util::future::join_all((0..8).map(|_| login(&world, &code))).await;
    let let_in = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(let_in, 1, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    assert_eq!(world.gateway.app.devices(world.caller(Who::Me), false).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_ends_in_429_with_the_documented_body() {
    let world = World::empty().await;
    let code = code(&world).await;
    for n in 0..10 {
        assert_eq!(login(&world, &format!("guess{n}")).await.status, 401);
    }
    let answer = login(&world, &code).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "600"));
    assert_eq!(answer.text(), r#"{"success":false,"error":"Rate limit exceeded. Try again in 600 seconds."}"#);
    world.gateway.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(login(&world, "aaaaaa").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_says_who_it_is_in_one_line() {
    let world = World::empty().await;
    let mut body = json!({
        "device_code": code(&world).await, "hostname": "v\nm", "os": "linux", "os_version": "12 (bookworm)",
        "os_display_name": "Linux", "architecture": "amd64", "username": "root", "client": "specstory-cli",
        "client_version": "2.3.4", "something": { "new": 1 },
    });
    assert_eq!(world.tell(Who::Nobody, "POST", "/api/v1/device-login", &body).await.status, 200);
    body["device_code"] = code(&world).await.into();
    body["hostname"] = "h".repeat(10_000).into();
    assert_eq!(world.tell(Who::Nobody, "POST", "/api/v1/device-login", &body).await.status, 200);
    let devices = world.gateway.app.devices(world.caller(Who::Me), false).await.unwrap();
    let first = &devices[0];
    let said = [&first.hostname, &first.os, &first.username, &first.client, &first.client_version];
    assert_eq!(said, ["vm", "Linux 12 (bookworm) amd64", "root", "specstory-cli", "2.3.4"]);
    assert_eq!(devices[1].hostname.len(), 200);
    body["device_code"] = code(&world).await.into();
    body["hostname"] = "h".repeat(100_000).into();
    assert_eq!(world.tell(Who::Nobody, "POST", "/api/v1/device-login", &body).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_made_on_the_command_line_serves_cloud_token() {
    let world = World::empty().await;
    let me = world.caller(Who::Me);
    let owner = &world.gateway.me.user.id;
    let made = world.gateway.app.create_device(me, owner, &NewDevice::default()).await.unwrap();
    let access = with(&world, "POST", "/api/v1/device-refresh", &made.secret).await.json();
    assert_eq!(with(&world, "GET", "/api/v1/projects", text(&access, "accessToken")).await.status, 200);
    world.gateway.app.revoke_device(me, made.token.id).await.unwrap();
    let answer = with(&world, "GET", "/api/v1/projects", text(&access, "accessToken")).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("Token has been revoked")));
    let graphql = json!({ "query": "{ projects { id } }" }).to_string();
    let authorization = format!("Bearer {}", text(&access, "accessToken"));
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let answer = world.send(Who::Nobody, "POST", "/api/v1/graphql", &headers, graphql.into()).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
}
