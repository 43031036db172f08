//! The queue: rows written in the transaction of the change they belong to.

use std::time::Duration;

use sg_domain::{Job, JobId, JobKind, JobState, Result, Timestamp, UserId};

use crate::store::stub;
use crate::{Store, Tx};

/// How many jobs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting.
    pub ready: u64,
    /// Claimed.
    pub running: u64,
    /// Failed too often.
    pub dead: u64,
}

impl Store {
    /// Claims up to `limit` jobs that are due, oldest first, until `now + lease`. A job whose lease ended counts as due
    /// again. No two workers, in this process or another, get the same job.
    pub async fn claim_jobs(&self, _limit: u32, _now: Timestamp, _lease: Duration) -> Result<Vec<Job>> {
        stub()
    }
    /// Deletes jobs that are done. A job that was enqueued again while it ran stays, ready.
    pub async fn finish_jobs(&self, _ids: &[JobId]) -> Result<()> {
        stub()
    }
    /// Puts a failed job back: ready at `run_at`, or dead when that is `None`.
    pub async fn fail_job(&self, _id: JobId, _error: &str, _run_at: Option<Timestamp>) -> Result<()> {
        stub()
    }
    /// Jobs in a state (all when `None`), of an owner (everyone's when `None`), newest first.
    pub async fn jobs(&self, _owner: Option<&UserId>, _state: Option<JobState>, _limit: u32) -> Result<Vec<Job>> {
        stub()
    }
    /// How many jobs there are.
    pub async fn job_counts(&self) -> Result<JobCounts> {
        stub()
    }
    /// Makes dead jobs ready again; returns how many.
    pub async fn revive_jobs(&self, _now: Timestamp) -> Result<u64> {
        stub()
    }
}
impl Tx {
    /// Adds a job, due at once. A ready job of the same kind about the same thing is kept instead of a second one.
    pub async fn enqueue(&self, _id: JobId, _owner: Option<&UserId>, _kind: &JobKind, _now: Timestamp) -> Result<()> {
        stub()
    }
}
