//! Content-addressed bytes: named by the SHA-256 of the content, kept as zstd, given back byte for byte.

use bytes::Bytes;
use sg_domain::{Digest, Result, Timestamp};

use crate::store::stub;

/// The blob store.
#[derive(Clone)]
pub struct Blobs {}

impl Blobs {
    /// Stores bytes and returns their name. Storing again what is there is cheap, and protects it from a sweep that runs
    /// at the same time. When this returns, the blob survives a crash of this process.
    pub async fn put(&self, _bytes: Bytes) -> Result<Digest> {
        stub()
    }
    /// The bytes; `None` when there is no such blob. A blob that does not match its name is an error.
    pub async fn get(&self, _digest: Digest) -> Result<Option<Bytes>> {
        stub()
    }
    /// Whether it is there.
    pub async fn exists(&self, _digest: Digest) -> Result<bool> {
        stub()
    }
    /// Names and ages of all blobs, for `doctor` and the sweep.
    pub async fn list(&self) -> Result<Vec<(Digest, Timestamp)>> {
        stub()
    }
    /// Removes blobs older than `before` that no row names; returns how many. Safe while writers run.
    pub async fn sweep(&self, _store: &crate::Store, _before: Timestamp) -> Result<u64> {
        stub()
    }
}
