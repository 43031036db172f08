//! Looking at the queue: lists, one job, counts.

use sg_domain::page::SortValue;
use sg_domain::{Cursor, Error, Job, JobId, JobState, Page, PageRequest, Result, UserId};

use super::{COLUMNS, JobCounts, decode};
use crate::Store;
use crate::change::Ear;

/// The list that cursors of jobs name.
pub const JOB_LIST: &str = "job.created.desc";

impl Store {
    /// Jobs in a state (all when `None`), of an owner (everyone's when `None`), newest first.
    pub async fn jobs(&self, owner: Option<&UserId>, state: Option<JobState>, limit: u32) -> Result<Vec<Job>> {
        self.jobs_behind(owner, state, None, limit).await
    }

    /// A page of an owner's jobs in a state (all when `None`), newest first; only forwards.
    pub async fn job_page(&self, owner: &UserId, state: Option<JobState>, page: &PageRequest) -> Result<Page<Job>> {
        let limit = page.limit.unwrap_or(u32::MAX);
        let mut items = self.jobs_behind(Some(owner), state, page.after.as_ref(), limit.saturating_add(1)).await?;
        let has_next = items.len() > limit as usize;
        items.truncate(limit as usize);
        Ok(Page { items, has_next, has_previous: page.after.is_some() })
    }

    /// An owner's job.
    pub async fn job(&self, owner: &UserId, id: JobId) -> Result<Option<Job>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM job WHERE owner = ").text(owner.as_str()).add(" AND id = ").text(&id.to_string());
        Ok(self.row(sql.end(), decode).await?)
    }

    /// Rings when something happens to a job, from now on.
    pub fn listen_to_job(&self, id: JobId) -> Ear<JobId> {
        self.inner.bells.jobs.listen(id)
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
                "dead" => counts.dead = count,
                _ => counts.over += count,
            }
        }
        Ok(counts)
    }

    async fn jobs_behind(
        &self,
        owner: Option<&UserId>,
        state: Option<JobState>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM job WHERE TRUE");
        if let Some(owner) = owner {
            sql.add(" AND owner = ").text(owner.as_str());
        }
        if let Some(state) = state {
            // Not by its index: the order is worth more.
            sql.either(" AND +state = ", " AND state = ").text(state.name());
        }
        if let Some(after) = after {
            let [SortValue::Int(created_at), SortValue::Text(id)] = &after.key[..] else {
                return Err(Error::invalid("this cursor does not belong to this list, take one from its own pages"));
            };
            sql.add(" AND (created_at, id) < (").int(*created_at).add(", ").text(id).add(")");
        }
        sql.add(" ORDER BY created_at DESC, id DESC LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), decode).await?)
    }
}

/// The place of a job in a list.
pub fn job_cursor(job: &Job) -> Cursor {
    let key = vec![SortValue::Int(job.created_at.micros()), SortValue::Text(job.id.to_string())];
    Cursor { list: JOB_LIST.to_owned(), key }
}
