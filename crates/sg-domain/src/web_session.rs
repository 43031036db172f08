//! A browser that is signed in, and who vouched for the person in it.

use crate::{Digest, KeyId, Timestamp, UserId};

/// A signed-in browser. Only a hash of its cookie is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSession {
    /// Its id.
    pub id: KeyId,
    /// Who is signed in.
    pub user: UserId,
    /// SHA-256 of the cookie.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A person as an OpenID Connect provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider.
    pub issuer: String,
    /// The provider's name for the person, which never changes.
    pub subject: String,
    /// The person's mail address.
    pub email: String,
    /// Whether the provider has checked that the address is theirs.
    pub is_email_verified: bool,
}
