//! What an account's machines sync by themselves, and how that goes.

use serde::{Deserialize, Serialize};

use crate::{ArchivedSession, Timestamp};

/// What an account syncs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// Which sessions.
    pub mode: SyncMode,
    /// How long a session must rest before it is sent, in seconds.
    pub debounce_secs: u32,
}

impl SyncSettings {
    /// The shortest and the longest rest.
    pub const DEBOUNCE_SECS: std::ops::RangeInclusive<u32> = 5..=300;
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { mode: SyncMode::Off, debounce_secs: 30 }
    }
}

/// Which sessions are synced by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// None.
    Off,
    /// All.
    All,
    /// Those on the watchlist.
    Selective,
}

impl SyncMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Off, Self::All, Self::Selective];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::All => "all",
            Self::Selective => "selective",
        }
    }

    /// The mode of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// A session on the watchlist.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedSession {
    /// The session.
    pub session: ArchivedSession,
    /// How sending it goes.
    pub status: WatchStatus,
    /// When it was last sent, as its client says.
    pub last_synced_at: Option<Timestamp>,
    /// Since when it is watched.
    pub watched_at: Timestamp,
}

/// How sending a watched session goes, as its client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchStatus {
    /// Nothing has happened yet.
    Pending,
    /// It is to be sent.
    Queued,
    /// It was sent.
    Synced,
    /// It could not be sent.
    Failed,
}

impl WatchStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Queued, Self::Synced, Self::Failed];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Synced => "synced",
            Self::Failed => "failed",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// How much an account has here, and how much of it is watched. Nothing in the trash counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Archives.
    pub sessions: u64,
    /// Their sizes together, packed, in bytes.
    pub bytes: u64,
    /// Sessions on the watchlist.
    pub watched: u64,
    /// Those of them that are to be sent.
    pub queued: u64,
    /// Those of them that could not be sent.
    pub failed: u64,
}

/// How a machine's look at one agent's sessions goes, as its daemon says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// The agent.
    pub name: String,
    /// How it goes, in the daemon's word: `healthy`, `degraded`, `broken`.
    pub health: String,
    /// Since when it does not go well, as the daemon wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded_since: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Sessions that it sees.
    #[serde(default)]
    pub sessions: u64,
}

/// How an account's watchers were when their daemon last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncHealth {
    /// The watchers.
    pub watchers: Vec<Watcher>,
    /// When it was told.
    pub reported_at: Timestamp,
}
