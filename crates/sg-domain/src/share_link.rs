//! Links that let whoever has one read a session without signing in.

use crate::{Digest, SessionId, ShareLinkId, Timestamp, UserId};

/// A link, without its token: of that only a hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ShareLink {
    /// Its id, which is no secret.
    pub id: ShareLinkId,
    /// The session it leads to.
    pub session: SessionId,
    /// Who made it.
    pub owner: UserId,
    /// SHA-256 of its token.
    pub token_hash: Digest,
    /// The hash of its password, as a PHC string; `None` opens it to whoever has the link.
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Shows no hash.
impl std::fmt::Debug for ShareLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShareLink")
            .field("id", &self.id)
            .field("session", &self.session)
            .field("has_password", &self.password_hash.is_some())
            .field("expires_at", &self.expires_at)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

/// What a link leads to, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareTarget {
    /// The link.
    pub link: ShareLink,
    /// The id that clients know the archive by.
    pub archive: String,
    /// The archive's bytes.
    pub digest: Digest,
    /// How many those are.
    pub size_bytes: u64,
    /// Whether the session is in the trash.
    pub is_deleted: bool,
    /// Whether an operator turned the account off that made the link.
    pub is_owner_disabled: bool,
}
