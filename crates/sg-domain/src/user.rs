//! A person with an account.

use crate::{Error, Result, Tier, Timestamp, UserId};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Lower-case mail address, unique.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the person is called.
    pub display_name: Option<String>,
    /// What it may use; `None` is what the server gives everyone.
    pub tier: Option<Tier>,
    /// When its address was shown to be its own.
    pub email_verified_at: Option<Timestamp>,
    /// When an operator turned it off: none of its credentials works any more.
    pub disabled_at: Option<Timestamp>,
    /// The program that last sent a session.
    pub last_client: ClientFacts,
    /// When a session was last sent.
    pub last_sync_at: Option<Timestamp>,
}

/// What a client says of itself; every part may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// Its version.
    pub version: Option<String>,
    /// The system it runs on.
    pub platform: Option<String>,
    /// The machine it runs on.
    pub device: Option<String>,
}

impl ClientFacts {
    /// The same in no more than is kept of each: 20, 50 and 100 characters, none of them control characters. What is
    /// blank is unknown.
    #[must_use]
    pub fn cut(&self) -> Self {
        let cut = |text: &Option<String>, chars: usize| {
            let text: String = text.as_deref()?.trim().chars().filter(|c| !c.is_control()).take(chars).collect();
            (!text.is_empty()).then_some(text)
        };
        Self { version: cut(&self.version, 20), platform: cut(&self.platform, 50), device: cut(&self.device, 100) }
    }
}

impl User {
    /// An account as it is made: its address shown to be its own, nothing else known.
    pub fn new(id: UserId, email: String, created_at: Timestamp) -> Self {
        Self {
            id,
            email,
            created_at,
            display_name: None,
            tier: None,
            email_verified_at: Some(created_at),
            disabled_at: None,
            last_client: ClientFacts::default(),
            last_sync_at: None,
        }
    }
}

/// Trims and lower-cases a mail address and checks that it looks like one.
pub fn normalise_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let good = email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && matches!(email.rsplit_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty()
            && !name.contains('@') && !host.starts_with('.') && !host.ends_with('.'));
    if good { Ok(email) } else { Err(Error::invalid(format!("not a mail address: {}", crate::error::quote(text)))) }
}
