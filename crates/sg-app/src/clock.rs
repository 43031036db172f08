//! Time and randomness, so that tests can hold both still.

use sg_domain::Timestamp;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the app clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Makes identifiers and secrets.
pub trait Ids: Send + Sync {
    /// A new id, later ones sorting behind earlier ones where the source can do that.
    fn uuid(&self) -> Uuid;

    /// Random bytes that nobody can guess, as lower-case hex.
    fn secret_hex(&self, bytes: usize) -> String;

    /// A code that a person types into a device: six letters and digits, upper and lower case, that nobody can guess.
    fn device_code(&self) -> String;
}

/// UUID v7 and the operating system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn secret_hex(&self, bytes: usize) -> String {
        use rand::RngCore as _;
        let mut secret = vec![0; bytes];
        // `rng()` is a CSPRNG that the operating system seeds; it panics only when that has no randomness at all.
        rand::rng().fill_bytes(&mut secret);
        hex::encode(secret)
    }

    fn device_code(&self) -> String {
        use rand::Rng as _;
        let letters = rand::rng().sample_iter(rand::distr::Alphanumeric);
        letters.take(crate::DEVICE_CODE_CHARS).map(char::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_use_every_letter_and_digit() {
        let codes: Vec<_> = (0..1_000).map(|_| RandomIds.device_code()).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_alphanumeric())));
        let letters: std::collections::BTreeSet<_> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(letters.len(), 62);
    }
}
