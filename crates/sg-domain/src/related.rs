//! Sessions that have to do with another one.

use crate::{SessionId, Visibility};

/// Which sessions have to do with this one?
#[derive(Clone, Debug)]
pub struct RelatedQuery {
    /// Whose sessions may be found.
    pub visibility: Visibility,
    /// The session that others are held against.
    pub session: SessionId,
    /// At most this many.
    pub limit: usize,
}

/// A session that has to do with another one.
#[derive(Clone, Debug, PartialEq)]
pub struct RelatedHit {
    /// The session.
    pub session: SessionId,
    /// How near it is, above 0 and at most 1.
    pub similarity: f64,
    /// Why, the weightiest first.
    pub reasons: Vec<RelatedReason>,
}

/// What two sessions have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelatedReason {
    /// Much of the one's own vocabulary is said in the other.
    Content,
    /// Tools touched, or people named, the same files.
    Files,
    /// They are of one project.
    Project,
    /// They were on one branch of one project.
    Branch,
}
