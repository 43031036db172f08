//! Pushing and pulling archives.

use serde_json::{Value, json};
use sg_app::{ArchiveLimits, Limits, SecretAction};
use sg_domain::Digest;
use sg_formats::sessionfs::{Limits as Bounds, Member, pack, unpack};

use super::world::World;
use crate::harness::{Answer, Engine, Setup};
use crate::scenario::{FORM, form};

const ID: &str = "ses_0000000000000001";

/// An archive of some files.
fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let member = |(name, text): &(&str, &str)| Member { name: (*name).to_owned(), bytes: (*text).into() };
    pack(&files.iter().map(member).collect::<Vec<_>>()).unwrap()
}

/// Pushes bytes as somebody, with other headers besides.
async fn push(world: &World, who: &str, id: &str, archive: &[u8], headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("content-type", FORM)], headers].concat();
    world.send(who, "PUT", &format!("/api/v1/sessions/{id}/sync"), &headers, form(archive)).await
}

async fn detail(world: &World, id: &str) -> Value {
    let answer = world.get(&format!("/api/v1/sessions/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn world_with(archives: ArchiveLimits) -> World {
    World::start_as(Setup { limits: Limits { archives, ..Limits::default() }, ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_session_is_a_session_like_any_other() {
    let world = World::start().await;
    let manifest = r#"{"sfs_version":"0.1.0","session_id":"ses_0000000000000001","title":"Why the login fails",
        "source":{"tool":"claude-code"},"stats":{"message_count":2}}"#;
    let messages = r#"{"msg_id":"m1","role":"user","content":[{"type":"text","text":"Why does the login fail?"}]}
{"msg_id":"m2","role":"assistant","content":[{"type":"text","text":"The token is too old."}]}"#;
    let files = [("manifest.json", manifest), ("messages.jsonl", messages)];
    let pushed = world.push("me", ID, &files).await;
    assert_eq!(pushed["session_id"], ID);
    world.gateway.run_jobs().await;
    let data =
        world.gateway.graphql("{ sessions { nodes { clientId name messages { total } } } }", serde_json::json!({}));
    let node = data.await["sessions"]["nodes"][0].clone();
    assert_eq!(node["name"], "Why the login fails", "{node}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_call_a_session_outlives_a_push() {
    let world = World::start().await;
    let files =
        |title: &str, tags: &str| packed(&[("manifest.json", &format!(r#"{{"title":"{title}","tags":{tags}}}"#))]);
    assert_eq!(push(&world, "me", ID, &files("The first title", r#"["a","b"]"#), &[]).await.status, 201);
    let change = json!({ "title": "Mine", "alias": "my-session", "tags": ["b", "by hand"] });
    assert_eq!(world.tell("me", "PATCH", &format!("/api/v1/sessions/{ID}"), &change).await.status, 200);
    for _ in 0..2 {
        assert_eq!(push(&world, "me", ID, &files("The second title", r#"["a","b","c"]"#), &[]).await.status, 200);
        let now = detail(&world, ID).await;
        assert_eq!(now["title"], "Mine");
        assert_eq!(now["alias"], "my-session");
        assert_eq!(now["tags"], json!(["b", "c", "by hand"]));
    }
    let project = r#"{ sessions { nodes { project { id } } } }"#;
    let before = world.gateway.graphql(project, json!({})).await;
    let moved = r#"{"git":{"remote_url":"https://example.com/other/place.git"}}"#;
    let moved = packed(&[("manifest.json", "{}"), ("workspace.json", moved)]);
    assert_eq!(push(&world, "me", ID, &moved, &[]).await.status, 200);
    assert_eq!(world.gateway.graphql(project, json!({})).await, before, "it stays in the project of its first push");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_are_a_push_and_come_back_just_so() {
    let world = World::start().await;
    let archive = packed(&[("x.sfs/manifest.json", r#"{"title":"The same again"}"#)]);
    let etag = Digest::of(&archive).to_string();
    let first = push(&world, "me", ID, &archive, &[]).await;
    assert_eq!((first.status, first.json()["etag"].as_str()), (201, Some(etag.as_str())));
    let before = detail(&world, ID).await;
    world.gateway.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(push(&world, "me", ID, &archive, &[("if-match", &etag)]).await.status, 200);
    let after = detail(&world, ID).await;
    assert_ne!(before["updated_at"], after["updated_at"]);
    assert_eq!(before["created_at"], after["created_at"]);
    let pulled = world.get(&format!("/api/v1/sessions/{ID}/sync")).await;
    assert_eq!(pulled.body, archive);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_noted_with_what_it_sends() {
    let world = World::start().await;
    let headers = [("x-client-version", "0.26.0"), ("x-client-platform", "linux"), ("x-client-device", "desk")];
    assert_eq!(push(&world, "me", ID, &packed(&[]), &headers).await.status, 201);
    let me = world.get("/api/v1/auth/me").await.json();
    let told = ["last_client_version", "last_client_platform", "last_client_device"].map(|name| me[name].clone());
    assert_eq!(told, ["0.26.0", "linux", "desk"]);
    assert!(me["last_sync_at"].is_string(), "{me}");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_any_size_is_read_whole() {
    let world = World::start().await;
    // Larger than what is held in memory, with a line that is larger still.
    let line = |n: usize| {
        let role = if n % 2 == 0 { "user" } else { "assistant" };
        let said = Digest::of(&n.to_le_bytes()).to_string().repeat(5);
        format!(
            r#"{{"role":"{role}","content":"Number {n} says {said}","usage":{{"input_tokens":1,"output_tokens":2}}}}"#
        )
    };
    let mut lines: Vec<String> = (0..12_000).map(line).collect();
    lines.insert(5, format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(9 << 20)));
    lines.insert(7, "not json".to_owned());
    let archive = packed(&[("messages.jsonl", &lines.join("\n")), ("manifest.json", "{}")]);
    let pushed = push(&world, "me", ID, &archive, &[]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    world.gateway.run_jobs().await;
    let query = "{ sessions { nodes { name counts { messages turns exchanges } usage { input output }
        messages(last: 1) { nodes { text } } } } }";
    let data = world.gateway.graphql(query, json!({})).await;
    let node = &data["sessions"]["nodes"][0];
    assert!(node["name"].as_str().unwrap().starts_with("Number 0 says"), "{node}");
    assert_eq!(node["counts"], json!({ "messages": 12_000, "turns": 6_000, "exchanges": 6_000 }));
    assert_eq!(node["usage"], json!({ "input": 12_000, "output": 24_000 }));
    assert!(node["messages"]["nodes"][0]["text"].as_str().unwrap().starts_with("Number 11999 says"), "{node}");
    assert_eq!(std::fs::read_dir(world.gateway.dir().join("spool")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_out_of_the_trash_has_what_it_had() {
    let world = World::start().await;
    let old = packed(&[("manifest.json", r#"{"title":"The old one"}"#)]);
    let new = packed(&[("manifest.json", r#"{"title":"The new one"}"#)]);
    let etag = push(&world, "me", ID, &old, &[]).await.json()["etag"].as_str().unwrap().to_owned();
    let alias = json!({ "alias": "held" });
    assert_eq!(world.tell("me", "PUT", &format!("/api/v1/sessions/{ID}/alias"), &alias).await.status, 200);
    let deleted = world.send("me", "DELETE", &format!("/api/v1/sessions/{ID}?scope=cloud"), &[], Vec::new()).await;
    assert_eq!(deleted.status, 200);
    // Another one takes its alias meanwhile, and keeps it.
    let other = "ses_0000000000000002";
    assert_eq!(push(&world, "me", other, &old, &[]).await.status, 201);
    assert_eq!(world.tell("me", "PUT", &format!("/api/v1/sessions/{other}/alias"), &alias).await.status, 200);
    let gone = push(&world, "me", ID, &new, &[]).await;
    let text = "Session is deleted. Send X-SessionFS-Undelete: true to restore.";
    assert_eq!((gone.status, gone.json()["error"]["message"].as_str()), (410, Some(text)));
    let undelete = ("x-sessionfs-undelete", "true");
    let stale = push(&world, "me", ID, &new, &[undelete, ("if-match", "\"0000\"")]).await;
    assert_eq!(stale.status, 409);
    assert_eq!(stale.json()["error"]["code"], "etag_mismatch");
    let text = "ETag mismatch — session was modified before deletion";
    assert_eq!(stale.json()["error"]["message"], text);
    assert_eq!(push(&world, "me", ID, &new, &[undelete, ("if-match", &etag)]).await.status, 200);
    let now = detail(&world, ID).await;
    assert_eq!((now["title"].as_str(), now["is_deleted"].as_bool()), (Some("The new one"), Some(false)));
    assert!(now["alias"].is_null() && now["delete_scope"].is_null(), "{now}");
    assert_eq!(detail(&world, other).await["alias"], "held");
    // Somebody else's is neither gone nor restored.
    assert_eq!(push(&world, "other", ID, &new, &[undelete]).await.status, 409);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fourth_push_waits_and_is_turned_away() {
    let archives = ArchiveLimits { push_wait: std::time::Duration::ZERO, ..ArchiveLimits::default() };
    let world = world_with(archives).await;
    let me = &world.gateway.me.caller;
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.push(world.gateway.app.push_turn(me).await.unwrap());
    }
    let refused = push(&world, "me", ID, &packed(&[]), &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "5"));
    let error = json!({ "error": { "code": "429", "message": "Too many concurrent syncs. Please wait.",
        "details": { "error": "sync_rate_limit" } } });
    assert_eq!(refused.json(), error);
    // Others have turns of their own.
    assert_eq!(push(&world, "other", ID, &packed(&[]), &[]).await.status, 201);
    turns.pop();
    assert_eq!(push(&world, "me", "ses_0000000000000002", &packed(&[]), &[]).await.status, 201);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clients_that_create_one_session_leave_one_winner() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::start_as(Setup { engine, ..Setup::default() }).await;
        let archives: Vec<_> =
            (0..16).map(|n| packed(&[("manifest.json", &format!(r#"{{"title":"Session number {n}"}}"#))])).collect();
        // Half of them are one account's, half another's.
        let pushes = archives.iter().enumerate().map(|(n, archive)| {
            let who = if n % 2 == 0 { "me" } else { "other" };
            push(&world, who, ID, archive, &[])
        });
        let answers = futures_util::future::join_all(pushes).await;
        let (mut created, mut stored) = (Vec::new(), Vec::new());
        for (n, answer) in answers.iter().enumerate() {
            match answer.status {
                201 => created.push(n),
                200 => stored.push(n),
                409 => {
                    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
                    let known = [
                        "Session ID already claimed by another user",
                        "Session created by another request during upload",
                    ];
                    assert!(known.contains(&message.as_str()), "{message}");
                }
                status => panic!("{engine:?} {status}: {}", answer.text()),
            }
        }
        assert_eq!(created.len(), 1, "{engine:?}");
        let (who, loser) = if created[0] % 2 == 0 { ("me", "other") } else { ("other", "me") };
        assert!(stored.iter().all(|n| n % 2 == created[0] % 2), "{engine:?}: another account's push was taken");
        whole(&world, who, &archives).await;
        let path = format!("/api/v1/sessions/{ID}/sync");
        assert_eq!(world.send(loser, "GET", &path, &[], Vec::new()).await.status, 404);
        world.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clients_that_push_one_session_leave_one_of_theirs() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::start_as(Setup { engine, ..Setup::default() }).await;
        let first = packed(&[("manifest.json", r#"{"title":"The first one"}"#)]);
        let etag = push(&world, "me", ID, &first, &[]).await.json()["etag"].as_str().unwrap().to_owned();
        let archives: Vec<_> =
            (0..16).map(|n| packed(&[("manifest.json", &format!(r#"{{"title":"Session number {n}"}}"#))])).collect();
        let seen = [("if-match", etag.as_str())];
        let pushes = archives.iter().map(|archive| push(&world, "me", ID, archive, &seen));
        let answers = futures_util::future::join_all(pushes).await;
        // All have seen the same state: one of them may follow it.
        let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(taken.len(), 1, "{engine:?}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((lost.status, lost.json()["error"]["code"].as_str()), (409, Some("etag_mismatch")));
        }
        let now = whole(&world, "me", &archives).await;
        assert_eq!(taken[0].json()["etag"], now);
        // Without a condition all are taken, one after the other.
        let pushes = archives.iter().map(|archive| push(&world, "me", ID, archive, &[]));
        let answers = futures_util::future::join_all(pushes).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{engine:?}");
        whole(&world, "me", &archives).await;
        world.gateway.run_jobs().await;
    }
}

/// Checks that what is stored is all of one of these archives, row and bytes; its ETag.
async fn whole(world: &World, who: &str, archives: &[Vec<u8>]) -> String {
    let pulled = world.send(who, "GET", &format!("/api/v1/sessions/{ID}/sync"), &[], Vec::new()).await;
    let etag = Digest::of(&pulled.body).to_string();
    assert_eq!((pulled.status, pulled.header("etag")), (200, format!("\"{etag}\"").as_str()));
    let number =
        archives.iter().position(|archive| archive[..] == pulled.body[..]).expect("one of those that were sent");
    let detail = world.send(who, "GET", &format!("/api/v1/sessions/{ID}"), &[], Vec::new()).await.json();
    assert_eq!(
        (detail["etag"].as_str(), detail["title"].as_str().unwrap()),
        (Some(etag.as_str()), format!("Session number {number}").as_str())
    );
    etag
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_kept_noted_taken_out_or_refused() {
    let secret = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8";
    let messages = format!(
        "{{\"role\":\"user\",\"content\":\"hello\"}}\n{{\"role\":\"user\",\"content\":\"use {secret} now\"}}\n"
    );
    let archive = packed(&[("manifest.json", r#"{"title":"A session with a secret"}"#), ("messages.jsonl", &messages)]);
    let clean = packed(&[("manifest.json", r#"{"title":"A session without"}"#)]);
    let with = |secrets| world_with(ArchiveLimits { secrets, ..ArchiveLimits::default() });
    let pulled = async |world: &World| world.get(&format!("/api/v1/sessions/{ID}/sync")).await.body;

    let world = with(None).await;
    assert_eq!(push(&world, "me", ID, &archive, &[]).await.status, 201);
    assert!(detail(&world, ID).await["dlp_scan_results"].is_null());
    assert_eq!(pulled(&world).await, archive);
    world.gateway.run_jobs().await;

    let world = with(Some(SecretAction::Warn)).await;
    assert_eq!(push(&world, "me", ID, &archive, &[]).await.status, 201);
    let scan: Value = serde_json::from_str(detail(&world, ID).await["dlp_scan_results"].as_str().unwrap()).unwrap();
    assert_eq!((scan["findings_count"].as_u64(), scan["action_taken"].as_str()), (Some(1), Some("warned")), "{scan}");
    assert_eq!(pulled(&world).await, archive);
    assert_eq!(push(&world, "me", ID, &clean, &[]).await.status, 200);
    let scan: Value = serde_json::from_str(detail(&world, ID).await["dlp_scan_results"].as_str().unwrap()).unwrap();
    assert_eq!((scan["findings_count"].as_u64(), scan["action_taken"].as_str()), (Some(0), Some("none")), "{scan}");
    world.gateway.run_jobs().await;

    let world = with(Some(SecretAction::Redact)).await;
    let pushed = push(&world, "me", ID, &archive, &[]).await.json();
    let kept = pulled(&world).await;
    assert_eq!(pushed["etag"], Digest::of(&kept).to_string(), "of what is stored, not of what was sent");
    assert_eq!(pushed["blob_size_bytes"], kept.len());
    let files = unpack(&kept, &Bounds::default()).unwrap();
    let text = String::from_utf8(files[1].bytes.clone()).unwrap();
    assert!(!text.contains(secret) && text.contains("[REDACTED:") && text.lines().count() == 2, "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let scan: Value = serde_json::from_str(detail(&world, ID).await["dlp_scan_results"].as_str().unwrap()).unwrap();
    assert_eq!(scan["action_taken"], "redacted");
    assert_eq!(
        push(&world, "me", "ses_0000000000000002", &clean, &[]).await.json()["etag"],
        Digest::of(&clean).to_string()
    );
    world.gateway.run_jobs().await;

    let world = with(Some(SecretAction::Block)).await;
    let refused = push(&world, "me", ID, &archive, &[]).await;
    assert_eq!(refused.status, 403);
    let error = &refused.json()["error"];
    assert_eq!(error["message"], "DLP policy blocked sync: 1 finding(s)");
    assert_eq!(error["details"]["error"], "dlp_blocked");
    let finding = &error["details"]["findings"][0];
    assert_eq!((finding["line"].as_u64(), finding["category"].as_str()), (Some(2), Some("secrets")), "{error}");
    assert!(!refused.text().contains("ghp_"));
    assert_eq!(world.get(&format!("/api/v1/sessions/{ID}")).await.status, 404);
    assert_eq!(push(&world, "me", ID, &clean, &[]).await.status, 201);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_told_in_the_clients_words() {
    let archives = ArchiveLimits { max_archive_bytes: 1 << 20, max_member_bytes: 2 << 20, ..ArchiveLimits::default() };
    let world = world_with(archives).await;
    // Packed too large, told by its length or found out.
    let large = vec![0x1f; (1 << 20) + 1];
    for sent in [large.clone(), large.repeat(2)] {
        let refused = push(&world, "me", ID, &sent, &[]).await;
        let error = json!({ "error": { "code": "PAYLOAD_TOO_LARGE",
            "message": "Session exceeds 1MB cloud limit for your tier.", "details": {} } });
        assert_eq!((refused.status, refused.json()), (413, error));
    }
    let archive = packed(&[("a/messages.jsonl", &" ".repeat(3 << 20))]);
    let refused = push(&world, "me", ID, &archive, &[]).await;
    let error = &refused.json()["error"];
    assert_eq!((refused.status, error["code"].as_str()), (413, Some("413")));
    let message = "Session file 'a/messages.jsonl' is 3MB which exceeds the 2MB per-file limit for your tier.";
    assert_eq!(error["message"], message);
    let details = &error["details"];
    assert_eq!((details["error"].as_str(), details["size_bytes"].as_u64()), (Some("session_too_large"), Some(3 << 20)));
    assert_eq!((details["file"].as_str(), details["limit_bytes"].as_u64()), (Some("a/messages.jsonl"), Some(2 << 20)));
    assert!(details["suggestion"].is_string());
    // A form whose file is not the last field, and one whose file never ends.
    let extra = b"--scenario-boundary\r\nContent-Disposition: form-data; name=note\r\n\r\nhi\r\n".as_slice();
    let headers = [("content-type", FORM)];
    let path = format!("/api/v1/sessions/{ID}/sync");
    let body = [extra, &form(&packed(&[]))].concat();
    assert_eq!(world.send("me", "PUT", &path, &headers, body.clone()).await.status, 201);
    let cut = world.send("me", "PUT", &path, &headers, body[..body.len() - 30].to_vec()).await;
    assert_eq!(
        (cut.status, cut.json()["error"]["message"].as_str()),
        (400, Some("There was an error parsing the body"))
    );
    world.gateway.run_jobs().await;
}
