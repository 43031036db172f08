//! The command line: its grammar, and what every command has in common. One file a command.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sg_app::App;
use sg_domain::{Caller, User, UserId};

use crate::config::{self, Overrides};
use crate::telemetry;

mod completions;
mod config_show;
mod demo;
mod device;
mod doctor;
mod import;
mod key;
mod openapi;
mod password;
mod reindex;
mod schema;
mod serve;
mod user;

/// Of each thread that runs requests or reads files: address space, of which only what is used is taken.
pub(crate) const THREAD_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Keeps the sessions of your AI coding agents and answers questions about them, over GraphQL and REST.
#[derive(Debug, Parser)]
#[command(name = "sessiongraph", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Where things are; the same for every command.
#[derive(Debug, Args)]
struct Common {
    /// Reads settings from this TOML file. Without it, SESSIONGRAPH_CONFIG or the platform's configuration folder says.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keeps database, blobs and index in this folder.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keeps rows in this database: sqlite:///absolute/path.db or postgres://user:password@host/name.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Keeps content in this blob store: file:///absolute/folder or s3://bucket/prefix.
    #[arg(long, global = true, value_name = "URL")]
    blob_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Import(import::Import),
    /// Makes and lists accounts, and sets their passwords.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Makes, lists and revokes API keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Signs devices (SpecStory's command line) in without a browser, lists and revokes them.
    #[command(subcommand)]
    Device(device::DeviceCommand),
    Reindex(reindex::Reindex),
    Schema(schema::Schema),
    Openapi(openapi::Openapi),
    Config(config_show::ConfigShow),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
}

/// Runs the program: reads the command line, settings and environment. Exit code 0 is success, 1 a failure with one line
/// on standard error, 2 a command line that makes no sense.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let shown = format!("{error:#}");
            eprintln!("error: {}", shown.lines().map(str::trim).collect::<Vec<_>>().join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // These need no settings, and must work where there are none.
    match &cli.command {
        Command::Schema(command) => return command.run(),
        Command::Openapi(command) => return command.run(),
        Command::Completions(command) => return command.run::<Cli>(),
        _ => {}
    }
    let listen = match &cli.command {
        Command::Serve(serve) => serve.listen,
        Command::Demo(demo) => demo.listen,
        _ => None,
    };
    let Common { config, data, database_url, blob_url } = cli.common;
    let overrides = Overrides { config, data, database_url, blob_url, listen };
    let config = config::load(&overrides, &environment())?;
    let serves = matches!(cli.command, Command::Serve(_));
    telemetry::start(&config.log, !serves)?;
    // The library resolves a document of the greatest depth by a stack that is deeper than the usual 2 MiB in a debug build.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_stack_size(THREAD_STACK_BYTES).enable_all().build()?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => command.run(&config).await,
            Command::Demo(command) => command.run(config).await,
            Command::Import(command) => command.run(&config).await,
            Command::User(command) => command.run(&config).await,
            Command::Key(command) => command.run(&config).await,
            Command::Device(command) => command.run(&config).await,
            Command::Reindex(command) => command.run(&config).await,
            Command::Config(command) => command.run(&config),
            Command::Doctor(command) => command.run(&config).await,
            Command::Schema(_) | Command::Openapi(_) | Command::Completions(_) => Ok(ExitCode::SUCCESS),
        }
    });
    // Readers of files may be stuck on a slow disk; the answer is there already.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

/// Variables whose name and value are text; others are nobody's settings.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Prints to standard output. Unlike `println!`, a reader that went away is an error and not a panic.
fn say(text: impl AsRef<str>) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

/// The person at this machine, who may do everything that needs no account.
fn operator() -> Caller {
    Caller::local(UserId("local".to_owned()))
}

/// The account a command works for: the named one, else the only one.
async fn account(app: &App, email: Option<&str>) -> anyhow::Result<User> {
    if let Some(email) = email {
        return app.user_by_email(&operator(), email).await.map_err(|error| match error.kind {
            sg_domain::ErrorKind::NotFound => {
                anyhow::anyhow!("there is no user {email}, make one with `sessiongraph user create {email}`")
            }
            _ => error.into(),
        });
    }
    let mut users = app.users(&operator()).await?;
    match (users.pop(), users.len()) {
        (Some(user), 0) => Ok(user),
        (Some(_), more) => anyhow::bail!("there are {} users, say which one with --user EMAIL", more + 1),
        (None, _) => anyhow::bail!("there is no user yet, make one with `sessiongraph user create YOU@EXAMPLE.ORG`"),
    }
}

/// A table with aligned columns, without trailing blanks.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<_> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_text_is_a_sentence() {
        // The parser takes the full stop away.
        fn is_sentence(text: &str) -> bool {
            text.starts_with(char::is_uppercase) && text.split_whitespace().count() >= 3
        }
        fn look(command: &clap::Command) {
            let path = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(is_sentence(&about), "{path}: {about:?}");
            for argument in command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version")) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(is_sentence(&help), "{path} {}: {help:?}", argument.get_id());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn tables_align() {
        let rows = [vec!["a".to_owned(), "b".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(table(&["x", "y"], &rows), "x     y\na     b\nlong");
    }
}
