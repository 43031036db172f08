//! An invitation to make an account.

use crate::{Timestamp, UserId};

/// A mail address that may make an account where signing up is by invitation. Used up by doing so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The address, as accounts have it.
    pub email: String,
    /// Who invited it.
    pub invited_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}
