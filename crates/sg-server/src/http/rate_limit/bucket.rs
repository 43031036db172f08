//! Buckets by key: `governor`'s, over the app's clock, in a table that cannot grow without end.

use std::hash::Hash;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use lru::LruCache;
use parking_lot::Mutex;
use sg_domain::{RateStanding, Timestamp};

use super::Standing;

/// Tells the time: the app's clock.
pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What most buckets hold is one hour's.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// What those of SessionFS's keys hold is one minute's.
const MINUTE: Duration = Duration::from_secs(60);
/// Buckets kept of one kind. Beyond them the one that rested longest is forgotten, which makes it full again: a table for
/// every address of a botnet would cost more than what it keeps out. About five megabytes.
const MAX_BUCKETS: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// One bucket for each key, all of one size.
pub(crate) struct Buckets<K: Hash + Eq + Clone> {
    limit: NonZeroU32,
    period: Duration,
    limiter: RateLimiter<K, Table<K>, AppClock, StateInformationMiddleware>,
    rows: Rows<K>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Full ones that hold an hour's; none when there is no limit.
    pub(super) fn new(now: &Now, per_hour: u32) -> Option<Self> {
        Self::of(now, per_hour, HOUR)
    }

    /// Full ones that hold a minute's; none when there is no limit.
    pub(super) fn by_the_minute(now: &Now, per_minute: u32) -> Option<Self> {
        Self::of(now, per_minute, MINUTE)
    }

    fn of(now: &Now, limit: u32, period: Duration) -> Option<Self> {
        let limit = NonZeroU32::new(limit)?;
        let quota = Quota::with_period(period / limit.get())?.allow_burst(limit);
        let rows = Rows::new(Mutex::new(LruCache::new(MAX_BUCKETS)));
        let table = Table { rows: rows.clone(), now: now.clone() };
        let clock = AppClock { now: now.clone(), begun: OnceLock::new() };
        let limiter = RateLimiter::new(quota, table, clock);
        Some(Self { limit, period, limiter, rows })
    }

    /// Takes one out, or says how long to wait for one.
    pub(super) fn take(&self, key: &K) -> Standing {
        let limit = self.limit.get();
        let now: Duration = self.limiter.clock().now().into();
        let (remaining, retry_after) = match self.limiter.check_key(key) {
            Ok(state) => (state.remaining_burst_capacity().min(limit), None),
            Err(refused) => (0, Some(refused.wait_time_from(now.into()))),
        };
        let refill = self.period / limit;
        let full_at = now + refill * (limit - remaining);
        // Rounded up, as the whole seconds of the headers are.
        let full_at = i64::try_from(full_at.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX);
        let rate = RateStanding { limit, remaining, full_at: Timestamp::from_micros(full_at), refill };
        Standing { rate, retry_after }
    }

    /// Puts back what one request took.
    pub(super) fn give_back(&self, key: &K) {
        if let Some(full_at) = self.rows.lock().get_mut(key) {
            *full_at = full_at.saturating_sub((self.period / self.limit.get()).into());
        }
    }
}

/// The app's clock, as nanoseconds of the epoch.
struct AppClock {
    now: Now,
    begun: OnceLock<()>,
}

impl Clock for AppClock {
    type Instant = Nanos;

    /// The limiter takes its first reading for the time before which nothing happened, and would stand still in a clock
    /// that is set back to before it; so that reading is the epoch.
    fn now(&self) -> Nanos {
        if self.begun.set(()).is_ok() { Nanos::new(0) } else { epoch_nanos(&self.now) }
    }
}

fn epoch_nanos(now: &Now) -> Nanos {
    u64::try_from(now().micros()).unwrap_or(0).saturating_mul(1_000).into()
}

type Rows<K> = Arc<Mutex<LruCache<K, Nanos>>>;

/// When each bucket will be full, by key: the ones used last, and no more than [`MAX_BUCKETS`].
struct Table<K: Hash + Eq> {
    rows: Rows<K>,
    now: Now,
}

impl<K: Hash + Eq + Clone> StateStore for Table<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut rows = self.rows.lock();
        // No bucket takes longer than the period to fill. One that would was written by a clock that has been set back, and
        // would shut its key out for as long as that.
        let latest = epoch_nanos(&self.now) + HOUR;
        let full_at = rows.get(key).copied().filter(|full_at| *full_at <= latest);
        let (outcome, full_at) = decide(full_at)?;
        rows.put(key.clone(), full_at);
        Ok(outcome)
    }
}

#[cfg(test)]
impl<K: Hash + Eq + Clone> Buckets<K> {
    /// How many are kept.
    pub(super) fn kept(self) -> usize {
        self.rows.lock().len()
    }

    /// How many may be kept.
    pub(super) const MAX: usize = MAX_BUCKETS.get();
}
