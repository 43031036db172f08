//! A device with the client on it: a home of its own, without a terminal.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sg_app::{Clock as _, SystemClock};
use sg_domain::Timestamp;

use crate::program::{Said, root, said};

/// A version of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 0.26.0.
    New,
    /// 0.9.9.4.
    Old,
}

/// See the module.
pub struct Device {
    pub version: Version,
    home: tempfile::TempDir,
}

impl Device {
    pub fn new(version: Version) -> Self {
        Self { version, home: tempfile::tempdir().unwrap() }
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// A program of the client, its home here, nothing of this machine's owner in it.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let environment = match self.version {
            Version::New => ".venv-sfs",
            Version::Old => ".venv-sfs-old",
        };
        let path = root().join("tests").join(environment).join("bin").join(program);
        assert!(path.exists(), "{} is missing: run ./test, which installs it", path.display());
        let mut command = Command::new(path);
        command.env_clear().env("HOME", self.home()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        // No telemetry, and tables that break no line.
        command.env("SFS_NO_TELEMETRY", "1").env("COLUMNS", "300").env("TERM", "dumb").env("LANG", "C.UTF-8");
        command.args(arguments).current_dir(self.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn sfs(&self, arguments: &[&str]) -> Said {
        said(self.command("sfs", arguments))
    }

    /// Runs it; it must succeed. What it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.ends(arguments, 0)
    }

    /// Runs it; it must end with this code. What it printed.
    pub fn ends(&self, arguments: &[&str], code: i32) -> String {
        let said = self.sfs(arguments);
        let text = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, code, "sfs {arguments:?}\n{text}");
        assert!(!text.contains("Traceback"), "sfs {arguments:?}\n{text}");
        text
    }

    /// Runs it with something to read; it must succeed.
    pub fn ok_reading(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self.command("sfs", arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "sfs {arguments:?}\n{text}");
        text
    }

    fn config_path(&self) -> PathBuf {
        self.home().join(".sessionfs/config.toml")
    }

    fn config(&self) -> toml::Table {
        fs::read_to_string(self.config_path()).unwrap().parse().unwrap()
    }

    /// The key that it signs in with.
    pub fn key(&self) -> String {
        self.config()["sync"]["api_key"].as_str().unwrap().to_owned()
    }

    /// Changes a setting of `[sync]`, or outside of a section.
    pub fn set(&self, section: Option<&str>, name: &str, value: impl Into<toml::Value>) {
        let mut config = self.config();
        let table = match section {
            Some(section) => config[section].as_table_mut().unwrap(),
            None => &mut config,
        };
        table.insert(name.to_owned(), value.into());
        fs::write(self.config_path(), toml::to_string(&config).unwrap()).unwrap();
    }

    /// A line of a Claude Code session that this device has, as that program writes it: `number` tells sessions apart,
    /// and its lines are a minute from each other.
    pub fn claude_says(&self, number: u32, role: &str, text: &str) {
        let native = native_id(number);
        let folder = self.home().join(".claude/projects/-home-ana-shop");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{native}.jsonl"));
        let count = fs::read_to_string(&path).unwrap_or_default().lines().count();
        let uuid = |n: usize| format!("a{number:07x}-0000-4000-8000-{n:012x}");
        // Of today: the daemon throws away what is old.
        let ago = Duration::from_secs(3600 - 60 * (count as u64).min(59));
        let time = Timestamp::from_micros(SystemClock.now().micros() - i64::try_from(ago.as_micros()).unwrap());
        let message = match role {
            "user" => json!({ "role": "user", "content": text }),
            _ => json!({ "id": format!("msg_{count}"), "type": "message", "role": "assistant",
                "model": "claude-sonnet-4-5", "content": [{ "type": "text", "text": text }],
                "stop_reason": "end_turn", "usage": { "input_tokens": 100, "output_tokens": 20 } }),
        };
        let line = json!({ "parentUuid": count.checked_sub(1).map(uuid), "isSidechain": false,
            "userType": "external", "cwd": "/home/ana/shop", "sessionId": native, "version": "2.0.14",
            "gitBranch": "main", "type": role, "message": message, "uuid": uuid(count),
            "timestamp": time.to_iso_millis() });
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    /// A question and an answer of a Claude Code session, imported; the session's id.
    pub fn import(&self, number: u32, question: &str, answer: &str) -> String {
        self.claude_says(number, "user", question);
        self.claude_says(number, "assistant", answer);
        let said = self.ok(&["import", "--from", "claude-code"]);
        assert!(said.contains("Imported 1 new session(s)."), "{said}");
        session_id(number)
    }

    fn session_folder(&self, id: &str) -> PathBuf {
        self.home().join(format!(".sessionfs/sessions/{id}.sfs"))
    }

    /// Whether it has a session.
    pub fn has(&self, id: &str) -> bool {
        self.session_folder(id).exists()
    }

    /// A file of a session that it has.
    pub fn file(&self, id: &str, name: &str) -> String {
        fs::read_to_string(self.session_folder(id).join(name)).unwrap()
    }

    /// The etag that it knows of a session.
    pub fn etag(&self, id: &str) -> Value {
        let manifest: Value = serde_json::from_str(&self.file(id, "manifest.json")).unwrap();
        manifest["sync"]["etag"].clone()
    }

    /// One more message in a session that it has, as when somebody goes on with it.
    pub fn goes_on(&self, id: &str, text: &str) {
        let messages = self.file(id, "messages.jsonl");
        let mut last: Value = serde_json::from_str(messages.lines().last().unwrap()).unwrap();
        last["msg_id"] = json!(format!("msg_{}", messages.lines().count()));
        last["content"] = json!([{ "type": "text", "text": text }]);
        fs::write(self.session_folder(id).join("messages.jsonl"), format!("{}\n{last}\n", messages.trim_end()))
            .unwrap();
    }
}

/// Claude Code's id of a session.
fn native_id(number: u32) -> String {
    format!("{number:08x}-1111-4111-8111-111111111111")
}

/// The client's id of it.
pub fn session_id(number: u32) -> String {
    format!("ses_{number:08x}11114111")
}
