//! Jobs: work that follows changes.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use futures_util::stream::StreamExt as _;
use sg_app::{JOB_LIST, job_cursor};
use sg_domain::{Error, JobId, Page};

use crate::failure::{Nullable, Outcome};
use crate::loader::Reach;
use crate::page::{DEFAULT_FIRST, PageArgs, PageInfo};
use crate::project::Project;
use crate::scalar::DateTime;
use crate::session::Session;
use crate::stream::{Event, Source};

/// Where a job is in its life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "JobState", remote = "sg_domain::JobState")]
pub(crate) enum JobState {
    /// Waits for its time.
    Ready,
    /// Is being done.
    Running,
    /// Failed too often; `retryJob` lets it run again.
    Dead,
    /// Done; kept for a day.
    Done,
    /// Taken back before it ran; kept for a day.
    Cancelled,
}

/// What a job does.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "JobKind")]
pub(crate) enum JobKind {
    /// Makes search agree with a session that was stored, changed or deleted.
    IndexSession,
    /// Has every session of a project indexed again.
    IndexProject,
    /// Takes sessions that were deleted together out of search.
    UnindexSessions,
    /// Removes content that nothing names any more, and what else has had its time.
    SweepBlobs,
    /// Mails an account the link that shows its address to be its own.
    SendVerification,
}

impl From<&sg_domain::JobKind> for JobKind {
    fn from(kind: &sg_domain::JobKind) -> Self {
        match kind {
            sg_domain::JobKind::IndexSession { .. } => Self::IndexSession,
            sg_domain::JobKind::IndexProject { .. } => Self::IndexProject,
            sg_domain::JobKind::UnindexSessions { .. } => Self::UnindexSessions,
            sg_domain::JobKind::SweepBlobs => Self::SweepBlobs,
            sg_domain::JobKind::SendVerification { .. } => Self::SendVerification,
        }
    }
}

/// A job.
#[derive(Clone)]
pub(crate) struct Job(pub(crate) sg_domain::Job);

/// Work that follows a change: it is done beside requests, tried again when it fails, and kept for a day when it is done.
/// The same work wanted again is the same job.
#[Object]
impl Job {
    /// The job's id.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// What it does.
    fn kind(&self) -> JobKind {
        (&self.0.kind).into()
    }

    /// Where it is in its life.
    fn state(&self) -> JobState {
        self.0.state.into()
    }

    /// How often it was tried.
    fn attempts(&self) -> i32 {
        i32::try_from(self.0.attempts).unwrap_or(i32::MAX)
    }

    /// When it was made; when it was wanted again, for one that was done before.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// It does not run before this time: after a failure it waits, longer each time.
    fn run_at(&self) -> DateTime {
        DateTime(self.0.run_at)
    }

    /// When it was done or cancelled.
    fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// Why the last attempt failed; null when there was none, or it did not.
    fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// The session it is about; null when it is about none, or that is gone.
    async fn session(&self, ctx: &Context<'_>) -> Nullable<Session> {
        let sg_domain::JobKind::IndexSession { session } = &self.0.kind else { return None };
        Reach::of(ctx).load(*session).await.map(|found| found.map(Session::new)).transpose()
    }

    /// The project it is about; null when it is about none, or that is gone.
    async fn project(&self, ctx: &Context<'_>) -> Nullable<Project> {
        let sg_domain::JobKind::IndexProject { project } = &self.0.kind else { return None };
        Reach::of(ctx).load(*project).await.map(|found| found.map(Project)).transpose()
    }
}

/// One job of a page, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct JobEdge {
    /// Where the job lies in the list.
    cursor: String,
    /// The job.
    node: Job,
}

/// A page of jobs.
pub(crate) struct JobConnection(Arc<Page<Job>>);

/// A page of the caller's jobs, newest first.
#[Object]
impl JobConnection {
    /// The jobs with their cursors.
    fn edges(&self) -> Vec<JobEdge> {
        self.0.items.iter().map(|job| JobEdge { cursor: job_cursor(&job.0).encode(), node: job.clone() }).collect()
    }

    /// The jobs.
    fn nodes(&self) -> &[Job] {
        &self.0.items
    }

    /// Where this page lies in the list.
    fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.0.has_next,
            has_previous_page: self.0.has_previous,
            start_cursor: self.0.items.first().map(|job| job_cursor(&job.0).encode()),
            end_cursor: self.0.items.last().map(|job| job_cursor(&job.0).encode()),
        }
    }
}

/// A page of the caller's jobs.
pub(crate) async fn jobs(
    reach: &Reach,
    state: Option<JobState>,
    first: Option<i32>,
    after: Option<String>,
) -> Outcome<JobConnection> {
    let page = PageArgs { first: Some(first.unwrap_or(DEFAULT_FIRST)), after, ..PageArgs::default() };
    let page = reach.app.job_page(&reach.caller, state.map(Into::into), &page.request(JOB_LIST)?).await?;
    reach.spend(page.items.len() as u64 + 1)?;
    Ok(JobConnection(Arc::new(page.map(Job))))
}

/// One job; `NOT_FOUND` when the caller has none with this id.
pub(crate) async fn job(reach: &Reach, id: &str) -> Outcome<Job> {
    reach.caller.require(sg_domain::Scope::Read)?;
    Ok(Job(reach.app.job(&reach.caller, job_id(id)?).await?))
}

/// Opens a job for someone who follows it.
pub(crate) async fn job_changes(reach: &Reach, id: &str) -> Outcome<Source> {
    reach.caller.require(sg_domain::Scope::Read)?;
    let changes = reach.app.job_changes(&reach.caller, job_id(id)?).await?;
    Ok(changes.map(|job| job.map(Event::Job)).boxed())
}

/// An id as a caller wrote it. What is none is the id of nothing.
pub(crate) fn job_id(id: &str) -> sg_domain::Result<JobId> {
    id.parse().map_err(|_| Error::not_found("job").with("jobId", id.chars().take(64).collect::<String>()))
}
