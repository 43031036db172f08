//! Files that were imported, so that importing them again is cheap.

use sg_domain::{Result, Timestamp, UserId};

use crate::store::stub;
use crate::{Store, Tx};

/// What was seen of a file when it was last imported completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSource {
    /// Absolute path, as text.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub modified_at: Timestamp,
    /// Digest of what decides the outcome: reader version, redaction setting, content.
    pub fingerprint: String,
    /// Sessions it holds.
    pub sessions: u64,
}

impl Store {
    /// Every file this owner has imported.
    pub async fn import_sources(&self, _owner: &UserId) -> Result<Vec<ImportSource>> {
        stub()
    }
}
impl Tx {
    /// Notes a file, replacing what was noted of the same path.
    pub async fn put_import_source(&self, _owner: &UserId, _source: &ImportSource) -> Result<()> {
        stub()
    }
}
