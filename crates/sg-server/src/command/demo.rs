//! `sessiongraph demo`: from nothing to a playground full of one's own sessions.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use sg_app::{App, KeyRequest};
use sg_domain::{Caller, Dialect, Scope, Scopes, User};
use tokio::net::TcpListener;

use super::{import as importing, operator, password, say};
use crate::config::{Config, SignUpName};
use crate::gateway::{self, Gateway, IndexUse};
use crate::import::{self, Found};
use crate::progress::Bar;
use crate::{http, run};

include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// The account of the demonstration, where there is none yet.
const EMAIL: &str = "demo@sessiongraph.local";
/// The name of its key; a new one is made at each start, as secrets are not kept.
const KEY: &str = "demo";
/// How many ports are tried, from the usual one on.
const PORTS: u16 = 20;

/// Makes an account and a key, imports the sessions on this machine, serves them, and prints a signed-in address.
///
/// Where no agent has left any sessions, it shows samples.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Listens on this address. Without it, on the configured one, or the next whose port is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,
}

impl Demo {
    pub(super) async fn run(self, mut config: Config) -> anyhow::Result<ExitCode> {
        // Nobody else reaches it: SessionFS's client may make itself an account.
        if self.listen.unwrap_or(config.http.listen).ip().is_loopback() {
            config.accounts.sign_up = SignUpName::Open;
        }
        let gateway = gateway::open(&config, IndexUse::Write).await?;
        http::check(&gateway.app, &config)?;
        import::prepare(&gateway.app).await?;
        let (user, password) = user(&gateway.app).await?;
        let listener = match self.listen {
            Some(listen) => http::server::bind(listen).await?,
            None => next_free(config.http.listen).await?,
        };
        let word = fill(&config, &gateway, &user).await?;
        let secret = fresh_key(&gateway.app, &user).await?;
        let who = Who { email: &user.email, password: password.as_deref() };
        say(welcome(listener.local_addr()?, &secret, &who, word, &config))?;
        run::run(gateway, &config, listener).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The account of an earlier demonstration, the only account, or a new one with a password that is told this once.
async fn user(app: &App) -> anyhow::Result<(User, Option<String>)> {
    let mut users = app.users(&operator()).await?;
    if let Some(at) = users.iter().position(|user| user.email == EMAIL) {
        return Ok((users.swap_remove(at), None));
    }
    match (users.pop(), users.len()) {
        (Some(user), 0) => Ok((user, None)),
        _ => {
            let user = app.create_user(&operator(), EMAIL).await?;
            let password = password::generated();
            app.set_password(&operator(), &user.id, &password).await?;
            Ok((user, Some(password)))
        }
    }
}

/// Who signs in on the pages.
struct Who<'a> {
    email: &'a str,
    password: Option<&'a str>,
}

/// A new key; those of earlier demonstrations stop working, so that they do not pile up.
async fn fresh_key(app: &App, user: &User) -> anyhow::Result<String> {
    let caller = Caller::local(user.id.clone());
    for key in app.keys(&caller, false).await? {
        if key.name == KEY && key.revoked_at.is_none() {
            app.revoke_key(&caller, key.id).await?;
        }
    }
    let request = KeyRequest {
        user: user.id.clone(),
        name: KEY.to_owned(),
        dialect: Dialect::Specstory,
        scopes: Scopes::of(&[Scope::Read, Scope::Write]),
        expires_at: None,
    };
    Ok(app.create_key(&caller, request).await?.secret)
}

/// Imports what is on this machine, else the samples; returns a word worth searching for.
async fn fill(config: &Config, gateway: &Gateway, user: &User) -> anyhow::Result<&'static str> {
    let mut found = Found::places(&importing::agent_places());
    let is_own = !found.units.is_empty();
    if !is_own {
        let folder = config.data_dir.join("samples");
        unpack(&folder).with_context(|| format!("cannot write the samples to {}", folder.display()))?;
        found = import::scan(&[folder]);
        say("No agent has left sessions on this machine: these are samples.")?;
    }
    let settings = importing::settings(config, gateway, true, false);
    let bar = Bar::new("Importing", "files");
    let started = Instant::now();
    let caller = Caller::local(user.id.clone());
    let summary = import::run::run(&gateway.app, &caller, &found.units, settings, &bar).await?;
    bar.finish();
    say(importing::shown(&summary, settings, started.elapsed()))?;
    Ok(if is_own { "error" } else { "deadlock" })
}

/// Writes the samples that were built in, as each agent would have left them.
fn unpack(folder: &Path) -> std::io::Result<()> {
    for (name, bytes) in SAMPLES {
        let path: PathBuf = folder.join(name);
        if std::fs::read(&path).is_ok_and(|there| there == *bytes) {
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(&path, bytes)?;
    }
    Ok(())
}

/// The wanted port, or one of the next that are free.
async fn next_free(wanted: SocketAddr) -> anyhow::Result<TcpListener> {
    for port in (wanted.port()..=u16::MAX).take(usize::from(PORTS)) {
        match TcpListener::bind((wanted.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot listen on {wanted}"))),
        }
    }
    anyhow::bail!("{PORTS} ports from {wanted} on are in use, choose another with --listen {}:PORT", wanted.ip())
}

fn welcome(listen: SocketAddr, secret: &str, who: &Who<'_>, word: &str, config: &Config) -> String {
    // Listening everywhere, a browser on this machine still goes to this machine.
    let host = match listen.ip() {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    let base = format!("http://{host}:{}", listen.port());
    let query = format!(
        r#"{{"query":"{{ searchSessions(query: \"{word}\", limit: 3) {{ total results {{ name snippet }} }} }}"}}"#
    );
    let program = std::env::args_os().next().unwrap_or_default();
    let (program, data) = (program.to_string_lossy(), config.data_dir.display());
    let password = match who.password {
        Some(password) => format!("{password} (not shown again)"),
        None => format!("as before; for a new one: {program} --data {data} user password {}", who.email),
    };
    format!(
        "\nPlayground, signed in:\n  {base}/#key={secret}\n\nKey:\n  {secret}\n\nPages, after signing in:\n  \
         {base}/login\n  mail address {}\n  password {password}\n\nTry:\n  \
         curl -s {base}/api/v1/graphql -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' -d '{query}'\n  \
         curl -s {base}/api/v1/projects -H 'Authorization: Bearer {secret}'\n  \
         {program} --data {data} key list\n  \
         sfs auth signup --url {base} --email you@example.com\n\nStop with Ctrl-C.",
        who.email,
    )
}
