//! Sessions travel: signing up, importing, pushing, finding them, pulling them elsewhere.

use serde_json::json;

use super::{Device, Stand, Version, scenarios};
use crate::program::eventually;

scenarios!(sessions_travel, everything_is_synced_both_ways, the_account_is_told);

const QUESTION: &str = "Why does the heliotrope login fail after a restart?";

fn sessions_travel(stand: &Stand) {
    let first = stand.sign_up(Version::New, "ana@example.com");
    let id = first.import(1, QUESTION, "The token is signed with a key that is made at every start.");
    let said = first.ok(&["list"]);
    assert!(said.contains("Why does the heliotrope"), "{said}");
    let said = first.ok(&["list-remote"]);
    assert!(said.contains("No remote sessions found."), "{said}");

    let said = first.ok(&["push", &id]);
    assert!(said.contains(&format!("Created remote session {id}")), "{said}");
    let pushed = stand.get(&first, &format!("/api/v1/sessions/{id}"));
    assert_eq!(pushed["etag"], first.etag(&id), "the client keeps the server's etag");
    assert_eq!((&pushed["title"], &pushed["source_tool"]), (&json!(QUESTION), &json!("claude-code")));
    assert_eq!((&pushed["message_count"], &pushed["model_id"]), (&json!(2), &json!("claude-sonnet-4-5")));

    // The client packs the time with it, so it is another archive; what it tells is the same.
    let said = first.ok(&["push", &id]);
    assert!(said.contains(&format!("Updated remote session {id}")), "{said}");
    first.goes_on(&id, "The petunia key is kept in a file now.");
    let said = first.ok(&["push", "ses_00000001"]);
    assert!(said.contains(&format!("Updated remote session {id}")), "a prefix is enough: {said}");
    let messages = stand.get(&first, &format!("/api/v1/sessions/{id}/messages"));
    assert_eq!(messages["total"], 3, "{messages}");
    assert_eq!(messages["messages"][2]["content"][0]["text"], "The petunia key is kept in a file now.");

    let said = first.ok(&["list-remote"]);
    let row = said.lines().find(|line| line.contains(&id[..16])).expect("a row");
    assert!(
        said.contains("Remote Sessions (1 total)") && row.contains("yes") && row.contains(&QUESTION[..30]),
        "{said}"
    );

    if !stand.lacks(&first, "/api/v1/sessions/search?q=petunia") {
        found_in_the_cloud(stand, &first, &id);
    }
    let second = stand.second(&first);
    let said = second.ok(&["list-remote"]);
    assert!(said.lines().any(|line| line.contains(&id[..16]) && line.contains("no")), "{said}");
    let said = second.ok(&["pull", &id]);
    assert!(said.contains(&format!("Pulled session {id}")), "{said}");
    assert_eq!(second.file(&id, "messages.jsonl"), first.file(&id, "messages.jsonl"));
    assert_eq!(second.file(&id, "workspace.json"), first.file(&id, "workspace.json"));
    assert_eq!(second.etag(&id), first.etag(&id));
    let said = second.ok(&["pull", &id]);
    assert!(said.contains("Session is up to date (304 Not Modified)."), "{said}");
    let said = second.ok(&["show", &id]);
    assert!(said.contains(QUESTION), "{said}");

    // The same session as everything else here sees it.
    let data = stand.graphql(&first, "{ sessions { total nodes { clientId name messages { total } } } }");
    let node = json!({ "clientId": id, "name": QUESTION, "messages": { "total": 3 } });
    assert_eq!(data["sessions"], json!({ "total": 1, "nodes": [node] }));

    // Nobody else has it.
    let other = stand.sign_up(Version::New, "ben@example.com");
    let said = other.ends(&["pull", &id], 1);
    assert!(said.contains("not found"), "{said}");
    assert!(!other.has(&id));
    let own = other.import(1, "Something else under the same id?", "Yes.");
    let said = other.ends(&["push", &own], 1);
    assert!(said.contains("Session ID already claimed by another user"), "{said}");
    assert_eq!(stand.get(&first, &format!("/api/v1/sessions/{id}"))["etag"], first.etag(&id));
}

/// Finds the pushed session again.
fn found_in_the_cloud(stand: &Stand, first: &Device, id: &str) {
    // Found by what was said last, once it is indexed.
    eventually("finding it", || stand.get(first, "/api/v1/sessions/search?q=petunia")["total"] == 1);
    let said = first.ok(&["search", "--cloud", "petunia", "--days", "7", "--tool", "claude-code"]);
    let is_there = said.contains("Cloud Search: petunia (1 total)") && said.contains(id);
    assert!(is_there && said.contains("<mark>petunia</mark> key"), "{said}");
    let said = first.ok(&["search", "--cloud", "zeppelin"]);
    assert!(said.contains("No cloud results for 'zeppelin'"), "{said}");
    // It searches with the key of its file, whatever its environment says.
    let mut command = first.command("sfs", &["search", "--cloud", "petunia", "--json"]);
    let said = crate::program::said({
        command.env("SESSIONFS_API_KEY", "sk_sfs_00000000000000000000000000000000");
        command
    });
    assert!(said.code == 0 && said.out.contains(id), "{}{}", said.out, said.err);
}

fn everything_is_synced_both_ways(stand: &Stand) {
    let first = stand.sign_up(Version::New, "ana@example.com");
    let one = first.import(1, "How are tulips planted?", "In autumn.");
    let two = first.import(2, "How are roses cut?", "Above a bud.");
    let said = first.ok(&["sync"]);
    assert!(said.contains("Sync complete: 2 pushed, 0 pulled, 0 conflicts"), "{said}");
    let said = first.ok(&["sync"]);
    assert!(said.contains("Sync complete: 0 pushed, 0 pulled, 0 conflicts"), "nothing is pushed twice: {said}");

    let second = stand.second(&first);
    let three = second.import(3, "How are lilies watered?", "Seldom.");
    let said = second.ok(&["sync"]);
    assert!(said.contains("Sync complete: 1 pushed, 2 pulled, 0 conflicts"), "{said}");
    assert!(second.has(&one) && second.has(&two));
    let said = first.ok(&["sync"]);
    assert!(said.contains("Sync complete: 0 pushed, 1 pulled, 0 conflicts"), "{said}");
    assert_eq!(first.file(&three, "messages.jsonl"), second.file(&three, "messages.jsonl"));
    if stand.lacks(&first, "/api/v1/sync/status") {
        return;
    }
    let said = first.ok(&["sync", "status"]);
    assert!(said.contains("Autosync: off"), "{said}");
    let status = stand.get(&first, "/api/v1/sync/status");
    assert_eq!((&status["total_sessions"], &status["synced_sessions"]), (&json!(3), &json!(3)), "{status}");
}

fn the_account_is_told(stand: &Stand) {
    let device = stand.sign_up(Version::New, "Ana@Example.com");
    assert!(device.key().starts_with("sk_sfs_") && device.key().len() == 39);
    let said = device.ok(&["auth", "status"]);
    assert!(said.contains("Email: ana@example.com") && said.contains("Verified: yes"), "{said}");
    assert!(said.contains("Tier: enterprise") && said.contains("Sync enabled: True"), "{said}");
    let said = device.ok(&["auth", "whoami"]);
    assert!(said.contains("Identity:  ana@example.com") && said.contains("Tier:      enterprise"), "{said}");
    let me = stand.get(&device, "/api/v1/auth/me");
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ana@example.com"), &json!(true)), "{me}");

    let again = Device::new(Version::New);
    let said = again.ends(&["auth", "signup", "--email", "ana@example.com", "--url", stand.url()], 1);
    assert!(said.contains("Email already registered. Use 'sfs auth login' instead."), "{said}");
    let said = again.ends(&["auth", "signup", "--email", "nobody", "--url", stand.url()], 1);
    assert!(said.contains("Signup failed") && said.contains("Validation error"), "{said}");
    // Signing in asks only for the server's health; the key is told to be wrong as soon as it is used.
    let wrong = "sk_sfs_00000000000000000000000000000000";
    again.ok(&["auth", "login", "--url", stand.url(), "--key", wrong]);
    let said = again.ends(&["auth", "whoami"], 1);
    assert!(said.contains("Auth check failed (HTTP 401)"), "{said}");
    let said = again.ends(&["list-remote"], 1);
    assert!(said.to_lowercase().contains("authenticat"), "{said}");
}
