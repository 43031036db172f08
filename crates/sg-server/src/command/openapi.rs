//! `sessiongraph openapi`.

use std::process::ExitCode;

use clap::Args;

/// Prints the description of SpecStory's REST API as OpenAPI.
#[derive(Debug, Args)]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        super::say(std::str::from_utf8(&sg_rest::specstory::openapi::document())?.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
