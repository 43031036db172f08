//! A project: the sessions of one repository or folder.

use crate::{ProjectId, ProjectKey, Timestamp, UserId};

/// The icon of a new project.
pub const DEFAULT_ICON: &str = "FolderKanban";
/// The colour of a new project.
pub const DEFAULT_COLOR: &str = "blue";

/// A project, keyed by its owner and the id its clients use, with the sums that every list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The server's own key; never shown.
    pub key: ProjectKey,
    /// The id that clients use.
    pub id: ProjectId,
    /// Who owns it.
    pub owner: UserId,
    /// Its name.
    pub name: String,
    /// Any non-empty string up to 64 characters.
    pub icon: String,
    /// Any non-empty string up to 64 characters.
    pub color: String,
    /// When it was made here.
    pub created_at: Timestamp,
    /// When it or its session list last changed here.
    pub updated_at: Timestamp,
    /// The latest activity of its sessions; `None` while it has none.
    pub last_activity_at: Option<Timestamp>,
    /// Number of sessions.
    pub session_count: u64,
    /// Bytes of markdown of all its sessions.
    pub total_markdown_size: u64,
}
