//! What happened to a session, and its place in the order of everything that happened to its owner's sessions.

use crate::page::SortValue;
use crate::{Cursor, Digest, Error, ErrorKind, ProjectId, ProjectKey, Result, SessionId, Timestamp, UserId};

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was stored for the first time.
    Created,
    /// It, or one of its exchanges, is not what it was.
    Updated,
    /// It is gone, alone or with its project.
    Deleted,
    /// It was deleted and is back.
    Restored,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Deleted, Self::Restored];

    /// Its name in storage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }
}

/// A place in the log of one owner's changes. Places compare in the order in which changes were committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangePlace {
    /// The owner's data version that the change made.
    pub version: i64,
    /// Of several changes in one version, minus how many follow: 0 for the last.
    pub ordinal: i64,
}

impl ChangePlace {
    /// Behind everything of a version.
    pub fn end_of(version: i64) -> Self {
        Self { version, ordinal: 0 }
    }

    /// As opaque text that only its owner can use.
    pub fn cursor(self, owner: &UserId) -> String {
        let key = vec![SortValue::Text(tag(owner)), SortValue::Int(self.version), SortValue::Int(self.ordinal)];
        Cursor { list: LIST.to_owned(), key }.encode()
    }

    /// Reads a cursor. `Invalid` when it is none, or another owner's.
    pub fn decode(cursor: &str, owner: &UserId) -> Result<Self> {
        let foreign = || Error::invalid("this cursor is not of a change, take one from sessionChanged");
        let cursor = Cursor::decode(cursor, LIST).map_err(|_| foreign())?;
        match &cursor.key[..] {
            [SortValue::Text(of), SortValue::Int(version), SortValue::Int(ordinal)]
                if *of == tag(owner) && *version >= 0 && *ordinal <= 0 =>
            {
                Ok(Self { version: *version, ordinal: *ordinal })
            }
            _ => Err(foreign()),
        }
    }

    /// Whether everything behind this place is still there when everything up to the version `swept` is not.
    pub fn is_kept(self, swept: i64) -> bool {
        self >= Self::end_of(swept)
    }
}

/// The list that cursors of changes name.
const LIST: &str = "change";

/// Enough of the owner to tell cursors of several owners apart, and nothing to be read from it.
fn tag(owner: &UserId) -> String {
    let mut digest = Digest::of(owner.as_str().as_bytes()).to_string();
    digest.truncate(12);
    digest
}

/// What happened to one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionChange {
    /// Its place among its owner's changes.
    pub place: ChangePlace,
    /// Whose session it is.
    pub owner: UserId,
    /// When it was committed, nearly.
    pub at: Timestamp,
    /// What happened.
    pub kind: ChangeKind,
    /// To which session.
    pub session: SessionId,
    /// The session as its client knows it.
    pub client_id: String,
    /// The project it is or was in.
    pub project: ProjectKey,
    /// The project as its clients know it.
    pub project_id: ProjectId,
}

impl Error {
    /// A subscriber does not keep up. `place` is where it can go on.
    pub fn slow_consumer(limit: u64, cursor: String) -> Self {
        let message = format!("more than {limit} changes are waiting to be taken, subscribe again since the last one");
        Self::new(ErrorKind::Unavailable, message).with("code", "SLOW_CONSUMER").with("cursor", cursor)
    }

    /// What a subscriber asks for is not kept any more.
    pub fn changes_expired() -> Self {
        let message = "changes since then are not kept any more, read everything again and subscribe without since";
        Self::new(ErrorKind::Gone, message).with("code", "CHANGES_EXPIRED")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_its_owner_s_alone() {
        let (ann, bob) = (UserId("user_ann".to_owned()), UserId("user_bob".to_owned()));
        let place = ChangePlace { version: 7, ordinal: -2 };
        let cursor = place.cursor(&ann);
        assert_eq!(ChangePlace::decode(&cursor, &ann).unwrap(), place);
        assert!(!cursor.contains("ann"));
        let other = Cursor { list: "session".to_owned(), key: Vec::new() }.encode();
        for (cursor, owner) in [(&*cursor, &bob), ("", &ann), ("x", &ann), (&cursor[..9], &ann), (&*other, &ann)] {
            assert_eq!(ChangePlace::decode(cursor, owner).unwrap_err().kind, ErrorKind::Invalid, "{cursor}");
        }
    }

    #[test]
    fn a_place_is_kept_while_all_behind_it_is() {
        assert!(ChangePlace::end_of(3).is_kept(3));
        assert!(ChangePlace::end_of(3).is_kept(2));
        assert!(!ChangePlace::end_of(3).is_kept(4));
        assert!(!ChangePlace { version: 3, ordinal: -1 }.is_kept(3), "the last of the version is gone");
        assert!(ChangePlace { version: 4, ordinal: -1 }.is_kept(3));
    }
}
