//! The queue: rows written in the transaction of the change they belong to.
//!
//! One row per thing to do: what a job does, as JSON, is unique. Enqueueing it while it runs marks the row, and finishing
//! a marked row makes it ready again instead of deleting it, so that two workers never do the same thing at once and no
//! change is missed.

use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{Job, JobId, JobKind, JobState, Result, Timestamp, UserId};

use crate::entity::job;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::storable;
use crate::store::{named, stored_id};
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

const COLUMNS: [&str; 8] = ["id", "owner", "kind", "state", "attempts", "run_at", "created_at", "last_error"];

impl Store {
    /// Claims up to `limit` jobs that are due, oldest first, until `now + lease`. A job whose lease ended counts as due
    /// again. No two workers, in this process or another, get the same job.
    pub async fn claim_jobs(&self, limit: u32, now: Timestamp, lease: Duration) -> Result<Vec<Job>> {
        // An idle worker asks often: it must not take SQLite's one writer to find nothing.
        let mut sql = self.select(&["1"]);
        sql.add(" FROM job WHERE state <> 'dead' AND due_at <= ").time(now).add(" LIMIT 1");
        if limit == 0 || self.row(sql.end(), |row| row.int()).await?.is_none() {
            return Ok(Vec::new());
        }
        let until = now.plus_micros(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX));
        let tx = self.begin().await?;
        let mut sql = tx.sql("UPDATE job SET state = 'running', again = 0, attempts = attempts + 1, due_at = ");
        sql.time(until).add(" WHERE id IN (SELECT id FROM job WHERE state <> 'dead' AND due_at <= ").time(now);
        sql.add(" ORDER BY due_at, id LIMIT ").int(i64::from(limit));
        sql.either("", " FOR UPDATE SKIP LOCKED").add(") RETURNING ").add(&COLUMNS.join(", "));
        let mut jobs = tx.rows(sql, decode).await?;
        tx.commit().await?;
        jobs.sort_by_key(|job| (job.run_at, job.id));
        let mut leases = self.inner.leases.lock();
        for job in &jobs {
            leases.insert(job.id, until.micros());
        }
        Ok(jobs)
    }

    /// Deletes jobs that are done. A job that was enqueued again while it ran stays, ready. A job whose lease ended and
    /// that another worker has claimed since is that worker's to finish.
    pub async fn finish_jobs(&self, ids: &[JobId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let held = self.held(ids);
        let tx = self.begin().await?;
        let mut sql = tx.sql("DELETE FROM job WHERE again = 0 AND ");
        one_of_held(&mut sql, &held);
        if tx.run(sql).await? < ids.len() as u64 {
            let mut sql = tx.sql(
                "UPDATE job SET state = 'ready', again = 0, attempts = 0, due_at = run_at, last_error = NULL
                 WHERE state = 'running' AND again = 1 AND ",
            );
            one_of_held(&mut sql, &held);
            tx.run(sql).await?;
        }
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
        sql.add(" WHERE state <> 'dead' AND ");
        one_of_held(&mut sql, &held);
        tx.run(sql).await?;
        tx.commit().await?;
        self.release(&[id]);
        Ok(())
    }

    /// Jobs in a state (all when `None`), of an owner (everyone's when `None`), newest first.
    pub async fn jobs(&self, owner: Option<&UserId>, state: Option<JobState>, limit: u32) -> Result<Vec<Job>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM job WHERE TRUE");
        if let Some(owner) = owner {
            sql.add(" AND owner = ").text(owner.as_str());
        }
        if let Some(state) = state {
            sql.add(" AND state = ").text(name(state));
        }
        sql.add(" ORDER BY created_at DESC, id DESC LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// How many jobs there are.
    pub async fn job_counts(&self) -> Result<JobCounts> {
        let mut sql = self.select(&["state", "count(*)"]);
        sql.add(" FROM job GROUP BY state");
        let mut counts = JobCounts::default();
        for (state, count) in self.rows(sql.end(), |row| Ok((row.text()?, row.count()?))).await? {
            match state.as_str() {
                "ready" => counts.ready = count,
                "running" => counts.running = count,
                _ => counts.dead += count,
            }
        }
        Ok(counts)
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
    /// Adds a job, due at once. A ready job of the same kind about the same thing is kept instead of a second one; a
    /// running one will run again; a dead one comes back to life.
    pub async fn enqueue(&self, id: JobId, owner: Option<&UserId>, kind: &JobKind, now: Timestamp) -> Result<()> {
        use job::Column;
        let row = job::ActiveModel {
            id: Set(id.to_string()),
            owner: Set(owner.map(|owner| storable(owner.as_str()))),
            name: Set(kind.name().to_owned()),
            kind: Set(serde_json::to_string(kind).map_err(StoreError::from)?),
            state: Set(name(JobState::Ready).to_owned()),
            attempts: Set(0),
            run_at: Set(now.micros()),
            due_at: Set(now.micros()),
            again: Set(0),
            created_at: Set(now.micros()),
            last_error: Set(None),
        };
        let waiting = "job.state = 'ready' AND job.run_at < excluded.run_at THEN job.run_at";
        let known = OnConflict::column(Column::Kind)
            .value(Column::RunAt, Expr::cust(format!("CASE WHEN {waiting} ELSE excluded.run_at END")))
            .value(
                Column::DueAt,
                Expr::cust(format!(
                    "CASE WHEN job.state = 'running' THEN job.due_at WHEN {waiting} ELSE excluded.run_at END"
                )),
            )
            .value(Column::Again, Expr::cust("CASE WHEN job.state = 'running' THEN 1 ELSE 0 END"))
            .value(Column::Attempts, Expr::cust("CASE WHEN job.state = 'dead' THEN 0 ELSE job.attempts END"))
            .value(Column::State, Expr::cust("CASE WHEN job.state = 'running' THEN 'running' ELSE 'ready' END"))
            .to_owned();
        job::Entity::insert(row).on_conflict(known).exec_without_returning(&self.tx).await.map_err(StoreError::from)?;
        Ok(())
    }
}

/// Jobs by id, each only under the lease it was claimed with; one that another process claimed goes by its id alone.
fn one_of_held(sql: &mut crate::sql::Sql, held: &[(JobId, Option<i64>)]) {
    let all: Vec<String> = held.iter().map(|(id, _)| id.to_string()).collect();
    let free: Vec<String> = held.iter().filter(|(_, until)| until.is_none()).map(|(id, _)| id.to_string()).collect();
    let leased: Vec<String> =
        held.iter().filter_map(|(id, until)| until.map(|until| format!("{id} {until}"))).collect();
    sql.one_of("id", &all).one_of(" AND (id", &free).one_of(" OR id || ' ' || due_at", &leased).add(")");
}

fn name(state: JobState) -> &'static str {
    match state {
        JobState::Ready => "ready",
        JobState::Running => "running",
        JobState::Dead => "dead",
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Job> {
    Ok(Job {
        id: stored_id(row)?,
        owner: row.opt_text()?.map(UserId),
        kind: serde_json::from_str::<JobKind>(&row.text()?)?,
        state: {
            let text = row.text()?;
            let states = [JobState::Ready, JobState::Running, JobState::Dead];
            named(states.into_iter().find(|s| name(*s) == text), "job state", &text)?
        },
        attempts: u32::try_from(row.int()?).unwrap_or(u32::MAX),
        run_at: row.time()?,
        created_at: row.time()?,
        last_error: row.opt_text()?,
    })
}
