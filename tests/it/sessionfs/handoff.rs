//! Handoffs: who gets what, once, and what they are told; on both engines where many ask at once.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sg_app::AccountRules;
use sg_domain::id::SessionRef;
use sg_domain::{Caller, Dialect, Tier, UserId};

use super::world::World;
use crate::harness::{Answer, Engine, Setup, account};
use crate::scenario::{FORM, archive, form};

const SESSION: &str = "ses_00000000000000b1";

fn files(title: &str, answer: &str) -> Vec<(String, String)> {
    let manifest = json!({ "sfs_version": "0.1.0", "session_id": SESSION, "title": title, "tags": ["auth"],
        "source": { "tool": "claude-code" }, "stats": { "message_count": 2 } });
    let line = |id: &str, role: &str, text: &str| json!({ "msg_id": id, "role": role, "content": [{ "type": "text", "text": text }] });
    let messages = format!("{}\n{}\n", line("m1", "user", "Why does it fail?"), line("m2", "assistant", answer));
    vec![("manifest.json".to_owned(), manifest.to_string()), ("messages.jsonl".to_owned(), messages)]
}

async fn push(world: &World, title: &str, answer: &str) -> Value {
    let path = format!("/api/v1/sessions/{SESSION}/sync");
    let pushed = world.send_file("me", "PUT", &path, &archive(&files(title, answer))).await;
    assert!(matches!(pushed.status, 200 | 201), "{}", pushed.text());
    pushed.json()
}

async fn offer_to(world: &World, email: &str) -> String {
    let body =
        json!({ "session_id": SESSION, "recipient_email": email, "message": "<script>alert(1)</script>\n& more" });
    let made = world.tell("me", "POST", "/api/v1/handoffs", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn post(world: &World, who: &str, path: &str) -> Answer {
    world.send(who, "POST", path, &[], Vec::new()).await
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

/// Sixteen clients of the recipient take one handoff: one copy, whole, and everyone else hears who has it.
async fn many_claim_one(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    push(&world, "Why the login fails", "A stale token.").await;
    for round in 0..3 {
        let id = offer_to(&world, "other@example.com").await;
        let path = format!("/api/v1/handoffs/{id}/claim");
        let answers = join_all((0..16).map(|_| post(&world, "other", &path))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{engine:?}");
        let copy = won[0].json()["recipient_session_id"].as_str().unwrap().to_owned();
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            let error = lost.json()["error"].clone();
            assert_eq!((lost.status, error["message"].as_str()), (409, Some("Handoff already claimed")), "{error}");
            // Whoever came after it was over hears just that.
            if error["details"] != json!({}) {
                assert_eq!(error["details"]["error"], "claim_race_lost");
                assert_eq!(error["details"]["winner_email"], "other@example.com");
                assert_eq!(error["details"]["current_status"], "claimed");
                assert_eq!(error["details"]["winner_user_id"].as_str().unwrap().len(), 36);
            }
        }
        let list = world.send("other", "GET", "/api/v1/sessions?page_size=100", &[], Vec::new()).await.json();
        assert_eq!(list["total"], round + 1, "{engine:?}");
        let messages = format!("/api/v1/sessions/{copy}/messages");
        assert_eq!(world.send("other", "GET", &messages, &[], Vec::new()).await.json()["total"], 2);
        let events = world.send("other", "GET", &format!("/api/v1/handoffs/{id}/events"), &[], Vec::new()).await.json();
        let claims = events.as_array().unwrap().iter().filter(|event| event["event_type"] == "claimed").count();
        assert_eq!(claims, 1, "{events}");
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_one_gets_it() {
    many_claim_one(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_one_gets_it_on_postgresql() {
    many_claim_one(Engine::Postgres).await;
}

/// Claiming, taking back, pushing, deleting and commenting at once: one thing comes of it, and nothing hangs.
async fn both_sides_at_once(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    push(&world, "first", "first").await;
    for round in 0..4 {
        let id = offer_to(&world, if round % 2 == 0 { "other@example.com" } else { "me@example.com" }).await;
        let recipient = if round % 2 == 0 { "other" } else { "me" };
        let (claim, revoke) = (format!("/api/v1/handoffs/{id}/claim"), format!("/api/v1/handoffs/{id}/revoke"));
        let comment = format!("/api/v1/handoffs/{id}/comments");
        let (reason, said) = (json!({ "reason": "no" }), json!({ "content": "hm" }));
        let (path, bytes) = (format!("/api/v1/sessions/{SESSION}/sync"), archive(&files(&format!("{round}"), "again")));
        let (claimed, revoked, commented, pushed) = tokio::join!(
            post(&world, recipient, &claim),
            world.tell("me", "POST", &revoke, &reason),
            world.tell("me", "POST", &comment, &said),
            world.send_file("me", "PUT", &path, &bytes),
        );
        let outcome = (claimed.status, revoked.status);
        assert!(matches!(outcome, (200, 409) | (409, 200)), "{outcome:?} {} {}", claimed.text(), revoked.text());
        assert_eq!((commented.status, pushed.status), (201, 200), "{}", pushed.text());
        let copies = world.send(recipient, "GET", "/api/v1/sessions?page_size=100", &[], Vec::new()).await.json();
        if claimed.status == 200 {
            let copy = claimed.json()["recipient_session_id"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/sessions/{copy}/messages");
            // Of one state or the other, never of both.
            let said = world.send(recipient, "GET", &path, &[], Vec::new()).await.json();
            assert_eq!(said["total"], 2, "{copies}");
        }
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_sides_may_act_at_once() {
    both_sides_at_once(Engine::Sqlite).await;
    both_sides_at_once(Engine::Postgres).await;
}

/// What a copy is: the same content, in the recipient's own project, found by their search, nobody's alias, private.
async fn a_copy_is_the_recipients_own(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    push(&world, "Why the login fails", "A stale heliotrope.").await;
    let alias = format!("/api/v1/sessions/{SESSION}/alias");
    world.tell("me", "PUT", &alias, &json!({ "alias": "login" })).await;
    let data = world.gateway.graphql("{ sessions { nodes { id exchanges { id } } } }", json!({})).await;
    let node = &data["sessions"]["nodes"][0];
    let hide = "mutation($id: String!) { updateExchange(input: { id: $id, hiddenFromShare: true, userTitle: \"t\" }) {
        exchange { id } } }";
    world.gateway.graphql(hide, json!({ "id": node["exchanges"][0]["id"] })).await;
    let share =
        "mutation($id: String!) { updateSession(input: { id: $id, shareStatus: UNLISTED }) { session { id } } }";
    world.gateway.graphql(share, json!({ "id": node["id"] })).await;
    let id = offer_to(&world, "other@example.com").await;
    // Changed since: what is given is what there is.
    world.gateway.clock.advance(Duration::from_secs(90));
    let pushed = push(&world, "Why the login failed", "A stale heliotrope, and more.").await;
    let claimed = post(&world, "other", &format!("/api/v1/handoffs/{id}/claim")).await.json();
    world.gateway.run_jobs().await;
    let copy = claimed["recipient_session_id"].as_str().unwrap().to_owned();

    let other = world.gateway.app.identify(world.key("other"), "test".to_owned()).await.unwrap();
    let found = world.gateway.app.archive(&other, &copy).await.unwrap();
    let (source, stored) =
        (world.gateway.app.archive(&world.gateway.me.caller, SESSION).await.unwrap(), &found.session);
    assert_eq!(found.archive.digest.to_string(), pushed["etag"].as_str().unwrap());
    assert_eq!(stored.blobs, source.session.blobs);
    assert_eq!(stored.created_at, source.session.created_at);
    assert_eq!((stored.alias.as_deref(), stored.share_status.name()), (None, "private"));
    assert_eq!(stored.project_id, source.session.project_id);
    assert_ne!(stored.project_key, source.session.project_key);
    assert_eq!(stored.counts, source.session.counts);
    let app = &world.gateway.app;
    let theirs = app.exchanges(&other, stored).await.unwrap();
    let mine = app.exchanges(&world.gateway.me.caller, &source.session).await.unwrap();
    assert_eq!(theirs, mine);
    assert!(theirs.iter().any(|exchange| exchange.exchange.hidden_from_share), "what is hidden stays hidden");
    let hits = world.send("other", "GET", "/api/v1/sessions/search?q=heliotrope", &[], Vec::new()).await;
    if hits.status == 200 {
        assert_eq!(hits.json()["results"][0]["session_id"], copy.as_str(), "{}", hits.text());
    }
    // It is a session of its own: pushing it changes nothing of the other.
    let path = format!("/api/v1/sessions/{copy}/sync");
    let again = world.send_file("other", "PUT", &path, &archive(&files("mine now", "mine"))).await;
    assert_eq!(again.status, 200, "{}", again.text());
    let after = world.gateway.app.archive(&world.gateway.me.caller, SESSION).await.unwrap();
    assert_eq!(after.archive.digest, source.archive.digest);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_recipient_s_own() {
    a_copy_is_the_recipients_own(Engine::Sqlite).await;
    a_copy_is_the_recipients_own(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_hears_by_mail_and_nothing_in_it_is_more_than_text() {
    let world = World::start().await;
    push(&world, "<b>Login</b>\r\nBcc: all@example.com", "x").await;
    let id = offer_to(&world, "other@example.com").await;
    assert!(world.gateway.outbox.letters().is_empty(), "a request must not wait for a mail server");
    world.gateway.run_jobs().await;
    let letters = world.gateway.outbox.letters();
    let offer = letters.last().unwrap();
    assert_eq!(offer.to, "other@example.com");
    assert!(offer.subject.starts_with("SessionFS: me@example.com handed off "), "{}", offer.subject);
    for letter in &letters {
        assert!(!letter.subject.contains(['\r', '\n']), "{}", letter.subject);
        assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>"), "{}", letter.html);
    }
    assert!(offer.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;<br>&amp; more"), "{}", offer.html);
    assert!(
        offer.html.contains(&format!("sfs pull-handoff {id}"))
            && offer.text.contains(&format!("sfs pull-handoff {id}"))
    );
    assert!(offer.text.contains("https://sessions.example.com"), "{}", offer.text);

    let comments = format!("/api/v1/handoffs/{id}/comments");
    world.tell("other", "POST", &comments, &json!({ "content": "why <i>me</i>?" })).await;
    world.tell("me", "POST", &comments, &json!({ "content": "you know it" })).await;
    post(&world, "other", &format!("/api/v1/handoffs/{id}/claim")).await;
    let back = offer_to(&world, "other@example.com").await;
    world.tell("me", "POST", &format!("/api/v1/handoffs/{back}/revoke"), &json!({ "reason": "late" })).await;
    let no = offer_to(&world, "other@example.com").await;
    world.tell("other", "POST", &format!("/api/v1/handoffs/{no}/decline"), &json!({ "reason": "busy" })).await;
    world.gateway.run_jobs().await;
    let sent: BTreeSet<(String, String)> = world.gateway.outbox.letters()[1..]
        .iter()
        .map(|l| (l.to.clone(), l.text.lines().next().unwrap().to_owned()))
        .collect();
    let of = |to: &str, by: &str, what: &str| {
        sent.iter().any(|(t, line)| t == to && line.starts_with(&format!("{by} {what}")))
    };
    assert!(of("me@example.com", "other@example.com", "commented on"), "{sent:?}");
    assert!(of("other@example.com", "me@example.com", "commented on"), "{sent:?}");
    assert!(of("me@example.com", "other@example.com", "claimed"), "{sent:?}");
    assert!(of("other@example.com", "me@example.com", "revoked"), "{sent:?}");
    assert!(of("me@example.com", "other@example.com", "declined"), "{sent:?}");
    // Offers that were taken back or declined before their mail went out were not announced.
    assert_eq!(sent.len(), 5, "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_fails_no_request() {
    let world = World::start().await;
    push(&world, "t", "x").await;
    world.gateway.run_jobs().await;
    world.gateway.outbox.is_down.store(true, Ordering::SeqCst);
    let id = offer_to(&world, "other@example.com").await;
    let run = world.gateway.app.run_jobs().await.unwrap();
    assert_eq!((run.done, run.failed), (0, 1));
    assert_eq!(world.send("other", "GET", &format!("/api/v1/handoffs/{id}"), &[], Vec::new()).await.status, 200);
    world.gateway.outbox.is_down.store(false, Ordering::SeqCst);
    world.gateway.clock.advance(Duration::from_secs(60));
    world.gateway.run_jobs().await;
    assert_eq!(world.gateway.outbox.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mail_there_is_no_job() {
    let world = World::start_as(Setup { has_mail: false, ..Setup::default() }).await;
    push(&world, "t", "x").await;
    world.gateway.run_jobs().await;
    offer_to(&world, "other@example.com").await;
    assert_eq!(world.gateway.app.run_jobs().await.unwrap().done, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_claims_an_address_without_showing_it_gets_nothing() {
    let accounts = AccountRules { verify_email: true, ..Setup::default().accounts };
    let world = World::start_as(Setup { accounts, ..Setup::default() }).await;
    push(&world, "t", "x").await;
    let id = offer_to(&world, "victim@example.com").await;
    let made = world.tell("nobody", "POST", "/api/v1/auth/signup", &json!({ "email": "victim@example.com" })).await;
    let key = format!("Bearer {}", made.json()["raw_key"].as_str().unwrap());
    let ask = async |method: &str, path: &str| {
        world.send("nobody", method, path, &[("authorization", &key)], Vec::new()).await
    };
    for (method, rest) in
        [("GET", ""), ("GET", "/summary"), ("GET", "/comments"), ("POST", "/claim"), ("POST", "/decline")]
    {
        let answer = ask(method, &format!("/api/v1/handoffs/{id}{rest}")).await;
        assert_eq!((answer.status, message(&answer).as_str()), (404, "Handoff not found"), "{method} {rest}");
    }
    assert_eq!(ask("GET", "/api/v1/handoffs/inbox").await.json()["total"], 0);
    world.gateway.run_jobs().await;
    let letters = world.gateway.outbox.letters();
    let text = letters.iter().find(|letter| letter.text.contains("/auth/verify")).expect("a link").text.clone();
    let at = text.find("/api/v1/auth/verify").unwrap();
    assert_eq!(ask("GET", text[at..].split_whitespace().next().unwrap()).await.status, 200);
    assert_eq!(ask("GET", "/api/v1/handoffs/inbox").await.json()["total"], 1);
    assert_eq!(ask("POST", &format!("/api/v1/handoffs/{id}/claim")).await.status, 200);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_without_handoffs_makes_none_and_a_small_one_waits_shorter() {
    let world = World::start().await;
    push(&world, "t", "x").await;
    let (operator, me) = (Caller::local(UserId("user_operator".to_owned())), world.gateway.me.user.id.clone());
    world.gateway.app.set_tier(&operator, &me, Some(Tier::Starter)).await.unwrap();
    // Before anything is looked at.
    let refused = world.tell("me", "POST", "/api/v1/handoffs", &json!({})).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let details = refused.json()["error"]["details"].clone();
    assert_eq!(details["feature"], "handoff");
    assert_eq!((&details["current_tier"], &details["required_tier"]), (&json!("starter"), &json!("pro")));
    let refused = world.tell("me", "PUT", "/api/v1/sync/settings", &json!({ "mode": "nonsense" })).await;
    assert_eq!((refused.status, refused.json()["error"]["details"]["feature"].as_str()), (403, Some("autosync")));
    assert_eq!(world.tell("me", "PUT", "/api/v1/sync/settings", &json!({ "mode": "off" })).await.status, 200);

    world.gateway.app.set_tier(&operator, &me, Some(Tier::Pro)).await.unwrap();
    let body = json!({ "session_id": SESSION, "recipient_email": "other@example.com", "expires_in_hours": 2160 });
    let made = world.tell("me", "POST", "/api/v1/handoffs", &body).await.json();
    assert_eq!(made["expires_at"], "2026-12-01T12:00:00.000000Z", "{made}");
    assert_eq!(made["sender_tier_snapshot"], "pro");
    let status = world.get("/api/v1/sync/status").await.json();
    assert_eq!(status["storage_limit_bytes"], 2_u64 << 30);
    // Taking one is nobody's privilege.
    let other =
        world.gateway.app.identify(world.key("other"), "test".to_owned()).await.unwrap().known().unwrap().user.clone();
    world.gateway.app.set_tier(&operator, &other, Some(Tier::Free)).await.unwrap();
    let claim = post(&world, "other", &format!("/api/v1/handoffs/{}/claim", made["id"].as_str().unwrap())).await;
    assert_eq!(claim.status, 200, "{}", claim.text());
    world.gateway.run_jobs().await;
}

/// A session that is purged and pushed again under its id, or brought back by a push, is not offered again.
async fn what_was_gone_is_not_given(engine: Engine) {
    let world = World::start_as(Setup { engine, ..Setup::default() }).await;
    push(&world, "t", "x").await;
    let id = offer_to(&world, "other@example.com").await;
    let path = format!("/api/v1/sessions/{SESSION}");
    world.send("me", "DELETE", &format!("{path}?scope=cloud"), &[], Vec::new()).await;
    let undelete = [("content-type", FORM), ("x-sessionfs-undelete", "true")];
    let back = form(&archive(&files("t", "y")));
    let back = world.send("me", "PUT", &format!("{path}/sync"), &undelete, back).await;
    assert_eq!(back.status, 200, "{}", back.text());
    let gone = post(&world, "other", &format!("/api/v1/handoffs/{id}/claim")).await;
    assert_eq!((gone.status, message(&gone).as_str()), (410, "Handoff has expired"));
    let events = world.get(&format!("/api/v1/handoffs/{id}/events")).await.json();
    assert_eq!(events[1]["event_type"], "expired", "{events}");

    let id = offer_to(&world, "other@example.com").await;
    let watch = post(&world, "me", &format!("/api/v1/sync/watch/{SESSION}")).await;
    assert_eq!(watch.status, 200, "{}", watch.text());
    let found = world.gateway.app.archive(&world.gateway.me.caller, SESSION).await.unwrap().session.id;
    world.gateway.app.delete_session(&world.gateway.me.caller, &SessionRef::Id(found)).await.unwrap();
    world.gateway.app.purge_session(&world.gateway.me.caller, found, None).await.unwrap();
    push(&world, "another", "z").await;
    let gone = post(&world, "other", &format!("/api/v1/handoffs/{id}/claim")).await;
    assert_eq!((gone.status, message(&gone).as_str()), (404, "Source session no longer exists"));
    let gone = world.send("other", "GET", &format!("/api/v1/handoffs/{id}/summary"), &[], Vec::new()).await;
    assert_eq!(gone.status, 404);
    assert_eq!(world.get("/api/v1/sync/watchlist").await.json()["sessions"], json!([]));
    // The sweep ends what nobody looks at.
    world.gateway.clock.advance(Duration::from_secs(8 * 24 * 3_600));
    world.gateway.app.schedule_sweep().await.unwrap();
    world.gateway.run_jobs().await;
    let events = world.get(&format!("/api/v1/handoffs/{id}/events")).await.json();
    assert_eq!(events.as_array().unwrap().last().unwrap()["event_type"], "expired", "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_gone_is_not_given_again() {
    what_was_gone_is_not_given(Engine::Sqlite).await;
    what_was_gone_is_not_given(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_shows_a_handoff_to_its_two_sides_alone() {
    let world = World::start().await;
    push(&world, "Why the login fails", "A stale token.").await;
    let id = offer_to(&world, "other@example.com").await;
    let third = account(&world.gateway.app, "third@example.com").await;
    let other = world.gateway.app.identify(world.key("other"), "test".to_owned()).await.unwrap();
    let other = Caller::local(other.known().unwrap().user.clone());
    let other_key = world
        .gateway
        .app
        .create_key(
            &other,
            sg_app::KeyRequest {
                user: other.known().unwrap().user.clone(),
                name: "g".to_owned(),
                dialect: Dialect::Specstory,
                scopes: sg_domain::Scopes::of(&[sg_domain::Scope::Read, sg_domain::Scope::Write]),
                expires_at: None,
            },
        )
        .await
        .unwrap()
        .secret;
    let query = "query($id: ID!) { handoff(id: $id) { id status message viewedAt session { id } claimedSession { id }
        sessionSummary { lastAnswers } comments { content } events { kind } } node(id: $id) { id __typename } }";
    let stranger = world.gateway.graphql_as(&third.key, query, json!({ "id": id })).await.json();
    assert_eq!(stranger["errors"][0]["extensions"]["code"], "NOT_FOUND", "{stranger}");
    assert!(stranger["data"]["handoff"].is_null() && stranger["data"]["node"].is_null(), "{stranger}");
    let theirs = world.gateway.graphql_as(&other_key, query, json!({ "id": id })).await.json();
    let seen = &theirs["data"]["handoff"];
    assert_eq!((&seen["status"], &seen["session"]), (&json!("PENDING"), &Value::Null), "{theirs}");
    assert_eq!(seen["sessionSummary"]["lastAnswers"], json!(["A stale token."]));
    assert_eq!(theirs["data"]["node"]["__typename"], "Handoff");
    let mine = world.gateway.graphql(query, json!({ "id": id })).await;
    assert!(mine["handoff"]["session"]["id"].is_string() && mine["handoff"]["viewedAt"].is_string(), "{mine}");

    let lists =
        "query($box: HandoffBox!) { handoffs(box: $box, first: 1) { totalCount pageInfo { hasNextPage endCursor }
        nodes { id } edges { cursor node { id } } } }";
    offer_to(&world, "other@example.com").await;
    let inbox =
        world.gateway.graphql_as(&other_key, lists, json!({ "box": "INBOX" })).await.json()["data"]["handoffs"].clone();
    assert_eq!((&inbox["totalCount"], &inbox["pageInfo"]["hasNextPage"]), (&json!(2), &json!(true)), "{inbox}");
    let after = "query($after: String!) { handoffs(after: $after) { nodes { id } pageInfo { hasNextPage } } }";
    let rest =
        world.gateway.graphql_as(&other_key, after, json!({ "after": inbox["pageInfo"]["endCursor"] })).await.json();
    assert_eq!(rest["data"]["handoffs"]["nodes"], json!([{ "id": id }]), "{rest}");
    let sent = world.gateway.graphql(lists, json!({ "box": "SENT" })).await;
    assert_eq!(sent["handoffs"]["totalCount"], 2);
    let none = world.gateway.graphql_as(&third.key, lists, json!({ "box": "INBOX" })).await.json();
    assert_eq!(none["data"]["handoffs"]["totalCount"], 0);

    let claim = "mutation($id: String!) { claimHandoff(input: { id: $id }) { handoff { status claimedSession { id } }
        session { id clientId messages { total } } } }";
    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
    let refused = world.gateway.graphql_as(&third.key, claim, json!({ "id": id })).await.json();
    assert_eq!(code(&refused), "NOT_FOUND");
    let refused = world.gateway.graphql_as(&world.gateway.me.key, claim, json!({ "id": id })).await.json();
    assert_eq!(code(&refused), "NOT_FOUND", "its sender is not its recipient");
    let claimed =
        world.gateway.graphql_as(&other_key, claim, json!({ "id": id })).await.json()["data"]["claimHandoff"].clone();
    assert_eq!(claimed["session"]["messages"]["total"], 2, "{claimed}");
    assert_eq!(claimed["handoff"]["claimedSession"]["id"], claimed["session"]["id"]);
    let again = world.gateway.graphql_as(&other_key, claim, json!({ "id": id })).await.json();
    assert_eq!(code(&again), "CONFLICT");
    // The copy is the recipient's alone; its summary is over.
    let mine = world.gateway.graphql_as(&world.gateway.me.key, query, json!({ "id": id })).await.json();
    assert!(mine["data"]["handoff"]["claimedSession"].is_null(), "{mine}");
    assert_eq!(code(&mine), "GONE");
    world.gateway.run_jobs().await;
}
