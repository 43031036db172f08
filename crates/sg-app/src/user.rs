//! Accounts.

use sg_domain::user::{ClientFacts, normalise_email};
use sg_domain::{Caller, Error, Identity, Result, Scope, User, UserId};

use crate::App;

impl App {
    /// Makes an account. `Conflict` when the address is taken.
    pub async fn create_user(&self, caller: &Caller, email: &str) -> Result<User> {
        caller.require(Scope::Admin)?;
        let email = normalise_email(email)?;
        let user = User::new(UserId::from_uuid(self.ids().uuid()), email, self.now());
        let tx = self.store().begin().await?;
        tx.insert_user(&user).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The account with this address.
    pub async fn user_by_email(&self, caller: &Caller, email: &str) -> Result<User> {
        caller.require(Scope::Admin)?;
        let user = self.store().user_by_email(&normalise_email(email)?).await?;
        user.ok_or_else(|| Error::not_found("user"))
    }

    /// Every account, oldest first.
    pub async fn users(&self, caller: &Caller) -> Result<Vec<User>> {
        caller.require(Scope::Admin)?;
        self.store().users().await
    }

    /// The caller's own account.
    pub async fn viewer(&self, caller: &Caller) -> Result<User> {
        let identity = caller.require(Scope::Read)?;
        let user = self.store().user(&identity.user).await?;
        user.ok_or_else(Error::unauthenticated)
    }

    /// Notes what the caller's account sends a session with, and that it does so now. A note that cannot be written does
    /// not fail the request it is about.
    #[allow(dead_code, reason = "for the operations that take sessions in")]
    pub(crate) async fn note_client(&self, identity: &Identity, client: &ClientFacts) {
        let noted = async {
            let tx = self.store().begin().await?;
            tx.note_client(&identity.user, &client.cut(), self.now()).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(user = %identity.user, %error, "the client of an account could not be noted");
        }
    }
}
