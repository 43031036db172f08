//! Making an account of one's own, and who may: whoever asks, whoever is invited, or nobody.

use sg_domain::user::normalise_email;
use sg_domain::{
    Caller, ClientAddress, Dialect, Error, ErrorKind, Invite, JobId, JobKind, Result, Scope, Scopes, User, UserId,
};

use crate::{App, CreatedKey, KeyRequest, SignUpPolicy};

/// An account that was made just now.
pub struct NewAccount {
    /// The account. Its address may still have to be shown to be its own.
    pub user: User,
    /// Its first key.
    pub key: CreatedKey,
}

/// What the first key of an account is called.
const FIRST_KEY: &str = "default";
/// The longest that an invitation may be used.
const MAX_INVITE_DAYS: u32 = 365;

impl App {
    /// Makes an account with a key, for whoever asks from `from`, as far as the operator lets them. `RateLimited` after too
    /// many attempts, whatever came of them; `Invalid` for what is no mail address, `Forbidden` for who may not,
    /// `Conflict` when the address has an account.
    pub async fn sign_up(&self, email: &str, from: Option<ClientAddress>) -> Result<NewAccount> {
        self.inner.sign_up_attempts.begin(from, self.now())?;
        let email = normalise_email(email).map_err(|error| error.at("email"))?;
        let rules = &self.inner.accounts;
        let forbidden = |message: &str| Error::new(ErrorKind::Forbidden, message);
        if rules.sign_up == SignUpPolicy::Closed {
            let message = "this server takes no new accounts, ask whoever runs it for one";
            return Err(forbidden(message).with("error", "sign_up_closed"));
        }
        let now = self.now();
        let tx = self.store().begin().await?;
        // Before the address is looked for: who was not invited does not learn who has an account.
        if rules.sign_up == SignUpPolicy::Invited && !tx.use_invite(&email, now).await? {
            let message = "this server takes new accounts by invitation, ask whoever runs it to invite you";
            return Err(forbidden(message).with("error", "not_invited"));
        }
        let mut user = User::new(UserId::from_uuid(self.ids().uuid()), email, now);
        if rules.verify_email {
            user.email_verified_at = None;
        }
        tx.insert_user(&user).await?;
        let (key, stored) = self.new_key(KeyRequest {
            user: user.id.clone(),
            name: FIRST_KEY.to_owned(),
            dialect: Dialect::Sessionfs,
            scopes: Scopes::of(&[Scope::Read, Scope::Write]),
            expires_at: None,
        });
        tx.insert_key(&stored).await?;
        if rules.verify_email {
            let job = JobKind::SendVerification { user: user.id.clone() };
            tx.enqueue(JobId(self.ids().uuid()), Some(&user.id), &job, now).await?;
        }
        tx.commit().await?;
        tracing::info!(user = %user.id, "an account was made");
        Ok(NewAccount { user, key })
    }

    /// Invites a mail address to make an account within so many days. Again, the days begin anew. `Conflict` when the
    /// address has an account.
    pub async fn invite(&self, caller: &Caller, email: &str, days: u32) -> Result<Invite> {
        let identity = caller.require(Scope::Admin)?;
        let email = normalise_email(email).map_err(|error| error.at("email"))?;
        if !(1..=MAX_INVITE_DAYS).contains(&days) {
            return Err(Error::invalid(format!("an invitation lasts 1 to {MAX_INVITE_DAYS} days")).at("days"));
        }
        if self.store().user_by_email(&email).await?.is_some() {
            let message = format!("there is a user with the address {} already", sg_domain::error::quote(&email));
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let created_at = self.now();
        let expires_at = created_at.plus_micros(i64::from(days) * sg_domain::time::DAY_MICROS);
        let invite = Invite { email, invited_by: identity.user.clone(), created_at, expires_at };
        let tx = self.store().begin().await?;
        tx.put_invite(&invite).await?;
        tx.commit().await?;
        Ok(invite)
    }

    /// Every invitation that was not used, ended ones included, the oldest first.
    pub async fn invites(&self, caller: &Caller) -> Result<Vec<Invite>> {
        caller.require(Scope::Admin)?;
        self.store().invites().await
    }

    /// Takes an invitation back. `NotFound` when there is none.
    pub async fn revoke_invite(&self, caller: &Caller, email: &str) -> Result<()> {
        caller.require(Scope::Admin)?;
        let tx = self.store().begin().await?;
        if !tx.delete_invite(&normalise_email(email)?).await? {
            return Err(Error::not_found("invitation"));
        }
        tx.commit().await
    }
}
