//! What is synced by itself: the mode and the list of watched sessions.

use serde_json::json;

use super::{Stand, Version, scenarios};

scenarios!(sessions_are_watched);

fn sessions_are_watched(stand: &Stand) {
    let device = stand.sign_up(Version::New, "ana@example.com");
    if stand.lacks(&device, "/api/v1/sync/settings") {
        return;
    }
    let id = device.import(1, "How are tulips planted?", "In autumn.");
    let said = device.ok(&["sync", "watchlist"]);
    assert!(said.contains("Watchlist is empty."), "{said}");
    let said = device.ok(&["sync", "watch", &id]);
    assert!(said.contains(&format!("Failed to watch {id} (404)")), "only what was pushed can be watched: {said}");
    device.ok(&["push", &id]);
    for _ in 0..2 {
        let said = device.ok(&["sync", "watch", &id]);
        assert!(said.contains(&format!("Session {id} added to autosync watchlist.")), "{said}");
    }
    let said = device.ok(&["sync", "watchlist"]);
    let row = said.lines().find(|line| line.contains(&id)).expect("a row");
    assert!(said.contains("Autosync Watchlist (1 sessions)"), "{said}");
    assert!(row.contains("claude-code") && row.contains("pending") && row.contains("never"), "{said}");
    let list = stand.get(&device, "/api/v1/sync/watchlist");
    assert_eq!(list["sessions"][0]["session_id"], json!(id), "{list}");
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(1), "{list}");

    let said = device.ok(&["sync", "auto", "--mode", "selective"]);
    assert!(said.contains("Autosync enabled: selective mode."), "{said}");
    let said = device.ok(&["sync", "status"]);
    assert!(said.contains("Autosync: selective") && said.contains("Watched:  1 sessions"), "{said}");
    let settings = stand.get(&device, "/api/v1/sync/settings");
    assert_eq!((&settings["mode"], &settings["debounce_seconds"]), (&json!("selective"), &json!(30)), "{settings}");
    assert!(settings["max_member_bytes"].as_i64() > Some(0), "{settings}");
    let said = device.ends(&["sync", "auto", "--mode", "never"], 1);
    assert!(said.contains("Mode must be 'off', 'all', or 'selective'."), "{said}");

    for _ in 0..2 {
        let said = device.ok(&["sync", "unwatch", &id]);
        assert!(said.contains(&format!("Session {id} removed from autosync watchlist.")), "{said}");
    }
    assert_eq!(stand.get(&device, "/api/v1/sync/watchlist")["sessions"], json!([]));
    device.ok(&["sync", "auto", "--mode", "off"]);
    assert_eq!(stand.get(&device, "/api/v1/sync/status")["mode"], "off");
}
