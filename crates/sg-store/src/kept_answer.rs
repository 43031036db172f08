//! Answers kept for idempotency keys: one for each owner and key, the last.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{Digest, Result, Timestamp, UserId};

use crate::entity::kept_answer;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::storable;
use crate::{Store, Tx};

/// An answer as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// The headers that belong to it rather than to one request.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

const COLUMNS: [&str; 3] = ["k.status", "k.headers", "k.body"];

impl Store {
    /// The answer that was kept for this key when it came with this request, unless it was kept before `since`.
    pub async fn kept_answer(
        &self,
        owner: &UserId,
        key: Digest,
        request: Digest,
        since: Timestamp,
    ) -> Result<Option<KeptAnswer>> {
        let mut sql = self.select_unpacked(&COLUMNS);
        sql.add(" FROM kept_answer k WHERE k.owner = ").text(owner.as_str());
        sql.add(" AND k.key = ").text(&key.to_string()).add(" AND k.request = ").text(&request.to_string());
        sql.add(" AND k.created_at >= ").time(since);
        Ok(self.rows(sql, decode).await?.pop())
    }
}

impl Tx {
    /// Keeps an answer, in the place of another one of the same key.
    pub async fn keep_answer(
        &self,
        owner: &UserId,
        key: Digest,
        request: Digest,
        answer: &KeptAnswer,
        now: Timestamp,
    ) -> Result<()> {
        use kept_answer::Column;
        let row = kept_answer::ActiveModel {
            owner: Set(storable(owner.as_str())),
            key: Set(key.to_string()),
            request: Set(request.to_string()),
            status: Set(i64::from(answer.status)),
            headers: Set(serde_json::to_string(&answer.headers).map_err(StoreError::from)?),
            body: Set(answer.body.clone()),
            created_at: Set(now.micros()),
        };
        let replace = OnConflict::columns([Column::Owner, Column::Key])
            .update_columns([Column::Request, Column::Status, Column::Headers, Column::Body, Column::CreatedAt])
            .to_owned();
        let insert = kept_answer::Entity::insert(row).on_conflict(replace);
        insert.exec_without_returning(&self.tx).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Removes what is kept of an owner: something it may show is gone for good.
    pub async fn forget_answers_of(&self, owner: &UserId) -> Result<()> {
        let mut sql = self.sql("DELETE FROM kept_answer WHERE owner = ");
        sql.text(owner.as_str());
        self.run(sql).await?;
        Ok(())
    }

    /// Removes what was kept before a time; returns how many.
    pub async fn forget_answers(&self, before: Timestamp) -> Result<u64> {
        let mut sql = self.sql("DELETE FROM kept_answer WHERE created_at < ");
        sql.time(before);
        Ok(self.run(sql).await?)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<KeptAnswer> {
    Ok(KeptAnswer {
        status: u16::try_from(row.int()?).unwrap_or(500),
        headers: serde_json::from_str(&row.text()?)?,
        body: row.bytes()?,
    })
}
