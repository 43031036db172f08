//! Who calls: identity, scopes, dialect; and what a caller may see.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, KeyId, Result, UserId};

/// What an API key lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read and search everything the user may see.
    Read,
    /// Create, change and delete it.
    Write,
    /// Run the server: users, jobs of everyone, reindex.
    Admin,
}

impl Scope {
    /// Every scope, weakest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name in keys, errors and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Just these.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, s| bits | 1 << *s as u8))
    }

    /// Whether the set holds a scope.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u8 != 0
    }

    /// The names, weakest first, separated by spaces: the form that is stored.
    pub fn names(self) -> String {
        let names: Vec<_> = Scope::ALL.into_iter().filter(|s| self.has(*s)).map(Scope::name).collect();
        names.join(" ")
    }

    /// Reads names separated by spaces or commas.
    pub fn parse(text: &str) -> Result<Self> {
        let mut scopes = Vec::new();
        for name in text.split([' ', ',']).filter(|n| !n.is_empty()) {
            match Scope::ALL.into_iter().find(|s| s.name() == name) {
                Some(scope) => scopes.push(scope),
                None => {
                    let name = crate::error::quote(name);
                    return Err(Error::invalid(format!("unknown scope {name}, use read, write or admin")));
                }
            }
        }
        Ok(Self::of(&scopes))
    }
}

/// The API family a key was made for; it decides the key's prefix and who answers first where two dialects share a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// SpecStory Cloud, and everything of our own.
    #[default]
    Specstory,
    /// SessionFS.
    Sessionfs,
    /// Nimrobo voice sessions.
    Nimrobo,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Specstory, Self::Sessionfs, Self::Nimrobo];

    /// Its name on the command line and in storage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Specstory => "specstory",
            Self::Sessionfs => "sessionfs",
            Self::Nimrobo => "nimrobo",
        }
    }

    /// What its keys start with.
    pub fn key_prefix(self) -> &'static str {
        match self {
            Self::Specstory => "sk_live_",
            Self::Sessionfs => "sk_sfs_",
            Self::Nimrobo => "api_",
        }
    }
}

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The local command line, which acts as a user.
    Local,
    /// An API key.
    Key(KeyId),
    /// An access token of a device that signed in.
    Device(KeyId),
    /// A browser's cookie.
    Web(KeyId),
}

/// A credential that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user it belongs to.
    pub user: UserId,
    /// What it was.
    pub credential: Credential,
    /// What it may do.
    pub scopes: Scopes,
}

/// Why there is no identity, for dialects that word it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// No credential was sent.
    Missing,
    /// A credential was sent that is not known.
    Unknown,
    /// The credential has expired.
    Expired,
    /// The credential was revoked.
    Revoked,
    /// The credential is good, its account was turned off.
    Inactive,
    /// A device's refresh token, good as it is: all it gives is access tokens.
    RefreshToken,
    /// Too many requests, or too many credentials that are not known from this address.
    Limited {
        /// How long to wait before the next attempt.
        retry_after: Duration,
    },
}

/// A caller's data version as it was when the request came in: moved by every committed change of what the caller can
/// see. It travels beside the [`Caller`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataVersion(pub i64);

/// Who makes a request. Found by `identify` once, handed to every operation.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The identity, or why there is none.
    pub identity: std::result::Result<Identity, Anonymous>,
    /// The API family of the credential.
    pub dialect: Dialect,
    /// Names this request in logs and answers.
    pub request_id: String,
}

impl Caller {
    /// Nobody, with no credential.
    pub fn anonymous(request_id: impl Into<String>) -> Self {
        Self { identity: Err(Anonymous::Missing), dialect: Dialect::default(), request_id: request_id.into() }
    }

    /// The local command line, acting for a user with every scope.
    pub fn local(user: UserId) -> Self {
        let identity = Identity { user, credential: Credential::Local, scopes: Scopes::of(&Scope::ALL) };
        Self { identity: Ok(identity), dialect: Dialect::default(), request_id: "local".to_owned() }
    }

    /// The identity, if it has a scope: the first statement of every operation.
    pub fn require(&self, scope: Scope) -> Result<&Identity> {
        let identity = self.known()?;
        if identity.scopes.has(scope) { Ok(identity) } else { Err(Error::missing_scope(scope)) }
    }

    /// The identity, whatever it may do; `Unauthenticated`, `Forbidden` (its account was turned off) or `RateLimited` when
    /// there is none.
    pub fn known(&self) -> Result<&Identity> {
        self.identity.as_ref().map_err(|why| match why {
            Anonymous::Limited { retry_after } => {
                Error::new(ErrorKind::RateLimited { retry_after: *retry_after }, "rate limit exceeded")
            }
            Anonymous::Inactive => Error::new(ErrorKind::Forbidden, "user account is inactive"),
            _ => Error::unauthenticated(),
        })
    }
}

/// The tenants whose data a read may touch. Every read of tenant data takes one; there is no way to make one that
/// sees everything except [`Visibility::everyone`], which only maintenance (reindex, doctor, sweep) uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// One user's own data.
    Owner(UserId),
    /// All of it: maintenance only, never on behalf of a caller.
    Everyone,
}

impl Visibility {
    /// What an identity may see: its own data.
    pub fn of(identity: &Identity) -> Self {
        Self::Owner(identity.user.clone())
    }

    /// All tenants, for maintenance.
    pub fn everyone() -> Self {
        Self::Everyone
    }

    /// Whether data of this owner may be seen.
    pub fn allows(&self, owner: &UserId) -> bool {
        match self {
            Self::Owner(user) => user == owner,
            Self::Everyone => true,
        }
    }
}
