//! Deleted sessions: the trash, what comes back out of it, and what another device makes of it.

use serde_json::json;

use super::{Stand, Version, scenarios};

scenarios!(deleted_sessions_come_back, a_deletion_reaches_other_devices);

fn deleted_sessions_come_back(stand: &Stand) {
    let device = stand.sign_up(Version::New, "ana@example.com");
    let id = device.import(1, "How are tulips planted?", "In autumn.");
    let said = device.ok(&["trash"]);
    assert!(said.contains("Trash is empty."), "{said}");
    device.ok(&["push", &id]);
    let path = format!("/api/v1/sessions/{id}");

    let said = device.ok(&["delete", "--cloud", "--force", &id]);
    assert!(said.contains("Deleted from cloud. Purge after: 20"), "{said}");
    assert!(device.has(&id), "the device keeps it");
    assert_eq!(stand.ask(&device, &path).0, 404);
    let data = stand.graphql(&device, "{ sessions { total } deletedSessions { totalCount nodes { name } } }");
    assert_eq!(data["sessions"]["total"], 0, "{data}");
    assert_eq!(data["deletedSessions"]["nodes"][0]["name"], "How are tulips planted?", "{data}");
    let said = device.ok(&["trash"]);
    let row = said.lines().find(|line| line.contains(&id)).expect("a row");
    assert!(row.contains("How are tulips planted?") && row.contains("cloud"), "{said}");
    let said = device.ok(&["list-remote"]);
    assert!(said.contains("No remote sessions found."), "{said}");
    let said = device.ok(&["delete", "--cloud", "--force", &id]);
    assert!(said.contains("Session already deleted on server."), "{said}");

    let said = device.ok(&["restore", &id]);
    assert!(said.contains(&format!("Restored session {id} on server.")), "{said}");
    assert_eq!(stand.get(&device, &path)["etag"], device.etag(&id), "as it was");
    let said = device.ok(&["restore", &id]);
    assert!(said.contains("Session is not deleted on server."), "{said}");
    device.ok(&["delete", "--cloud", "--force", &id]);

    // Deleted on purpose, it comes back only on purpose.
    let said = device.ends(&["push", &id], 2);
    assert!(said.contains("This session was deleted from the cloud (scope=cloud). Push anyway?"), "{said}");
    assert_eq!(stand.ask(&device, &path).0, 404);
    let said = device.ok(&["push", "--yes", &id]);
    assert!(said.contains(&format!("Updated remote session {id}")), "{said}");
    assert_eq!(stand.get(&device, &path)["is_deleted"], false);

    let said = device.ok(&["delete", "--everywhere", "--force", &id]);
    assert!(said.contains("Deleted from cloud. Purge after: 20") && said.contains("(scope=everywhere)"), "{said}");
    assert!(!device.has(&id));
    let trash = stand.get(&device, "/api/v1/sessions?deleted=true");
    let row = &trash["sessions"][0];
    assert_eq!((&row["id"], &row["delete_scope"], &row["is_deleted"]), (&json!(id), &json!("both"), &json!(true)));
    let said = device.ends(&["restore", &id], 1);
    assert!(said.contains(&format!("No session found matching '{id}'.")), "{said}");
    stand.restore(&device, &id);
    device.ok(&["pull", &id]);
    assert!(device.file(&id, "messages.jsonl").contains("In autumn."));
    let said = device.ok(&["trash"]);
    assert!(said.contains("Trash is empty."), "{said}");

    let said = device.ends(&["delete", "--cloud", "--force", "ses_0000000000000000"], 1);
    assert!(said.contains("Session not found on server."), "{said}");
}

fn a_deletion_reaches_other_devices(stand: &Stand) {
    let first = stand.sign_up(Version::New, "ana@example.com");
    let id = first.import(1, "How are tulips planted?", "In autumn.");
    first.ok(&["push", &id]);
    let second = stand.second(&first);
    second.ok(&["pull", &id]);
    first.ok(&["delete", "--everywhere", "--force", &id]);

    // The other device does not know yet, and is told by 410: it drops its copy and says how to get it back.
    second.goes_on(&id, "Said after it was deleted.");
    let said = second.ends(&["push", &id], 1);
    assert!(said.contains("has been deleted on the server."), "{said}");
    assert!(said.contains(&format!("Restore with: sfs restore {id}")), "{said}");
    assert!(!second.has(&id));
    let trash = stand.get(&first, "/api/v1/sessions?deleted=true");
    assert_eq!(trash["total"], 1, "{trash}");

    stand.restore(&first, &id);
    second.ok(&["pull", &id]);
    assert!(second.file(&id, "messages.jsonl").contains("In autumn."));
    assert!(!second.file(&id, "messages.jsonl").contains("Said after it was deleted."));
}
