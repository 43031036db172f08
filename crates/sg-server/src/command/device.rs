//! `sessiongraph device`.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use sg_app::NewDevice;
use sg_domain::{Caller, DeviceToken, KeyId, Timestamp};

use super::{account, operator, say, table};
use crate::config::Config;
use crate::gateway::{self, IndexUse};

/// Signs devices in without a browser, lists and revokes them.
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Makes a refresh token and prints it, this once: for `specstory --cloud-token` where no browser can sign in.
    Token {
        /// The mail address of the account that the device acts for. It may be left out while there is only one.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// What you call the device.
        #[arg(long, default_value = "command line")]
        name: String,
        /// Prints the token as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists devices, oldest first. Tokens are not stored and cannot be shown.
    List {
        /// Lists only the devices of the account with this mail address.
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Prints the devices as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revokes a device. All its tokens stop working at once.
    Revoke {
        /// The id of the device, as `device list` shows it.
        id: String,
    },
}

impl DeviceCommand {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let app = gateway::open(config, IndexUse::Nothing).await?.app;
        match self {
            Self::Token { user, name, json } => {
                let user = account(&app, user.as_deref()).await?;
                let device = NewDevice { hostname: name, client: "sessiongraph".to_owned(), ..NewDevice::default() };
                let made = app.create_device(&Caller::local(user.id.clone()), &user.id, &device).await?;
                if json {
                    let mut shown = shown(&made.token, &user.email);
                    shown["refreshToken"] = json!(made.secret);
                    say(shown.to_string())?;
                } else {
                    say(&made.secret)?;
                    let until = made.token.expires_at.day();
                    eprintln!("A device with this token acts for {} until {until}. It is not shown again.", user.email);
                }
            }
            Self::List { user, json } => {
                let users = app.users(&operator()).await?;
                let emails: HashMap<_, _> = users.iter().map(|u| (&u.id, u.email.as_str())).collect();
                let wanted = match &user {
                    Some(email) => Some(account(&app, Some(email)).await?.id),
                    None => None,
                };
                let devices = app.devices(&operator(), true).await?;
                let devices = devices.iter().filter(|d| wanted.as_ref().is_none_or(|user| *user == d.user));
                let email = |device: &DeviceToken| emails.get(&device.user).copied().unwrap_or_default();
                if json {
                    say(Value::from_iter(devices.map(|device| shown(device, email(device)))).to_string())?;
                } else {
                    let now = app.now();
                    let rows: Vec<_> = devices.map(|device| row(device, email(device), now)).collect();
                    say(table(&["ID", "USER", "NAME", "SYSTEM", "CLIENT", "STATE", "LAST USED"], &rows))?;
                }
            }
            Self::Revoke { id } => {
                let id: KeyId =
                    id.parse().map_err(|_| anyhow::anyhow!("not a device id, see `sessiongraph device list`"))?;
                app.revoke_device(&operator(), id).await?;
                say(format!("Revoked device {id}."))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(device: &DeviceToken, email: &str, now: Timestamp) -> Vec<String> {
    let used = device.last_used_at.map_or_else(|| "never".to_owned(), Timestamp::to_iso_millis);
    let state = match device.revoked_at {
        Some(at) => format!("revoked {}", at.day()),
        None if device.expires_at <= now => format!("expired {}", device.expires_at.day()),
        None => format!("until {}", device.expires_at.day()),
    };
    let client = format!("{} {}", device.client, device.client_version);
    let (id, name, os) = (device.id.to_string(), device.hostname.clone(), device.os.clone());
    vec![id, email.to_owned(), name, os, client.trim().to_owned(), state, used]
}

fn shown(device: &DeviceToken, email: &str) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_iso_millis);
    json!({
        "id": device.id.to_string(),
        "user": device.user.as_str(),
        "email": email,
        "hostname": device.hostname,
        "os": device.os,
        "username": device.username,
        "client": device.client,
        "clientVersion": device.client_version,
        "createdAt": device.created_at.to_iso_millis(),
        "expiresAt": device.expires_at.to_iso_millis(),
        "lastUsedAt": time(device.last_used_at),
        "revokedAt": time(device.revoked_at),
    })
}
