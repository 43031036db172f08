//! The daemon: what changes on the device is on the server without anybody's doing.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Device, Stand, Version, scenarios};

scenarios!(the_daemon_syncs_what_changes);

/// How long it may take to notice: it looks once a minute for settings, and this machine may be busy.
const PATIENCE: Duration = Duration::from_secs(300);

struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(device: &Device) -> Self {
        device.set(None, "scan_interval_s", 1.0);
        device.set(Some("sync"), "push_interval", 1);
        let log = device.home().join("sfsd.log");
        let mut command = device.command("sfsd", &["--log-level", "INFO"]);
        let file = File::create(&log).unwrap();
        command.stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().unwrap(), log }
    }

    fn until(&mut self, what: &str, mut check: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !check() {
            let log = || std::fs::read_to_string(&self.log).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "the daemon ended:\n{}", log());
            assert!(begun.elapsed() < PATIENCE, "{what} did not happen:\n{}", log());
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn the_daemon_syncs_what_changes(stand: &Stand) {
    let device = stand.sign_up(Version::New, "ana@example.com");
    if stand.lacks(&device, "/api/v1/sync/settings") {
        return;
    }
    device.ok(&["sync", "auto", "--mode", "all"]);
    let body = r#"{"mode":"all","debounce_seconds":5}"#;
    let (status, _) = stand.server.ask("PUT", "/api/v1/sync/settings", Some(&device.key()), body);
    assert_eq!(status, 200);
    device.claude_says(1, "user", "How are tulips planted?");
    device.claude_says(1, "assistant", "In autumn.");
    let id = super::device::session_id(1);
    let path = format!("/api/v1/sessions/{id}");

    let mut daemon = Daemon::start(&device);
    daemon.until("the first push", || stand.ask(&device, &path).0 == 200);
    let (status, _) = stand.server.ask("POST", &format!("/api/v1/sync/watch/{id}"), Some(&device.key()), "");
    assert_eq!(status, 200);
    device.claude_says(1, "user", "And when are they watered?");
    device.claude_says(1, "assistant", "When it is dry.");
    daemon.until("the second push", || {
        stand.get(&device, &format!("{path}/messages")).to_string().contains("When it is dry.")
    });
    // It says of a watched session how far it is.
    daemon.until("the watchlist", || {
        let list = stand.get(&device, "/api/v1/sync/watchlist");
        list["sessions"][0]["status"] == "synced" && list["sessions"][0]["last_synced_at"].is_string()
    });
    assert_eq!(stand.get(&device, "/api/v1/sessions")["total"], 1);
}
