//! Links that let whoever has one read a session's archive without signing in: made, listed, taken back, opened.
//!
//! A link's token is shown once and stored as a hash. Its password is guessed no faster than a few times in a quarter of
//! an hour, counted in the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sg_domain::time::DAY_MICROS;
use sg_domain::{
    Caller, Digest, Error, ErrorKind, Result, Scope, SessionId, ShareLink, ShareLinkId, ShareTarget, Visibility,
};
use sg_store::{BlobStream, GuessAllowance};

use crate::App;
use crate::password::MAX_PASSWORD_BYTES;

/// How long a link may last, in hours: a year.
pub const MAX_LINK_HOURS: u32 = 8_760;

const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;
/// Random bytes of a token: 64 characters.
const TOKEN_BYTES: usize = 48;
const TOKEN_CHARS: usize = 64;
/// The most links of one session that can be opened at a time.
const MAX_OPEN_LINKS: u64 = 100;
/// How long a link that has ended says so; then it is one that never was.
const ENDED_MICROS: i64 = 90 * DAY_MICROS;
/// The most links of one session that are listed.
const MAX_LISTED: usize = 100;
/// Wrong passwords that a link takes: 10 in 15 minutes.
const GUESSES: GuessAllowance = GuessAllowance { guesses: 10, window_micros: 15 * 60 * 1_000_000 };

/// A link that is wanted.
#[derive(Clone)]
pub struct NewShareLink {
    /// How long it lasts, 1 to [`MAX_LINK_HOURS`] hours.
    pub hours: u32,
    /// What opens it, beside its address. Empty is none.
    pub password: Option<String>,
}

/// A link that was made.
pub struct CreatedShareLink {
    /// The link.
    pub link: ShareLink,
    /// Its token, shown this once: [`share_link_path`] makes an address of it.
    pub token: String,
}

/// What a link opens.
pub struct OpenedShareLink {
    /// The id that clients know the archive by.
    pub archive: String,
    /// SHA-256 of its bytes, which is also its ETag.
    pub digest: Digest,
    /// How many bytes there are.
    pub size_bytes: u64,
    /// The bytes.
    pub bytes: BlobStream,
}

/// Where a link with this token is, from the server's root.
pub fn share_link_path(token: &str) -> String {
    format!("/api/v1/sessions/share/{token}")
}

impl App {
    /// The address of a link with this token; without a host when the server was not told its own.
    pub fn share_link_address(&self, token: &str) -> String {
        self.inner.accounts.public_url.clone() + &share_link_path(token)
    }

    /// Makes a link to a session that came as an archive. Whoever may not read the session may not make one: it would let
    /// them.
    pub async fn create_share_link(
        &self,
        caller: &Caller,
        session: SessionId,
        new: NewShareLink,
    ) -> Result<CreatedShareLink> {
        let identity = caller.require(Scope::Write)?;
        caller.require(Scope::Read)?;
        self.require_verified(identity).await?;
        if !(1..=MAX_LINK_HOURS).contains(&new.hours) {
            return Err(Error::invalid(format!("a link lasts 1 to {MAX_LINK_HOURS} hours")).at("expiresInHours"));
        }
        let password = new.password.filter(|password| !password.is_empty());
        if password.as_ref().is_some_and(|password| password.len() > MAX_PASSWORD_BYTES) {
            let message = format!("a password must be no longer than {MAX_PASSWORD_BYTES} bytes");
            return Err(Error::invalid(message).at("password"));
        }
        let who = Visibility::of(identity);
        let found = self.store().sessions_by_id(&who, &[session], sg_store::SessionColumns::NARROW).await?;
        if found.is_empty() {
            return Err(Error::not_found("session"));
        }
        if self.store().archives_of(&who, &[session]).await?.is_empty() {
            let message = "only a session that was pushed as an archive has share links, set shareStatus instead";
            return Err(Error::invalid(message).at("id"));
        }
        let password_hash = match password {
            Some(password) => Some(self.hash_any_password(&password).await?),
            None => None,
        };
        let secret = hex::decode(self.ids().secret_hex(TOKEN_BYTES)).map_err(Error::internal)?;
        let token = URL_SAFE_NO_PAD.encode(secret);
        let now = self.now();
        let link = ShareLink {
            id: ShareLinkId(self.ids().uuid()),
            session,
            owner: identity.user.clone(),
            token_hash: Digest::of(token.as_bytes()),
            password_hash,
            created_at: now,
            expires_at: now.plus_micros(i64::from(new.hours) * HOUR_MICROS),
            revoked_at: None,
        };
        let tx = self.store().begin().await?;
        // First, as everything does that touches a session's row afterwards; and it makes those who add one take turns.
        tx.bump_version(&identity.user).await?;
        tx.drop_ended_share_links(session, now.plus_micros(-ENDED_MICROS)).await?;
        if tx.open_share_links(session, now).await? >= MAX_OPEN_LINKS {
            let message = format!("a session has at most {MAX_OPEN_LINKS} share links, revoke one first");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if !tx.insert_share_link(&link).await? {
            return Err(Error::not_found("session"));
        }
        tx.commit().await?;
        Ok(CreatedShareLink { link, token })
    }

    /// The same of an archive by its id or the session's alias.
    pub async fn create_archive_link(
        &self,
        caller: &Caller,
        name: &str,
        new: NewShareLink,
    ) -> Result<CreatedShareLink> {
        let identity = caller.require(Scope::Write)?;
        // Before anything is looked for: who has to show their address hears of nothing else.
        self.require_verified(identity).await?;
        let session = self.archive(caller, name).await?.session.id;
        self.create_share_link(caller, session, new).await
    }

    /// The links of these sessions that were not taken back, newest first, those that have ended among them; of each
    /// session at most a hundred.
    pub async fn share_links(&self, caller: &Caller, sessions: &[SessionId]) -> Result<Vec<ShareLink>> {
        let identity = caller.require(Scope::Read)?;
        let mut links = self.store().share_links(&Visibility::of(identity), sessions).await?;
        let mut listed = std::collections::HashMap::<SessionId, usize>::new();
        links.retain(|link| {
            let count = listed.entry(link.session).or_default();
            *count += 1;
            *count <= MAX_LISTED
        });
        Ok(links)
    }

    /// Takes a link back. With `archive`, only one of the archive of this id or alias. Again changes nothing; `NotFound`
    /// when the caller has no such link. A link to a session in the trash can be taken back, too.
    pub async fn revoke_share_link(&self, caller: &Caller, id: ShareLinkId, archive: Option<&str>) -> Result<()> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        tx.bump_version(&identity.user).await?;
        if !tx.revoke_share_link(&identity.user, id, archive, self.now()).await? {
            return Err(Error::not_found("share link"));
        }
        tx.commit().await
    }

    /// What a link opens now. Needs no caller: whoever has the link, and its password where it has one, may read it.
    /// `Unauthenticated` says that a password is missing or wrong; `Gone` that there was something.
    pub async fn open_share_link(&self, token: &str, password: Option<&str>) -> Result<OpenedShareLink> {
        let target = self.share_target(token).await?;
        if let Some(hash) = &target.link.password_hash {
            let password = password.filter(|password| !password.is_empty());
            let password = password.ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "password required"))?;
            self.check_link_password(target.link.id, hash, password).await?;
        }
        let bytes = self.store().blobs().stream(target.digest).await?;
        let bytes = bytes.ok_or_else(|| Error::not_found("session blob"))?;
        let ShareTarget { archive, digest, size_bytes, .. } = target;
        Ok(OpenedShareLink { archive, digest, size_bytes, bytes })
    }

    async fn share_target(&self, token: &str) -> Result<ShareTarget> {
        let nothing = || Error::not_found("share link");
        let gone = |what: &str| Error::new(ErrorKind::Gone, what);
        if token.len() != TOKEN_CHARS {
            return Err(nothing());
        }
        let target = self.store().share_target(&Digest::of(token.as_bytes())).await?.ok_or_else(nothing)?;
        if target.link.revoked_at.is_some() || target.is_owner_disabled {
            return Err(gone("share link has been revoked"));
        }
        if target.link.expires_at <= self.now() {
            return Err(gone("share link has expired"));
        }
        if target.is_deleted {
            return Err(gone("session has been deleted"));
        }
        Ok(target)
    }

    /// Counted before it is tried and forgiven when it was right, so that many at once are no way around.
    async fn check_link_password(&self, link: ShareLinkId, hash: &str, password: &str) -> Result<()> {
        let now = self.now();
        let tx = self.store().begin().await?;
        let until = tx.count_share_guess(link, GUESSES, now).await?;
        tx.commit().await?;
        if let Some(until) = until {
            let micros = u64::try_from(until.micros() - now.micros()).unwrap_or_default();
            let retry_after = std::time::Duration::from_micros(micros);
            return Err(Error::new(
                ErrorKind::RateLimited { retry_after },
                "too many wrong passwords, try again later",
            ));
        }
        let is_right = self.is_password(password, Some(hash.to_owned())).await;
        // One that could not be tried was not wrong.
        if !matches!(is_right, Ok(false)) {
            let tx = self.store().begin().await?;
            tx.forgive_share_guess(link).await?;
            tx.commit().await?;
        }
        if is_right? { Ok(()) } else { Err(Error::new(ErrorKind::Unauthenticated, "invalid password")) }
    }
}
