//! Facts of the search for sessions to resume that the command line relies on, beyond what its scenario shows.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use sg_app::NewSession;

use super::world::{MINE, SHARED, Who, World, bare, full};
use crate::app::job::Flaky;
use crate::harness::Gateway;

const PATH: &str = "/api/v1/search/resume";

async fn results(world: &World, query: &str) -> Vec<Value> {
    let answer = world.tell(Who::Me, "POST", PATH, &json!({ "query": query })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"]["results"].as_array().expect("a list").clone()
}

fn ids(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["clientId"].as_str().expect("an id")).collect()
}

/// A session to resume with one exchange that ended at a time, or without times.
fn ended(id: &str, ended: Option<&str>) -> NewSession {
    let times = ended.map(|at| format!(" ({at})")).unwrap_or_default();
    let markdown = format!("_**User{times}**_\n\nWhat of the walrus?\n\n_**Agent{times}**_\n\nIt sleeps.\n");
    NewSession { markdown: markdown.into(), ..full(SHARED, id, MINE) }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_ordered_by_end_then_by_change() {
    let world = World::empty().await;
    for (id, at) in [
        ("older", Some("2026-01-02T10:00:00Z")),
        ("without an end", None),
        ("newer", Some("2026-01-03T10:00:00Z")),
        ("changed first", Some("2026-01-01T10:00:00Z")),
        ("changed last", Some("2026-01-01T10:00:00Z")),
    ] {
        world.put(Who::Me, ended(id, at)).await;
        world.gateway.clock.advance(std::time::Duration::from_secs(1));
    }
    world.gateway.run_jobs().await;
    let found = results(&world, "walr").await;
    assert_eq!(ids(&found), ["newer", "older", "changed last", "changed first", "without an end"]);
    let last = &found[4];
    assert!(last.get("startedAt").is_none() && last.get("endedAt").is_none(), "left out where they are not known");
}

#[tokio::test(flavor = "multi_thread")]
async fn snippets_are_plain_text_with_marks_around_matches() {
    let world = World::empty().await;
    let markdown = "_**User**_\n\nSee <b>poem.txt</b> & \u{1b}[31m\u{2}the \u{3}rest\u{0}\r\n\n_**Agent**_\n\nDone.\n";
    world.put(Who::Me, NewSession { markdown: markdown.into(), ..full(SHARED, "s", MINE) }).await;
    world.gateway.run_jobs().await;
    let found = results(&world, "poem.t rest").await;
    let snippet = found[0]["snippet"].as_str().unwrap();
    assert!(snippet.contains("<b>\u{2}poem.txt\u{3}</b> & [31m the \u{2}rest\u{3}"), "{snippet:?}");
    assert!(found[0]["sessionDataSize"].is_u64(), "a Go int");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_found_once_it_has_session_data_and_until_it_is_deleted() {
    let world = World::empty().await;
    let markdown = "_**User**_\n\nWhat of the walrus?\n\n_**Agent**_\n\nIt sleeps.\n";
    let without = NewSession { markdown: markdown.into(), ..bare(SHARED, "s", MINE) };
    let session = world.put(Who::Me, without.clone()).await;
    world.gateway.run_jobs().await;
    assert!(results(&world, "walrus").await.is_empty(), "nothing to resume");

    let with = NewSession { session_data: Some("{}".into()), ..without.clone() };
    world.put(Who::Me, with).await;
    world.gateway.run_jobs().await;
    assert_eq!(ids(&results(&world, "walrus").await), ["s"]);

    // A later upload without it keeps it, and the new text is what is searched.
    world.put(Who::Me, NewSession { markdown: markdown.replace("walrus", "narwhal").into(), ..without }).await;
    world.gateway.run_jobs().await;
    assert!(results(&world, "walrus").await.is_empty());
    assert_eq!(ids(&results(&world, "narwhal").await), ["s"]);

    let me = world.caller(Who::Me);
    let wanted = sg_domain::id::SessionRef::Id(session.id);
    world.gateway.app.delete_session(me, &wanted).await.unwrap();
    assert!(results(&world, "narwhal").await.is_empty(), "gone at once, before its job ran");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_no_end() {
    let world = World::empty().await;
    for n in 0..260 {
        world.put(Who::Me, ended(&format!("s{n}"), Some("2026-01-02T10:00:00Z"))).await;
    }
    world.gateway.run_jobs().await;
    assert_eq!(results(&world, "wa").await.len(), 260);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prose_document_is_one_exchange() {
    let world = World::empty().await;
    let with = NewSession { session_data: Some("{}".into()), ..bare(SHARED, "s", MINE) };
    world.put(Who::Me, with).await;
    world.gateway.run_jobs().await;
    assert_eq!(ids(&results(&world, "hello helio").await), ["s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_fails_finds_nothing() {
    let broken = Arc::new(AtomicBool::new(false));
    let switch = broken.clone();
    let gateway = Gateway::start_behind(move |inner| Arc::new(Flaky { inner, broken: switch })).await;
    let me = gateway.me.clone();
    gateway.app.put_session(&me.caller, full(SHARED, "s", MINE)).await.unwrap();
    gateway.run_jobs().await;
    let ask = || gateway.call(axum::http::Method::POST, PATH).key(&me.key).json(&json!({ "query": "helio" })).send();
    assert_eq!(ask().await.json()["data"]["results"].as_array().unwrap().len(), 1);
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let answer = ask().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"success":true,"data":{"results":[]}}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_too_long_is_refused() {
    let world = World::empty().await;
    let long = json!({ "query": "word ".repeat(1_000) });
    let answer = world.tell(Who::Me, "POST", PATH, &long).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (400, Some("Query is longer than 4096 bytes, shorten it"))
    );
    let huge = json!({ "query": "word ".repeat(100_000) });
    assert_eq!(world.tell(Who::Me, "POST", PATH, &huge).await.status, 413);
}
