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
}
