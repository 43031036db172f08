//! API keys.

use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{ApiKey, Dialect, Digest, KeyId, NewApiKey, Result, Scopes, Timestamp, UserId};

use crate::entity::api_key;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{Sql, storable};
use crate::store::{named, stored_id};
use crate::{Store, Tx};

const COLUMNS: [&str; 10] = [
    "k.id",
    "k.user_id",
    "k.name",
    "k.dialect",
    "k.scopes",
    "k.prefix",
    "k.created_at",
    "k.expires_at",
    "k.last_used_at",
    "k.revoked_at",
];

/// How old the note of a key's last use gets before it is written again.
const TOUCH_AFTER_MICROS: i64 = 60_000_000;

/// A key, and how its account stands.
#[derive(Clone, Debug)]
pub struct KeyAndAccount {
    /// The key, revoked and expired ones included.
    pub key: ApiKey,
    /// The account's data version.
    pub version: i64,
    /// Whether the account was turned off.
    pub is_disabled: bool,
}

impl Store {
    /// The key whose secret has this hash, revoked and expired ones included.
    pub async fn key_by_hash(&self, hash: &Digest) -> Result<Option<ApiKey>> {
        let mut sql = self.select_keys();
        sql.add(" WHERE k.hash = ").text(&hash.to_string());
        Ok(self.row(sql.end(), decode).await?)
    }

    /// The same with what else most requests need of its account, in one read.
    pub async fn key_and_account(&self, hash: &Digest) -> Result<Option<KeyAndAccount>> {
        let columns: Vec<_> = ["coalesce(v.version, 0)", "u.disabled_at"].into_iter().chain(COLUMNS).collect();
        let mut sql = self.select(&columns);
        sql.add(r#" FROM api_key k JOIN "user" u ON u.id = k.user_id LEFT JOIN data_version v ON v.owner = k.user_id"#);
        sql.add(" WHERE k.hash = ").text(&hash.to_string());
        let found = self.row(sql.end(), |row| {
            Ok(KeyAndAccount { version: row.int()?, is_disabled: row.opt_time()?.is_some(), key: decode(row)? })
        });
        Ok(found.await?)
    }

    /// A user's keys, or everyone's, oldest first.
    pub async fn keys(&self, user: Option<&UserId>) -> Result<Vec<ApiKey>> {
        let mut sql = self.select_keys();
        if let Some(user) = user {
            sql.add(" WHERE k.user_id = ").text(user.as_str());
        }
        sql.add(" ORDER BY k.created_at, k.id");
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// Notes that a key was used; skipped when the note is less than a minute old.
    pub async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<()> {
        let stale = now.plus_micros(-TOUCH_AFTER_MICROS);
        {
            let mut touched = self.inner.touched.lock();
            if touched.get(&id).is_some_and(|last| *last > stale) {
                return Ok(());
            }
            touched.insert(id, now);
        }
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE api_key SET last_used_at = ");
        sql.time(now).add(" WHERE id = ").text(&id.to_string());
        sql.add(" AND (last_used_at IS NULL OR last_used_at <= ").time(stale).add(")");
        tx.run(sql).await?;
        tx.commit().await
    }

    fn select_keys(&self) -> Sql {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM api_key k");
        sql
    }
}

impl Tx {
    /// Adds a key.
    pub async fn insert_key(&self, new: &NewApiKey) -> Result<()> {
        let key = &new.key;
        let row = api_key::ActiveModel {
            id: Set(key.id.to_string()),
            user_id: Set(storable(key.user.as_str())),
            hash: Set(new.hash.to_string()),
            name: Set(storable(&key.name)),
            dialect: Set(key.dialect.name().to_owned()),
            scopes: Set(key.scopes.names()),
            prefix: Set(storable(&key.prefix)),
            created_at: Set(key.created_at.micros()),
            expires_at: Set(key.expires_at.map(Timestamp::micros)),
            last_used_at: Set(key.last_used_at.map(Timestamp::micros)),
            revoked_at: Set(key.revoked_at.map(Timestamp::micros)),
        };
        api_key::Entity::insert(row).exec_without_returning(&self.tx).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Revokes a key of this user (of anyone when `None`); whether there was one. Revoking again changes nothing.
    pub async fn revoke_key(&self, user: Option<&UserId>, id: KeyId, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("UPDATE api_key SET revoked_at = coalesce(revoked_at, ");
        sql.time(now).add(") WHERE id = ").text(&id.to_string());
        if let Some(user) = user {
            sql.add(" AND user_id = ").text(user.as_str());
        }
        Ok(self.run(sql).await? > 0)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<ApiKey> {
    Ok(ApiKey {
        id: stored_id(row)?,
        user: UserId(row.text()?),
        name: row.text()?,
        dialect: {
            let name = row.text()?;
            named(Dialect::ALL.into_iter().find(|d| d.name() == name), "dialect", &name)?
        },
        scopes: Scopes::parse(&row.text()?).map_err(|e| StoreError::Corrupt(e.to_string()))?,
        prefix: row.text()?,
        created_at: row.time()?,
        expires_at: row.opt_time()?,
        last_used_at: row.opt_time()?,
        revoked_at: row.opt_time()?,
    })
}
