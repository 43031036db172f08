//! One PostgreSQL server for the whole test binary, on a folder of its own, gone when the binary is.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A database of its own for one test.
pub struct Database(String);

impl Database {
    /// As `Store` takes it.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Runs SQL beside whoever uses the database; what it says, without headings.
    pub async fn psql(&self, sql: &str) -> String {
        let mut command = Command::new(server().bin.join("psql"));
        command.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--command",
            sql,
            &self.0,
        ]);
        tokio::task::spawn_blocking(move || {
            let output = command.current_dir("/").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        })
        .await
        .unwrap()
    }
}

/// A new, empty database. Starts the server when it is the first; fails, not skips, when PostgreSQL is not installed.
pub async fn database() -> Database {
    tokio::task::spawn_blocking(fresh_database).await.unwrap()
}

fn fresh_database() -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut command = Command::new(server.bin.join("createdb"));
    command.arg("--host").arg(&server.folder).args(["--username", "postgres", "--template", "template0"]);
    run(command.args(["--no-password", &name]));
    Database(format!("postgres://postgres@localhost/{name}?host={}", server.folder.display()))
}

struct Server {
    bin: PathBuf,
    /// Its socket is here; it listens on no port.
    folder: PathBuf,
    /// Closes when this process ends, however it ends: then the watchdog stops the server and removes the folder.
    _alive: ChildStdin,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start)
}

/// Runs the server and waits for the end of its standard input.
const WATCHDOG: &str = r#"
"$@" & server=$!
cat > /dev/null
kill -INT $server
wait $server
rm -rf "$FOLDER"
"#;

#[allow(clippy::zombie_processes, reason = "the watchdog ends with this process, when its standard input closes")]
fn start() -> Server {
    let bin = newest_installation();
    let folder = tempfile::Builder::new().prefix("sgpg").tempdir().unwrap().keep();
    let data = folder.join("data");
    // PostgreSQL refuses to run as root.
    let user = is_root().then(|| {
        let known = |name: &str| Command::new("id").args(["-u", name]).output().is_ok_and(|o| o.status.success());
        let user = ["postgres", "nobody"].into_iter().find(|name| known(name)).expect("a user to run PostgreSQL as");
        run(Command::new("chown").arg(user).arg(&folder));
        user
    });
    let command = |program: &Path| match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--clear-groups", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    run(command(&bin.join("initdb")).arg("-D").arg(&data).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]));
    let mut server = command(&bin.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&folder);
    for setting in
        ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB"]
    {
        server.arg("-c").arg(setting);
    }
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut watchdog = Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog"])
        .arg(server.get_program())
        .args(server.get_args())
        .env("FOLDER", &folder)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        // Of its own, so that an interrupt at the terminal ends the tests first and the server after them.
        .process_group(0)
        .spawn()
        .unwrap();
    let server = Server { bin, folder, _alive: watchdog.stdin.take().unwrap() };
    wait_until_ready(&server);
    server
}

fn wait_until_ready(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let mut ready = Command::new(server.bin.join("pg_isready"));
        ready.arg("--quiet").arg("--host").arg(&server.folder);
        if ready.status().is_ok_and(|status| status.success()) {
            return;
        }
        if Instant::now() > deadline {
            let mut log = String::new();
            let _ = std::fs::File::open(server.folder.join("log")).unwrap().read_to_string(&mut log);
            panic!("PostgreSQL did not start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn newest_installation() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let others = ["/usr/local/pgsql/bin", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let version = |bin: &PathBuf| bin.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok();
    let mut found: Vec<_> = debian.chain(others).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort_by_key(version);
    found.pop().expect(
        "PostgreSQL's server is not installed, and the store must be tested on it: run ./test, which installs it, or \
         `apt-get install postgresql`",
    )
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
