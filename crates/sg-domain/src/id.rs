//! Identifiers. Each noun has its own type, so that one cannot stand in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;

/// The longest client-chosen identifier we keep, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 255;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                // Only the hyphenated lower-case form, so that an id has one spelling.
                match Uuid::try_parse(text) {
                    Ok(id) if id.hyphenated().to_string() == text => Ok(Self(id)),
                    _ => Err(Error::invalid(concat!("not a ", $noun, " id"))),
                }
            }
        }
    };
}

uuid_id! {
    /// The server's own id of a session (UUID v7, made by us). Clients may also name a session by project and client id.
    SessionId, "session"
}
uuid_id! {
    /// The server's own id of a project row. Never shown: callers see [`ProjectId`], unique only per owner.
    ProjectKey, "project"
}
uuid_id! {
    /// The id of an API key (not the secret).
    KeyId, "key"
}
uuid_id! {
    /// The id of a job.
    JobId, "job"
}
uuid_id! {
    /// The id of a share link (not its token).
    ShareLinkId, "share link"
}

/// A user: `user_` and 32 hex digits. SpecStory's clients show it as `ownerId`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub String);

impl UserId {
    /// Makes the id of a new user from random bytes.
    pub fn from_uuid(id: Uuid) -> Self {
        Self(format!("user_{}", id.simple()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A project as its owner's clients name it, for example `0f81-fa3b-cc40-b565`; unique per owner, not globally.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(String);

impl ProjectId {
    /// Checks length and characters: 1 to 255 bytes, no control characters, no `/`.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        client_id("project", &text)?;
        Ok(Self(text))
    }

    /// Derives the id of a project from its git remote or absolute workspace path, as SpecStory's CLI does: the first
    /// 16 hex digits of the SHA-256 of the input, in groups of four (`contracts/specstory.md` 5).
    pub fn derive(input: &str) -> Self {
        let hash = crate::Digest::of(input.as_bytes()).to_string();
        Self(format!("{}-{}-{}-{}", &hash[..4], &hash[4..8], &hash[8..12], &hash[12..16]))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks an id that a client chose (project or session).
pub fn client_id(noun: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() || text.len() > MAX_CLIENT_ID_BYTES || text.chars().any(|c| c.is_control() || c == '/') {
        return Err(Error::invalid(format!(
            "{noun} id must be 1 to {MAX_CLIENT_ID_BYTES} bytes without control characters or slashes"
        )));
    }
    Ok(())
}

/// The fewest and the most characters of an alias.
const ALIAS_CHARS: std::ops::RangeInclusive<usize> = 3..=100;

/// Checks a short name that a person gives a session: letters, digits, hyphens and underscores, so that it is one word
/// in an address and on a command line.
pub fn alias(text: &str) -> Result<(), Error> {
    let is_word = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if is_word && starts_well && ALIAS_CHARS.contains(&text.len()) {
        return Ok(());
    }
    let message = "alias must be 3 to 100 letters, digits, hyphens or underscores, the first a letter or digit";
    Err(Error::invalid(message).with("field", "alias").at("alias"))
}

/// Normalises a git remote the way SpecStory's CLI does before hashing: `.git` removed, `git@host:o/r` becomes
/// `host/o/r`, `scheme://` and user information stripped (`contracts/specstory.md` 5).
pub fn normalise_remote(remote: &str) -> String {
    let remote = remote.trim().trim_end_matches('/');
    let remote = remote.strip_suffix(".git").unwrap_or(remote);
    let (had_scheme, rest) = match remote.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, remote),
    };
    let slash = rest.find('/').unwrap_or(rest.len());
    // User information ends at the last `@` of the authority; a password in a remote must not shape the id.
    let rest = match rest[..slash].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    if had_scheme {
        return rest.to_owned();
    }
    match rest.split_once(':') {
        // `host:owner/repo`, the scp form; a Windows drive letter is a path, not a host.
        Some((host, path)) if host.len() > 1 && !host.contains('/') => {
            format!("{host}/{}", path.trim_start_matches('/'))
        }
        _ => rest.to_owned(),
    }
}

/// A message of a session, by its place: `<session id>.m<ordinal>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The session it belongs to.
    pub session: SessionId,
    /// Its place in the session, from 0.
    pub ordinal: u32,
}

/// An exchange of a session, by its place: `<session id>.x<ordinal>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId {
    /// The session it belongs to.
    pub session: SessionId,
    /// Its place in the session, from 0.
    pub ordinal: u32,
}

macro_rules! ordinal_id {
    ($name:ident, $tag:literal, $noun:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}.", $tag, "{}"), self.session, self.ordinal)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                text.split_once(concat!(".", $tag))
                    .and_then(|(session, ordinal)| {
                        let id = Self { session: session.parse().ok()?, ordinal: ordinal.parse().ok()? };
                        (id.to_string() == text).then_some(id)
                    })
                    .ok_or_else(|| Error::invalid(concat!("not ", $noun, " id")))
            }
        }
    };
}
ordinal_id!(MessageId, "m", "a message");
ordinal_id!(ExchangeId, "x", "an exchange");

/// How a caller names a session: by our id, or by project and the id its client chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// Our own id.
    Id(SessionId),
    /// The id the client chose (our id is accepted too) inside one project.
    InProject(ProjectId, String),
    /// The id the client chose, in any of the caller's projects; the most recently active one wins.
    Client(String),
    /// The alias that its owner gave it.
    Alias(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_contract_vectors() {
        for remote in [
            "git@github.com:specstoryai/getspecstory.git",
            "https://github.com/specstoryai/getspecstory.git",
            "https://token:x@github.com/specstoryai/getspecstory",
            "ssh://git@github.com/specstoryai/getspecstory.git",
        ] {
            let id = ProjectId::derive(&normalise_remote(remote));
            assert_eq!(id.as_str(), "0f81-fa3b-cc40-b565", "{remote}");
        }
        assert_eq!(ProjectId::derive("/home/u/proj").as_str(), "9c09-f805-5a26-c277");
    }

    #[test]
    fn an_alias_is_one_plain_word() {
        for good in ["abc", "a-1", "0_0", "Fix-the-Build_2", &"a".repeat(100)] {
            assert!(alias(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "-ab", "_ab", "a b", "a.b", "äbc", "ab\n", "a/b", &"a".repeat(101)] {
            assert_eq!(alias(bad).unwrap_err().input, Some(vec!["alias".to_owned()]), "{bad}");
        }
    }

    #[test]
    fn ids_have_one_spelling() {
        let session = SessionId(Uuid::from_u128(7));
        let id = MessageId { session, ordinal: 12 };
        assert_eq!(id.to_string().parse::<MessageId>().ok(), Some(id));
        assert!(format!("{session}.m012").parse::<MessageId>().is_err());
        assert!(format!("{session}.x1").parse::<MessageId>().is_err());
        assert!(session.to_string().to_uppercase().replace('0', "A").parse::<SessionId>().is_err());
        assert!(ProjectId::new("a/b").is_err());
        assert!(ProjectId::new("x".repeat(256)).is_err());
    }
}
