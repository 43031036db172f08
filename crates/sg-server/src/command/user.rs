//! `sessiongraph user`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use sg_domain::User;

use super::{operator, say, table};
use crate::config::Config;
use crate::gateway::{self, IndexUse};

/// Makes and lists accounts.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes an account.
    Create {
        /// The mail address of the account; it names the account and is never written to.
        email: String,
        /// Prints the account as JSON.
        #[arg(long)]
        json: bool,
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
            Self::Create { email, json } => {
                let user = app.create_user(&operator(), &email).await?;
                if json {
                    say(shown(&user).to_string())?;
                } else {
                    say(format!("Made user {} ({}).", user.email, user.id))?;
                    say(format!("Next: sessiongraph key create --user {}", user.email))?;
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
