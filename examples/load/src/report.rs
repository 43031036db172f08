//! What is printed: a table for people, an object for programs. Targets are shown, never asserted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Run;
use crate::case::Outcome;
use crate::client::Measured;
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
    /// The cases.
    pub(crate) results: Vec<Outcome>,
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
        println!("\n| measure | value | target |\n|---|--:|--:|");
        let rate = self.seeded.megabytes_per_second();
        println!("| import into store and index | {rate:.1} MB/s | 50 MB/s |");
        println!("| stored to searchable | {} ms | 1000 ms |", self.searchable.as_millis());
        println!("| start to ready | {} ms | 1000 ms |", self.started_in.as_millis());
        if let Some(memory) = self.memory {
            println!("| memory after the load | {:.0} MB | 150 MB |", memory.resident_mb);
            println!("| memory at the peak | {:.0} MB | |", memory.peak_mb);
        }
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
        json!({
            "sessions": self.seeded.sessions,
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
