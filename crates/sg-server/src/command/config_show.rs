//! `sessiongraph config`.

use std::process::ExitCode;

use clap::Args;

use crate::config::Config;

/// Prints the effective settings as TOML, with secrets hidden.
#[derive(Debug, Args)]
pub(super) struct ConfigShow {}

impl ConfigShow {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        super::say(toml::to_string_pretty(config)?.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
