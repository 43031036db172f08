//! Share links: guesses, races, and what stays of a link in the database.

use serde_json::{Value, json};

use super::world::World;
use crate::harness::{Answer, Engine, Setup};
use sg_app::AccountRules;

const ID: &str = "ses_5ha5e00000000001";

async fn shared(world: &World, body: Value) -> (String, String) {
    world.push("me", ID, &[("messages.jsonl", r#"{"role":"user","content":"Why?"}"#)]).await;
    let made = world.tell("me", "POST", &format!("/api/v1/sessions/{ID}/share"), &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let url = made["url"].as_str().unwrap().trim_start_matches("https://sessions.example.com").to_owned();
    (url, made["link_id"].as_str().unwrap().to_owned())
}

async fn guess(world: &World, url: &str, password: &str) -> Answer {
    world.tell("nobody", "POST", url, &json!({ "password": password })).await
}

async fn guesses_are_counted(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    let (url, _) = shared(&world, json!({ "password": "open sesame" })).await;
    for n in 0..9 {
        assert_eq!(guess(&world, &url, &n.to_string()).await.status, 401);
    }
    // A right one is none of the ten, however often it is.
    for _ in 0..3 {
        assert_eq!(guess(&world, &url, "open sesame").await.status, 200);
    }
    world.gateway.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(guess(&world, &url, "9").await.status, 401);
    let refused = guess(&world, &url, "open sesame").await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "840");
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(refused.json()["error"]["code"], "429");
    // Without a password nothing is guessed.
    assert_eq!(world.send("nobody", "GET", &url, &[], Vec::new()).await.status, 401);
    // Another link of the same session has guesses of its own.
    let (other, _) = shared(&world, json!({ "password": "another" })).await;
    assert_eq!(guess(&world, &other, "another").await.status, 200);
    world.gateway.clock.advance(std::time::Duration::from_secs(840));
    assert_eq!(guess(&world, &url, "open sesame").await.status, 200);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_on_sqlite() {
    guesses_are_counted(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_on_postgresql() {
    guesses_are_counted(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_way_around() {
    let world = World::start().await;
    let (url, _) = shared(&world, json!({ "password": "open sesame" })).await;
    let guesses = (0..24).map(|n| guess(&world, &url, if n == 23 { "open sesame" } else { "no" }));
    let answers = futures_util::future::join_all(guesses).await;
    let wrong = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(wrong, 10, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_64_characters_and_not_in_the_database() {
    let world = World::start().await;
    let (url, _) = shared(&world, json!({ "password": "open sesame" })).await;
    let token = url.rsplit('/').next().unwrap();
    assert_eq!(token.len(), 64);
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    world.gateway.run_jobs().await;
    let mut searched = 0;
    for entry in std::fs::read_dir(world.gateway.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in [token.as_bytes(), b"open sesame"] {
                let is_there = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!is_there, "{}", path.display());
            }
            searched += 1;
        }
    }
    assert!(searched > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_session_takes_its_links_along() {
    let world = World::start().await;
    let (url, _) = shared(&world, json!({})).await;
    let deleted = world.send("me", "DELETE", &format!("/api/v1/sessions/{ID}?scope=cloud"), &[], Vec::new()).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(world.send("nobody", "GET", &url, &[], Vec::new()).await.status, 410);
    let trash = "{ deletedSessions { nodes { id } } }";
    let trash = world.gateway.graphql(trash, json!({})).await;
    let purge = "mutation($id: String!) { purgeSession(input: { id: $id }) { purgedSessionId } }";
    world.gateway.graphql(purge, json!({ "id": trash["deletedSessions"]["nodes"][0]["id"] })).await;
    // The same id again is another session: the link does not lead there.
    world.push("me", ID, &[("messages.jsonl", r#"{"role":"user","content":"New"}"#)]).await;
    let answer = world.send("nobody", "GET", &url, &[], Vec::new()).await;
    assert_eq!((answer.status, answer.json()["error"]["message"].as_str()), (404, Some("Share link not found")));
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_at_most_a_hundred_open_links() {
    let world = World::start().await;
    let (_, first) = shared(&world, json!({ "expires_in_hours": 2 })).await;
    let path = format!("/api/v1/sessions/{ID}/share");
    for _ in 1..100 {
        assert_eq!(world.tell("me", "POST", &path, &json!({ "expires_in_hours": 1 })).await.status, 201);
    }
    assert_eq!(world.tell("me", "POST", &path, &json!({})).await.status, 409);
    let revoke = world.send("me", "DELETE", &format!("{path}/{first}"), &[], Vec::new()).await;
    assert_eq!(revoke.status, 204);
    assert_eq!(world.tell("me", "POST", &path, &json!({})).await.status, 201);
    assert_eq!(world.tell("me", "POST", &path, &json!({})).await.status, 409);
    world.gateway.clock.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(world.tell("me", "POST", &path, &json!({})).await.status, 201);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_shown_an_address_makes_no_links() {
    let accounts = AccountRules { verify_email: true, ..Setup::default().accounts };
    let world = World::start_as(Setup { accounts, ..Setup::default() }).await;
    let made = world.tell("nobody", "POST", "/api/v1/auth/signup", &json!({ "email": "ana@example.com" })).await;
    let key = format!("Bearer {}", made.json()["raw_key"].as_str().unwrap());
    let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
    let path = format!("/api/v1/sessions/{ID}/share");
    let refused = world.send("nobody", "POST", &path, &headers, b"{}".to_vec()).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let message = "Email not verified. Check your inbox for the verification link.";
    assert_eq!(refused.json()["error"]["message"], message);
    world.gateway.run_jobs().await;
}
