//! Refresh tokens of devices.

use sg_domain::{DeviceToken, Digest, KeyId, Result, Timestamp, UserId};

use crate::store::stub;
use crate::{Store, Tx};

impl Store {
    /// The token with this hash, revoked and expired ones included.
    pub async fn device_token_by_hash(&self, _hash: &Digest) -> Result<Option<DeviceToken>> {
        stub()
    }
    /// A user's devices, oldest first.
    pub async fn device_tokens(&self, _user: &UserId) -> Result<Vec<DeviceToken>> {
        stub()
    }
}
impl Tx {
    /// Adds a token.
    pub async fn insert_device_token(&self, _token: &DeviceToken) -> Result<()> {
        stub()
    }
    /// Revokes a token of this user; whether there was one.
    pub async fn revoke_device_token(&self, _user: &UserId, _id: KeyId, _now: Timestamp) -> Result<bool> {
        stub()
    }
}
