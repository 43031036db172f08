//! Peers: small GraphQL servers built from npm and PyPI packages over the same SQLite file, driven with the same queries in
//! the same run. What they answer is compared with what the server answers first: a peer that says less is no measure.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::Run;
use crate::client::{Connection, Measured, Request, drive};
use crate::serve::Child;

/// What a peer made of one case.
pub(crate) struct PeerOutcome {
    /// Who it is.
    pub(crate) peer: &'static str,
    /// The case.
    pub(crate) case: &'static str,
    /// The peer.
    pub(crate) measured: Measured,
    /// The server with the same requests, just before: each a new question, nothing answered from memory.
    pub(crate) server: Measured,
    /// How many times as many the server should answer.
    pub(crate) target: f64,
}

impl PeerOutcome {
    /// How many times as many requests the server answers.
    pub(crate) fn times(&self) -> f64 {
        self.server.rate() / self.measured.rate().max(1e-9)
    }
}

/// One that was not measured, and why.
#[derive(Serialize)]
pub(crate) struct Absent {
    /// Who it is.
    pub(crate) peer: &'static str,
    /// Why.
    pub(crate) why: String,
}

struct Kind {
    name: &'static str,
    /// In the folder of the peers.
    program: &'static str,
    script: &'static str,
    /// There when it is installed.
    needs: &'static str,
    target: f64,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "Node.js: fastify, mercurius with JIT, libsql",
        program: "node",
        script: "node/server.mjs",
        needs: "node/node_modules/mercurius",
        target: 5.0,
    },
    Kind {
        name: "Python: strawberry, uvicorn with uvloop",
        program: "python/.venv/bin/python",
        script: "python/server.py",
        needs: "python/.venv/bin/uvicorn",
        target: 25.0,
    },
];

/// Drives every peer with the queries that it knows; `requests` are those of the server.
pub(crate) async fn measure(
    run: &Run,
    data: &Path,
    child: &Child,
    cases: &[(&'static str, Vec<Request>)],
) -> anyhow::Result<(Vec<PeerOutcome>, Vec<Absent>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"));
    let (mut outcomes, mut absent) = (Vec::new(), Vec::new());
    for kind in KINDS {
        if !folder.join(kind.needs).exists() {
            absent.push(Absent { peer: kind.name, why: "not installed, run examples/load/peers/install".to_owned() });
            continue;
        }
        let peer = Peer::start(&kind, &folder, &data.join("sessiongraph.db")).await?;
        for (case, requests) in cases {
            let theirs: Vec<_> = requests.iter().map(|request| request.clone().to("/graphql")).collect();
            let first = (requests.first().context("no requests")?, theirs.first().context("no requests")?);
            let (ours, other) = (answer(child.address, first.0).await?, answer(peer.address, first.1).await?);
            anyhow::ensure!(
                ours == other,
                "{} answers {case} otherwise: {other:.600} instead of {ours:.600}",
                kind.name
            );
            let warm = Duration::from_millis(500);
            drive(peer.address, &theirs, 200, run.connections, warm).await?;
            outcomes.push(PeerOutcome {
                peer: kind.name,
                case,
                server: drive(child.address, requests, 200, run.connections, run.time()).await?,
                measured: drive(peer.address, &theirs, 200, run.connections, run.time()).await?,
                target: kind.target,
            });
        }
        peer.stop().await;
    }
    Ok((outcomes, absent))
}

/// The data of an answer without cursors, which every server writes in its own way.
async fn answer(address: SocketAddr, request: &Request) -> anyhow::Result<String> {
    let mut body = Connection::open(address).await?.send(request).await?.json()?;
    let mut data = body.get_mut("data").map(Value::take).context("an answer without data")?;
    forget_cursors(&mut data);
    Ok(data.to_string())
}

fn forget_cursors(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| name != "cursor" && name != "endCursor");
            fields.values_mut().for_each(forget_cursors);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_cursors),
        _ => {}
    }
}

struct Peer {
    process: tokio::process::Child,
    address: SocketAddr,
}

impl Peer {
    async fn start(kind: &Kind, folder: &Path, database: &Path) -> anyhow::Result<Self> {
        let program = folder.join(kind.program);
        let program = if program.is_file() { program } else { PathBuf::from(kind.program) };
        let mut process = tokio::process::Command::new(program)
            .arg(folder.join(kind.script))
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", kind.name))?;
        let output = process.stdout.take().context("the peer has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address = line.trim().parse().with_context(|| format!("{} did not say its address", kind.name))?;
        // It says so before it accepts connections.
        for _ in 0..500 {
            if Connection::open(address).await.is_ok() {
                return Ok(Self { process, address });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("{} does not accept connections", kind.name)
    }

    async fn stop(mut self) {
        drop(self.process.stdin.take());
        if tokio::time::timeout(Duration::from_secs(5), self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_cursors_are_left_out_of_the_comparison() {
        let mut data = json!({ "a": [{ "cursor": "x", "node": { "id": 1 } }], "pageInfo": { "endCursor": "x", "hasNextPage": true } });
        forget_cursors(&mut data);
        assert_eq!(data, json!({ "a": [{ "node": { "id": 1 } }], "pageInfo": { "hasNextPage": true } }));
    }
}
