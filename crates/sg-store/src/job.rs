//! The queue: rows written in the transaction of the change they belong to.
//!
//! One row per thing to do: what a job does, as JSON, is unique. Enqueueing it while it runs marks the row, and finishing
//! a marked row makes it ready again instead of done, so that two workers never do the same thing at once and no change
//! is missed. A row that is done or cancelled stays for a day, for those who ask; wanted again it is ready again.

mod list;

use std::time::Duration;

use sg_domain::{Job, JobId, JobKind, JobState, Result, Timestamp, UserId};

use crate::change::JOB_CHANNEL;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::Engine;
use crate::store::{named, stored_id};
use crate::{Store, Tx};

pub use list::{JOB_LIST, job_cursor};

/// How many jobs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting.
    pub ready: u64,
    /// Claimed.
    pub running: u64,
    /// Failed too often.
    pub dead: u64,
    /// Done or cancelled within a day; no work.
    pub over: u64,
}

pub(crate) const COLUMNS: [&str; 9] =
    ["id", "owner", "kind", "state", "attempts", "run_at", "created_at", "finished_at", "last_error"];
/// Those that a worker looks at, in the words of their index.
const OPEN: &str = "state IN ('ready', 'running')";

impl Store {
    /// Claims up to `limit` jobs that are due, oldest first, until `now + lease`. A job whose lease ended counts as due
    /// again. No two workers, in this process or another, get the same job.
    pub async fn claim_jobs(&self, limit: u32, now: Timestamp, lease: Duration) -> Result<Vec<Job>> {
        // An idle worker asks often: it must not take SQLite's one writer to find nothing.
        let mut sql = self.select(&["1"]);
        sql.add(" FROM job WHERE ").add(OPEN).add(" AND due_at <= ").time(now).add(" LIMIT 1");
        if limit == 0 || self.row(sql.end(), |row| row.int()).await?.is_none() {
            return Ok(Vec::new());
        }
        let until = now.plus_micros(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX));
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET state = 'running', again = 0, attempts = attempts + 1, due_at = ");
        sql.time(until).add(" WHERE id IN (SELECT id FROM job WHERE ").add(OPEN).add(" AND due_at <= ").time(now);
        sql.add(" ORDER BY due_at, id LIMIT ").int(i64::from(limit));
        sql.either("", " FOR UPDATE SKIP LOCKED").add(") RETURNING ").add(&COLUMNS.join(", "));
        let mut jobs = tx.rows(sql, decode).await?;
        tx.tell_of_jobs(&jobs.iter().map(|job| job.id).collect::<Vec<_>>()).await?;
        tx.commit().await?;
        jobs.sort_by_key(|job| (job.run_at, job.id));
        let mut leases = self.inner.leases.lock();
        for job in &jobs {
            leases.insert(job.id, until.micros());
        }
        Ok(jobs)
    }

    /// Marks jobs as done; they are kept for a day. A job that was enqueued again while it ran is ready again. A job whose
    /// lease ended and that another worker has claimed since is that worker's to finish.
    pub async fn finish_jobs(&self, ids: &[JobId], now: Timestamp) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let held = self.held(ids);
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET state = 'done', last_error = NULL, finished_at = ");
        sql.time(now).add(" WHERE state = 'running' AND again = 0 AND ");
        one_of_held(&mut sql, &held);
        if tx.run(sql).await? < ids.len() as u64 {
            let mut sql = tx.sql(
                "UPDATE job SET state = 'ready', again = 0, attempts = 0, due_at = run_at, last_error = NULL
                 WHERE state = 'running' AND again = 1 AND ",
            );
            one_of_held(&mut sql, &held);
            tx.run(sql).await?;
        }
        tx.tell_of_jobs(ids).await?;
        tx.commit().await?;
        self.release(ids);
        Ok(())
    }

    /// Puts a failed job back: ready at `run_at`, or dead when that is `None`. A job that was enqueued again while it ran
    /// does not die: what it is about has changed since.
    pub async fn fail_job(&self, id: JobId, error: &str, run_at: Option<Timestamp>) -> Result<()> {
        let held = self.held(&[id]);
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET last_error = ");
        sql.text(error);
        match run_at {
            Some(at) => {
                sql.add(", state = 'ready', again = 0, run_at = ").time(at).add(", due_at = ").time(at);
            }
            None => {
                sql.add(
                    ", state = CASE again WHEN 1 THEN 'ready' ELSE 'dead' END,
                     attempts = CASE again WHEN 1 THEN 0 ELSE attempts END, again = 0, due_at = run_at",
                );
            }
        }
        sql.add(" WHERE state = 'running' AND ");
        one_of_held(&mut sql, &held);
        tx.run(sql).await?;
        tx.tell_of_jobs(&[id]).await?;
        tx.commit().await?;
        self.release(&[id]);
        Ok(())
    }

    /// Makes dead jobs ready again; returns how many.
    pub async fn revive_jobs(&self, now: Timestamp) -> Result<u64> {
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET state = 'ready', attempts = 0, again = 0, run_at = ");
        sql.time(now).add(", due_at = ").time(now).add(" WHERE state = 'dead'");
        let revived = tx.run(sql).await?;
        tx.commit().await?;
        Ok(revived)
    }

    /// Makes jobs that are claimed ready again. Only for a process that knows that nobody else works this queue: the ones
    /// that claimed them are gone. Returns how many.
    pub async fn take_back_jobs(&self, now: Timestamp) -> Result<u64> {
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET state = 'ready', run_at = ");
        sql.time(now).add(", due_at = ").time(now).add(" WHERE state = 'running'");
        let taken = tx.run(sql).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Ids with the end of the lease under which this process holds each.
    fn held(&self, ids: &[JobId]) -> Vec<(JobId, Option<i64>)> {
        let leases = self.inner.leases.lock();
        ids.iter().map(|id| (*id, leases.get(id).copied())).collect()
    }

    fn release(&self, ids: &[JobId]) {
        let mut leases = self.inner.leases.lock();
        for id in ids {
            leases.remove(id);
        }
    }
}

impl Tx {
    /// Adds a job, due at once, and returns its id. A ready job of the same kind about the same thing is kept instead of a
    /// second one; a running one will run again; a dead, done or cancelled one comes back to life.
    pub async fn enqueue(&self, id: JobId, owner: Option<&UserId>, kind: &JobKind, now: Timestamp) -> Result<JobId> {
        let json = serde_json::to_string(kind).map_err(StoreError::from)?;
        let mut sql = self.sql(
            "INSERT INTO job (id, owner, name, kind, state, attempts, run_at, due_at, again, created_at) VALUES (",
        );
        sql.text(&id.to_string()).add(", ").opt_text(owner.map(UserId::as_str)).add(", ").text(kind.name());
        sql.add(", ").text(&json).add(", 'ready', 0, ").time(now).add(", ").time(now).add(", 0, ").time(now);
        sql.add(
            ") ON CONFLICT (kind) DO UPDATE SET
             state = CASE WHEN job.state = 'running' THEN 'running' ELSE 'ready' END,
             again = CASE WHEN job.state = 'running' THEN 1 ELSE 0 END,
             attempts = CASE WHEN job.state IN ('ready', 'running') THEN job.attempts ELSE 0 END,
             run_at = CASE WHEN job.state = 'ready' AND job.run_at < excluded.run_at THEN job.run_at
                      ELSE excluded.run_at END,
             due_at = CASE WHEN job.state = 'running' THEN job.due_at
                      WHEN job.state = 'ready' AND job.run_at < excluded.run_at THEN job.run_at
                      ELSE excluded.run_at END,
             owner = coalesce(excluded.owner, job.owner),
             created_at = CASE WHEN job.finished_at IS NULL THEN job.created_at ELSE excluded.created_at END,
             last_error = CASE WHEN job.finished_at IS NULL THEN job.last_error END,
             finished_at = NULL
             RETURNING id",
        );
        let id = self.row(sql, |row| stored_id(row)).await?;
        Ok(id.ok_or_else(|| StoreError::Corrupt("a job was not enqueued".to_owned()))?)
    }

    /// An owner's job, locked for this transaction.
    pub async fn job(&self, owner: &UserId, id: JobId) -> Result<Option<Job>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&COLUMNS.join(", ")).add(" FROM job WHERE owner = ").text(owner.as_str());
        sql.add(" AND id = ").text(&id.to_string()).either("", " FOR UPDATE");
        Ok(self.row(sql, decode).await?)
    }

    /// Makes a job ready, as if it had never been tried.
    pub async fn retry_job(&self, id: JobId, now: Timestamp) -> Result<()> {
        let mut sql =
            self.sql("UPDATE job SET state = 'ready', attempts = 0, again = 0, finished_at = NULL, run_at = ");
        sql.time(now).add(", due_at = ").time(now).add(" WHERE id = ").text(&id.to_string());
        self.run(sql).await?;
        Ok(self.tell_of_jobs(&[id]).await?)
    }

    /// Takes a job back.
    pub async fn cancel_job(&self, id: JobId, now: Timestamp) -> Result<()> {
        let mut sql = self.sql("UPDATE job SET state = 'cancelled', again = 0, finished_at = ");
        sql.time(now).add(" WHERE id = ").text(&id.to_string());
        self.run(sql).await?;
        Ok(self.tell_of_jobs(&[id]).await?)
    }

    /// Removes jobs that were over before a time; returns how many.
    pub async fn sweep_jobs(&self, before: Timestamp) -> Result<u64> {
        let mut sql = self.sql("DELETE FROM job WHERE finished_at < ");
        sql.time(before);
        Ok(self.run(sql).await?)
    }

    /// Tells those who follow these jobs, with the commit: in this process, and on PostgreSQL in every other.
    async fn tell_of_jobs(&self, ids: &[JobId]) -> StoreResult<()> {
        self.rings.lock().jobs.extend_from_slice(ids);
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        for ids in ids.chunks(TOLD) {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            let mut sql = self.sql("SELECT pg_notify('");
            sql.add(JOB_CHANNEL).add("', ").text(&ids.join(" ")).add(")::text");
            self.row(sql, |row| row.opt_text()).await?;
        }
        Ok(())
    }
}

/// Ids in one message, which holds 8,000 bytes.
const TOLD: usize = 200;

/// Jobs by id, each only under the lease it was claimed with; one that another process claimed goes by its id alone.
fn one_of_held(sql: &mut crate::sql::Sql, held: &[(JobId, Option<i64>)]) {
    let all: Vec<String> = held.iter().map(|(id, _)| id.to_string()).collect();
    let free: Vec<String> = held.iter().filter(|(_, until)| until.is_none()).map(|(id, _)| id.to_string()).collect();
    let leased: Vec<String> =
        held.iter().filter_map(|(id, until)| until.map(|until| format!("{id} {until}"))).collect();
    sql.one_of("id", &all).one_of(" AND (id", &free).one_of(" OR id || ' ' || due_at", &leased).add(")");
}

pub(crate) fn decode(row: &mut dyn Row) -> StoreResult<Job> {
    Ok(Job {
        id: stored_id(row)?,
        owner: row.opt_text()?.map(UserId),
        kind: serde_json::from_str::<JobKind>(&row.text()?)?,
        state: {
            let text = row.text()?;
            named(JobState::ALL.into_iter().find(|state| state.name() == text), "job state", &text)?
        },
        attempts: u32::try_from(row.int()?).unwrap_or(u32::MAX),
        run_at: row.time()?,
        created_at: row.time()?,
        finished_at: row.opt_time()?,
        last_error: row.opt_text()?,
    })
}
