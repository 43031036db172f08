//! Accounts.

use sg_domain::user::{ClientFacts, normalise_email};
use sg_domain::{Caller, Error, Identity, Result, Scope, Tier, User, UserId};

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

    /// Sets what an account may use; `None` is what the server gives everyone.
    pub async fn set_tier(&self, caller: &Caller, user: &UserId, tier: Option<Tier>) -> Result<()> {
        caller.require(Scope::Admin)?;
        let tx = self.store().begin().await?;
        if !tx.set_tier(user, tier).await? {
            return Err(Error::not_found("user"));
        }
        tx.commit().await
    }

    /// Turns an account off: its keys and devices are refused and its browsers signed out, until it is turned on again.
    /// What it stored stays.
    pub async fn disable_user(&self, caller: &Caller, user: &UserId) -> Result<()> {
        caller.require(Scope::Admin)?;
        let tx = self.store().begin().await?;
        if !tx.set_disabled(user, Some(self.now())).await? {
            return Err(Error::not_found("user"));
        }
        tx.delete_web_sessions(user).await?;
        tx.commit().await?;
        // Whoever listens is asked again at once.
        self.store().nudge(user);
        Ok(())
    }

    /// Turns an account on again. Its keys and devices work as before; its browsers sign in again.
    pub async fn enable_user(&self, caller: &Caller, user: &UserId) -> Result<()> {
        caller.require(Scope::Admin)?;
        let tx = self.store().begin().await?;
        if !tx.set_disabled(user, None).await? {
            return Err(Error::not_found("user"));
        }
        tx.commit().await
    }

    /// Takes an account's mail address for its own without a link: for the operator, when a mail does not arrive.
    pub async fn set_email_verified(&self, caller: &Caller, user: &UserId) -> Result<()> {
        caller.require(Scope::Admin)?;
        let tx = self.store().begin().await?;
        if !tx.set_email_verified(user, self.now()).await? {
            return Err(Error::not_found("user"));
        }
        tx.commit().await
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
