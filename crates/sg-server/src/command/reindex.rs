//! `sessiongraph reindex`.

use std::process::ExitCode;

use clap::Args;

use super::{operator, say};
use crate::config::Config;
use crate::control;
use crate::gateway::{self, IndexUse};
use crate::progress::Bar;

/// Builds the search index anew from the store, while a running server goes on answering from the old one.
#[derive(Debug, Args)]
pub(super) struct Reindex {}

impl Reindex {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let gateway = gateway::open(config, IndexUse::WriteOrRead).await?;
        let bar = Bar::new("Indexing", "sessions");
        let sessions = if gateway.owns_index {
            let progress = gateway.app.reindex(&operator(), |p| bar.set(p.done, p.total)).await?;
            // Changes that waited in the queue are in the new index already; running them empties the queue.
            crate::import::drain(&gateway.app).await?;
            progress.done
        } else {
            // The server has the index: it rebuilds, and tells how far it is.
            control::reindex(&control::path(config), |done, total| bar.set(done, total)).await?
        };
        bar.finish();
        let by = if gateway.owns_index { "" } else { " by the running server" };
        say(format!("Indexed {sessions} sessions{by}."))?;
        Ok(ExitCode::SUCCESS)
    }
}
