//! The server's own secret: seals what must be read again (keys of model providers), signs what must come back unchanged
//! (links in mails). Each purpose has a key of its own, derived from the one secret, so that none can stand in for another.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sg_domain::{Error, Result};
use sha2::Sha256;

/// Bytes of the secret, and of each key made from it.
pub const VAULT_KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first byte of what is sealed, so that another way of sealing can be told from this one.
const VERSION: u8 = 1;

/// The secret, ready to use. Shows nothing of itself.
#[derive(Clone)]
pub struct Vault {
    secret: [u8; VAULT_KEY_BYTES],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(********)")
    }
}

impl Vault {
    /// A vault of this secret.
    pub fn new(secret: [u8; VAULT_KEY_BYTES]) -> Self {
        Self { secret }
    }

    /// A vault of a secret that nobody knows and that ends with it.
    pub fn random() -> Self {
        use rand::RngCore as _;
        let mut secret = [0; VAULT_KEY_BYTES];
        rand::rng().fill_bytes(&mut secret);
        Self { secret }
    }

    /// The key of one purpose.
    pub(crate) fn key(&self, purpose: &str) -> [u8; VAULT_KEY_BYTES] {
        let mut key = [0; VAULT_KEY_BYTES];
        // Fails only for keys longer than 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, &self.secret).expand(purpose.as_bytes(), &mut key);
        key
    }

    /// Encrypts text. `bound_to` is not in the result and must be the same to open it: whose it is and what for, so that
    /// one row's text cannot be moved into another.
    pub(crate) fn seal(&self, purpose: &str, bound_to: &str, text: &str) -> Result<Vec<u8>> {
        use rand::RngCore as _;
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: text.as_bytes(), aad: bound_to.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.key(purpose).into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal("text could not be sealed"))?;
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    /// Decrypts what [`Vault::seal`] gave. Fails when the secret is another one, or what it is bound to.
    pub(crate) fn open(&self, purpose: &str, bound_to: &str, sealed: &[u8]) -> Result<String> {
        let broken = || Error::internal("sealed text does not open: is the server's secret another one?");
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(broken()) };
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: text, aad: bound_to.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.key(purpose).into());
        let text = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| broken())?;
        String::from_utf8(text).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_purpose_owner_and_secret_open_it() {
        let vault = Vault::new([7; VAULT_KEY_BYTES]);
        let sealed = vault.seal("judge", "user_1", "sk-secret").unwrap();
        assert_eq!(vault.open("judge", "user_1", &sealed).unwrap(), "sk-secret");
        assert_ne!(sealed, vault.seal("judge", "user_1", "sk-secret").unwrap());
        assert!(!sealed.windows(9).any(|w| w == b"sk-secret"));
        assert!(vault.open("judge", "user_2", &sealed).is_err());
        assert!(vault.open("other", "user_1", &sealed).is_err());
        assert!(Vault::new([8; VAULT_KEY_BYTES]).open("judge", "user_1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open("judge", "user_1", &changed).is_err(), "{at}");
        }
        for len in 0..sealed.len() {
            assert!(vault.open("judge", "user_1", &sealed[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn it_does_not_show_itself() {
        assert_eq!(format!("{:?}", Vault::new([7; 32])), "Vault(********)");
    }
}
