//! API keys, and finding out who calls.

use sg_domain::caller::Anonymous;
use sg_domain::{
    ApiKey, Caller, Credential, DataVersion, Dialect, Digest, Error, ErrorKind, Identity, KeyId, NewApiKey, Result,
    Scope, Scopes, Timestamp, UserId,
};

use sg_store::KeyAndAccount;

use crate::App;

/// A key that is wanted.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// Whose it will be.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The API family it is for.
    pub dialect: Dialect,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A key with its secret, which is shown this once.
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// The whole secret.
    pub secret: String,
}

/// How many characters of a secret are kept readable, behind its prefix.
const SHOWN_CHARS: usize = 4;
/// Keys of one account that are not revoked.
const MAX_KEYS: usize = 1_000;
/// The most keys that an account makes by other keys in a day, those revoked since included.
const MAX_KEYS_A_DAY: usize = 200;
/// A key's use is noted at most this often.
const TOUCH_MICROS: i64 = 60 * 1_000_000;

impl App {
    /// Makes a key. A caller may make keys of its own account, with scopes it has itself; `admin` makes anyone's.
    pub async fn create_key(&self, caller: &Caller, request: KeyRequest) -> Result<CreatedKey> {
        let identity = caller.require(Scope::Write)?;
        let is_admin = identity.scopes.has(Scope::Admin);
        if !is_admin && identity.user != request.user {
            return Err(Error::not_found("user"));
        }
        if let Some(scope) = Scope::ALL.into_iter().find(|s| request.scopes.has(*s) && !identity.scopes.has(*s)) {
            return Err(Error::missing_scope(scope));
        }
        if request.scopes == Scopes::default() {
            return Err(Error::invalid("a key needs at least one scope: read, write or admin").at("scopes"));
        }
        let name = request.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::invalid("a key's name must be 1 to 100 characters").at("name"));
        }
        let now = self.now();
        if request.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::invalid("a key must expire in the future").at("expiresAt"));
        }
        if self.store().user(&request.user).await?.is_none() {
            return Err(Error::not_found("user"));
        }
        let keys = self.store().keys(Some(&request.user)).await?;
        if keys.iter().filter(|key| key.revoked_at.is_none()).count() >= MAX_KEYS {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("an account has at most {MAX_KEYS} keys, revoke some"),
            ));
        }
        match identity.credential {
            Credential::Local | Credential::Web(_) => {}
            // Revoking a device ends everything it can do, so it must not leave keys behind.
            Credential::Device(_) => {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    "a device cannot make keys, use a key or the settings page",
                ));
            }
            Credential::Key(id) => {
                let ends_at = keys.iter().find(|key| key.id == id).and_then(|key| key.expires_at);
                if ends_at.is_some_and(|ends_at| request.expires_at.is_none_or(|at| at > ends_at)) {
                    let message = "a key must not outlive the key that makes it, give it an expiry";
                    return Err(Error::invalid(message).at("expiresAt"));
                }
                // Each key has limits of its own: whoever makes many gets around them.
                let since = now.plus_micros(-sg_domain::time::DAY_MICROS);
                if keys.iter().filter(|key| key.created_at > since).count() >= MAX_KEYS_A_DAY {
                    let retry_after = std::time::Duration::from_secs(3_600);
                    let message = format!("an account makes at most {MAX_KEYS_A_DAY} keys a day by other keys");
                    return Err(Error::new(ErrorKind::RateLimited { retry_after }, message));
                }
            }
        }
        let (created, stored) = self.new_key(KeyRequest { name: name.to_owned(), ..request });
        let tx = self.store().begin().await?;
        tx.insert_key(&stored).await?;
        tx.commit().await?;
        Ok(created)
    }

    /// A key as it was asked for, and what is stored of it.
    pub(crate) fn new_key(&self, request: KeyRequest) -> (CreatedKey, NewApiKey) {
        // 128 bits for SessionFS, whose format is fixed at 32 hex digits; 192 elsewhere.
        let random = self.ids().secret_hex(if request.dialect == Dialect::Sessionfs { 16 } else { 24 });
        let prefix = request.dialect.key_prefix();
        let secret = format!("{prefix}{random}");
        let key = ApiKey {
            id: KeyId(self.ids().uuid()),
            user: request.user,
            name: request.name,
            dialect: request.dialect,
            scopes: request.scopes,
            prefix: secret[..prefix.len() + SHOWN_CHARS].to_owned(),
            created_at: self.now(),
            expires_at: request.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let stored = NewApiKey { key: key.clone(), hash: Digest::of(secret.as_bytes()) };
        (CreatedKey { key, secret }, stored)
    }

    /// The keys of the caller's account; with `admin` and `everyone`, of all accounts. Revoked ones are included.
    pub async fn keys(&self, caller: &Caller, everyone: bool) -> Result<Vec<ApiKey>> {
        let identity = caller.require(if everyone { Scope::Admin } else { Scope::Read })?;
        self.store().keys((!everyone).then_some(&identity.user)).await
    }

    /// Revokes a key of the caller's account; from the command line of this machine, of any. It stops working at once.
    /// Again changes nothing.
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<()> {
        let identity = caller.require(Scope::Write)?;
        let owner = (identity.credential != Credential::Local).then_some(&identity.user);
        let tx = self.store().begin().await?;
        if !tx.revoke_key(owner, id, self.now()).await? {
            return Err(Error::not_found("key"));
        }
        tx.commit().await?;
        // Whoever listens with it is asked again at once.
        self.store().nudge(&identity.user);
        Ok(())
    }

    /// Finds out who sent this credential. Never refuses: an unknown credential makes an anonymous caller, so that each
    /// surface words its own 401. The secret is looked up by its hash, so no comparison depends on how much of it is right.
    pub async fn identify(&self, secret: Option<&str>, request_id: String) -> Result<Caller> {
        Ok(self.identify_with_version(secret, request_id).await?.0)
    }

    /// The same, and the caller's data version where it costs nothing: see [`crate::KeptAnswers`].
    pub async fn identify_with_version(
        &self,
        secret: Option<&str>,
        request_id: String,
    ) -> Result<(Caller, Option<DataVersion>)> {
        let Some(secret) = secret.filter(|s| !s.is_empty()) else { return Ok((Caller::anonymous(request_id), None)) };
        let by_prefix = Dialect::ALL.into_iter().find(|d| secret.starts_with(d.key_prefix()));
        let nobody =
            |why, request_id| (Caller { identity: Err(why), dialect: by_prefix.unwrap_or_default(), request_id }, None);
        if let Some(identity) = self.identify_device(secret).await? {
            return Ok((Caller { identity, dialect: Dialect::default(), request_id }, None));
        }
        let found = self.store().key_and_account(&Digest::of(secret.as_bytes())).await?;
        let Some(KeyAndAccount { key, version, is_disabled }) = found else {
            return Ok(nobody(Anonymous::Unknown, request_id));
        };
        let now = self.now();
        if key.revoked_at.is_some() {
            return Ok(nobody(Anonymous::Revoked, request_id));
        }
        if key.expires_at.is_some_and(|at| at <= now) {
            return Ok(nobody(Anonymous::Expired, request_id));
        }
        if is_disabled {
            return Ok(nobody(Anonymous::Inactive, request_id));
        }
        self.note_use(key.id, now).await;
        let identity = Identity { user: key.user, credential: Credential::Key(key.id), scopes: key.scopes };
        let caller = Caller { identity: Ok(identity), dialect: key.dialect, request_id };
        Ok((caller, Some(DataVersion(version))))
    }

    async fn note_use(&self, id: KeyId, now: Timestamp) {
        if !self.is_use_to_note(id, now) {
            return;
        }
        // A note that could not be written must not fail the request it is about.
        if let Err(error) = self.store().touch_key(id, now).await {
            tracing::warn!(key = %id, %error, "last use of a key could not be noted");
        }
    }

    /// Whether the use of a key or device is to be noted now; the next minute's answer is no.
    pub(crate) fn is_use_to_note(&self, id: KeyId, now: Timestamp) -> bool {
        let mut touched = self.inner.touched.lock();
        let last = touched.entry(id).or_default();
        let is_due = now.micros() - last.micros() >= TOUCH_MICROS;
        if is_due {
            *last = now;
        }
        is_due
    }
}
