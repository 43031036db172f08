//! Two devices change one session: the second to push is told, and nothing is overwritten behind anybody's back.

use super::{Stand, Version, scenarios};

scenarios!(two_devices_conflict);

fn two_devices_conflict(stand: &Stand) {
    let first = stand.sign_up(Version::New, "ana@example.com");
    let id = first.import(1, "How are tulips planted?", "In autumn.");
    first.ok(&["push", &id]);
    let second = stand.second(&first);
    second.ok(&["pull", &id]);

    first.goes_on(&id, "Said on the first device.");
    second.goes_on(&id, "Said on the second device.");
    first.ok(&["push", &id]);
    let current = first.etag(&id);
    let current = current.as_str().unwrap();
    let said = second.ends(&["push", &id], 1);
    let told = format!("Conflict: remote session was updated (etag={}...).", &current[..16]);
    assert!(
        said.contains(&told) && said.contains(&format!("Pull the latest version first with: sfs pull {id}")),
        "{said}"
    );
    let said = second.ok(&["sync"]);
    assert!(said.contains("Sync complete: 0 pushed, 0 pulled, 1 conflicts"), "{said}");
    let texts = || stand.get(&first, &format!("/api/v1/sessions/{id}/messages")).to_string();
    assert!(texts().contains("Said on the first device.") && !texts().contains("Said on the second device."));
    assert_eq!(stand.get(&first, &format!("/api/v1/sessions/{id}"))["etag"], current);

    // Without a terminal it cannot ask, and keeps what the device has.
    second.sfs(&["pull", &id]);
    assert!(second.file(&id, "messages.jsonl").contains("Said on the second device."));
    let said = second.ok(&["pull", "--force", &id]);
    assert!(said.contains(&format!("Pulled session {id}")), "{said}");
    assert_eq!(second.file(&id, "messages.jsonl"), first.file(&id, "messages.jsonl"));

    second.goes_on(&id, "Said on the second device, later.");
    let said = second.ok(&["push", &id]);
    assert!(said.contains(&format!("Updated remote session {id}")), "{said}");
    assert!(texts().contains("Said on the second device, later."));
    first.ends(&["push", &id], 1);
}
