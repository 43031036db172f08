//! One PostgreSQL server for the whole test binary, on a temporary folder, never as root; a fresh database per test.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A database of its own for one test.
pub struct Database(String);

impl Database {
    /// As `Store` takes it.
    pub fn url(&self) -> &str {
        &self.0
    }
}

struct Server {
    bin: PathBuf,
    port: u16,
    /// Its standard input is what keeps the server alive: when this process ends, however it ends, the shell around the
    /// server reads end-of-file, stops the server and removes its folder.
    _shell: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new, empty database. Starts the server when it is the first; fails, not skips, when PostgreSQL is not installed.
pub async fn database() -> Database {
    let start = || {
        let server = SERVER.get_or_init(start_server);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
        let port = server.port.to_string();
        let create = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-T", "template0", &name];
        let made = Command::new(server.bin.join("createdb")).args(create).output().unwrap();
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        Database(format!("postgres://postgres@127.0.0.1:{port}/{name}"))
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

fn start_server() -> Server {
    let bin = find_bin();
    let dir = std::env::temp_dir().join(format!("sessiongraph-pg-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).unwrap();
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    if is_root {
        let owned = Command::new("chown").arg("postgres:").arg(&dir).status().unwrap();
        assert!(owned.success(), "the user postgres is missing: install Debian's package postgresql (./test does)");
    }
    let data = dir.join("data");
    let init = ["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C", "-D"];
    let made = as_server_user(is_root, &bin.join("initdb")).args(init).arg(&data).current_dir(&dir).output().unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

    // Taken and given back, so that the server can have it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = r#"
        "$1/postgres" -D "$2/data" -p "$3" -k "$2" -h 127.0.0.1 -c fsync=off -c full_page_writes=off \
            -c synchronous_commit=off -c max_connections=300 -c shared_buffers=64MB > "$2/log" 2>&1 &
        server=$!
        read -r _
        kill -INT $server
        wait $server
        rm -rf "$2"
    "#;
    let mut shell = as_server_user(is_root, Path::new("/bin/sh"));
    shell.args(["-c", script, "sh"]).arg(&bin).arg(&dir).arg(port.to_string()).current_dir(&dir);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ready = ["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "-q"];
    for _ in 0..600 {
        if Command::new(bin.join("pg_isready")).args(ready).status().unwrap().success() {
            return Server { bin, port, _shell: shell };
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
    let _ = shell.stdin.take().map(|mut pipe| pipe.write_all(b"\n"));
    panic!("PostgreSQL did not start:\n{log}");
}

/// PostgreSQL refuses to run as root.
fn as_server_user(is_root: bool, program: &Path) -> Command {
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn find_bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|v| v.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("PostgreSQL is missing: install Debian's package postgresql (./test does)"))
}
