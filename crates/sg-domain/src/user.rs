//! A person with an account.

use crate::{Error, Result, Timestamp, UserId};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Lower-case mail address, unique.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
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
