//! `sessiongraph user`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use sg_domain::User;

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
