//! `sessiongraph user`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use sg_domain::{Invite, Tier, User};

use super::password::{self, Source};
use super::{account, operator, say, table};
use crate::config::Config;
use crate::gateway::{self, IndexUse};

/// Makes and lists accounts, and sets their passwords.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes an account with a password.
    Create {
        /// The mail address of the account; it names the account and is never written to.
        email: String,
        #[command(flatten)]
        password: Source,
        /// Prints the account as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sets the password of an account and signs its browsers out.
    Password {
        /// The mail address of the account.
        email: String,
        #[command(flatten)]
        password: Source,
    },
    /// Invites a mail address: whoever has it may make an account through the API, as `sfs auth signup` does.
    Invite {
        /// The mail address. It is not written to: say so yourself.
        email: String,
        /// How long the invitation lasts, in days.
        #[arg(long, default_value_t = 7)]
        days: u32,
    },
    /// Lists invitations that were not used yet.
    Invites,
    /// Takes an invitation back.
    Uninvite {
        /// The mail address that was invited.
        email: String,
    },
    /// Sets what an account may use: free, starter, pro, team or enterprise; without one, what the server gives everyone.
    Tier {
        /// The mail address of the account.
        email: String,
        /// The tier that it gets.
        tier: Option<String>,
    },
    /// Turns an account off: none of its keys, devices and browsers works any more, and its data stays.
    Disable {
        /// The mail address of the account.
        email: String,
    },
    /// Turns an account on again.
    Enable {
        /// The mail address of the account.
        email: String,
    },
    /// Lists accounts, oldest first.
    List {
        /// Prints the accounts as JSON.
        #[arg(long)]
        json: bool,
    },
}

impl UserCommand {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let app = gateway::open(config, IndexUse::Nothing).await?.app;
        match self {
            Self::Create { email, password, json } => {
                // Asked for first: an account must not be left without one because somebody thought again.
                let password = password::read(&password)?;
                let user = app.create_user(&operator(), &email).await?;
                app.set_password(&operator(), &user.id, password.text()).await?;
                if json {
                    let mut shown = shown(&user);
                    if let Some(generated) = password.generated() {
                        shown["password"] = json!(generated);
                    }
                    say(shown.to_string())?;
                } else {
                    say(format!("Made user {} ({}).", user.email, user.id))?;
                    if let Some(generated) = password.generated() {
                        say(format!("Password: {generated} (it is not shown again)"))?;
                    }
                    say(format!("Next: sessiongraph key create --user {}", user.email))?;
                }
            }
            Self::Password { email, password } => {
                let user = account(&app, Some(&email)).await?;
                let password = password::read(&password)?;
                app.set_password(&operator(), &user.id, password.text()).await?;
                match password.generated() {
                    Some(generated) => say(format!("Password of {}: {generated} (it is not shown again)", user.email))?,
                    None => say(format!("Set the password of {}.", user.email))?,
                }
            }
            Self::Invite { email, days } => {
                let invite = app.invite(&operator(), &email, days).await?;
                say(format!("Invited {} until {}.", invite.email, invite.expires_at.to_iso_millis()))?;
                say(format!("Next, on their machine: sfs auth signup --url ADDRESS --email {}", invite.email))?;
            }
            Self::Invites => {
                let invites = app.invites(&operator()).await?;
                let row = |invite: &Invite| vec![invite.email.clone(), invite.expires_at.to_iso_millis()];
                say(table(&["EMAIL", "EXPIRES"], &invites.iter().map(row).collect::<Vec<_>>()))?;
            }
            Self::Uninvite { email } => {
                app.revoke_invite(&operator(), &email).await?;
                say("Took the invitation back.")?;
            }
            Self::Tier { email, tier } => {
                let user = account(&app, Some(&email)).await?;
                let known = || anyhow::anyhow!("a tier is free, starter, pro, team or enterprise");
                let tier = tier.map(|name| Tier::parse(&name).ok_or_else(known)).transpose()?;
                app.set_tier(&operator(), &user.id, tier).await?;
                let shown = tier.map_or("what the server gives everyone", Tier::name);
                say(format!("{} has {shown}.", user.email))?;
            }
            Self::Disable { email } => {
                let user = account(&app, Some(&email)).await?;
                app.disable_user(&operator(), &user.id).await?;
                say(format!("Turned {} off.", user.email))?;
            }
            Self::Enable { email } => {
                let user = account(&app, Some(&email)).await?;
                app.enable_user(&operator(), &user.id).await?;
                say(format!("Turned {} on.", user.email))?;
            }
            Self::List { json } => {
                let users = app.users(&operator()).await?;
                if json {
                    say(serde_json::Value::from_iter(users.iter().map(shown)).to_string())?;
                } else {
                    let row =
                        |user: &User| vec![user.email.clone(), user.id.to_string(), user.created_at.to_iso_millis()];
                    say(table(&["EMAIL", "ID", "CREATED"], &users.iter().map(row).collect::<Vec<_>>()))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn shown(user: &User) -> serde_json::Value {
    json!({ "id": user.id.as_str(), "email": user.email, "createdAt": user.created_at.to_iso_millis() })
}
