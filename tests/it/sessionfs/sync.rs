//! What is synced by itself.

use futures_util::future::join_all;
use serde_json::json;

use super::world::World;
use crate::harness::{Engine, Setup};

const SESSION: &str = "ses_00000000000000c1";

async fn many_watch_one(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    let manifest = r#"{"title":"t","source":{"tool":"codex"}}"#;
    world.push("me", SESSION, &[("manifest.json", manifest)]).await;
    let watch = format!("/api/v1/sync/watch/{SESSION}");
    let answers = join_all((0..16).map(|n| {
        let (method, path) = if n % 2 == 0 { ("POST", watch.clone()) } else { ("PUT", format!("{watch}/queued")) };
        let world = &world;
        async move { world.send("me", method, &path, &[], Vec::new()).await.status }
    }))
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let settings = join_all((0..8).map(|n| {
        let (world, body) = (&world, json!({ "mode": "all", "debounce_seconds": 10 + n }));
        async move { world.tell("me", "PUT", "/api/v1/sync/settings", &body).await.status }
    }))
    .await;
    assert!(settings.iter().all(|status| *status == 200), "{settings:?}");
    let list = world.get("/api/v1/sync/watchlist").await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
    // Watched while it is deleted: whichever came first, nothing breaks and nothing in the trash is shown.
    let delete = format!("/api/v1/sessions/{SESSION}?scope=cloud");
    let (deleted, watched) = tokio::join!(
        world.send("me", "DELETE", &delete, &[], Vec::new()),
        world.send("me", "POST", &watch, &[], Vec::new()),
    );
    assert_eq!(deleted.status, 200);
    assert!(matches!(watched.status, 200 | 404), "{}", watched.text());
    assert_eq!(world.get("/api/v1/sync/status").await.json()["watched_sessions"], 0);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_watch_one_session_at_once() {
    many_watch_one(Engine::Sqlite).await;
    many_watch_one(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_is_first_and_a_daemon_says_no_more_than_is_kept() {
    let world = World::start().await;
    for n in 0..3 {
        let id = format!("ses_00000000000000d{n}");
        world.push("me", &id, &[("manifest.json", r#"{"source":{"tool":"codex"}}"#)]).await;
        world.gateway.clock.advance(std::time::Duration::from_secs(1));
        world.send("me", "POST", &format!("/api/v1/sync/watch/{id}"), &[], Vec::new()).await;
    }
    let list = world.get("/api/v1/sync/watchlist").await.json();
    let ids: Vec<_> = list["sessions"].as_array().unwrap().iter().map(|s| s["session_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ses_00000000000000d2", "ses_00000000000000d1", "ses_00000000000000d0"]);

    let watcher = json!({ "name": "n".repeat(5_000), "health": "degraded", "degraded_since": 17, "last_error": "\u{0}e",
        "sessions_tracked": -1 });
    let body = json!({ "watchers": vec![watcher; 80] });
    let kept = world.tell("me", "PUT", "/api/v1/sync/health", &body).await;
    assert_eq!(kept.json(), json!({ "status": "ok", "watchers": 50 }), "{}", kept.text());
    let query = "{ syncStatus { totalSessions watchedSessions storageLimitBytes health { watchers { name health
        degradedSince lastError sessionsTracked } } } syncSettings { mode debounceSeconds maxMemberBytes }
        watchlist(first: 2) { status session { clientId } } }";
    let data = world.gateway.graphql(query, json!({})).await;
    let watchers = data["syncStatus"]["health"]["watchers"].as_array().unwrap();
    assert_eq!(watchers.len(), 50);
    assert_eq!(watchers[0]["name"].as_str().unwrap().len(), 500);
    assert_eq!((&watchers[0]["degradedSince"], &watchers[0]["sessionsTracked"]), (&json!("17"), &json!(0)));
    assert_eq!(data["syncStatus"]["storageLimitBytes"], json!(null));
    assert_eq!(data["watchlist"][0]["session"]["clientId"], "ses_00000000000000d2");
    assert_eq!(data["watchlist"].as_array().unwrap().len(), 2);
    assert_eq!(data["syncSettings"]["mode"], "OFF");
    let none = world.gateway.app.sync_health(&sg_domain::Caller::local(sg_domain::UserId("user_x".to_owned()))).await;
    assert!(none.unwrap().is_none());
    world.gateway.run_jobs().await;
}
