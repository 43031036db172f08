//! Passwords: what one must be, and Argon2id, a few at a time.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use sg_domain::{Error, Result};
use tokio::sync::Semaphore;

use crate::App;

/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// The longest, in bytes: more would only be work.
pub const MAX_PASSWORD_BYTES: usize = 1_000;

/// Hashes computed at a time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Hashes computed or waited for at a time; more are refused at once.
const WAITING: usize = 64;

/// Who may hash now, and who may wait for it.
pub(crate) struct Turns {
    working: Semaphore,
    waiting: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { working: Semaphore::new(AT_ONCE), waiting: Semaphore::new(WAITING) }
    }
}

/// What an account without a password is compared with, so that it takes as long as one with. Nobody knows a password for
/// it: the salt is not random, the password is not kept.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let hash = Argon2::default().hash_password_with_salt(uuid::Uuid::new_v4().as_bytes(), b"nobody's password");
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

/// Checks that a password is one that an account may have: `Invalid` says why not.
pub fn check_password(password: &str) -> Result<()> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Error::invalid(format!("a password must be no longer than {MAX_PASSWORD_BYTES} bytes")));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Error::invalid(format!("a password must have at least {MIN_PASSWORD_CHARS} characters")));
    }
    Ok(())
}

impl App {
    /// The PHC string of a password: Argon2id, 19 MiB, two passes (OWASP's recommendation).
    pub(crate) async fn hash_password(&self, password: &str) -> Result<String> {
        check_password(password)?;
        self.hash_any_password(password).await
    }

    /// The same of a password that is not an account's, and may be as short as its maker likes.
    pub(crate) async fn hash_any_password(&self, password: &str) -> Result<String> {
        let salt = hex::decode(self.ids().secret_hex(16)).map_err(Error::internal)?;
        let password = password.to_owned();
        self.in_turn(move || {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
        })
        .await?
    }

    /// Whether this is the password of a hash. Takes as long when there is no hash.
    pub(crate) async fn is_password(&self, password: &str, hash: Option<String>) -> Result<bool> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let password = password.to_owned();
        self.in_turn(move || {
            let stored = hash.as_deref().unwrap_or(&NOBODYS);
            let is_right = PasswordHash::new(stored)
                .is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok());
            is_right && hash.is_some()
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turns = &self.inner.password_turns;
        let busy = || Error::new(sg_domain::ErrorKind::Unavailable, "too many people sign in at once, try again");
        let _place = turns.waiting.try_acquire().map_err(|_| busy())?;
        let _turn = turns.working.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded() {
        assert!(check_password("ten chars!").is_ok());
        assert!(check_password("nine char").unwrap_err().message.contains("at least 10"));
        assert!(check_password("ÄÖÜäöü€€€€").is_ok(), "characters, not bytes");
        assert!(check_password(&"x".repeat(MAX_PASSWORD_BYTES)).is_ok());
        assert!(check_password(&"x".repeat(MAX_PASSWORD_BYTES + 1)).is_err());
    }

    #[test]
    fn what_nobody_knows_is_a_hash_of_the_usual_cost() {
        assert!(NOBODYS.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", *NOBODYS);
    }
}
