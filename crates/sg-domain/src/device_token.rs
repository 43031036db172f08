//! Devices that signed in (SpecStory's CLI): the code that lets one in, its refresh token, its access tokens. Of each
//! secret only a hash is stored.

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
    /// The client's version.
    pub client_version: String,
    /// The device's system, such as `Linux 12 (bookworm) amd64`.
    pub os: String,
    /// Who is signed in on the device, by the device's own account of it.
    pub username: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it last worked.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The single-use code that a signed-in person types into a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Its id.
    pub id: KeyId,
    /// Whose account it lets a device into.
    pub user: UserId,
    /// SHA-256 of the code.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When a device used it.
    pub used_at: Option<Timestamp>,
}

/// A short-lived token of a device, good for requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub id: KeyId,
    /// The device whose it is.
    pub device: KeyId,
    /// SHA-256 of the whole token.
    pub hash: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}
