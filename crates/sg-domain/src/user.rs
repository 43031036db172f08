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

/// Trims and lower-cases a mail address and checks that it is one that mail can be sent to: a name of dots and letters that
/// need no quotes, and a host by its name.
pub fn normalise_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let is_dotted =
        |text: &str, is_part: fn(&str) -> bool| text.split('.').all(|part| !part.is_empty() && is_part(part));
    let good = email.len() <= 254
        && email.rsplit_once('@').is_some_and(|(name, host)| {
            name.len() <= 64
                && is_dotted(name, |part| {
                    !part.contains(|c: char| c.is_control() || c.is_whitespace() || QUOTED.contains(c))
                })
                && is_dotted(host, |label| {
                    label.chars().all(|c| c.is_alphanumeric() || c == '-')
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                })
        });
    if good { Ok(email) } else { Err(Error::invalid(format!("not a mail address: {}", crate::error::quote(text)))) }
}

/// What mean something else in an address, unless they are quoted.
const QUOTED: &str = "()<>[]:;@\\,\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_told_from_other_text() {
        assert_eq!(normalise_email(" Me.Too+tag@Example.COM\n").unwrap(), "me.too+tag@example.com");
        for good in ["a@b", "o'brien@x-y.example", "jürgen@bücher.example", "root@localhost", "1@2.3", "_{}|~@x.y"] {
            assert_eq!(normalise_email(good).unwrap(), good);
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            " ",
            "notanemail",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a@.b",
            "a@b.",
            "a@b..c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "<a@b>",
            "a<b@c",
            "a@b>",
            "\"a\"@b",
            "a,b@c",
            "a@b\r\nBcc: c@d",
            "a\0@b",
            "a@-b",
            "a@[127.0.0.1]",
            long.as_str(),
        ] {
            assert!(normalise_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_a_client_says_is_cut() {
        let said = |text: &str| Some(text.to_owned());
        let facts = ClientFacts { version: said(&"v".repeat(30)), platform: said(" li\0nux "), device: said("\n") };
        assert_eq!(facts.cut(), ClientFacts { version: said(&"v".repeat(20)), platform: said("linux"), device: None });
    }
}
