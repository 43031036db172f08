//! Refresh tokens of devices that signed in (SpecStory's CLI). Only a hash is stored.

use crate::{Digest, KeyId, Timestamp, UserId};

/// A device's refresh token, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceToken {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub user: UserId,
    /// SHA-256 of the whole token.
    pub hash: Digest,
    /// The device's name.
    pub hostname: String,
    /// The client that signed in, such as `specstory-cli`.
    pub client: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it last worked.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
