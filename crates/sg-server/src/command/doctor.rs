//! `sessiongraph doctor`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use sg_app::App;
use sg_app::doctor::Diagnosis;

use super::{operator, say};
use crate::config::Config;
use crate::gateway::{self, Gateway, IndexUse};

/// How long a running server is given to index what a repair put into the queue.
const SERVER_PATIENCE: Duration = Duration::from_secs(60);
/// The most ids that are listed of each kind of trouble.
const LISTED: usize = 10;

/// Checks that store, blobs and index agree, and repairs them when it is asked to.
///
/// Exit code 1 means that something is wrong, or still is.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Repairs what can be: indexes again what is stale, tries dead jobs again, removes blobs that nothing names.
    #[arg(long)]
    fix: bool,
}

impl Doctor {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let gateway = gateway::open(config, IndexUse::WriteOrRead).await?;
        let app = &gateway.app;
        let mut needs_rebuild = app.index_status().needs_rebuild;
        let mut found = app.diagnose(&operator()).await?;
        report(&found, needs_rebuild)?;
        if self.fix {
            if needs_rebuild && gateway.owns_index {
                app.reindex(&operator(), |_| ()).await?;
            }
            let repair = app.repair(&operator(), &found).await?;
            settle(&gateway).await?;
            say(format!(
                "Repaired: {} sessions indexed again, {} dead jobs revived, {} blobs removed.",
                repair.reindexed, repair.revived_jobs, repair.removed_blobs
            ))?;
            needs_rebuild = app.index_status().needs_rebuild;
            found = app.diagnose(&operator()).await?;
            report(&found, needs_rebuild)?;
        }
        let healthy = found.is_healthy() && !needs_rebuild;
        say(match (healthy, self.fix) {
            (true, _) => "Healthy.",
            (false, false) => "Run `sessiongraph doctor --fix` to repair what can be repaired.",
            (false, true) => {
                "Not everything could be repaired: import or restore the sessions whose content is missing."
            }
        })?;
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Waits until the queue is empty: does its work here, or gives the server that owns the index its time.
async fn settle(gateway: &Gateway) -> anyhow::Result<()> {
    if gateway.owns_index {
        return crate::import::drain(&gateway.app).await;
    }
    let waited = tokio::time::timeout(SERVER_PATIENCE, until_idle(&gateway.app)).await;
    waited.map_err(|_| anyhow::anyhow!("the server that has the index does not work its queue, look at its log"))?
}

async fn until_idle(app: &App) -> anyhow::Result<()> {
    loop {
        let jobs = app.job_counts().await?;
        if jobs.ready + jobs.running == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn report(found: &Diagnosis, needs_rebuild: bool) -> anyhow::Result<()> {
    let trash = if found.trashed > 0 { format!(", {} in the trash", found.trashed) } else { String::new() };
    say(format!("Store: {} sessions{trash}, {} blobs.", found.sessions, found.blobs))?;
    let jobs = found.jobs;
    say(format!("Queue: {} waiting, {} running, {} dead.", jobs.ready, jobs.running, jobs.dead))?;
    if needs_rebuild {
        say("Index: incomplete, it must be rebuilt.")?;
    }
    let lists = [
        ("with missing content", &found.broken_sessions),
        ("missing or stale in the index", &found.stale_in_index),
        ("in the index but not in the store", &found.ghosts_in_index),
    ];
    for (what, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        let shown: Vec<_> = ids.iter().take(LISTED).map(ToString::to_string).collect();
        let more = if ids.len() > LISTED { ", …" } else { "" };
        say(format!("Sessions {what}: {} ({}{more})", ids.len(), shown.join(", ")))?;
    }
    if found.orphan_blobs > 0 {
        say(format!("Blobs that nothing names: {} (fresh ones may belong to an upload)", found.orphan_blobs))?;
    }
    Ok(())
}
