//! Valid documents by their SHA-256, bounded in bytes. It is also the store of persisted queries.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;
use sg_domain::Digest;

use super::Document;

/// What a parsed document weighs beside its text: three trees of it are kept. Measured on documents of all sizes.
const TREES_PER_TEXT_BYTE: usize = 60;
/// What the smallest document weighs.
const BASE_BYTES: usize = 4 * 1024;

/// Known documents, least recently used out first.
pub(crate) struct Cache {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    documents: LruCache<[u8; 32], Arc<Document>>,
    bytes: usize,
}

impl Cache {
    /// An empty cache that holds at most about this many bytes.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, inner: Mutex::new(Inner { documents: LruCache::unbounded(), bytes: 0 }) }
    }

    /// The document with this hash.
    pub(crate) fn get(&self, hash: &Digest) -> Option<Arc<Document>> {
        self.inner.lock().documents.get(&hash.0).cloned()
    }

    /// Keeps a document, dropping those not used for the longest time. One that is too large alone is not kept.
    pub(crate) fn put(&self, document: Arc<Document>) {
        let weight = weight(&document);
        if weight > self.max_bytes {
            return;
        }
        let mut inner = self.inner.lock();
        if let Some(same) = inner.documents.put(document.hash.0, document) {
            inner.bytes -= self::weight(&same);
        }
        inner.bytes += weight;
        while inner.bytes > self.max_bytes {
            match inner.documents.pop_lru() {
                Some((_, dropped)) => inner.bytes -= self::weight(&dropped),
                None => break,
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().documents.len()
    }
}

fn weight(document: &Document) -> usize {
    BASE_BYTES + document.text_bytes * TREES_PER_TEXT_BYTE
}
