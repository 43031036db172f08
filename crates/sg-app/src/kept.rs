//! Answers that are kept in memory under the data version they were made at: bounded in bytes, never stale.
//!
//! Each owner has a version in the database that every committed change moves, whichever server made it. A surface reads
//! it before it looks here and before it answers. So data of a later moment may stand in what is kept under a version,
//! and then nobody asks for that version any more.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

/// The part of all bytes that one answer may take.
const LARGEST_SHARE: usize = 8;
/// What an answer takes beside its own bytes and its key: headers, the places in the table.
const OVERHEAD_BYTES: usize = 1_024;

/// Kept answers of one surface, least recently used out first.
pub struct KeptAnswers<V> {
    max_bytes: usize,
    table: Mutex<Table<V>>,
}

struct Table<V> {
    answers: LruCache<String, Kept<V>>,
    bytes: usize,
}

struct Kept<V> {
    version: i64,
    bytes: usize,
    value: Arc<V>,
}

impl<V> KeptAnswers<V> {
    /// None yet; together they take at most about this many bytes.
    pub fn new(max_bytes: usize) -> Self {
        // Bounded by bytes: each answer counts its overhead.
        let most = NonZeroUsize::MIN.saturating_add(max_bytes / OVERHEAD_BYTES);
        Self { max_bytes, table: Mutex::new(Table { answers: LruCache::new(most), bytes: 0 }) }
    }

    /// The largest answer that is kept, in bytes.
    pub fn largest(&self) -> usize {
        self.max_bytes / LARGEST_SHARE
    }

    /// What was kept under this key at this version.
    pub fn get(&self, key: &str, version: i64) -> Option<Arc<V>> {
        let mut table = self.table.lock();
        let kept = table.answers.get(key)?;
        if kept.version == version {
            return Some(Arc::clone(&kept.value));
        }
        // Versions only grow, but a request may have read an older one than another that overtook it.
        if kept.version < version
            && let Some(old) = table.answers.pop(key)
        {
            table.bytes -= old.bytes;
        }
        None
    }

    /// Keeps an answer of so many bytes, unless it is too large or a later one is there.
    pub fn put(&self, key: String, version: i64, bytes: usize, value: V) {
        let bytes = OVERHEAD_BYTES + key.len() + bytes;
        if bytes > self.largest() {
            return;
        }
        let mut table = self.table.lock();
        if table.answers.peek(&key).is_some_and(|known| known.version > version) {
            return;
        }
        table.bytes += bytes;
        // Either the one in its place or, when the table is full, the oldest.
        if let Some((_, old)) = table.answers.push(key, Kept { version, bytes, value: Arc::new(value) }) {
            table.bytes -= old.bytes;
        }
        while table.bytes > self.max_bytes
            && let Some((_, old)) = table.answers.pop_lru()
        {
            table.bytes -= old.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> String {
        format!("key {n}")
    }

    #[test]
    fn only_the_version_that_is_asked_for_is_given() {
        let kept = KeptAnswers::new(1 << 20);
        kept.put(key(1), 5, 10, "five");
        assert_eq!(kept.get("key 1", 5).as_deref(), Some(&"five"));
        // Asked for by one that was overtaken: what is there stays.
        assert!(kept.get("key 1", 4).is_none() && kept.get("key 1", 5).is_some());
        kept.put(key(1), 4, 10, "four");
        assert_eq!(kept.get("key 1", 5).as_deref(), Some(&"five"));
        assert!(kept.get("key 1", 6).is_none() && kept.get("key 1", 5).is_none());
    }

    #[test]
    fn bytes_are_bounded_whatever_comes() {
        let kept = KeptAnswers::new(64 * 1_024);
        kept.put(key(0), 1, 9 * 1_024, ());
        assert!(kept.get("key 0", 1).is_none(), "too large to be kept");
        for n in 0..1_000 {
            kept.put(key(n), 1, n * 7 % 4_096, ());
            assert!(kept.table.lock().bytes <= 64 * 1_024);
            assert!(kept.get(&key(n), 1).is_some());
        }
        let all: usize = kept.table.lock().answers.iter().map(|(_, kept)| kept.bytes).sum();
        assert_eq!(kept.table.lock().bytes, all);
        for n in 0..1_000 {
            kept.get(&key(n), 2);
        }
        assert_eq!(kept.table.lock().bytes, 0);
    }
}
