//! The real program in a folder of its own, with a home of its own: nothing of the machine's owner leaks in.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take here: builds and other tests share the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder and the program on it.
pub struct Program {
    dir: tempfile::TempDir,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir }
    }

    /// With an account.
    pub fn with_user() -> Self {
        let program = Self::new();
        program.ok(&["user", "create", "me@example.com"]);
        program
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The program with arguments, its data and home here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessiongraph-under-test"));
        command.env_clear().env("HOME", self.home()).env("PATH", path());
        command.args(arguments).arg("--data").arg(self.dir.path().join("data"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments))
    }

    /// Runs it and returns what it printed; it must succeed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}\n{}\n{}", said.out, said.err);
        said.out
    }

    /// Runs it and reads what it printed as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// A new key of the only account.
    pub fn key(&self) -> String {
        self.json(&["key", "create", "--json"])["secret"].as_str().unwrap().to_owned()
    }

    /// Starts a command that serves, and waits for its address: the first `http://` it prints.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_with(arguments, &[])
    }

    /// The same, with variables in its environment.
    pub fn serve_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--listen", "127.0.0.1:0"]);
        let mut child = self.command(&arguments).envs(variables.iter().copied()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        let url = loop {
            let mut line = String::new();
            let end = out.read_line(&mut line).unwrap() == 0;
            printed.push_str(&line);
            if let Some(at) = line.find("http://") {
                break line[at..].trim().to_owned();
            }
            if end {
                let mut err = String::new();
                child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
                panic!("it ended: {printed}\n{err}");
            }
        };
        // Both pipes must be read on, or a chatty server stops at a full one.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let mut err = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
        Server { child, url, printed }
    }
}

pub fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[allow(clippy::disallowed_methods, reason = "a child needs the path its parent has")]
fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A running server.
pub struct Server {
    child: Child,
    /// Its address, with everything behind it on the line.
    pub url: String,
    /// What it printed up to its address.
    pub printed: String,
}

impl Server {
    /// `http://host:port`.
    pub fn base(&self) -> &str {
        let path = self.url["http://".len()..].find('/').map(|at| at + "http://".len());
        &self.url[..path.unwrap_or(self.url.len())]
    }

    /// One request over a real socket; the status and the body.
    pub fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.base()["http://".len()..]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{key}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    /// Sends a form over a real socket; the status and the head and body behind it.
    pub fn form(&self, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.base()["http://".len()..]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    /// A GraphQL document with a key; its data.
    pub fn graphql(&self, key: &str, query: &str) -> Value {
        let body = serde_json::json!({ "query": query }).to_string();
        let (status, body) = self.ask("POST", "/api/v1/graphql", Some(key), &body);
        let mut body: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"));
        assert_eq!((status, &body["errors"]), (200, &Value::Null), "{query}\n{body:#}");
        body["data"].take()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGKILL and waits.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and waits; the exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it did not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the answer is right.
pub fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}
