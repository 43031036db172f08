//! Work to do after a change: rows written in the same transaction as the change (an outbox).

use serde::{Deserialize, Serialize};

use crate::{JobId, ProjectKey, SessionId, Timestamp, UserId};

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Makes the index agree with the store about one session: written, updated or gone.
    IndexSession {
        /// The session.
        session: SessionId,
    },
    /// Enqueues the sessions of a project to be indexed: its name is part of what finds them.
    IndexProject {
        /// The project.
        project: ProjectKey,
    },
    /// Takes sessions that were deleted together out of the index.
    UnindexSessions {
        /// The sessions.
        sessions: Vec<SessionId>,
    },
    /// Removes all that has had its time: what has been in the trash for long enough, old changes, jobs, answers and
    /// sign-ins, and blobs that no row names.
    SweepBlobs,
    /// Mails an account the link that shows its address to be its own.
    SendVerification {
        /// The account.
        user: UserId,
    },
}

impl JobKind {
    /// Its name in lists and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::IndexSession { .. } => "index_session",
            Self::IndexProject { .. } => "index_project",
            Self::UnindexSessions { .. } => "unindex_sessions",
            Self::SweepBlobs => "sweep_blobs",
            Self::SendVerification { .. } => "send_verification",
        }
    }
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Ready,
    /// Claimed by a worker until its lease ends.
    Running,
    /// Failed too often; waits for a person.
    Dead,
    /// Done; kept for a day.
    Done,
    /// Taken back by a person before it ran; kept for a day.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Ready, Self::Running, Self::Dead, Self::Done, Self::Cancelled];

    /// Its name in storage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Dead | Self::Done | Self::Cancelled)
    }
}

/// A job. One that is done or cancelled is kept for a day; the same work wanted again is the same job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose change made it; `None` for maintenance.
    pub owner: Option<UserId>,
    /// What it does.
    pub kind: JobKind,
    /// Where it is.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time.
    pub run_at: Timestamp,
    /// When it was made; when it was wanted again, for one that was done before.
    pub created_at: Timestamp,
    /// When it was done or cancelled.
    pub finished_at: Option<Timestamp>,
    /// Why the last attempt failed, in words that are safe to show.
    pub last_error: Option<String>,
}
