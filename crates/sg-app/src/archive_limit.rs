//! What one archive may hold, how many of them one account sends at a time, and what is done about secrets in them.

use std::time::Duration;

use sg_formats::sessionfs::Limits;

use crate::SecretAction;
use crate::archive::MAX_MEMBER_BYTES;

/// See the header of this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes of an archive, packed.
    pub max_archive_bytes: u64,
    /// Bytes of one file in it, unpacked. Clients are told, and refuse to unpack larger ones.
    pub max_member_bytes: u64,
    /// Bytes of all of it, unpacked.
    pub max_unpacked_bytes: u64,
    /// How many times its size it may unpack to, once that is more than a small session's.
    pub max_ratio: u64,
    /// Files and folders in it.
    pub max_members: usize,
    /// Pushes of one account at a time.
    pub pushes_at_once: usize,
    /// How long one more waits for its turn.
    pub push_wait: Duration,
    /// What is done with secrets in it; `None`: nothing is looked for.
    pub secrets: Option<SecretAction>,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            max_archive_bytes: 300 << 20,
            max_member_bytes: MAX_MEMBER_BYTES,
            max_unpacked_bytes: limits.max_total_bytes,
            max_ratio: limits.max_ratio,
            max_members: limits.max_members,
            pushes_at_once: 3,
            push_wait: Duration::from_secs(30),
            secrets: None,
        }
    }
}

impl ArchiveLimits {
    /// As those who read an archive take them.
    pub(crate) fn reading(&self) -> Limits {
        let limits = Limits::default();
        Limits {
            max_members: self.max_members,
            // Beyond this it is no session at all, whatever is advised.
            max_member_bytes: limits.max_member_bytes.max(self.max_member_bytes),
            advised_member_bytes: self.max_member_bytes,
            max_total_bytes: self.max_unpacked_bytes,
            max_ratio: self.max_ratio,
            ..limits
        }
    }
}
