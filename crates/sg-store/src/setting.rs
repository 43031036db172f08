//! What accounts decide for themselves: the model that judges, and when it does.

use sg_domain::{Result, Trigger, Triggers, UserId};

use crate::error::StoreResult;
use crate::row::Row;
use crate::store::named;
use crate::{Store, Tx};

/// The model that an account chose, with its key as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJudge {
    /// Who runs it, by name.
    pub provider: String,
    /// Its name there; empty leaves it open.
    pub model: String,
    /// The address to ask it at; `None` is the provider's own.
    pub base_url: Option<String>,
    /// Its key, sealed, as hex digits; `None` when there is none.
    pub sealed_key: Option<String>,
}

impl Store {
    /// The model that an account chose.
    pub async fn judge_setting(&self, user: &UserId) -> Result<Option<StoredJudge>> {
        let mut sql = self.select(&["provider", "model", "base_url", "sealed_key"]);
        sql.add(" FROM judge_setting WHERE user_id = ").text(user.as_str());
        Ok(self.row(sql.end(), judge).await?)
    }

    /// When an account's sessions are judged and summarised.
    pub async fn triggers(&self, user: &UserId) -> Result<Triggers> {
        let mut sql = self.select(&["audit", "summary"]);
        sql.add(" FROM trigger_setting WHERE user_id = ").text(user.as_str());
        let found = self.row(sql.end(), |row| Ok(Triggers { audit: trigger(row)?, summary: trigger(row)? })).await?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx {
    /// The model that an account chose, locked for this transaction.
    pub async fn judge_setting(&self, user: &UserId) -> Result<Option<StoredJudge>> {
        let mut sql = self.sql("SELECT provider, model, base_url, sealed_key FROM judge_setting WHERE user_id = ");
        sql.text(user.as_str()).either("", " FOR UPDATE");
        Ok(self.row(sql, judge).await?)
    }

    /// Keeps the model that an account chose, in the place of another.
    pub async fn put_judge_setting(&self, user: &UserId, judge: &StoredJudge) -> Result<()> {
        let mut sql = self.sql("INSERT INTO judge_setting (user_id, provider, model, base_url, sealed_key) VALUES (");
        sql.text(user.as_str()).add(", ").text(&judge.provider).add(", ").text(&judge.model);
        sql.add(", ").opt_text(judge.base_url.as_deref()).add(", ").opt_text(judge.sealed_key.as_deref());
        sql.add(
            ") ON CONFLICT (user_id) DO UPDATE SET provider = excluded.provider, model = excluded.model,
             base_url = excluded.base_url, sealed_key = excluded.sealed_key",
        );
        self.run(sql).await?;
        Ok(())
    }

    /// Forgets the model that an account chose, with its key; whether there was one.
    pub async fn delete_judge_setting(&self, user: &UserId) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM judge_setting WHERE user_id = ");
        sql.text(user.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Keeps when an account's sessions are judged or summarised; `None` leaves it as it is.
    pub async fn set_triggers(&self, user: &UserId, audit: Option<Trigger>, summary: Option<Trigger>) -> Result<()> {
        let mut sql = self.sql("INSERT INTO trigger_setting (user_id, audit, summary) VALUES (");
        sql.text(user.as_str());
        for trigger in [audit, summary] {
            sql.add(", ").text(trigger.unwrap_or_default().name());
        }
        sql.add(") ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id");
        for (column, trigger) in [("audit", audit), ("summary", summary)] {
            if trigger.is_some() {
                sql.add(&format!(", {column} = excluded.{column}"));
            }
        }
        self.run(sql).await?;
        Ok(())
    }
}

fn judge(row: &mut dyn Row) -> StoreResult<StoredJudge> {
    Ok(StoredJudge {
        provider: row.text()?,
        model: row.text()?,
        base_url: row.opt_text()?,
        sealed_key: row.opt_text()?,
    })
}

fn trigger(row: &mut dyn Row) -> StoreResult<Trigger> {
    let name = row.text()?;
    named(Trigger::parse(&name), "trigger", &name)
}
