//! Commands that look at the server and set the client up.

use super::{Device, Stand, Version, scenarios};

scenarios!(the_server_looks_well);

fn the_server_looks_well(stand: &Stand) {
    let device = stand.sign_up(Version::New, "ana@example.com");
    let said = device.ok(&["dlp", "policy"]);
    assert!(said.contains("DLP is not enabled for your organization."), "{said}");
    let said = device.ok(&["doctor"]);
    assert!(said.contains(&format!("reachable ({})", stand.url())), "{said}");
    assert!(said.contains("ana@example.com (enterprise)"), "{said}");
    let said = device.ok(&["org", "info"]);
    assert!(!said.contains("rror"), "{said}");

    let other = Device::new(Version::New);
    other.claude_says(1, "user", "Is there a tool here?");
    // Track all; set the cloud up; the address; the key; do not start the daemon; nothing else.
    let answers = format!("y\ny\n{}\n{}\nn\nn\nn\nn\n", stand.url(), device.key());
    let said = other.ok_reading(&["init"], &answers);
    assert!(said.contains("Connected! Tier: enterprise"), "{said}");
    assert_eq!(other.key(), device.key());
}
