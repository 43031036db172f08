//! Logs: where they go and what a line looks like. Standard output is for answers, logs go to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging. `quiet` is for commands: only warnings, unless the settings ask for something of their own.
pub fn start(config: &LogConfig, quiet: bool) -> anyhow::Result<()> {
    let wanted = if quiet && *config == LogConfig::default() { "warn" } else { &config.filter };
    let filter = EnvFilter::try_new(wanted)
        .map_err(|error| anyhow::anyhow!("log.filter is not a filter: {error}, use a level such as info"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
