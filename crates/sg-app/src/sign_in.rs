//! People in browsers: signing in by password or through an OpenID Connect provider, and signing out.

use sg_domain::caller::Anonymous;
use sg_domain::user::normalise_email;
use sg_domain::{
    Caller, ClientAddress, Credential, Dialect, Digest, Error, ErrorKind, ExternalIdentity, Identity, KeyId, Result,
    Scope, Scopes, Timestamp, User, UserId, WebSession,
};
use sg_store::Tx;

use crate::App;

/// A browser that signed in.
pub struct NewWebSession {
    /// The cookie, shown this once.
    pub secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub user: User,
}

/// Who may come in through a provider without having been linked to an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignUp {
    /// Whether an account is made for who has none.
    pub allow_sign_up: bool,
    /// The mail domains that accounts are made for; empty: all.
    pub allowed_domains: Vec<String>,
    /// Whether an account with the same (verified) mail address is taken to be the same person's.
    pub link_by_email: bool,
}

/// How long a browser stays signed in.
const WEB_SESSION_MICROS: i64 = 30 * sg_domain::time::DAY_MICROS;
/// The most browsers of one account.
const MAX_WEB_SESSIONS: u32 = 50;

impl App {
    /// Sets an account's password and signs its browsers out. For the operator.
    pub async fn set_password(&self, caller: &Caller, user: &UserId, password: &str) -> Result<()> {
        caller.require(Scope::Admin)?;
        let hash = self.hash_password(password).await?;
        let tx = self.store().begin().await?;
        if !tx.set_password(user, &hash).await? {
            return Err(Error::not_found("user"));
        }
        tx.delete_web_sessions(user).await?;
        tx.commit().await?;
        self.store().nudge(user);
        Ok(())
    }

    /// Signs a browser in with a password. Every wrong address and every wrong password is one and the same
    /// `Unauthenticated`, after the same work; `RateLimited` after too many.
    pub async fn sign_in(&self, email: &str, password: &str, from: Option<ClientAddress>) -> Result<NewWebSession> {
        // What is no address is nobody's account, and counts like one.
        let email = normalise_email(email).unwrap_or_else(|_| "-".to_owned());
        self.inner.sign_in_attempts.begin(&email, from, self.now())?;
        let (user, hash) = self.store().user_password(&email).await?.unzip();
        let is_right = self.is_password(password, hash.flatten()).await?;
        let Some(user) = user.filter(|_| is_right) else {
            tracing::info!("sign-in with a wrong mail address or password");
            return Err(Error::new(ErrorKind::Unauthenticated, "wrong mail address or password"));
        };
        self.inner.sign_in_attempts.succeed(&email, from, self.now());
        require_active(&user)?;
        self.inner.device_attempts.meet(from, self.now());
        let tx = self.store().begin().await?;
        let session = self.new_web_session(&tx, user).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Signs a browser in whom a provider vouches for. Only a verified mail address counts. Who was here before gets their
    /// account, whatever their address is now; others only what `sign_up` says. `Forbidden` otherwise.
    pub async fn sign_in_external(&self, who: &ExternalIdentity, sign_up: &SignUp) -> Result<NewWebSession> {
        let forbidden = |message: &str| Error::new(ErrorKind::Forbidden, message);
        if !who.is_email_verified {
            return Err(forbidden("your provider has not verified your mail address"));
        }
        if who.issuer.is_empty() || who.subject.is_empty() || who.issuer.len() + who.subject.len() > 2_000 {
            return Err(Error::invalid("your provider does not say who you are"));
        }
        let email = normalise_email(&who.email)?;
        let linked = self.store().user_by_external(&who.issuer, &who.subject).await?;
        let tx = self.store().begin().await?;
        let user = match linked {
            Some(user) => user,
            None => {
                let user = match self.store().user_by_email(&email).await? {
                    Some(user) if sign_up.link_by_email => user,
                    Some(_) => {
                        return Err(forbidden(
                            "there is an account with your mail address already, and it is not linked to this provider",
                        ));
                    }
                    None if sign_up.lets_in(&email) => {
                        let user = User::new(UserId::from_uuid(self.ids().uuid()), email.clone(), self.now());
                        tx.insert_user(&user).await?;
                        user
                    }
                    None => return Err(forbidden("there is no account for you, ask whoever runs this server for one")),
                };
                tx.link_external(&who.issuer, &who.subject, &user.id, self.now()).await?;
                user
            }
        };
        require_active(&user)?;
        let session = self.new_web_session(&tx, user).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Finds out whose browser sent this cookie. Like [`App::identify`] it never refuses.
    pub async fn identify_web(&self, secret: Option<&str>, request_id: String) -> Result<Caller> {
        let Some(secret) = secret.filter(|s| !s.is_empty()) else { return Ok(Caller::anonymous(request_id)) };
        let found = self.store().web_session_by_hash(&Digest::of(secret.as_bytes())).await?;
        let identity = match found {
            None => Err(Anonymous::Unknown),
            Some(session) if session.expires_at <= self.now() => Err(Anonymous::Expired),
            Some(session) => Ok(Identity {
                user: session.user,
                credential: Credential::Web(session.id),
                scopes: Scopes::of(&[Scope::Read, Scope::Write]),
            }),
        };
        Ok(Caller { identity, dialect: Dialect::default(), request_id })
    }

    /// Signs a browser out. Whoever holds its cookie may; a cookie that is not known changes nothing.
    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        let hash = Digest::of(secret.as_bytes());
        let Some(session) = self.store().web_session_by_hash(&hash).await? else { return Ok(()) };
        let tx = self.store().begin().await?;
        tx.delete_web_session(&hash).await?;
        tx.commit().await?;
        self.store().nudge(&session.user);
        Ok(())
    }

    /// Removes what has ended: browsers, device codes, access tokens. They are kept for a day, so that whoever still uses
    /// one hears that it has expired.
    pub(crate) async fn sweep_sign_in(&self) -> Result<u64> {
        let before = self.now().plus_micros(-sg_domain::time::DAY_MICROS);
        let tx = self.store().begin().await?;
        let gone = tx.sweep_sign_in(before).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn new_web_session(&self, tx: &Tx, user: User) -> Result<NewWebSession> {
        let secret = self.ids().secret_hex(32);
        let now = self.now();
        let expires_at = now.plus_micros(WEB_SESSION_MICROS);
        let session = WebSession {
            id: KeyId(self.ids().uuid()),
            user: user.id.clone(),
            hash: Digest::of(secret.as_bytes()),
            created_at: now,
            expires_at,
        };
        tx.insert_web_session(&session, MAX_WEB_SESSIONS).await?;
        Ok(NewWebSession { secret, expires_at, user })
    }
}

/// Only who knows the password, or whom a provider vouches for, learns this.
fn require_active(user: &User) -> Result<()> {
    match user.disabled_at {
        Some(_) => Err(Error::new(ErrorKind::Forbidden, "this account is turned off, ask whoever runs this server")),
        None => Ok(()),
    }
}

impl SignUp {
    fn lets_in(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_allowed = self.allowed_domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain));
        self.allow_sign_up && (self.allowed_domains.is_empty() || is_allowed)
    }
}
