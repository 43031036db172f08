//! Counting failures, so that guessing is hopeless and nobody locks others out.
//!
//! A guess is counted before it is tried and forgiven when it was right, so that many at once are no way around. Counters
//! are kept per address and per account; a wider one over everybody stops a guesser with many addresses, and those whose
//! address is known from an earlier success pass it, so that such a guesser shuts nobody out who was there before.
//! Counters live in this process: a restart forgets them, and each of several servers keeps its own.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use sg_domain::{ClientAddress, Digest, Error, ErrorKind, Result, Timestamp};

/// The most counters of one kind: made-up accounts and addresses cost no more memory than this.
const MAX_COUNTERS: usize = 10_000;

/// How many failures are let through in how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) failures: u32,
    pub(crate) window: Duration,
}

/// Failures per key, each over a window that begins with the first.
pub(crate) struct Counters<K> {
    counters: Mutex<HashMap<K, Counter>>,
    allowance: Allowance,
}

#[derive(Clone, Copy)]
struct Counter {
    failures: u32,
    until: Timestamp,
}

impl<K: Eq + Hash + Clone> Counters<K> {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { counters: Mutex::default(), allowance }
    }

    /// Counts a failure in advance; how long to wait when there were too many already.
    pub(crate) fn count(&self, key: &K, now: Timestamp) -> Result<(), Duration> {
        let mut counters = self.counters.lock();
        if let Some(counter) = counters.get_mut(key)
            && counter.until > now
        {
            if counter.failures >= self.allowance.failures {
                let wait = u64::try_from(counter.until.micros() - now.micros()).unwrap_or_default();
                return Err(Duration::from_micros(wait));
            }
            counter.failures += 1;
            return Ok(());
        }
        if counters.len() >= MAX_COUNTERS && !counters.contains_key(key) {
            make_room(&mut counters, now);
        }
        let window = i64::try_from(self.allowance.window.as_micros()).unwrap_or(i64::MAX);
        counters.insert(key.clone(), Counter { failures: 1, until: now.plus_micros(window) });
        Ok(())
    }

    /// Takes one failure back: it was none.
    pub(crate) fn forgive(&self, key: &K) {
        let mut counters = self.counters.lock();
        if let Some(counter) = counters.get_mut(key) {
            counter.failures = counter.failures.saturating_sub(1);
            if counter.failures == 0 {
                counters.remove(key);
            }
        }
    }

    /// Forgets all failures of a key.
    pub(crate) fn forget(&self, key: &K) {
        self.counters.lock().remove(key);
    }
}

/// Drops what has ended, else the counters that matter least: whoever floods the table with new keys evicts those. A tenth
/// at a time, so that a flood does not cost a look at the whole table for each key.
fn make_room<K: Eq + Hash + Clone>(counters: &mut HashMap<K, Counter>, now: Timestamp) {
    counters.retain(|_, counter| counter.until > now);
    if counters.len() >= MAX_COUNTERS {
        drop_least(counters, |counter| (counter.failures, counter.until));
    }
}

/// Drops the tenth of a table whose entries rank lowest.
fn drop_least<K: Eq + Hash + Clone, V, R: Ord>(table: &mut HashMap<K, V>, rank: impl Fn(&V) -> R) {
    let mut ranked: Vec<_> = table.iter().map(|(key, value)| (rank(value), key.clone())).collect();
    let tenth = ranked.len() / 10;
    ranked.select_nth_unstable_by(tenth, |(one, _), (other, _)| one.cmp(other));
    for (_, key) in &ranked[..tenth] {
        table.remove(key);
    }
}

/// Keys that did well lately; the oldest go first.
pub(crate) struct Known<K>(Mutex<HashMap<K, Timestamp>>);

/// How long a success is remembered.
const KNOWN_MICROS: i64 = 30 * sg_domain::time::DAY_MICROS;

impl<K: Eq + Hash + Clone> Known<K> {
    fn note(&self, key: K, now: Timestamp) {
        let mut known = self.0.lock();
        if known.len() >= MAX_COUNTERS && !known.contains_key(&key) {
            drop_least(&mut known, |at| *at);
        }
        known.insert(key, now);
    }

    fn has(&self, key: &K, now: Timestamp) -> bool {
        self.0.lock().get(key).is_some_and(|at| now.micros() - at.micros() < KNOWN_MICROS)
    }
}

const MINUTES_15: Duration = Duration::from_secs(15 * 60);

/// Where a guess comes from; all requests without an address are one.
type Network = Option<IpAddr>;

/// Attempts to sign in with a password.
pub(crate) struct SignInAttempts {
    pair: Counters<(Digest, Network)>,
    network: Counters<Network>,
    account: Counters<Digest>,
    known: Known<(Digest, Network)>,
}

impl Default for SignInAttempts {
    fn default() -> Self {
        let of = |failures| Allowance { failures, window: MINUTES_15 };
        Self {
            pair: Counters::new(of(10)),
            network: Counters::new(of(50)),
            account: Counters::new(of(100)),
            known: Known(Mutex::default()),
        }
    }
}

impl SignInAttempts {
    /// Counts an attempt on an account, there or not; `RateLimited` after too many.
    pub(crate) fn begin(&self, email: &str, from: Option<ClientAddress>, now: Timestamp) -> Result<()> {
        let (account, network) = (Digest::of(email.as_bytes()), from.map(ClientAddress::network));
        let pair = (account, network);
        self.network.count(&network, now).map_err(limited)?;
        self.pair.count(&pair, now).map_err(limited)?;
        if !self.known.has(&pair, now) {
            self.account.count(&account, now).map_err(limited)?;
        }
        Ok(())
    }

    /// The attempt was right.
    pub(crate) fn succeed(&self, email: &str, from: Option<ClientAddress>, now: Timestamp) {
        let (account, network) = (Digest::of(email.as_bytes()), from.map(ClientAddress::network));
        self.network.forgive(&network);
        self.account.forgive(&account);
        self.pair.forget(&(account, network));
        self.known.note((account, network), now);
    }
}

/// Attempts to sign a device in with a code.
///
/// There are 62^6 codes and each lives ten minutes. With 300 failures in ten minutes for all strangers together, even with
/// a thousand codes open all the time, somebody who never stops guesses one in about four years.
pub(crate) struct DeviceAttempts {
    network: Counters<Network>,
    strangers: Counters<()>,
    known: Known<Network>,
}

impl Default for DeviceAttempts {
    fn default() -> Self {
        let of = |failures| Allowance { failures, window: Duration::from_secs(600) };
        Self { network: Counters::new(of(10)), strangers: Counters::new(of(300)), known: Known(Mutex::default()) }
    }
}

impl DeviceAttempts {
    /// Counts an attempt; `RateLimited` after too many.
    pub(crate) fn begin(&self, from: Option<ClientAddress>, now: Timestamp) -> Result<()> {
        let network = from.map(ClientAddress::network);
        self.network.count(&network, now).map_err(limited)?;
        if network.is_none() || !self.known.has(&network, now) {
            self.strangers.count(&(), now).map_err(limited)?;
        }
        Ok(())
    }

    /// The attempt was right.
    pub(crate) fn succeed(&self, from: Option<ClientAddress>) {
        self.network.forgive(&from.map(ClientAddress::network));
        self.strangers.forgive(&());
    }

    /// Somebody who is signed in asked for a code here: a device beside them is no stranger.
    pub(crate) fn meet(&self, from: Option<ClientAddress>, now: Timestamp) {
        if let Some(from) = from {
            self.known.note(Some(from.network()), now);
        }
    }
}

/// Attempts to make an account: whatever comes of one, it counts.
pub(crate) struct SignUpAttempts(Counters<Network>);

impl Default for SignUpAttempts {
    fn default() -> Self {
        Self(Counters::new(Allowance { failures: 5, window: Duration::from_secs(60 * 60) }))
    }
}

impl SignUpAttempts {
    /// Counts an attempt; `RateLimited` after too many.
    pub(crate) fn begin(&self, from: Option<ClientAddress>, now: Timestamp) -> Result<()> {
        self.0.count(&from.map(ClientAddress::network), now).map_err(limited)
    }
}

fn limited(retry_after: Duration) -> Error {
    let minutes = retry_after.as_secs().div_ceil(60).max(1);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    Error::new(ErrorKind::RateLimited { retry_after }, format!("too many attempts, try again in {minutes} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    fn from(n: u32) -> Option<ClientAddress> {
        Some(ClientAddress::new(std::net::Ipv4Addr::from(n).into()))
    }

    #[test]
    fn a_window_ends_and_success_forgives() {
        let counters = Counters::new(Allowance { failures: 2, window: Duration::from_secs(10) });
        assert!(counters.count(&1, at(0)).is_ok() && counters.count(&1, at(1)).is_ok());
        assert_eq!(counters.count(&1, at(4)), Err(Duration::from_secs(6)));
        assert!(counters.count(&2, at(4)).is_ok(), "another key is another's");
        counters.forgive(&1);
        assert!(counters.count(&1, at(5)).is_ok());
        assert!(counters.count(&1, at(6)).is_err());
        assert!(counters.count(&1, at(10)).is_ok(), "a new window");
    }

    #[test]
    fn made_up_keys_neither_grow_the_table_nor_clear_a_counter() {
        let counters = Counters::new(Allowance { failures: 3, window: Duration::from_secs(10) });
        for _ in 0..3 {
            counters.count(&0, at(0)).unwrap();
        }
        for key in 1..2 * MAX_COUNTERS {
            counters.count(&key, at(1)).unwrap();
        }
        assert!(counters.counters.lock().len() <= MAX_COUNTERS);
        assert!(counters.count(&0, at(2)).is_err(), "the flood washed a full counter away");
    }

    #[test]
    fn a_guesser_with_many_addresses_is_stopped_and_locks_nobody_out_who_is_known() {
        let attempts = DeviceAttempts::default();
        attempts.meet(from(7), at(0));
        let tried = (100..20_000).filter(|n| attempts.begin(from(*n), at(1)).is_ok()).count();
        assert_eq!(tried, 300);
        assert!(attempts.begin(from(8), at(2)).is_err(), "a stranger waits");
        for _ in 0..10 {
            attempts.begin(from(7), at(2)).unwrap();
        }
        assert!(attempts.begin(from(7), at(2)).is_err(), "the known guess no more than others from one address");
    }

    #[test]
    fn an_account_under_attack_stays_open_to_its_owner() {
        let attempts = SignInAttempts::default();
        attempts.begin("me@example.com", from(7), at(0)).unwrap();
        attempts.succeed("me@example.com", from(7), at(0));
        let tried = (100..20_000).filter(|n| attempts.begin("me@example.com", from(*n), at(1)).is_ok()).count();
        assert_eq!(tried, 100);
        assert!(attempts.begin("me@example.com", from(7), at(2)).is_ok());
        assert!(attempts.begin("you@example.com", from(8), at(2)).is_ok());
        let tried = (0..1_000).filter(|n| attempts.begin(&format!("{n}@example.com"), from(9), at(2)).is_ok()).count();
        assert_eq!(tried, 50, "one address tries many accounts");
    }
}
