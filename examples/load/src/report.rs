//! What is printed: a table for people, an object for programs. Targets are shown, never asserted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Run;
use crate::case::Outcome;
use crate::client::Measured;
use crate::peer::{Absent, PeerOutcome};
use crate::seed::Seeded;
use crate::serve::Memory;

/// Everything one run found out.
pub(crate) struct Report<'a> {
    /// What was asked for.
    pub(crate) run: &'a Run,
    /// What the folder holds.
    pub(crate) seeded: &'a Seeded,
    /// From starting the process to its first ready answer.
    pub(crate) started_in: Duration,
    /// From stored to found.
    pub(crate) searchable: Duration,
    /// The server's memory after all cases.
    pub(crate) memory: Option<Memory>,
    /// A new server's memory after each round of mixed requests.
    pub(crate) growth: Vec<Memory>,
    /// The cases.
    pub(crate) results: Vec<Outcome>,
    /// The peers.
    pub(crate) peers: Vec<PeerOutcome>,
    /// Peers that were not measured.
    pub(crate) absent: Vec<Absent>,
}

impl Outcome {
    fn share(&self) -> f64 {
        self.server.rate() / self.ceiling.rate().max(1e-9)
    }
}

impl Report<'_> {
    /// Prints tables.
    pub(crate) fn print(&self) {
        let Run { sessions, projects, connections, seconds, .. } = self.run;
        println!("\n{sessions} sessions, {projects} projects, {connections} connections, {seconds} s a case\n");
        println!("| work | bytes | req/s | p50 ms | p99 ms | ceiling req/s | of the ceiling | target |");
        println!("|---|--:|--:|--:|--:|--:|--:|--:|");
        for r in &self.results {
            println!(
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.1} % | {:.0} % |",
                r.name,
                r.bytes,
                r.server.rate(),
                r.server.percentile(0.5),
                r.server.percentile(0.99),
                r.ceiling.rate(),
                r.share() * 100.0,
                r.target * 100.0
            );
        }
        println!(
            "\n| the same data and queries, cold | case | req/s | p50 ms | the server req/s | times as many | target |"
        );
        println!("|---|---|--:|--:|--:|--:|--:|");
        for p in &self.peers {
            println!(
                "| {} | {} | {:.0} | {:.2} | {:.0} | {:.1} | {:.0} |",
                p.peer,
                p.case,
                p.measured.rate(),
                p.measured.percentile(0.5),
                p.server.rate(),
                p.times(),
                p.target
            );
        }
        for absent in &self.absent {
            println!("| {} | {} | | | | | |", absent.peer, absent.why);
        }
        println!("\n| measure | value | target |\n|---|--:|--:|");
        let rate = self.seeded.megabytes_per_second();
        println!("| import into store and index | {rate:.1} MB/s | 50 MB/s |");
        println!("| stored to searchable | {} ms | 1000 ms |", self.searchable.as_millis());
        println!("| start to ready | {} ms | 1000 ms |", self.started_in.as_millis());
        if let Some(memory) = self.memory {
            println!("| memory after the load | {:.0} MB | 150 MB |", memory.resident_mb);
            println!("| memory at the peak | {:.0} MB | |", memory.peak_mb);
        }
        let rounds: Vec<_> = self.growth.iter().map(|memory| format!("{:.0}", memory.resident_mb)).collect();
        println!("| memory after 10,000 mixed requests, 20,000, 30,000 | {} MB | flat |", rounds.join(", "));
    }

    /// Prints one JSON object.
    pub(crate) fn print_json(&self) {
        println!("{:#}", self.json());
    }

    fn json(&self) -> Value {
        let measured =
            |m: &Measured| json!({ "reqPerSec": m.rate(), "p50Ms": m.percentile(0.5), "p99Ms": m.percentile(0.99) });
        let cases = self.results.iter().map(|r| {
            json!({
                "name": r.name, "bytes": r.bytes, "server": measured(&r.server), "ceiling": measured(&r.ceiling),
                "share": r.share(), "target": r.target,
            })
        });
        let peers = self.peers.iter().map(|p| {
            json!({
                "peer": p.peer, "case": p.case, "measured": measured(&p.measured), "server": measured(&p.server),
                "times": p.times(), "target": p.target,
            })
        });
        json!({
            "sessions": self.seeded.sessions,
            "peers": peers.collect::<Vec<_>>(),
            "absentPeers": self.absent,
            "mixedRequestsMemory": self.growth,
            "projects": self.seeded.projects.len(),
            "connections": self.run.connections,
            "cases": cases.collect::<Vec<_>>(),
            "importMbPerSec": self.seeded.megabytes_per_second(),
            "searchableMs": self.searchable.as_secs_f64() * 1e3,
            "startMs": self.started_in.as_secs_f64() * 1e3,
            "memory": self.memory,
        })
    }
}
