//! API keys. Only a hash of the secret is ever stored.

use crate::{Dialect, Digest, KeyId, Scopes, Timestamp, UserId};

/// An API key as it is stored and listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The API family it was made for.
    pub dialect: Dialect,
    /// What it may do.
    pub scopes: Scopes,
    /// The first characters of the secret, to tell keys apart.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it last worked, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key to be stored.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The key.
    pub key: ApiKey,
    /// SHA-256 of the whole secret.
    pub hash: Digest,
}
