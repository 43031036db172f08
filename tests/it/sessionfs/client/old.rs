//! The client of the published endpoint table's time does its daily work.

use serde_json::json;

use super::{Device, Stand, Version, scenarios};
use crate::program::eventually;

scenarios!(the_old_client_works, the_old_client_hands_off);

fn the_old_client_works(stand: &Stand) {
    let first = stand.sign_up(Version::Old, "ana@example.com");
    let said = first.ok(&["auth", "status"]);
    assert!(said.contains("ana@example.com") && said.contains("enterprise"), "{said}");
    let id = first.import(1, "How are tulips planted?", "In autumn.");
    let said = first.ok(&["push", &id]);
    assert!(said.contains(&format!("Created remote session {id}")), "{said}");
    first.goes_on(&id, "Said on the first device.");
    let said = first.ok(&["push", &id]);
    assert!(said.contains(&format!("Updated remote session {id}")), "{said}");
    assert_eq!(stand.get(&first, &format!("/api/v1/sessions/{id}"))["etag"], first.etag(&id));
    let said = first.ok(&["list-remote"]);
    assert!(said.contains("Remote Sessions (1 total)") && said.contains(&id[..16]), "{said}");
    if !stand.lacks(&first, "/api/v1/sessions/search?q=tulips") {
        eventually("finding it", || stand.get(&first, "/api/v1/sessions/search?q=tulips")["total"] == 1);
        let said = first.ok(&["search", "--cloud", "tulips"]);
        assert!(said.contains(&id), "{said}");
    }

    let second = stand.second(&first);
    second.ok(&["pull", &id]);
    assert_eq!(second.file(&id, "messages.jsonl"), first.file(&id, "messages.jsonl"));
    first.goes_on(&id, "Said on the first device, later.");
    second.goes_on(&id, "Said on the second device.");
    first.ok(&["push", &id]);
    let said = second.ends(&["push", &id], 1);
    assert!(said.contains("Conflict: remote session was updated"), "{said}");
    second.ok(&["pull", "--force", &id]);
    let said = second.ok(&["sync"]);
    assert!(said.contains("Sync complete: 0 pushed, 0 pulled, 0 conflicts"), "{said}");

    if !stand.lacks(&first, "/api/v1/sync/status") {
        watches(&first, &id);
    }

    first.ok(&["delete", "--cloud", "--force", &id]);
    let said = first.ok(&["trash"]);
    assert!(said.contains(&id), "{said}");
    assert_eq!(stand.ask(&first, &format!("/api/v1/sessions/{id}")).0, 404);
    let said = first.ok(&["restore", &id]);
    assert!(said.contains(&format!("Restored session {id} on server.")), "{said}");
    first.ok(&["delete", "--everywhere", "--force", &id]);
    assert!(!first.has(&id));
    stand.restore(&first, &id);
    first.ok(&["pull", &id]);
    assert!(first.file(&id, "messages.jsonl").contains("Said on the first device, later."));
}

fn watches(device: &Device, id: &str) {
    device.ok(&["sync", "watch", id]);
    let said = device.ok(&["sync", "watchlist"]);
    assert!(said.contains("Autosync Watchlist (1 sessions)"), "{said}");
    device.ok(&["sync", "auto", "--mode", "all"]);
    let said = device.ok(&["sync", "status"]);
    assert!(said.contains("Autosync: all"), "{said}");
    device.ok(&["sync", "unwatch", id]);
}

fn the_old_client_hands_off(stand: &Stand) {
    let ana = stand.sign_up(Version::Old, "ana@example.com");
    if stand.lacks(&ana, "/api/v1/handoffs/inbox") {
        return;
    }
    let ben = stand.sign_up(Version::Old, "ben@example.com");
    let id = ana.import(1, "How are tulips planted?", "In autumn.");
    let said = ana.ok(&["handoff", &id, "--to", "ben@example.com", "--message", "Please look."]);
    let (_, rest) = said.split_once("Handoff created: ").unwrap_or_else(|| panic!("{said}"));
    let handoff = rest.lines().next().unwrap().trim();
    let said = ben.ok(&["handoffs", "inbox"]);
    assert!(said.contains("Inbox (1 handoffs)") && said.contains(handoff), "{said}");
    let said = ana.ok(&["handoffs", "sent"]);
    assert!(said.contains("Sent (1 handoffs)") && said.contains(handoff), "{said}");
    let said = ben.ok(&["pull-handoff", handoff]);
    assert!(said.contains("Pulled handoff session ses_"), "{said}");
    let copy = stand.get(&ben, &format!("/api/v1/handoffs/{handoff}"))["recipient_session_id"].clone();
    let copy = copy.as_str().unwrap();
    assert_eq!(ben.file(copy, "messages.jsonl"), ana.file(&id, "messages.jsonl"));
    assert_eq!(stand.get(&ben, &format!("/api/v1/sessions/{copy}"))["parent_session_id"], json!(id));
}
