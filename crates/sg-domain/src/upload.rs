//! An archive that arrives in parts.

use crate::{Digest, Timestamp, UserId};

/// An upload that was begun: what is to come of it is known from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// `up_` and 24 hex digits.
    pub id: String,
    /// Whose it is.
    pub owner: UserId,
    /// The archive that it is to become.
    pub archive: String,
    /// Bytes of all parts.
    pub total_bytes: u64,
    /// SHA-256 of all parts, one behind the other.
    pub digest: Digest,
    /// Bytes of each part but the last, which may have fewer.
    pub part_bytes: u64,
    /// How many parts there are; they are counted from 1.
    pub part_count: u32,
    /// When it became the archive.
    pub completed_at: Option<Timestamp>,
    /// Until when parts are taken.
    pub expires_at: Timestamp,
}

impl Upload {
    /// How many bytes a part must have; `None` when there is no such part.
    pub fn part_len(&self, number: u32) -> Option<u64> {
        let before = u64::from(number.checked_sub(1)?) * self.part_bytes;
        (number <= self.part_count).then(|| self.part_bytes.min(self.total_bytes.saturating_sub(before)))
    }
}
