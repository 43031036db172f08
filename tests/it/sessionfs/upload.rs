//! Archives that arrive in parts.

use std::time::Duration;

use serde_json::{Value, json};
use sg_domain::Digest;
use sg_formats::sessionfs::{Member, pack};

use super::world::World;
use crate::harness::{Answer, Engine, Setup};

const ID: &str = "ses_0000000000000001";
const PART: usize = 8 << 20;

/// An archive of two parts: what is in it does not compress.
fn large(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    let bytes: Vec<u8> = (0..PART + 1_000).map(|_| noise()).collect();
    let file = |name: &str, bytes: Vec<u8>| Member { name: name.to_owned(), bytes };
    pack(&[file("manifest.json", br#"{"title":"A large session"}"#.to_vec()), file("picture.png", bytes)]).unwrap()
}

async fn begin(world: &World, archive: &[u8], headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "total_size": archive.len(), "sha256": Digest::of(archive).to_string() });
    let headers = [&[("content-type", "application/json")], headers].concat();
    let path = format!("/api/v1/sessions/{ID}/uploads");
    world.send("me", "POST", &path, &headers, body.to_string().into_bytes()).await
}

async fn part(world: &World, who: &str, upload: &str, number: usize, bytes: &[u8]) -> Answer {
    let digest = Digest::of(bytes).to_string();
    let path = format!("/api/v1/uploads/{upload}/parts/{number}");
    world.send(who, "PUT", &path, &[("x-part-sha256", &digest)], bytes.to_vec()).await
}

async fn tell(world: &World, who: &str, method: &str, path: &str) -> Answer {
    world.send(who, method, path, &[], Vec::new()).await
}

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_in_any_order_are_the_archive() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::start_as(Setup { engine, ..Setup::default() }).await;
        let archive = large(7);
        let begun = begin(&world, &archive, &[("if-match", "\"of another server\"")]).await;
        assert_eq!(begun.status, 201, "{}", begun.text());
        let begun = begun.json();
        assert_eq!((begun["part_size"].as_u64(), begun["part_count"].as_u64()), (Some(PART as u64), Some(2)));
        let id = begun["upload_id"].as_str().unwrap();
        let path = format!("/api/v1/uploads/{id}");
        assert!(id.starts_with("up_") && id.len() == 27, "{id}");
        // The last part first; the first one twice; nobody else's.
        assert_eq!(part(&world, "me", id, 2, &archive[PART..]).await.status, 200);
        let early = tell(&world, "me", "POST", &format!("{path}/complete")).await;
        assert_eq!((early.status, code(&early)), (409, "missing_parts".to_owned()));
        assert_eq!(early.json()["error"]["details"]["missing"], json!([1]));
        assert_eq!(part(&world, "other", id, 1, &archive[..PART]).await.status, 404);
        for _ in 0..2 {
            assert_eq!(part(&world, "me", id, 1, &archive[..PART]).await.status, 200);
        }
        let status = tell(&world, "me", "GET", &path).await.json();
        assert_eq!((status["status"].as_str(), &status["received"]), (Some("pending"), &json!([1, 2])));
        for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/complete"))] {
            let hidden = tell(&world, "other", method, &path).await;
            assert_eq!((hidden.status, hidden.json()["error"]["message"].as_str()), (404, Some("Upload not found")));
        }
        // A sweep takes nothing of an upload that is under way.
        world.gateway.clock.advance(Duration::from_secs(23 * 3_600));
        world.gateway.app.schedule_sweep().await.unwrap();
        world.gateway.run_jobs().await;
        let done = tell(&world, "me", "POST", &format!("{path}/complete")).await;
        assert_eq!(done.status, 201, "{}", done.text());
        assert_eq!(done.json()["etag"], Digest::of(&archive).to_string());
        assert_eq!(world.get(&format!("/api/v1/sessions/{ID}/sync")).await.body, archive);
        assert_eq!(world.get(&format!("/api/v1/sessions/{ID}")).await.json()["title"], "A large session");
        // Asked again, because the answer was lost.
        let again = tell(&world, "me", "POST", &format!("{path}/complete")).await;
        assert_eq!((again.status, again.json()), (200, done.json()));
        assert_eq!(tell(&world, "me", "GET", &path).await.json()["status"], "completed");
        let late = part(&world, "me", id, 1, &archive[..PART]).await;
        assert_eq!((late.status, code(&late)), (409, "upload_not_pending".to_owned()));
        world.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_part_is_told_by_its_code() {
    let world = World::start().await;
    let archive = large(11);
    let id = begin(&world, &archive, &[]).await.json()["upload_id"].as_str().unwrap().to_owned();
    let is = |answer: Answer, status: u16, wanted: &str| {
        assert_eq!((answer.status, code(&answer)), (status, wanted.to_owned()))
    };
    is(part(&world, "me", &id, 1, b"short").await, 400, "part_size_mismatch");
    is(part(&world, "me", &id, 2, &archive[PART - 1..]).await, 400, "part_size_mismatch");
    is(part(&world, "me", &id, 0, b"").await, 400, "invalid_part_number");
    is(part(&world, "me", &id, 3, b"").await, 400, "invalid_part_number");
    let path = format!("/api/v1/uploads/{id}");
    let first = format!("{path}/parts/1");
    let other = Digest::of(b"other").to_string();
    let sent = world.send("me", "PUT", &first, &[("x-part-sha256", &other)], archive[..PART].to_vec()).await;
    is(sent, 400, "part_hash_mismatch");
    is(world.send("me", "PUT", &first, &[], archive[..PART].to_vec()).await, 422, "422");
    is(world.send("me", "PUT", &format!("{path}/parts/x"), &[("x-part-sha256", &other)], Vec::new()).await, 422, "422");
    is(tell(&world, "me", "GET", "/api/v1/uploads/up_none").await, 404, "404");
    // All there, and not what was said.
    let mut wrong = archive.clone();
    wrong[100] ^= 1;
    for (number, bytes) in [(1, &wrong[..PART]), (2, &wrong[PART..])] {
        assert_eq!(part(&world, "me", &id, number, bytes).await.status, 200);
    }
    is(tell(&world, "me", "POST", &format!("{path}/complete")).await, 400, "sha256_mismatch");
    assert_eq!(world.get(&format!("/api/v1/sessions/{ID}")).await.status, 404);
    assert_eq!(tell(&world, "me", "DELETE", &path).await.status, 204);
    is(tell(&world, "me", "DELETE", &path).await, 404, "404");
    is(part(&world, "me", &id, 1, &archive[..PART]).await, 404, "404");
    // What is begun is checked as a push is.
    let bad = |body: Value| async {
        let body = body;
        world.tell("me", "POST", &format!("/api/v1/sessions/{ID}/uploads"), &body).await
    };
    is(bad(json!({})).await, 422, "422");
    is(bad(json!({ "total_size": 0, "sha256": other })).await, 422, "422");
    is(bad(json!({ "total_size": 1, "sha256": "x".repeat(64) })).await, 422, "422");
    is(bad(json!({ "total_size": 301 << 20, "sha256": other })).await, 413, "PAYLOAD_TOO_LARGE");
    let form = world.tell("me", "POST", "/api/v1/sessions/nope!/uploads", &json!({})).await;
    is(form, 400, "400");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_meets_the_conditions_of_a_push() {
    let world = World::start().await;
    let archive = large(13);
    let small = pack(&[]).unwrap();
    let push = format!("/api/v1/sessions/{ID}/sync");
    assert_eq!(world.send_file("me", "PUT", &push, &small).await.status, 201);
    let stale = begin(&world, &archive, &[("if-match", "\"0000\"")]).await;
    assert_eq!((stale.status, code(&stale)), (409, "etag_mismatch".to_owned()));
    let etag = Digest::of(&small).to_string();
    let seen = [("if-match", etag.as_str())];
    let id = begin(&world, &archive, &seen).await.json()["upload_id"].as_str().unwrap().to_owned();
    for (number, bytes) in [(1, &archive[..PART]), (2, &archive[PART..])] {
        assert_eq!(part(&world, "me", &id, number, bytes).await.status, 200);
    }
    // It was changed while the parts came.
    let changed = pack(&[Member { name: "manifest.json".to_owned(), bytes: b"{}".to_vec() }]).unwrap();
    assert_eq!(world.send_file("me", "PUT", &push, &changed).await.status, 200);
    let complete = format!("/api/v1/uploads/{id}/complete");
    let late = world.send("me", "POST", &complete, &seen, Vec::new()).await;
    assert_eq!((late.status, code(&late)), (409, "etag_mismatch".to_owned()));
    assert_eq!(late.json()["error"]["details"]["current_etag"], Digest::of(&changed).to_string());
    // Without a condition it is taken.
    assert_eq!(tell(&world, "me", "POST", &complete).await.status, 200);
    tell(&world, "me", "DELETE", &format!("/api/v1/sessions/{ID}?scope=cloud")).await;
    assert_eq!(begin(&world, &archive, &[]).await.status, 410);
    let back = [("x-sessionfs-undelete", "true")];
    assert_eq!(begin(&world, &archive, &back).await.status, 201);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_uploads_are_under_way_for_a_day() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::start_as(Setup { engine, ..Setup::default() }).await;
        let archive = large(17);
        let answers = futures_util::future::join_all((0..8).map(|_| begin(&world, &archive, &[]))).await;
        let begun: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(begun.len(), 3, "{engine:?}");
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!((refused.status, code(refused)), (409, "too_many_pending_uploads".to_owned()));
        }
        let id = begun[0].json()["upload_id"].as_str().unwrap().to_owned();
        assert_eq!(part(&world, "me", &id, 1, &archive[..PART]).await.status, 200);
        world.gateway.clock.advance(Duration::from_secs(24 * 3_600 + 1));
        let path = format!("/api/v1/uploads/{id}");
        assert_eq!(tell(&world, "me", "GET", &path).await.json()["status"], "expired");
        let late = part(&world, "me", &id, 2, &archive[PART..]).await;
        assert_eq!((late.status, code(&late)), (409, "upload_expired".to_owned()));
        let late = tell(&world, "me", "POST", &format!("{path}/complete")).await;
        assert_eq!((late.status, code(&late)), (409, "upload_expired".to_owned()));
        // Their places are free again, and a sweep takes what is left of them.
        assert_eq!(begin(&world, &archive, &[]).await.status, 201);
        world.gateway.app.schedule_sweep().await.unwrap();
        world.gateway.run_jobs().await;
        assert_eq!(tell(&world, "me", "GET", &path).await.status, 404);
    }
}
