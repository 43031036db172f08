//! Accounts.

use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::user::ClientFacts;
use sg_domain::{Error, ErrorKind, Result, Tier, Timestamp, User, UserId};

use crate::entity::user;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{Sql, storable};
use crate::store::named;
use crate::{Store, Tx};

const COLUMNS: [&str; 11] = [
    "u.id",
    "u.email",
    "u.created_at",
    "u.display_name",
    "u.tier",
    "u.email_verified_at",
    "u.disabled_at",
    "u.client_version",
    "u.client_platform",
    "u.client_device",
    "u.last_sync_at",
];

impl Store {
    /// The user with this (normalised) mail address.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let mut sql = self.select_users();
        sql.add(" WHERE u.email = ").text(email);
        Ok(self.row(sql.end(), decode).await?)
    }

    /// The user with this id.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>> {
        let mut sql = self.select_users();
        sql.add(" WHERE u.id = ").text(id.as_str());
        Ok(self.row(sql.end(), decode).await?)
    }

    /// Every user, oldest first.
    pub async fn users(&self) -> Result<Vec<User>> {
        let mut sql = self.select_users();
        sql.add(" ORDER BY u.created_at, u.id");
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// The user with this (normalised) mail address and the hash of their password, if they have one.
    pub async fn user_password(&self, email: &str) -> Result<Option<(User, Option<String>)>> {
        let mut sql = self.select(&[&COLUMNS[..], &["u.password"]].concat());
        sql.add(r#" FROM "user" u WHERE u.email = "#).text(email);
        Ok(self.row(sql.end(), |row| Ok((decode(row)?, row.opt_text()?))).await?)
    }

    /// The account that a provider's name for a person is linked to.
    pub async fn user_by_external(&self, issuer: &str, subject: &str) -> Result<Option<User>> {
        let mut sql = self.select_users();
        sql.add(" JOIN external_identity e ON e.user_id = u.id WHERE e.issuer = ").text(issuer);
        sql.add(" AND e.subject = ").text(subject);
        Ok(self.row(sql.end(), decode).await?)
    }

    fn select_users(&self) -> Sql {
        let mut sql = self.select(&COLUMNS);
        sql.add(r#" FROM "user" u"#);
        sql
    }
}

impl Tx {
    /// Adds a user; `Conflict` when the address is taken.
    pub async fn insert_user(&self, user: &User) -> Result<()> {
        let row = user::ActiveModel {
            id: Set(storable(user.id.as_str())),
            email: Set(storable(&user.email)),
            created_at: Set(user.created_at.micros()),
            password: Set(None),
            display_name: Set(user.display_name.as_deref().map(storable)),
            tier: Set(user.tier.map(|tier| tier.name().to_owned())),
            email_verified_at: Set(user.email_verified_at.map(Timestamp::micros)),
            ..Default::default()
        };
        let done = user::Entity::insert(row).exec_without_returning(&self.tx).await;
        done.map_err(StoreError::from).map_err(Error::from).map_err(|mut e| {
            if e.kind == ErrorKind::Conflict {
                e.message =
                    format!("there is a user with the address {} already", sg_domain::error::quote(&user.email));
            }
            e
        })?;
        Ok(())
    }

    /// Sets the hash of a user's password; whether there is such a user.
    pub async fn set_password(&self, user: &UserId, hash: &str) -> Result<bool> {
        let mut sql = self.sql(r#"UPDATE "user" SET password = "#);
        sql.text(hash).add(" WHERE id = ").text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Notes that an account's address was shown to be its own; the first time counts. Whether there is such an account.
    pub async fn set_email_verified(&self, user: &UserId, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql(r#"UPDATE "user" SET email_verified_at = coalesce(email_verified_at, "#);
        sql.time(now).add(") WHERE id = ").text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Sets what an account may use; `None` is what the server gives everyone. Whether there is such an account.
    pub async fn set_tier(&self, user: &UserId, tier: Option<Tier>) -> Result<bool> {
        let mut sql = self.sql(r#"UPDATE "user" SET tier = "#);
        sql.opt_text(tier.map(Tier::name)).add(" WHERE id = ").text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Turns an account off, or on with `None`; whether there is such an account.
    pub async fn set_disabled(&self, user: &UserId, at: Option<Timestamp>) -> Result<bool> {
        let mut sql = self.sql(r#"UPDATE "user" SET disabled_at = "#);
        match at {
            Some(at) => sql.add("coalesce(disabled_at, ").time(at).add(")"),
            None => sql.add("NULL"),
        };
        sql.add(" WHERE id = ").text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Notes what an account sent a session with, and when. What the client does not say stays as it was.
    pub async fn note_client(&self, user: &UserId, client: &ClientFacts, now: Timestamp) -> Result<()> {
        let mut sql = self.sql(r#"UPDATE "user" SET last_sync_at = "#);
        sql.time(now);
        for (column, text) in [
            ("client_version", &client.version),
            ("client_platform", &client.platform),
            ("client_device", &client.device),
        ] {
            if let Some(text) = text {
                sql.add(", ").add(column).add(" = ").text(text);
            }
        }
        sql.add(" WHERE id = ").text(user.as_str());
        self.run(sql).await?;
        Ok(())
    }

    /// Links a provider's name for a person to an account; `Conflict` when it is linked already.
    pub async fn link_external(&self, issuer: &str, subject: &str, user: &UserId, now: Timestamp) -> Result<()> {
        let mut sql = self.sql("INSERT INTO external_identity (issuer, subject, user_id, created_at) VALUES (");
        sql.text(issuer).add(", ").text(subject).add(", ").text(user.as_str()).add(", ").time(now).add(")");
        self.run(sql).await?;
        Ok(())
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<User> {
    Ok(User {
        id: UserId(row.text()?),
        email: row.text()?,
        created_at: row.time()?,
        display_name: row.opt_text()?,
        tier: row.opt_text()?.map(|name| named(Tier::parse(&name), "tier", &name)).transpose()?,
        email_verified_at: row.opt_time()?,
        disabled_at: row.opt_time()?,
        last_client: ClientFacts { version: row.opt_text()?, platform: row.opt_text()?, device: row.opt_text()? },
        last_sync_at: row.opt_time()?,
    })
}
