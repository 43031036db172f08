//! SessionFS's own client, `sfs` and its daemon, as people install it, against the real program on a socket: the newest
//! version, and that of the published endpoint table. Every scenario plays on both SQL engines.

mod conflict;
mod daemon;
mod device;
mod handoff;
mod large;
mod look;
mod old;
mod trash;
mod travel;
mod watch;

use serde_json::Value;

pub(super) use self::device::{Device, Version};
use crate::harness::Engine;
use crate::postgres::{self, Database};
use crate::program::{Program, Server};

/// A server of the program, and what it stands on.
pub(super) struct Stand {
    server: Server,
    _program: Program,
    _database: Option<Database>,
}

impl Stand {
    async fn start(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::database().await),
        };
        let program = Program::new();
        let mut variables = vec![("SESSIONGRAPH_ACCOUNTS__SIGN_UP", "open")];
        variables.extend(database.as_ref().map(|database| ("SESSIONGRAPH_STORE__DATABASE_URL", database.url())));
        let server = program.serve_with(&["serve"], &variables);
        Self { server, _program: program, _database: database }
    }

    /// The server's address.
    pub(super) fn url(&self) -> &str {
        self.server.base()
    }

    /// A device on which somebody has just signed up.
    pub(super) fn sign_up(&self, version: Version, email: &str) -> Device {
        let device = Device::new(version);
        let said = device.ok(&["auth", "signup", "--email", email, "--url", self.url()]);
        assert!(said.contains(&format!("Account created for {email}")), "{said}");
        device
    }

    /// Another device of the same person, with the same key.
    pub(super) fn second(&self, first: &Device) -> Device {
        let device = Device::new(first.version);
        let said = device.ok(&["auth", "login", "--url", self.url(), "--key", &first.key()]);
        assert!(said.contains("Server status: healthy"), "{said}");
        device
    }

    /// Asks the server itself: the status and the JSON.
    pub(super) fn ask(&self, device: &Device, path: &str) -> (u16, Value) {
        let (status, body) = self.server.ask("GET", path, Some(&device.key()), "");
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// What the server answers to `GET`; it must be 200.
    pub(super) fn get(&self, device: &Device, path: &str) -> Value {
        let (status, body) = self.ask(device, path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Takes a session out of the trash. `sfs restore` knows only sessions that the device still has.
    pub(super) fn restore(&self, device: &Device, id: &str) {
        let path = format!("/api/v1/sessions/{id}/restore");
        let (status, body) = self.server.ask("POST", &path, Some(&device.key()), "");
        assert_eq!(status, 200, "{body}");
    }

    /// Whether the route of a path is being built. Nothing is once all are.
    pub(super) fn lacks(&self, device: &Device, path: &str) -> bool {
        let (status, body) = self.ask(device, path);
        let lacks = status == 501 && body.to_string().contains("These routes are not available");
        if lacks {
            println!("{path} is being built");
        }
        lacks
    }

    /// The same as told by GraphQL.
    pub(super) fn graphql(&self, device: &Device, query: &str) -> Value {
        self.server.graphql(&device.key(), query)
    }
}

/// Plays a scenario, which blocks on what it runs.
async fn play(engine: Engine, scenario: fn(&Stand)) {
    let stand = Stand::start(engine).await;
    tokio::task::spawn_blocking(move || {
        scenario(&stand);
        assert_eq!(stand.server.stop(), Some(0));
    })
    .await
    .unwrap();
}

/// A test per scenario and engine.
macro_rules! scenarios {
    ($($scenario:ident),+ $(,)?) => {
        $(mod $scenario {
            use crate::harness::Engine;

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn on_sqlite() {
                crate::sessionfs::client::play(Engine::Sqlite, super::$scenario).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn on_postgresql() {
                crate::sessionfs::client::play(Engine::Postgres, super::$scenario).await;
            }
        })+
    };
}
use scenarios;
