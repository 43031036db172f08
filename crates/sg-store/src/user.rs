//! Accounts.

use sg_domain::{Result, User, UserId};

use crate::store::stub;
use crate::{Store, Tx};

impl Store {
    /// The user with this (normalised) mail address.
    pub async fn user_by_email(&self, _email: &str) -> Result<Option<User>> {
        stub()
    }
    /// The user with this id.
    pub async fn user(&self, _id: &UserId) -> Result<Option<User>> {
        stub()
    }
    /// Every user, oldest first.
    pub async fn users(&self) -> Result<Vec<User>> {
        stub()
    }
}
impl Tx {
    /// Adds a user; `Conflict` when the address is taken.
    pub async fn insert_user(&self, _user: &User) -> Result<()> {
        stub()
    }
}
