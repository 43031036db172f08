//! How an engine would find the rows of each list: for the test that holds every list to an index.

use sea_orm::{ConnectionTrait, TransactionTrait};
use sg_domain::change::ChangePlace;
use sg_domain::id::SessionRef;
use sg_domain::{
    AnalyticsScope, Direction, PageRequest, ProjectKey, Result, SessionFilter, SessionId, SessionOrder, Timestamp,
    UsageBy, UserId, Visibility,
};

use crate::error::{StoreError, StoreResult};
use crate::sql::{Engine, Sql};
use crate::{MessageQuery, SessionColumns, Store};

impl Store {
    /// The plan of [`Store::sessions`], a line a step.
    pub async fn explain_sessions(
        &self,
        who: &Visibility,
        filter: &SessionFilter,
        order: SessionOrder,
        direction: Direction,
        page: &PageRequest,
    ) -> Result<Vec<String>> {
        let sql = self.sessions_sql(who, filter, order, direction, page, SessionColumns::ALL)?;
        Ok(self.explain(sql).await?)
    }

    /// The plan of [`Store::sessions_by_project`].
    pub async fn explain_sessions_by_project(
        &self,
        who: &Visibility,
        projects: &[ProjectKey],
        order: SessionOrder,
        direction: Direction,
    ) -> Result<Vec<String>> {
        let none = SessionFilter::default();
        let sql = self.sessions_by_project_sql(who, projects, &none, order, direction, 20, SessionColumns::ALL);
        Ok(self.explain(sql).await?)
    }

    /// The plan of [`Store::session`].
    pub async fn explain_session(&self, who: &Visibility, session: &SessionRef) -> Result<Vec<String>> {
        Ok(self.explain(self.session_sql(who, session)).await?)
    }

    /// The plan of [`Store::session_count`].
    pub async fn explain_session_count(&self, who: &Visibility, filter: &SessionFilter) -> Result<Vec<String>> {
        Ok(self.explain(self.session_count_sql(who, filter)).await?)
    }

    /// The plan of [`Store::trashed_sessions`].
    pub async fn explain_trashed_sessions(&self, who: &Visibility, page: &PageRequest) -> Result<Vec<String>> {
        Ok(self.explain(self.trashed_sessions_sql(who, page)?).await?)
    }

    /// The plan of [`Store::messages`].
    pub async fn explain_messages(
        &self,
        who: &Visibility,
        session: SessionId,
        query: &MessageQuery,
    ) -> Result<Vec<String>> {
        Ok(self.explain(self.messages_sql(who, session, query)).await?)
    }

    /// The plan of [`Store::changes`].
    pub async fn explain_changes(&self, owner: &UserId, after: ChangePlace) -> Result<Vec<String>> {
        Ok(self.explain(self.changes_sql(owner, after, 100)).await?)
    }

    /// The plan by which [`Store::claim_jobs`] looks for work.
    pub async fn explain_due_jobs(&self, now: Timestamp) -> Result<Vec<String>> {
        Ok(self.explain(self.due_jobs_sql(now, 1)).await?)
    }

    /// The plan of [`Store::usage`].
    pub async fn explain_usage(&self, who: &Visibility, scope: &AnalyticsScope, by: UsageBy) -> Result<Vec<String>> {
        Ok(self.explain(self.usage_sql(who, scope, by, &[])).await?)
    }

    async fn explain(&self, mut sql: Sql) -> StoreResult<Vec<String>> {
        match self.inner.engine {
            Engine::Sqlite => {
                sql.text.insert_str(0, "EXPLAIN QUERY PLAN ");
                self.rows(sql, |row| {
                    for _ in 0..3 {
                        row.opt_int()?;
                    }
                    row.text()
                })
                .await
            }
            Engine::Postgres => {
                // A small table is scanned and sorted whatever its indexes: this asks whether one can serve the list.
                let tx = self.inner.db.begin().await.map_err(StoreError::from)?;
                for way in ["enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort"] {
                    tx.execute_unprepared(&format!("SET LOCAL {way} = off")).await?;
                }
                sql.text.insert_str(0, "EXPLAIN ");
                let rows = tx.query_all_raw(sql.statement()).await?;
                rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
            }
        }
    }
}
