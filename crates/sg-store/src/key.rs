//! API keys.

use sg_domain::{ApiKey, Digest, KeyId, NewApiKey, Result, Timestamp, UserId};

use crate::store::stub;
use crate::{Store, Tx};

impl Store {
    /// The key whose secret has this hash, revoked and expired ones included.
    pub async fn key_by_hash(&self, _hash: &Digest) -> Result<Option<ApiKey>> {
        stub()
    }
    /// A user's keys, or everyone's, oldest first.
    pub async fn keys(&self, _user: Option<&UserId>) -> Result<Vec<ApiKey>> {
        stub()
    }
    /// Notes that a key was used; skipped when the note is less than a minute old.
    pub async fn touch_key(&self, _id: KeyId, _now: Timestamp) -> Result<()> {
        stub()
    }
}
impl Tx {
    /// Adds a key.
    pub async fn insert_key(&self, _key: &NewApiKey) -> Result<()> {
        stub()
    }
    /// Revokes a key of this user (of anyone when `None`); whether there was one. Revoking again changes nothing.
    pub async fn revoke_key(&self, _user: Option<&UserId>, _id: KeyId, _now: Timestamp) -> Result<bool> {
        stub()
    }
}
