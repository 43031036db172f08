//! Devices (SpecStory's CLI): a code lets one in, its refresh token gives it access tokens, revoking it ends both at once.

use sg_domain::caller::Anonymous;
use sg_domain::{
    AccessToken, Caller, ClientAddress, Credential, DeviceCode, DeviceToken, Digest, Error, ErrorKind, Identity, KeyId,
    Result, Scope, Scopes, Timestamp, User, UserId,
};

use crate::App;

/// A code that lets one device in, once.
pub struct NewDeviceCode {
    /// The code, shown this once.
    pub code: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What a device says of itself. Nothing of it is believed; it helps to tell devices apart.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    /// Its name.
    pub hostname: String,
    /// The client that signs in, such as `specstory-cli`.
    pub client: String,
    /// The client's version.
    pub client_version: String,
    /// Its system.
    pub os: String,
    /// Who is signed in on it.
    pub username: String,
}

/// A device that was let in.
pub struct NewDeviceToken {
    /// Its refresh token, shown this once.
    pub secret: String,
    /// The device.
    pub token: DeviceToken,
    /// Whose it is.
    pub user: User,
}

/// An access token.
pub struct NewAccessToken {
    /// The token, shown this once.
    pub secret: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What refresh tokens and access tokens start with.
pub(crate) const REFRESH_PREFIX: &str = "sgr_";
pub(crate) const ACCESS_PREFIX: &str = "sga_";

/// Letters and digits of a code.
pub const DEVICE_CODE_CHARS: usize = 6;
const CODE_MICROS: i64 = 10 * 60 * 1_000_000;
/// Open codes of one account; a further one voids the oldest.
const MAX_OPEN_CODES: u32 = 5;
/// Ten years: who signed in once stays signed in until revoked.
const REFRESH_MICROS: i64 = 3_652 * sg_domain::time::DAY_MICROS;
const ACCESS_MICROS: i64 = 60 * 60 * 1_000_000;
/// Access tokens of one device; each process of its client gets its own.
const MAX_ACCESS_TOKENS: u32 = 100;
/// The longest of what a device says of itself, in characters.
const MAX_TEXT_CHARS: usize = 200;

impl App {
    /// Makes a code that lets one device into the caller's account. A device may read and write, so must the caller.
    /// `from` is where the caller is: the device is likely to be there too.
    pub async fn create_device_code(&self, caller: &Caller, from: Option<ClientAddress>) -> Result<NewDeviceCode> {
        let user = device_owner(caller)?;
        self.inner.device_attempts.meet(from, self.now());
        // The same code as another open one comes up once in billions; then another is drawn.
        for _ in 0..3 {
            let code = self.ids().device_code();
            let now = self.now();
            let expires_at = now.plus_micros(CODE_MICROS);
            let stored = DeviceCode {
                id: KeyId(self.ids().uuid()),
                user: user.clone(),
                hash: Digest::of(code.as_bytes()),
                created_at: now,
                expires_at,
                used_at: None,
            };
            let tx = self.store().begin().await?;
            match tx.insert_device_code(&stored, MAX_OPEN_CODES).await {
                Ok(()) => {
                    tx.commit().await?;
                    return Ok(NewDeviceCode { code, expires_at });
                }
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::internal("no code is free"))
    }

    /// Lets a device in by its code, as it was typed: dashes and blanks do not count. `Unauthenticated` for a code that is
    /// not open, `RateLimited` after too many of them.
    pub async fn device_login(
        &self,
        code: &str,
        device: &NewDevice,
        from: Option<ClientAddress>,
    ) -> Result<NewDeviceToken> {
        let wrong = || Error::new(ErrorKind::Unauthenticated, "invalid or expired device code");
        let code: String = code.chars().filter(|c| *c != '-' && !c.is_whitespace()).collect();
        if code.len() != DEVICE_CODE_CHARS || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(wrong());
        }
        self.inner.device_attempts.begin(from, self.now())?;
        let hash = Digest::of(code.as_bytes());
        let tx = self.store().begin().await?;
        let Some(owner) = tx.use_device_code(&hash, self.now()).await? else {
            drop(tx);
            let stored = self.store().device_code_by_hash(&hash).await?;
            return Err(match stored {
                // Its clients ask again for a code only when they read "invalid" or "expired".
                Some(DeviceCode { used_at: Some(_), .. }) => {
                    Error::new(ErrorKind::Unauthenticated, "device code has already been used and is now invalid")
                }
                _ => wrong(),
            });
        };
        let user = self.store().user(&owner).await?.ok_or_else(wrong)?;
        if user.disabled_at.is_some() {
            return Err(refused(Anonymous::Inactive));
        }
        let (secret, token) = self.new_device(&user, device);
        tx.insert_device_token(&token).await?;
        tx.commit().await?;
        self.inner.device_attempts.succeed(from);
        Ok(NewDeviceToken { secret, token, user })
    }

    /// Makes the refresh token of a device without a code: for the operator, or for the caller's own account.
    pub async fn create_device(&self, caller: &Caller, owner: &UserId, device: &NewDevice) -> Result<NewDeviceToken> {
        let mine = device_owner(caller)?;
        if mine != owner {
            caller.require(Scope::Admin)?;
        }
        let user = self.store().user(owner).await?.ok_or_else(|| Error::not_found("user"))?;
        let (secret, token) = self.new_device(&user, device);
        let tx = self.store().begin().await?;
        tx.insert_device_token(&token).await?;
        tx.commit().await?;
        Ok(NewDeviceToken { secret, token, user })
    }

    /// Gives a device an access token for its refresh token. `Unauthenticated`, with the reason, for anything else.
    pub async fn device_refresh(&self, secret: Option<&str>) -> Result<NewAccessToken> {
        let device = self.device(secret).await?;
        let now = self.now();
        if device.revoked_at.is_some() {
            return Err(refused(Anonymous::Revoked));
        }
        if device.expires_at <= now {
            return Err(refused(Anonymous::Expired));
        }
        if self.store().user(&device.user).await?.is_none_or(|user| user.disabled_at.is_some()) {
            return Err(refused(Anonymous::Inactive));
        }
        let secret = format!("{ACCESS_PREFIX}{}", self.ids().secret_hex(24));
        let expires_at = now.plus_micros(ACCESS_MICROS).min(device.expires_at);
        let token = AccessToken {
            id: KeyId(self.ids().uuid()),
            device: device.id,
            hash: Digest::of(secret.as_bytes()),
            created_at: now,
            expires_at,
        };
        let tx = self.store().begin().await?;
        tx.insert_access_token(&token, MAX_ACCESS_TOKENS).await?;
        tx.commit().await?;
        self.note_device_use(device.id, now).await;
        Ok(NewAccessToken { secret, created_at: now, expires_at })
    }

    /// Revokes a device by its refresh token, whatever state that is in. `Unauthenticated` when it is none.
    pub async fn device_logout(&self, secret: Option<&str>) -> Result<()> {
        let device = self.device(secret).await?;
        let tx = self.store().begin().await?;
        tx.revoke_device_token(None, device.id, self.now()).await?;
        tx.commit().await?;
        self.store().nudge(&device.user);
        Ok(())
    }

    /// The devices of the caller's account; with `admin` and `everyone`, of all. Revoked ones are included.
    pub async fn devices(&self, caller: &Caller, everyone: bool) -> Result<Vec<DeviceToken>> {
        let identity = caller.require(if everyone { Scope::Admin } else { Scope::Read })?;
        self.store().device_tokens((!everyone).then_some(&identity.user)).await
    }

    /// Revokes a device of the caller's account; from the command line of this machine, of any. Its tokens stop working at
    /// once. Again changes nothing.
    pub async fn revoke_device(&self, caller: &Caller, id: KeyId) -> Result<()> {
        let identity = caller.require(Scope::Write)?;
        let owner = (identity.credential != Credential::Local).then_some(&identity.user);
        let tx = self.store().begin().await?;
        if !tx.revoke_device_token(owner, id, self.now()).await? {
            return Err(Error::not_found("device"));
        }
        tx.commit().await?;
        self.store().nudge(&identity.user);
        Ok(())
    }

    /// Who sent an access token, or a refresh token in its place; `None` when it is neither.
    pub(crate) async fn identify_device(&self, secret: &str) -> Result<Option<Result<Identity, Anonymous>>> {
        let hash = Digest::of(secret.as_bytes());
        let now = self.now();
        let ended = |device: &DeviceToken, expires_at: Timestamp| match device.revoked_at {
            Some(_) => Some(Anonymous::Revoked),
            None => (expires_at <= now).then_some(Anonymous::Expired),
        };
        if secret.starts_with(REFRESH_PREFIX) {
            let found = self.store().device_token_by_hash(&hash).await?;
            let why = |device: DeviceToken| ended(&device, device.expires_at).unwrap_or(Anonymous::RefreshToken);
            return Ok(Some(Err(found.map_or(Anonymous::Unknown, why))));
        }
        if !secret.starts_with(ACCESS_PREFIX) {
            return Ok(None);
        }
        let Some((expires_at, device, is_disabled)) = self.store().device_by_access_token(&hash).await? else {
            return Ok(Some(Err(Anonymous::Unknown)));
        };
        if let Some(why) = ended(&device, expires_at.min(device.expires_at)) {
            return Ok(Some(Err(why)));
        }
        if is_disabled {
            return Ok(Some(Err(Anonymous::Inactive)));
        }
        self.note_device_use(device.id, now).await;
        Ok(Some(Ok(Identity {
            user: device.user,
            credential: Credential::Device(device.id),
            scopes: Scopes::of(&[Scope::Read, Scope::Write]),
        })))
    }

    /// The device whose refresh token this is, in any state.
    async fn device(&self, secret: Option<&str>) -> Result<DeviceToken> {
        let Some(secret) = secret.filter(|s| !s.is_empty()) else { return Err(Error::unauthenticated()) };
        if let Some(device) = self.store().device_token_by_hash(&Digest::of(secret.as_bytes())).await? {
            return Ok(device);
        }
        let caller = self.identify(Some(secret), String::new()).await?;
        Err(match caller.identity {
            Ok(_) => Error::new(ErrorKind::Unauthenticated, "invalid token type. Required: device-refresh"),
            Err(why) => refused(why),
        })
    }

    fn new_device(&self, user: &User, device: &NewDevice) -> (String, DeviceToken) {
        let secret = format!("{REFRESH_PREFIX}{}", self.ids().secret_hex(24));
        let now = self.now();
        let token = DeviceToken {
            id: KeyId(self.ids().uuid()),
            user: user.id.clone(),
            hash: Digest::of(secret.as_bytes()),
            hostname: tidy(&device.hostname),
            client: tidy(&device.client),
            client_version: tidy(&device.client_version),
            os: tidy(&device.os),
            username: tidy(&device.username),
            created_at: now,
            expires_at: now.plus_micros(REFRESH_MICROS),
            last_used_at: None,
            revoked_at: None,
        };
        (secret, token)
    }

    async fn note_device_use(&self, id: KeyId, now: Timestamp) {
        if !self.is_use_to_note(id, now) {
            return;
        }
        // A note that could not be written must not fail the request it is about.
        if let Err(error) = self.store().touch_device_token(id, now).await {
            tracing::warn!(device = %id, %error, "last use of a device could not be noted");
        }
    }
}

/// Whose account a device of this caller's would be in; the caller must be able to do what the device will.
fn device_owner(caller: &Caller) -> Result<&UserId> {
    caller.require(Scope::Write)?;
    Ok(&caller.require(Scope::Read)?.user)
}

/// Why a credential is refused, in the words of the hosted service.
fn refused(why: Anonymous) -> Error {
    let message = match why {
        Anonymous::Expired => "token has expired",
        Anonymous::Revoked => "token has been revoked",
        Anonymous::Inactive => "user account is inactive",
        _ => return Error::unauthenticated(),
    };
    Error::new(ErrorKind::Unauthenticated, message)
}

/// One line of reasonable length.
fn tidy(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect()
}
