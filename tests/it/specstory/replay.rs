//! Replays of what the shipped clients sent, in `tests/fixtures/specstory`: every read request of theirs, with all its
//! headers, on data like theirs.

use std::path::Path;

use serde_json::Value;

use super::world::{MINE, Who, World, bare, full};

/// The command line's project and session in its recording.
const CLI: (&str, &str) = ("1111-2222-3333-4444", "550e8400-e29b-41d4-a716-446655440000");
/// The SDK's project and sessions in its recording.
const SDK: &str = "833c-d926-f753-7b4a";
const SDK_SESSIONS: [&str; 3] = [
    "e2dd1617-46b9-4288-95f4-c6df5bf4863d",
    "ffb64e9f-a36f-4f8b-8235-2847fdf19fff",
    "73b1e544-d1f7-418d-8280-9495dcfeabae",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_gets_what_it_got_before() {
    let world = World::empty().await;
    // The recording asks for one session before and after it was written; the requests are the same otherwise.
    let requests = recorded("cli-reads.jsonl");
    assert!(!requests.is_empty());
    for request in requests.iter().filter(|r| r["status_class"] == 4) {
        replay(&world, request).await;
    }
    world.put(Who::Me, full(CLI.0, CLI.1, MINE)).await;
    for request in requests.iter().filter(|r| r["status_class"] != 4) {
        replay(&world, request).await;
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_gets_what_it_got_before() {
    let world = World::empty().await;
    for id in SDK_SESSIONS {
        world.put(Who::Me, bare(SDK, id, MINE)).await;
    }
    let requests = recorded("sdk-typescript-reads.jsonl");
    assert!(!requests.is_empty());
    for request in &requests {
        replay(&world, request).await;
    }
    world.gateway.run_jobs().await;
}

async fn replay(world: &World, request: &Value) {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let (method, path) = (text("method"), text("path"));
    let mut headers: Vec<(&str, String)> = Vec::new();
    for (name, value) in request["headers"].as_object().expect("headers") {
        let value = value.as_str().unwrap_or_default().to_owned();
        // The tag of the other server's session is not ours; the client sends back what it was given.
        let value = if name.eq_ignore_ascii_case("if-none-match") { tag(world, path).await } else { value };
        headers.push((name, value));
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = world.ask(Who::Me, method, path, &headers).await;
    let class = u64::from(answer.status / 100);
    assert_eq!(Some(class), request["status_class"].as_u64(), "{method} {path} answered {}", answer.status);
    if method == "GET" && class == 2 && answer.header("content-encoding").is_empty() {
        assert!(answer.json().is_object(), "{method} {path} answered no JSON");
    }
}

async fn tag(world: &World, path: &str) -> String {
    world.get(path).await.header("etag").to_owned()
}

fn recorded(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/specstory").join(file);
    let text = std::fs::read_to_string(path).expect("recordings are checked in");
    text.lines().map(|line| serde_json::from_str(line).expect("a request a line")).collect()
}
