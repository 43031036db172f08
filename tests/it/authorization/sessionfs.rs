//! Every route of the SessionFS dialect.

use std::collections::BTreeSet;

use sg_domain::Scope;
use sg_rest::route::Route;

use crate::harness::Answer;
use crate::scenario::{FORM, form};
use crate::sessionfs::full::{Full, MINE, is_unbuilt, packed};

/// How a route behaves to the right caller, and to another account that asks for what is the first one's.
struct Row {
    name: &'static str,
    /// To the owner with the right scope.
    right: u16,
    /// To another account: what is not its own is not there.
    foreign: u16,
    /// Behind the question mark.
    query: &'static str,
    body: Body,
    /// Text that is in the owner's answer and in nobody else's; empty when there is none of that kind.
    shows: &'static str,
    /// Whether a key's scopes do not matter: it tells nothing.
    is_for_any_key: bool,
}

/// What is sent.
enum Body {
    None,
    Json(&'static str),
    /// An archive in a form.
    Archive,
    /// An archive as it is.
    Part,
}

const fn row(name: &'static str, right: u16, foreign: u16) -> Row {
    Row { name, right, foreign, query: "", body: Body::None, shows: "", is_for_any_key: false }
}

const fn reads(name: &'static str, foreign: u16, shows: &'static str) -> Row {
    Row { shows, ..row(name, 200, foreign) }
}

const fn tells(name: &'static str, right: u16, foreign: u16, body: &'static str) -> Row {
    Row { body: Body::Json(body), ..row(name, right, foreign) }
}

/// A part of the hosted service that this server does not have.
const fn absent(name: &'static str) -> Row {
    Row { is_for_any_key: true, ..row(name, 501, 501) }
}

/// Whom the account is of.
const EMAIL: &str = "me@example.com";

const ROUTES: &[Row] = &[
    tells("sign up", 201, 201, r#"{"email":"$new-signs-up@example.com"}"#),
    reads("who am I", 200, EMAIL),
    reads("me", 200, EMAIL),
    tells("set default organization", 200, 200, r#"{"org_id":null}"#),
    Row { query: "?token=no-such-token", ..row("verify email", 400, 400) },
    row("verify email by path", 400, 400),
    tells("create key", 201, 201, r#"{"name":"k"}"#),
    reads("list keys", 200, "spare"),
    row("revoke key", 204, 404),
    reads("list personal keys", 200, "another"),
    tells("create personal key", 201, 201, r#"{"name":"k"}"#),
    row("revoke personal key", 204, 404),
    reads("list sessions", 200, MINE),
    Row { query: "?q=heliotrope", ..reads("search", 200, "The <mark>heliotrope</mark>") },
    reads("list models", 200, ""),
    reads("read session", 404, MINE),
    tells("update session", 200, 404, r#"{"title":"another"}"#),
    Row { query: "?scope=cloud", ..row("delete session", 200, 404) },
    // One that is gone, and so one that never was: its client takes 404 for something else.
    row("restore session", 200, 410),
    reads("list messages", 404, MINE),
    tells("set alias", 200, 404, r#"{"alias":"new-alias"}"#),
    row("clear alias", 200, 404),
    reads("workspace", 404, MINE),
    reads("tools", 404, MINE),
    // The id is taken, by whom is not said.
    Row { body: Body::Archive, ..row("push", 200, 409) },
    reads("pull", 404, ""),
    Row { body: Body::Archive, query: "?source_tool=claude-code", ..row("upload", 201, 201) },
    reads("download", 404, ""),
    tells("begin upload", 201, 409, r#"{"total_size":100,"sha256":"$digest"}"#),
    Row { body: Body::Part, ..row("put part", 200, 404) },
    row("upload status", 200, 404),
    row("complete upload", 201, 404),
    row("abort upload", 204, 404),
    tells("create share link", 201, 404, "{}"),
    row("revoke share link", 204, 404),
    // Whoever has the token may read.
    row("open share link", 200, 200),
    tells("open share link with password", 200, 200, r#"{"password":null}"#),
    reads("read summary", 404, MINE),
    row("make summary", 200, 404),
    // Whoever may have one hears that no model was named.
    tells("make narrative summary", 400, 404, "{}"),
    tells("audit session", 200, 404, "{}"),
    reads("read audit", 404, "judge-1"),
    reads("list audits", 404, "judge-1"),
    reads("audit status", 404, "completed"),
    tells("dismiss finding", 200, 404, r#"{"finding_index":0}"#),
    reads("read past audit", 404, "judge-1"),
    tells("create handoff", 201, 404, r#"{"session_id":"$session","recipient_email":"third@example.com"}"#),
    reads("handoff inbox", 200, "third@example.com"),
    reads("sent handoffs", 200, MINE),
    reads("read handoff", 404, MINE),
    row("claim handoff", 200, 404),
    tells("revoke handoff", 200, 404, r#"{"reason":"r"}"#),
    tells("decline handoff", 200, 404, "{}"),
    reads("list handoff comments", 404, MINE),
    tells("comment on handoff", 201, 404, r#"{"content":"c"}"#),
    reads("list handoff events", 404, "created"),
    reads("handoff summary", 404, MINE),
    reads("sync settings", 200, ""),
    tells("set sync settings", 200, 200, r#"{"mode":"all"}"#),
    reads("watchlist", 200, MINE),
    row("watch session", 200, 404),
    // Both say only that the caller does not watch it, of a session that there is as of one that there is not.
    row("unwatch session", 200, 200),
    row("set watch status", 200, 200),
    reads("sync status", 200, ""),
    tells("report sync health", 200, 200, r#"{"watchers":[]}"#),
    reads("judge settings", 200, "judge-1"),
    tells("set judge settings", 200, 200, r#"{"provider":"openai","model":"m","api_key":"k"}"#),
    row("delete judge settings", 200, 200),
    Row { query: "?base_url=https://api.example.com/v1", ..reads("judge models", 200, "") },
    reads("audit trigger", 200, ""),
    tells("set audit trigger", 200, 200, r#"{"trigger":"manual"}"#),
    reads("summarize trigger", 200, ""),
    tells("set summarize trigger", 200, 200, r#"{"trigger":"manual"}"#),
    reads("secret policy", 200, ""),
    reads("billing status", 200, ""),
    tells("billing checkout", 400, 400, r#"{"tier":"pro"}"#),
    tells("billing portal", 400, 400, "{}"),
    row("health", 200, 200),
    row("api health", 200, 200),
    row("health ready", 200, 200),
    row("health pool", 200, 200),
    row("openapi", 200, 200),
    row("swagger", 200, 200),
    row("redoc", 200, 200),
    absent("project contexts"),
    absent("project context list"),
    Row { is_for_any_key: true, ..row("organization", 200, 200) },
    absent("create organization"),
    absent("organizations"),
    absent("github settings"),
    absent("gitlab settings"),
];

#[test]
fn every_route_has_a_row() {
    let routes: BTreeSet<_> = sg_rest::sessionfs::routes().map(|route| route.name).collect();
    let rows: BTreeSet<_> = ROUTES.iter().map(|row| row.name).collect();
    assert_eq!(routes, rows, "the route tables on the left, the rows of this test on the right");
    assert_eq!(sg_rest::sessionfs::routes().count(), ROUTES.len(), "a name stands twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_answer_their_owner_alone() {
    let full = Full::start().await;
    let changes = |route: &Route<_>| route.scope == Some(Scope::Write) && !route.is_absent;
    for route in sg_rest::sessionfs::routes().filter(|route| !changes(route)) {
        check(&full, route).await;
    }
    for route in sg_rest::sessionfs::routes().filter(|route| changes(route)) {
        // What changes something gets a world of its own.
        check(&Full::start().await, route).await;
    }
}

async fn check<G>(full: &Full, route: &Route<G>) {
    let row = ROUTES.iter().find(|row| row.name == route.name).expect("a row");
    let path = full.path(route) + row.query;
    // What this server does not have is told to this dialect's own clients alone.
    let path = if route.is_absent { format!("/sessionfs{path}") } else { path };
    let nobody = if route.scope.is_some() { 401 } else { row.foreign };
    let (wrong, refused) = match route.scope {
        Some(Scope::Write) => ("read-only", 403),
        Some(_) => ("write-only", 403),
        None => ("write-only", row.foreign),
    };
    let refused = if row.is_for_any_key { row.right } else { refused };
    // Signing up counts, whatever comes of it.
    if row.name != "sign up" && is_unbuilt(&ask(full, row, wrong, route.methods[0], &path).await) {
        println!("{} is being built", row.name);
        return;
    }
    for method in route.methods {
        let people =
            [("nobody", nobody), ("stranger", nobody), (wrong, refused), ("other", row.foreign), ("me", row.right)];
        for (who, status) in people {
            // Each key may ask so often a minute.
            full.world.gateway.clock.advance(std::time::Duration::from_secs(60));
            let answer = ask(full, row, who, method, &path).await;
            let at = format!("{}: {method} {path} for {who}", row.name);
            assert_eq!(answer.status, status, "{at}: {}", answer.text());
            if !row.shows.is_empty() && *method != "HEAD" {
                assert_eq!(answer.text().contains(row.shows), who == "me", "{at}: {}", answer.text());
            }
            let is_theirs = who == "me" || route.scope.is_none();
            assert!(is_theirs || !answer.text().contains(MINE), "{at}: {}", answer.text());
            assert!(is_theirs || answer.header("etag").is_empty(), "{at} tells a tag");
            if status >= 400 && *method != "HEAD" && answer.header("content-type").starts_with("application/json") {
                check_words(&at, who, &answer);
            }
        }
    }
    full.world.gateway.run_jobs().await;
}

/// Every refusal is in the one form of this dialect, and those who are not let in hear why.
fn check_words(at: &str, who: &str, answer: &Answer) {
    let error = answer.json()["error"].clone();
    let message = error["message"].as_str().expect("a message");
    let code = error["code"].as_str().expect("a code");
    assert!(error["details"].is_object() && !message.is_empty(), "{at}: {error}");
    match (answer.status, who) {
        (401, "nobody") => assert_eq!(message, "Missing or invalid Authorization header", "{at}"),
        (401, _) => assert_eq!(message, "Invalid API key", "{at}"),
        _ => {}
    }
    if matches!(answer.status, 401 | 403 | 404) {
        assert_eq!(code, answer.status.to_string(), "{at}");
    }
}

async fn ask(full: &Full, row: &Row, who: &str, method: &str, path: &str) -> Answer {
    let digest = sg_domain::Digest::of(&packed("in parts")).to_string();
    match row.body {
        Body::None => full.world.send(who, method, path, &[], Vec::new()).await,
        Body::Json(body) => {
            let body = body.replace("$new", who).replace("$digest", &digest).replace("$session", full.ids.session);
            full.world.send(who, method, path, &[("content-type", "application/json")], body.into()).await
        }
        Body::Archive => full.world.send(who, method, path, &[("content-type", FORM)], form(&packed(who))).await,
        Body::Part => full.world.send(who, method, path, &[("x-part-sha256", &digest)], packed("in parts")).await,
    }
}
