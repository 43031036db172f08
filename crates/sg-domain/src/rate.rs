//! Where a caller stands with its rate limit: counted by the server, told by every surface.

use std::time::Duration;

use crate::Timestamp;

/// Where a caller stands after a request of its was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStanding {
    /// How many requests there are in an hour.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// By then the whole limit is there again, if nothing else is asked.
    pub full_at: Timestamp,
    /// How long it takes until what one request takes is there again.
    pub refill: Duration,
}

impl RateStanding {
    /// What one request takes off the limit, whatever it asks for.
    pub const COST: u32 = 1;

    /// How many requests of the limit are used up.
    pub fn used(&self) -> u32 {
        self.limit - self.remaining
    }

    /// When the whole limit is there again, in UTC epoch seconds, rounded up: nobody who waits that long comes too early.
    pub fn reset_at(&self) -> i64 {
        let micros = self.full_at.micros();
        micros.div_euclid(1_000_000) + i64::from(micros.rem_euclid(1_000_000) > 0)
    }

    /// Where the caller would stand without the request that was counted.
    #[must_use]
    pub fn given_back(&self) -> Self {
        let refill = i64::try_from(self.refill.as_micros()).unwrap_or(i64::MAX);
        let remaining = (self.remaining + Self::COST).min(self.limit);
        Self { remaining, full_at: self.full_at.plus_micros(-refill), ..*self }
    }
}

/// Marks an answer whose request is not to count after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCounted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_what_was_taken() {
        let full_at = Timestamp::from_micros(100_000_001);
        let standing = RateStanding { limit: 60, remaining: 58, full_at, refill: Duration::from_secs(60) };
        assert_eq!((standing.used(), standing.reset_at()), (2, 101));
        let before = standing.given_back();
        assert_eq!((before.remaining, before.used(), before.reset_at()), (59, 1, 41));
        assert_eq!(before.given_back().given_back().remaining, 60, "never more than the limit");
    }
}
