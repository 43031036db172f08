//! `sessiongraph import`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use sg_app::import::ImportOptions;
use sg_domain::Caller;

use super::{account, say, table};
use crate::config::Config;
use crate::gateway::{self, Gateway, IndexUse};
use crate::import::place::{Located, places};
use crate::import::run::{Counts, Settings, Summary, run};
use crate::import::watch::Watch;
use crate::import::{self, Found};
use crate::progress::Bar;

/// The most files that are named of each kind of trouble.
const NAMED: usize = 20;

/// Imports sessions from files and folders, or from where each agent keeps its history on this machine.
///
/// Importing again changes nothing but what has changed. Exit code 1 means that something could not be imported.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Files, folders of .specstory/history, .sfs folders, or whole project and home folders to search.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The mail address of the account that gets the sessions. It may be left out while there is only one.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Only tells what would be imported, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Goes on until it is stopped, and imports what changes.
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// Stores secrets that are found in sessions as they are, instead of taking them out first.
    #[arg(long)]
    no_redact: bool,
}

impl Import {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let index = if self.dry_run { IndexUse::Nothing } else { IndexUse::WriteOrRead };
        let gateway = gateway::open(config, index).await?;
        let user = account(&gateway.app, self.user.as_deref()).await?;
        if gateway.owns_index {
            import::prepare(&gateway.app).await?;
        }
        let importing = Importing {
            caller: Caller::local(user.id),
            settings: settings(config, &gateway, !self.no_redact, self.dry_run),
            gateway: &gateway,
        };
        let places = agent_places();
        let found = match self.paths.as_slice() {
            [] => Found::places(&places),
            paths => import::scan(paths),
        };
        if found.units.is_empty() && found.problems.is_empty() && !self.watch {
            say(nothing_found(&self.paths, &places))?;
            return Ok(ExitCode::SUCCESS);
        }
        let is_complete = importing.import(&found, true).await?;
        if !self.watch {
            return Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let roots = match self.paths.as_slice() {
            [] => places.iter().map(|located| located.folder.clone()).collect(),
            paths => paths.iter().map(|path| crate::config::absolute(path)).collect::<std::io::Result<_>>()?,
        };
        importing.watch(roots, &places, Duration::from_millis(config.import.watch_delay_millis)).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One account's import, as often as it is repeated.
struct Importing<'a> {
    gateway: &'a Gateway,
    caller: Caller,
    settings: Settings,
}

impl Importing<'_> {
    /// Imports what was found and tells of it; whether everything could be imported.
    async fn import(&self, found: &Found, is_first: bool) -> anyhow::Result<bool> {
        let bar = Bar::new("Importing", "files");
        let started = Instant::now();
        let mut summary = run(&self.gateway.app, &self.caller, &found.units, self.settings, &bar).await?;
        bar.finish();
        summary.failed.extend(found.problems.iter().cloned());
        if is_first || changed(summary.total()) || !summary.failed.is_empty() {
            say(shown(&summary, self.settings, started.elapsed()))?;
        }
        Ok(summary.failed.is_empty())
    }

    async fn watch(&self, roots: Vec<PathBuf>, places: &[Located], delay: Duration) -> anyhow::Result<()> {
        let mut watch = Watch::start(roots, delay)?;
        say("Watching for changes. Stop with Ctrl-C.")?;
        let mut stop = std::pin::pin!(crate::run::signal());
        loop {
            let paths = tokio::select! {
                paths = watch.changes() => paths?,
                () = &mut stop => return Ok(()),
            };
            let found = Found::changed(&paths, places);
            if !found.units.is_empty() {
                self.import(&found, false).await?;
            }
        }
    }
}

/// Settings of an import from the configuration and the flags.
pub(super) fn settings(config: &Config, gateway: &Gateway, redact: bool, dry_run: bool) -> Settings {
    Settings {
        options: ImportOptions { redact: redact && config.import.redact, dry_run },
        max_file_bytes: config.limits().max_session_bytes,
        memory_bytes: config.import.memory_mib.saturating_mul(1_024 * 1_024),
        owns_index: gateway.owns_index,
    }
}

/// Where the agents of this machine keep their histories.
pub(super) fn agent_places() -> Vec<Located> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).unwrap_or_default();
    places(&home, &variable)
}

fn changed(counts: Counts) -> bool {
    counts.new + counts.updated > 0
}

fn nothing_found(paths: &[PathBuf], places: &[Located]) -> String {
    let mut looked: Vec<_> = match paths {
        [] => places.iter().map(|l| format!("  {} ({})", l.folder.display(), l.place.agent)).collect(),
        paths => paths.iter().map(|path| format!("  {}", path.display())).collect(),
    };
    looked.insert(0, "Nothing to import. Looked in:".to_owned());
    if paths.is_empty() {
        looked.push("Name files or folders to import from elsewhere.".to_owned());
    }
    looked.join("\n")
}

/// The summary a person reads.
pub(super) fn shown(summary: &Summary, settings: Settings, took: Duration) -> String {
    let mut out = String::new();
    for (word, format, name) in &summary.listed {
        out.push_str(&format!("{word:<9}  {format:<12}  {name}\n"));
    }
    let row = |name: &str, counts: Counts| {
        let Counts { found, new, updated, unchanged } = counts;
        vec![name.to_owned(), found.to_string(), new.to_string(), updated.to_string(), unchanged.to_string()]
    };
    let mut rows: Vec<_> = summary.formats.iter().map(|(format, counts)| row(format, *counts)).collect();
    if rows.len() != 1 {
        rows.push(row("all", summary.total()));
    }
    out.push_str(&table(&["FORMAT", "FOUND", "NEW", "UPDATED", "UNCHANGED"], &rows));
    out.push('\n');
    let name = |path: &PathBuf, reason: &str| format!("  {}: {reason}\n", path.display());
    let skipped: Vec<_> = summary.skipped.iter().map(|(path, reason)| name(path, reason)).collect();
    list(&mut out, "Skipped", "files", &skipped);
    let damaged: Vec<_> = summary
        .damaged
        .iter()
        .map(
            |(path, line, reason)| {
                if *line == 0 { name(path, reason) } else { name(path, &format!("line {line}: {reason}")) }
            },
        )
        .collect();
    list(&mut out, "Could not read", "parts", &damaged);
    let failed: Vec<_> = summary.failed.iter().map(|(path, reason)| name(path, reason)).collect();
    list(&mut out, "Failed", "files", &failed);
    if !summary.redacted.is_empty() {
        let kinds: Vec<_> = summary.redacted.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let total: u64 = summary.redacted.values().sum();
        out.push_str(&format!("Secrets taken out: {total} ({})\n", kinds.join(", ")));
    }
    let (mib, secs) = (summary.bytes as f64 / 1_048_576.0, took.as_secs_f64().max(0.001));
    if summary.bytes > 0 {
        out.push_str(&format!("Read {mib:.1} MiB in {secs:.1} s ({:.0} MiB/s).", mib / secs));
    }
    if settings.options.dry_run {
        out.push_str(" Nothing was changed: this was a dry run.");
    } else if !settings.owns_index && changed(summary.total()) {
        out.push_str(" The server indexes them.");
    }
    out.trim_end().to_owned()
}

fn list(out: &mut String, what: &str, unit: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("{what}: {} {unit}\n", lines.len()));
    lines.iter().take(NAMED).for_each(|line| out.push_str(line));
    if lines.len() > NAMED {
        out.push_str(&format!("  … and {} more\n", lines.len() - NAMED));
    }
}
