//! `[sessionfs]`: what its clients may push.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sg_app::{ArchiveLimits, SecretAction};

/// What SessionFS's clients may push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionfsSection {
    /// The largest archive, packed, in MiB.
    pub max_archive_mib: u64,
    /// The largest file in one, unpacked, in MiB. Clients are told, and unpack no larger ones.
    pub max_member_mib: u64,
    /// The most that one unpacks to, in MiB.
    pub max_unpacked_mib: u64,
    /// How many times its size one may unpack to.
    pub max_ratio: u64,
    /// The most files and folders in one.
    pub max_members: usize,
    /// Pushes of one account at a time.
    pub pushes_at_once: usize,
    /// How long one more waits for its turn, in seconds.
    pub push_wait_secs: u64,
    /// What is done about secrets in what is pushed: `keep`, `warn`, `redact` or `block`.
    pub secrets: SecretsName,
}

/// What is done about secrets in what is pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsName {
    /// Nothing: they are not looked for.
    #[default]
    Keep,
    /// What is found is noted.
    Warn,
    /// They are taken out.
    Redact,
    /// A session with one is refused.
    Block,
}

impl Default for SessionfsSection {
    fn default() -> Self {
        let limits = ArchiveLimits::default();
        Self {
            max_archive_mib: limits.max_archive_bytes >> 20,
            max_member_mib: limits.max_member_bytes >> 20,
            max_unpacked_mib: limits.max_unpacked_bytes >> 20,
            max_ratio: limits.max_ratio,
            max_members: limits.max_members,
            pushes_at_once: limits.pushes_at_once,
            push_wait_secs: limits.push_wait.as_secs(),
            secrets: SecretsName::default(),
        }
    }
}

impl SessionfsSection {
    /// The operations' part.
    pub(crate) fn limits(&self) -> ArchiveLimits {
        let bytes = |mib: u64| mib.saturating_mul(1024 * 1024);
        ArchiveLimits {
            max_archive_bytes: bytes(self.max_archive_mib),
            max_member_bytes: bytes(self.max_member_mib),
            max_unpacked_bytes: bytes(self.max_unpacked_mib),
            max_ratio: self.max_ratio,
            max_members: self.max_members,
            pushes_at_once: self.pushes_at_once,
            push_wait: Duration::from_secs(self.push_wait_secs),
            secrets: match self.secrets {
                SecretsName::Keep => None,
                SecretsName::Warn => Some(SecretAction::Warn),
                SecretsName::Redact => Some(SecretAction::Redact),
                SecretsName::Block => Some(SecretAction::Block),
            },
        }
    }
}
