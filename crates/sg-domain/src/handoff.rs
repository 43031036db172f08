//! A session that is given to somebody: an offer that one person takes, declines, or lets pass, with what both sides said
//! about it.

use crate::{Error, SessionId, Tier, Timestamp, User, UserId};

/// An offer of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// `hnd_` and 16 hex digits.
    pub id: String,
    /// Who offers.
    pub sender: UserId,
    /// Their address at that time.
    pub sender_email: String,
    /// What they were entitled to at that time.
    pub sender_tier: Tier,
    /// Who is meant.
    pub recipient: Recipient,
    /// The session; `None` when it is gone for good.
    pub session: Option<SessionId>,
    /// What its client calls it.
    pub archive: String,
    /// What it was when it was offered. Whoever takes it gets it as it is then.
    pub snapshot: HandoffSnapshot,
    /// What the sender said of it.
    pub message: Option<String>,
    /// Where it is in its life, as it is stored; [`Handoff::status_at`] knows the time as well.
    pub status: HandoffStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be taken.
    pub expires_at: Timestamp,
    /// When the recipient first looked at it.
    pub viewed_at: Option<Timestamp>,
    /// When it was taken.
    pub claimed_at: Option<Timestamp>,
    /// By whom.
    pub claimed_by: Option<UserId>,
    /// What the recipient's client calls their copy.
    pub claimed_archive: Option<String>,
    /// When the sender took it back.
    pub revoked_at: Option<Timestamp>,
    /// Why the sender took it back, or the recipient did not want it.
    pub reason: Option<String>,
}

/// Whom a session is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Whoever shows this (normalised) address to be their own, now or later.
    Address(String),
    /// One account.
    User(UserId),
}

impl Recipient {
    /// Whether it is this account. An address counts once it has been shown to be its own: whoever merely says so must not
    /// get what was meant for somebody else.
    pub fn is(&self, user: &User) -> bool {
        match self {
            Self::Address(address) => user.email_verified_at.is_some() && user.email == *address,
            Self::User(id) => user.id == *id,
        }
    }
}

/// What a session was when it was offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoffSnapshot {
    /// Its title.
    pub title: Option<String>,
    /// The agent that wrote it.
    pub tool: String,
    /// The model that answered.
    pub model: Option<String>,
    /// Its messages.
    pub messages: u64,
    /// Tokens in and out.
    pub tokens: u64,
}

/// Where a handoff is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffStatus {
    /// Waits for the recipient.
    Pending,
    /// The recipient has taken it.
    Claimed,
    /// The recipient does not want it.
    Declined,
    /// The sender has taken it back.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl HandoffStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Claimed, Self::Declined, Self::Revoked, Self::Expired];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl Handoff {
    /// Where it is at a time: nothing has to happen for a time to pass.
    pub fn status_at(&self, now: Timestamp) -> HandoffStatus {
        match self.status {
            HandoffStatus::Pending if self.expires_at <= now => HandoffStatus::Expired,
            status => status,
        }
    }

    /// Which side an account is on; `NotFound` for everyone else, whatever has become of it: a stranger must not learn that
    /// there is one.
    pub fn side_of(&self, user: &User) -> Result<HandoffSide, Error> {
        // Whoever gives something to themselves may do what both may; the recipient's part is the larger one.
        if self.recipient.is(user) {
            Ok(HandoffSide::Recipient)
        } else if self.sender == user.id {
            Ok(HandoffSide::Sender)
        } else {
            Err(Error::not_found("handoff"))
        }
    }
}

/// A side of a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffSide {
    /// Who gives.
    Sender,
    /// Who is given.
    Recipient,
}

/// Something that happened to a handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffEvent {
    /// `hev_` and 16 hex digits.
    pub id: String,
    /// What happened.
    pub kind: HandoffEventKind,
    /// Who did it; `None` when it happened by itself.
    pub actor: Option<UserId>,
    /// The reason that was given for it, or the comment's id.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What can happen to a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffEventKind {
    /// It was made.
    Created,
    /// The recipient looked at it for the first time.
    Viewed,
    /// The recipient took it.
    Claimed,
    /// The recipient does not want it.
    Declined,
    /// The sender took it back.
    Revoked,
    /// Somebody said something.
    Commented,
    /// Its time has passed.
    Expired,
}

impl HandoffEventKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Created, Self::Viewed, Self::Claimed, Self::Declined, Self::Revoked, Self::Commented, Self::Expired];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Viewed => "viewed",
            Self::Claimed => "claimed",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Commented => "commented",
            Self::Expired => "expired",
        }
    }
}

/// Something that one side said about a handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffComment {
    /// `hcm_` and 16 hex digits.
    pub id: String,
    /// Who said it.
    pub author: UserId,
    /// What was said.
    pub content: String,
    /// When.
    pub at: Timestamp,
}

/// What a recipient may know of a session before taking it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoffSummary {
    /// Files that were written, at most ten, the first first.
    pub files_modified: Vec<String>,
    /// Commands that were run.
    pub commands: u64,
    /// Tests that commands' output told of.
    pub tests_run: u64,
    /// Those that passed.
    pub tests_passed: u64,
    /// Those that failed.
    pub tests_failed: u64,
    /// Lines that tell of an error, at most three.
    pub errors: Vec<String>,
    /// The last things the agent said, the last first, at most three, each cut.
    pub last_answers: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_once_it_is_verified() {
        let mut user = User::new(UserId("user_1".to_owned()), "ann@example.com".to_owned(), Timestamp::from_micros(1));
        let address = Recipient::Address("ann@example.com".to_owned());
        assert!(address.is(&user) && !Recipient::Address("bob@example.com".to_owned()).is(&user));
        user.email_verified_at = None;
        assert!(!address.is(&user));
        assert!(Recipient::User(user.id.clone()).is(&user) && !Recipient::User(UserId("user_2".to_owned())).is(&user));
    }
}
