//! Refresh tokens of devices.

use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{DeviceToken, Digest, KeyId, Result, Timestamp, UserId};

use crate::entity::device_token;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::storable;
use crate::store::stored_id;
use crate::{Store, Tx};

const COLUMNS: [&str; 9] = [
    "d.id",
    "d.user_id",
    "d.hash",
    "d.hostname",
    "d.client",
    "d.created_at",
    "d.expires_at",
    "d.last_used_at",
    "d.revoked_at",
];

impl Store {
    /// The token with this hash, revoked and expired ones included.
    pub async fn device_token_by_hash(&self, hash: &Digest) -> Result<Option<DeviceToken>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM device_token d WHERE d.hash = ").text(&hash.to_string());
        Ok(self.row(sql.end(), decode).await?)
    }

    /// A user's devices, oldest first.
    pub async fn device_tokens(&self, user: &UserId) -> Result<Vec<DeviceToken>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM device_token d WHERE d.user_id = ").text(user.as_str());
        sql.add(" ORDER BY d.created_at, d.id");
        Ok(self.rows(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Adds a token.
    pub async fn insert_device_token(&self, token: &DeviceToken) -> Result<()> {
        let row = device_token::ActiveModel {
            id: Set(token.id.to_string()),
            user_id: Set(storable(token.user.as_str())),
            hash: Set(token.hash.to_string()),
            hostname: Set(storable(&token.hostname)),
            client: Set(storable(&token.client)),
            created_at: Set(token.created_at.micros()),
            expires_at: Set(token.expires_at.micros()),
            last_used_at: Set(token.last_used_at.map(Timestamp::micros)),
            revoked_at: Set(token.revoked_at.map(Timestamp::micros)),
        };
        device_token::Entity::insert(row).exec_without_returning(&self.tx).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Revokes a token of this user; whether there was one. Revoking again changes nothing.
    pub async fn revoke_device_token(&self, user: &UserId, id: KeyId, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("UPDATE device_token SET revoked_at = coalesce(revoked_at, ");
        sql.time(now).add(") WHERE id = ").text(&id.to_string());
        sql.add(" AND user_id = ").text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<DeviceToken> {
    Ok(DeviceToken {
        id: stored_id(row)?,
        user: UserId(row.text()?),
        hash: row.digest()?,
        hostname: row.text()?,
        client: row.text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
        last_used_at: row.opt_time()?,
        revoked_at: row.opt_time()?,
    })
}
