//! `sessiongraph schema`.

use std::process::ExitCode;

use clap::Args;

/// Prints the GraphQL schema as SDL.
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        super::say(sg_schema::sdl().trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
