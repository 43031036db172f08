//! `sessiongraph key`.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use sg_app::KeyRequest;
use sg_domain::{ApiKey, Caller, Dialect, KeyId, Scopes, Timestamp};

use super::{account, operator, say, table};
use crate::config::Config;
use crate::gateway::{self, IndexUse};

/// Makes, lists and revokes API keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key and prints it, this once.
    Create {
        /// The mail address of the account that the key acts for. It may be left out while there is only one.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// What the key may do: read, write, admin, separated by commas.
        #[arg(long, default_value = "read,write")]
        scopes: String,
        /// The API family that the key is for; it decides how the key begins.
        #[arg(long, value_enum, default_value = "specstory")]
        dialect: DialectName,
        /// What you call the key.
        #[arg(long, default_value = "command line")]
        name: String,
        /// When the key stops working: a date such as 2027-01-31, or a number of days such as 90d.
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Prints the key as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists keys, oldest first. Secrets are not stored and cannot be shown.
    List {
        /// Lists only the keys of the account with this mail address.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Prints the keys as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revokes a key. It stops working at once.
    Revoke {
        /// The id of the key, as `key list` shows it.
        id: String,
    },
}

/// An API family, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DialectName {
    /// SpecStory Cloud's API, and GraphQL.
    Specstory,
    /// SessionFS's API.
    Sessionfs,
    /// Nimrobo's API.
    Nimrobo,
}

impl KeyCommand {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let app = gateway::open(config, IndexUse::Nothing).await?.app;
        match self {
            Self::Create { user, scopes, dialect, name, expires, json } => {
                let user = account(&app, user.as_deref()).await?;
                let scopes = Scopes::parse(&scopes)?;
                let expires_at = expires.as_deref().map(|text| expiry(text, app.now())).transpose()?;
                let dialect = match dialect {
                    DialectName::Specstory => Dialect::Specstory,
                    DialectName::Sessionfs => Dialect::Sessionfs,
                    DialectName::Nimrobo => Dialect::Nimrobo,
                };
                let request = KeyRequest { user: user.id.clone(), name, dialect, scopes, expires_at };
                let made = app.create_key(&Caller::local(user.id), request).await?;
                if json {
                    let mut shown = shown(&made.key, &user.email);
                    shown["secret"] = json!(made.secret);
                    say(shown.to_string())?;
                } else {
                    say(&made.secret)?;
                    eprintln!("This key of {} may {}. Keep it: it is not shown again.", user.email, scopes.names());
                }
            }
            Self::List { user, json } => {
                let users = app.users(&operator()).await?;
                let emails: HashMap<_, _> = users.iter().map(|u| (&u.id, u.email.as_str())).collect();
                let wanted = match &user {
                    Some(email) => Some(account(&app, Some(email)).await?.id),
                    None => None,
                };
                let keys = app.keys(&operator(), true).await?;
                let keys = keys.iter().filter(|key| wanted.as_ref().is_none_or(|user| *user == key.user));
                let email = |key: &ApiKey| emails.get(&key.user).copied().unwrap_or_default();
                if json {
                    say(Value::from_iter(keys.map(|key| shown(key, email(key)))).to_string())?;
                } else {
                    let now = app.now();
                    let rows: Vec<_> = keys.map(|key| row(key, email(key), now)).collect();
                    say(table(&["ID", "USER", "NAME", "BEGINS", "DIALECT", "SCOPES", "STATE", "LAST USED"], &rows))?;
                }
            }
            Self::Revoke { id } => {
                let id: KeyId = id.parse().map_err(|_| anyhow::anyhow!("not a key id, see `sessiongraph key list`"))?;
                app.revoke_key(&operator(), id).await?;
                say(format!("Revoked key {id}."))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(key: &ApiKey, email: &str, now: Timestamp) -> Vec<String> {
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), Timestamp::to_iso_millis);
    let begins = format!("{}…", key.prefix);
    let (id, dialect, scopes) = (key.id.to_string(), key.dialect.name().to_owned(), key.scopes.names());
    vec![id, email.to_owned(), key.name.clone(), begins, dialect, scopes, state(key, now), used]
}

fn state(key: &ApiKey, now: Timestamp) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", at.day()),
        (None, Some(at)) if at <= now => format!("expired {}", at.day()),
        (None, Some(at)) => format!("until {}", at.day()),
        (None, None) => "valid".to_owned(),
    }
}

fn shown(key: &ApiKey, email: &str) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_iso_millis);
    json!({
        "id": key.id.to_string(),
        "user": key.user.as_str(),
        "email": email,
        "name": key.name,
        "dialect": key.dialect.name(),
        "scopes": key.scopes.names().split(' ').collect::<Vec<_>>(),
        "prefix": key.prefix,
        "createdAt": key.created_at.to_iso_millis(),
        "expiresAt": time(key.expires_at),
        "lastUsedAt": time(key.last_used_at),
        "revokedAt": time(key.revoked_at),
    })
}

/// A date, a time, or days from now.
fn expiry(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok());
    let at = days.map(|days| now.plus_micros(i64::from(days) * sg_domain::time::DAY_MICROS));
    at.or_else(|| Timestamp::parse(text)).ok_or_else(|| {
        anyhow::anyhow!(
            "{} is not a time, use a date such as 2027-01-31 or days such as 90d",
            sg_domain::error::quote(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_a_date_or_days() {
        let now = Timestamp::from_secs(1_000_000_000);
        assert_eq!(expiry("1d", now).unwrap().secs(), 1_000_086_400);
        assert_eq!(expiry("2027-01-31", now).unwrap().day(), "2027-01-31");
        assert!(expiry("soon", now).is_err());
        assert!(expiry("-3d", now).is_err());
    }
}
