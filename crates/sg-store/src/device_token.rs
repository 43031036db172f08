//! Devices: their refresh tokens, the access tokens these gave, and the codes that let devices in.

use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{AccessToken, DeviceCode, DeviceToken, Digest, KeyId, Result, Timestamp, UserId};

use crate::entity::device_token;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::storable;
use crate::store::stored_id;
use crate::{Store, Tx};

const COLUMNS: [&str; 12] = [
    "d.id",
    "d.user_id",
    "d.hash",
    "d.hostname",
    "d.client",
    "d.client_version",
    "d.os",
    "d.username",
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

    /// A user's devices, or everyone's, oldest first.
    pub async fn device_tokens(&self, user: Option<&UserId>) -> Result<Vec<DeviceToken>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM device_token d");
        if let Some(user) = user {
            sql.add(" WHERE d.user_id = ").text(user.as_str());
        }
        sql.add(" ORDER BY d.created_at, d.id");
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// The end of the access token with this hash, the device whose it is and whether its account was turned off; ended and
    /// revoked ones included.
    pub async fn device_by_access_token(&self, hash: &Digest) -> Result<Option<(Timestamp, DeviceToken, bool)>> {
        let columns: Vec<_> = ["a.expires_at", "u.disabled_at"].into_iter().chain(COLUMNS).collect();
        let mut sql = self.select(&columns);
        sql.add(" FROM access_token a JOIN device_token d ON d.id = a.device_id");
        sql.add(r#" JOIN "user" u ON u.id = d.user_id WHERE a.hash = "#).text(&hash.to_string());
        let found = self.row(sql.end(), |row| {
            let (expires_at, is_disabled) = (row.time()?, row.opt_time()?.is_some());
            Ok((expires_at, decode(row)?, is_disabled))
        });
        Ok(found.await?)
    }

    /// The device code with this hash, used and ended ones included.
    pub async fn device_code_by_hash(&self, hash: &Digest) -> Result<Option<DeviceCode>> {
        let mut sql = self.select(&["c.id", "c.user_id", "c.hash", "c.created_at", "c.expires_at", "c.used_at"]);
        sql.add(" FROM device_code c WHERE c.hash = ").text(&hash.to_string());
        let code = self.row(sql.end(), |row| {
            Ok(DeviceCode {
                id: stored_id(row)?,
                user: UserId(row.text()?),
                hash: row.digest()?,
                created_at: row.time()?,
                expires_at: row.time()?,
                used_at: row.opt_time()?,
            })
        });
        Ok(code.await?)
    }

    /// Notes that a device was used. Callers see to it that this is not done at each request.
    pub async fn touch_device_token(&self, id: KeyId, now: Timestamp) -> Result<()> {
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE device_token SET last_used_at = ");
        sql.time(now).add(" WHERE id = ").text(&id.to_string());
        tx.run(sql).await?;
        tx.commit().await
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
            client_version: Set(storable(&token.client_version)),
            os: Set(storable(&token.os)),
            username: Set(storable(&token.username)),
            created_at: Set(token.created_at.micros()),
            expires_at: Set(token.expires_at.micros()),
            last_used_at: Set(token.last_used_at.map(Timestamp::micros)),
            revoked_at: Set(token.revoked_at.map(Timestamp::micros)),
        };
        device_token::Entity::insert(row).exec_without_returning(&self.tx).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Revokes a token of this user (of anyone when `None`); whether there was one. Revoking again changes nothing.
    pub async fn revoke_device_token(&self, user: Option<&UserId>, id: KeyId, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("UPDATE device_token SET revoked_at = coalesce(revoked_at, ");
        sql.time(now).add(") WHERE id = ").text(&id.to_string());
        if let Some(user) = user {
            sql.add(" AND user_id = ").text(user.as_str());
        }
        Ok(self.run(sql).await? > 0)
    }

    /// Adds an access token and keeps no more than `keep` of its device: the oldest stop working.
    pub async fn insert_access_token(&self, token: &AccessToken, keep: u32) -> Result<()> {
        let (id, device) = (token.id.to_string(), token.device.to_string());
        let mut sql = self.sql("INSERT INTO access_token (id, device_id, hash, created_at, expires_at) VALUES (");
        sql.text(&id).add(", ").text(&device).add(", ").text(&token.hash.to_string());
        sql.add(", ").time(token.created_at).add(", ").time(token.expires_at).add(")");
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM access_token WHERE device_id = ");
        sql.text(&device).add(" AND id NOT IN (SELECT id FROM access_token WHERE device_id = ").text(&device);
        sql.add(" ORDER BY created_at DESC, id DESC LIMIT ").int(keep.into()).add(")");
        self.run(sql).await?;
        Ok(())
    }

    /// Adds a code; `Conflict` while the same one is open. Of its user's open codes only the newest `keep` stay.
    pub async fn insert_device_code(&self, code: &DeviceCode, keep: u32) -> Result<()> {
        let hash = code.hash.to_string();
        let mut sql = self.sql("DELETE FROM device_code WHERE hash = ");
        sql.text(&hash).add(" AND (used_at IS NOT NULL OR expires_at <= ").time(code.created_at).add(")");
        self.run(sql).await?;
        let mut sql = self.sql("INSERT INTO device_code (id, user_id, hash, created_at, expires_at) VALUES (");
        sql.text(&code.id.to_string()).add(", ").text(code.user.as_str()).add(", ").text(&hash);
        sql.add(", ").time(code.created_at).add(", ").time(code.expires_at).add(")");
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM device_code WHERE used_at IS NULL AND user_id = ");
        sql.text(code.user.as_str())
            .add(" AND id NOT IN (SELECT id FROM device_code WHERE used_at IS NULL AND user_id = ");
        sql.text(code.user.as_str()).add(" ORDER BY created_at DESC, id DESC LIMIT ").int(keep.into()).add(")");
        self.run(sql).await?;
        Ok(())
    }

    /// Uses the open code with this hash up; whose account it opens, if there is such a code.
    pub async fn use_device_code(&self, hash: &Digest, now: Timestamp) -> Result<Option<UserId>> {
        let mut sql = self.sql("UPDATE device_code SET used_at = ");
        sql.time(now).add(" WHERE used_at IS NULL AND expires_at > ").time(now);
        sql.add(" AND hash = ").text(&hash.to_string()).add(" RETURNING user_id");
        Ok(self.row(sql, |row| Ok(UserId(row.text()?))).await?)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<DeviceToken> {
    Ok(DeviceToken {
        id: stored_id(row)?,
        user: UserId(row.text()?),
        hash: row.digest()?,
        hostname: row.text()?,
        client: row.text()?,
        client_version: row.text()?,
        os: row.text()?,
        username: row.text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
        last_used_at: row.opt_time()?,
        revoked_at: row.opt_time()?,
    })
}
