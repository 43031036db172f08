//! Accounts.

use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{Error, ErrorKind, Result, User, UserId};

use crate::entity::user;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{Sql, storable};
use crate::{Store, Tx};

const COLUMNS: [&str; 3] = ["u.id", "u.email", "u.created_at"];

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
}

fn decode(row: &mut dyn Row) -> StoreResult<User> {
    Ok(User { id: UserId(row.text()?), email: row.text()?, created_at: row.time()? })
}
