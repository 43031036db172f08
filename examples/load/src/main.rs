//! `sg-load`: how fast is the server, and how far is it from the ceiling?
//!
//! Seeds sessions of realistic text through the same operation that imports use, serves them with the real router in a
//! child process (so that its memory is the server's own), and drives it over kept-alive connections. Beside each case
//! runs its ceiling: a plain axum handler in the same child that returns the same bytes. Absolutes do not carry over
//! between machines; the ratio of one run does.
//!
//! ```text
//! cargo run --release -p sg-load -- --sessions 10000
//! ```

mod case;
mod client;
mod gateway;
mod peer;
mod report;
mod seed;
mod serve;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Seeds sessions, drives the server, prints each answer beside its ceiling.
#[derive(Parser)]
#[command(name = "sg-load", version)]
struct Cli {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Sessions to seed.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    sessions: u32,
    /// Projects to spread them over.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    projects: u32,
    /// Size of a session's markdown, about, in KB.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=4_096))]
    kilobytes: u32,
    /// Sessions that carry session data, so that another machine can resume them.
    #[arg(long, default_value_t = 1_000)]
    resumable: u32,
    /// Connections that send at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: u32,
    /// How long each case is driven, in seconds.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Keeps the data in this folder, and reuses what an earlier run with the same numbers left there.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Leaves out the peers: GraphQL servers in Node.js and Python over the same file, see `peers/install`.
    #[arg(long)]
    no_peers: bool,
    /// Prints one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

impl Run {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[derive(Subcommand)]
enum Role {
    /// The child: serves a seeded folder until its standard input closes.
    #[command(hide = true)]
    Serve {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.role {
            Some(Role::Serve { data }) => serve::serve(&data).await,
            None => measure(&cli.run).await,
        }
    })
}

/// Requests of every kind that are sent before the memory is looked at, and then each time it is looked at again.
const MIXED_REQUESTS: usize = 10_000;

/// A new server's memory after each of three rounds of mixed requests. The first fills caches that are bounded; from then
/// on it should stay where it is.
async fn growth(data: &std::path::Path, seeded: &seed::Seeded) -> anyhow::Result<Vec<serve::Memory>> {
    let child = serve::Child::start(data).await?;
    let mixed = case::mixed(seeded);
    let mut rounds = Vec::new();
    for _ in 0..3 {
        client::send_all(child.address, &mixed, MIXED_REQUESTS).await?;
        rounds.extend(child.memory());
    }
    child.stop().await;
    Ok(rounds)
}

async fn measure(run: &Run) -> anyhow::Result<()> {
    let temporary = tempfile::Builder::new().prefix("sg-load-").tempdir()?;
    let data = run.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&data)?;
    let seeded = seed::seed(run, &data).await?;
    let child = serve::Child::start(&data).await?;
    let searchable = case::write_to_searchable(&child, &seeded).await?;
    let mut results = Vec::new();
    for case in case::cases(&seeded) {
        results.push(case.drive(run, &child).await?);
        if !run.json {
            eprintln!("{:<34} {:>9.0} req/s", case.name, results.last().map_or(0.0, |r| r.server.rate()));
        }
    }
    let memory = child.memory();
    let (peers, absent) = match run.no_peers {
        true => Default::default(),
        false => peer::measure(run, &data, &child, &case::shared_with_peers(&seeded)).await?,
    };
    let started_in = child.started_in;
    child.stop().await;
    let growth = growth(&data, &seeded).await?;
    let report =
        report::Report { run, seeded: &seeded, started_in, searchable, memory, growth, results, peers, absent };
    if run.json {
        report.print_json()
    } else {
        report.print()
    }
    Ok(())
}
