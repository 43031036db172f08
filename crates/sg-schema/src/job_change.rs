//! Changing jobs: trying again, taking back, indexing a project again.

use async_graphql::{InputObject, SimpleObject};
use sg_domain::{ProjectId, Scope};

use crate::failure::Outcome;
use crate::job::{Job, job_id};
use crate::loader::Reach;

/// Which job is to be tried again.
#[derive(InputObject)]
pub(crate) struct RetryJobInput {
    /// The job's id.
    id: String,
}

/// What came of trying a job again.
#[derive(SimpleObject)]
pub(crate) struct RetryJobPayload {
    /// The job, ready to run.
    job: Job,
}

/// Which job is to be taken back.
#[derive(InputObject)]
pub(crate) struct CancelJobInput {
    /// The job's id.
    id: String,
}

/// What came of taking a job back.
#[derive(SimpleObject)]
pub(crate) struct CancelJobPayload {
    /// The job, cancelled.
    job: Job,
}

/// Which project is to be indexed again.
#[derive(InputObject)]
pub(crate) struct ReindexProjectInput {
    /// The id that clients know the project by.
    id: String,
}

/// What came of asking for a project to be indexed again.
#[derive(SimpleObject)]
pub(crate) struct ReindexProjectPayload {
    /// The job that enqueues the sessions; each then has one of its own.
    job: Job,
}

/// Lets a job run now.
pub(crate) async fn retry_job(reach: &Reach, input: RetryJobInput) -> Outcome<RetryJobPayload> {
    may_change(reach)?;
    Ok(RetryJobPayload { job: Job(reach.app.retry_job(&reach.caller, job_id(&input.id)?).await?) })
}

/// Takes a job back.
pub(crate) async fn cancel_job(reach: &Reach, input: CancelJobInput) -> Outcome<CancelJobPayload> {
    may_change(reach)?;
    Ok(CancelJobPayload { job: Job(reach.app.cancel_job(&reach.caller, job_id(&input.id)?).await?) })
}

/// Has a project indexed again.
pub(crate) async fn reindex_project(reach: &Reach, input: ReindexProjectInput) -> Outcome<ReindexProjectPayload> {
    may_change(reach)?;
    let id = ProjectId::new(input.id).map_err(|error| error.at("id"))?;
    let job = reach.app.reindex_project(&reach.caller, &id).await?;
    Ok(ReindexProjectPayload { job: Job(job) })
}

/// The answers show jobs: whoever may not read must hear so before anything has changed.
fn may_change(reach: &Reach) -> Outcome<()> {
    reach.caller.require(Scope::Write)?;
    reach.caller.require(Scope::Read)?;
    Ok(())
}
