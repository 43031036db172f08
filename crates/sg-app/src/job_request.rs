//! What callers ask of jobs: lists, one job, trying again, taking back, following one.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use sg_domain::time::DAY_MICROS;
use sg_domain::{
    Caller, Error, ErrorKind, Identity, Job, JobId, JobKind, JobState, Page, PageRequest, ProjectId, Result, Scope,
};
use sg_store::Ear;

use crate::App;

/// How often a subscriber that hears nothing is asked whether it still may.
const CHECK: Duration = Duration::from_secs(30);
/// How long jobs are kept that are over.
const KEPT_MICROS: i64 = DAY_MICROS;

impl App {
    /// Jobs of the caller's changes, newest first; with `admin` and `everyone`, of all.
    pub async fn jobs(&self, caller: &Caller, everyone: bool, state: Option<JobState>, limit: u32) -> Result<Vec<Job>> {
        let identity = caller.require(if everyone { Scope::Admin } else { Scope::Read })?;
        self.store().jobs((!everyone).then_some(&identity.user), state, limit.min(1_000)).await
    }

    /// A page of the jobs of the caller's changes, newest first.
    pub async fn job_page(&self, caller: &Caller, state: Option<JobState>, page: &PageRequest) -> Result<Page<Job>> {
        let identity = caller.require(Scope::Read)?;
        self.store().job_page(&identity.user, state, page).await
    }

    /// One job. `NotFound` when there is none that the caller may see.
    pub async fn job(&self, caller: &Caller, id: JobId) -> Result<Job> {
        let identity = caller.require(Scope::Read)?;
        self.store().job(&identity.user, id).await?.ok_or_else(|| not_found(id))
    }

    /// Lets a job run now that is dead, was cancelled, or waits after a failure. `Conflict` when it runs or is done.
    pub async fn retry_job(&self, caller: &Caller, id: JobId) -> Result<Job> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        let job = tx.job(&identity.user, id).await?.ok_or_else(|| not_found(id))?;
        match job.state {
            JobState::Ready | JobState::Dead | JobState::Cancelled => tx.retry_job(id, self.now()).await?,
            JobState::Running => return Err(conflict(id, "the job is running, wait for its end")),
            JobState::Done => return Err(conflict(id, "the job is done, there is nothing to try again")),
        }
        let job = tx.job(&identity.user, id).await?.ok_or_else(|| not_found(id))?;
        tx.commit().await?;
        Ok(job)
    }

    /// Takes a job back that waits or is dead. `Conflict` when it runs or is done; again changes nothing.
    pub async fn cancel_job(&self, caller: &Caller, id: JobId) -> Result<Job> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        let job = tx.job(&identity.user, id).await?.ok_or_else(|| not_found(id))?;
        match job.state {
            JobState::Ready | JobState::Dead => tx.cancel_job(id, self.now()).await?,
            JobState::Cancelled => {}
            JobState::Running => return Err(conflict(id, "the job is running, it can no longer be cancelled")),
            JobState::Done => return Err(conflict(id, "the job is done, it can no longer be cancelled")),
        }
        let job = tx.job(&identity.user, id).await?.ok_or_else(|| not_found(id))?;
        tx.commit().await?;
        Ok(job)
    }

    /// Has every session of a project indexed again. `NotFound` when there is none that the caller may change.
    pub async fn reindex_project(&self, caller: &Caller, id: &ProjectId) -> Result<Job> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        let Some(project) = tx.project_for_update(&identity.user, id).await? else {
            return Err(Error::not_found("project").with("projectId", id.as_str()));
        };
        let kind = JobKind::IndexProject { project: project.key };
        let id = tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &kind, self.now()).await?;
        let job = tx.job(&identity.user, id).await?.ok_or_else(|| not_found(id))?;
        tx.commit().await?;
        Ok(job)
    }

    /// A job as it is now, and then each time it is another; the stream ends when nothing more happens to it by itself.
    /// States that follow each other faster than they are taken are passed over, the last never is.
    pub async fn job_changes(&self, caller: &Caller, id: JobId) -> Result<BoxStream<'static, Result<Job>>> {
        let identity = caller.require(Scope::Read)?.clone();
        let ear = self.store().listen_to_job(id);
        self.job(caller, id).await?;
        let follow = Follow { app: self.clone(), identity, id, ear, last: None };
        Ok(stream::unfold(Some(follow), |follow| async move {
            let mut follow = follow?;
            match follow.next().await {
                Ok(job) => job.map(|job| (Ok(job), Some(follow))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed())
    }

    /// Forgets jobs that have been over for a day.
    pub(crate) async fn sweep_jobs(&self) -> Result<u64> {
        let tx = self.store().begin().await?;
        let swept = tx.sweep_jobs(self.now().plus_micros(-KEPT_MICROS)).await?;
        tx.commit().await?;
        Ok(swept)
    }
}

fn not_found(id: JobId) -> Error {
    Error::not_found("job").with("jobId", id.to_string())
}

fn conflict(id: JobId, message: &str) -> Error {
    Error::new(ErrorKind::Conflict, message).with("jobId", id.to_string())
}

/// A subscriber that follows one job.
struct Follow {
    app: App,
    identity: Identity,
    id: JobId,
    ear: Ear<JobId>,
    /// As it was last told.
    last: Option<Job>,
}

impl Follow {
    /// The job, when it is another than it was; `None` when it is over, and has been told so.
    async fn next(&mut self) -> Result<Option<Job>> {
        if self.last.as_ref().is_some_and(|last| last.state.is_final()) {
            return Ok(None);
        }
        loop {
            self.app.check_still(&self.identity).await?;
            self.ear.forget();
            // Gone: it was done, and that is a day ago.
            let Some(job) = self.app.store().job(&self.identity.user, self.id).await? else { return Ok(None) };
            if self.last.as_ref() != Some(&job) {
                self.last = Some(job.clone());
                return Ok(Some(job));
            }
            tokio::select! {
                () = self.ear.wait() => {}
                () = tokio::time::sleep(CHECK) => {}
            }
        }
    }
}
