//! `sessiongraph serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::config::Config;
use crate::gateway::{self, IndexUse};
use crate::{http, run};

/// Runs the server until it is told to stop.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Listens on this address; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let gateway = gateway::open(config, IndexUse::Write).await?;
        http::check(&gateway.app, config)?;
        let listener = http::server::bind(config.http.listen).await?;
        say(format!("sessiongraph listens on http://{}", listener.local_addr()?))?;
        run::run(gateway, config, listener).await?;
        Ok(ExitCode::SUCCESS)
    }
}
