//! The child process: the real router on a loopback port, the ceilings beside it, and nothing of the load generator.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::State;
use axum::routing::{any, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sg_app::App;
use sg_domain::{Caller, ProjectId, UserId};
use sg_server::config::{Config, RateLimitSection};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;

use crate::client::{Connection, Request};
use crate::{gateway, seed};

/// A session that the parent wants stored in the child, number and owner.
#[derive(Serialize, Deserialize)]
pub(crate) struct PutOrder {
    /// The session's number.
    pub(crate) at: u32,
    /// A word that only it holds.
    pub(crate) word: String,
    /// Whose it is.
    pub(crate) user: UserId,
    /// Its project.
    pub(crate) project: String,
}

type Ceilings = Arc<RwLock<HashMap<String, (HeaderValue, Bytes)>>>;

/// Serves a seeded folder until standard input closes; says its address on standard output.
pub(crate) async fn serve(data: &Path) -> anyhow::Result<()> {
    let app = gateway::open(data).await?;
    let ceilings: Ceilings = Arc::default();
    let ceiling = Router::new().route("/ceiling/{case}", any(answer).put(keep)).with_state(ceilings);
    let control = Router::new().route("/load/put", post(put)).with_state(app.clone());
    // What is measured is how much it can answer, not how much one key may ask.
    let config = Config { rate_limit: RateLimitSection::off(), ..Config::default() };
    let router = sg_server::http::router(app.clone(), &config).merge(ceiling).merge(control);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let worker = JoinSet::from_iter([gateway::work(app)]);
    sg_server::http::server::serve(listener, router, &config.http, async {
        // The parent holds the other end: when it ends, however it ends, this reads to the end.
        let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
    })
    .await;
    drop(worker);
    Ok(())
}

/// The ceiling: bytes that were made before.
async fn answer(
    State(ceilings): State<Ceilings>,
    uri: Uri,
    _body: Bytes,
) -> ([(header::HeaderName, HeaderValue); 1], Bytes) {
    let found = ceilings.read().get(uri.path()).cloned();
    let (kind, bytes) = found.unwrap_or_else(|| (HeaderValue::from_static("text/plain"), Bytes::new()));
    ([(header::CONTENT_TYPE, kind)], bytes)
}

async fn keep(State(ceilings): State<Ceilings>, uri: Uri, headers: http::HeaderMap, body: Bytes) {
    let kind = headers.get(header::CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static("text/plain"));
    ceilings.write().insert(uri.path().to_owned(), (kind, body));
}

async fn put(State(app): State<App>, Json(order): Json<PutOrder>) -> Result<(), String> {
    let text = |error: sg_domain::Error| error.to_string();
    let project = ProjectId::new(order.project).map_err(text)?;
    let mut new = seed::session(order.at, project, 4_000);
    let markdown = new.markdown.read().map_err(text)?;
    new.markdown = Bytes::from([&markdown[..], format!("\n\n{}\n", order.word).as_bytes()].concat()).into();
    app.put_session(&Caller::local(order.user), new).await.map_err(text)?;
    Ok(())
}

/// The child, as the parent sees it.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From starting the process to its first ready answer.
    pub(crate) started_in: Duration,
}

/// Memory of the child, in MB.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident_mb: f64,
    /// The most that was ever resident.
    pub(crate) peak_mb: f64,
}

impl Child {
    /// Starts this program as the child and waits until it is ready.
    pub(crate) async fn start(data: &Path) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut process = tokio::process::Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("the child has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address = line.trim().parse().context("the child did not say its address, it has failed")?;
        let mut connection = Connection::open(address).await?;
        while connection.send(&Request::get("/readyz")).await?.status != 200 {
            anyhow::ensure!(started.elapsed() < Duration::from_secs(120), "the server is not ready after two minutes");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Self { process, address, started_in: started.elapsed() })
    }

    /// What it has resident; `None` where there is no `/proc`.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kilobytes * 1_024.0 / 1e6)
        };
        Some(Memory { resident_mb: field("VmRSS:")?, peak_mb: field("VmHWM:")? })
    }

    /// Lets it end.
    pub(crate) async fn stop(mut self) {
        drop(self.process.stdin.take());
        if tokio::time::timeout(Duration::from_secs(10), self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }
}
