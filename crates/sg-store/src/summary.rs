//! Summaries of sessions: one a session, replaced when it is made anew; what a model told stays beside it.

use sg_domain::{MadeNarrative, Result, SessionId, Summary, Visibility};

use crate::error::{StoreError, StoreResult};
use crate::filter::{Seek, visible};
use crate::row::Row;
use crate::store::stored_id;
use crate::{Store, Tx};

const COLUMNS: [&str; 7] =
    ["y.session_id", "y.made_of", "y.facts", "y.made_at", "y.narrative", "y.narrative_model", "y.narrative_made_at"];

impl Store {
    /// The summaries of these sessions, in no order; those that were never made and those that may not be seen are left
    /// out.
    pub async fn summaries(&self, who: &Visibility, sessions: &[SessionId]) -> Result<Vec<Summary>> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM summary y JOIN session s ON s.id = y.session_id");
        visible(&mut sql, who, Seek::Project);
        sql.one_of(" AND y.session_id", &ids);
        Ok(self.rows(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Writes a summary in the place of the one that was; its narrative stays. Whether the session is there.
    pub async fn put_summary(&self, summary: &Summary) -> Result<bool> {
        let facts = serde_json::to_string(&summary.facts).map_err(StoreError::from)?;
        let mut sql = self.sql("INSERT INTO summary (session_id, made_of, facts, made_at) SELECT s.id, ");
        sql.text(&summary.made_of.to_string()).add(", ").text(&facts).add(", ").time(summary.made_at);
        sql.add(" FROM session s WHERE s.deleted_at IS NULL AND s.id = ").text(&summary.session.to_string());
        sql.add(
            " ON CONFLICT (session_id) DO UPDATE SET made_of = excluded.made_of, facts = excluded.facts,
             made_at = excluded.made_at",
        );
        Ok(self.run(sql).await? > 0)
    }

    /// The summary as it is now.
    pub async fn summary(&self, session: SessionId) -> Result<Option<Summary>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&COLUMNS.join(", ")).add(" FROM summary y WHERE y.session_id = ").text(&session.to_string());
        Ok(self.row(sql, decode).await?)
    }

    /// Writes what a model told beside a summary; whether there is one.
    pub async fn put_narrative(&self, session: SessionId, told: &MadeNarrative) -> Result<bool> {
        let narrative = serde_json::to_string(&told.narrative).map_err(StoreError::from)?;
        let mut sql = self.sql("UPDATE summary SET narrative = ");
        sql.text(&narrative).add(", narrative_model = ").text(&told.model);
        sql.add(", narrative_made_at = ").time(told.made_at);
        sql.add(" WHERE session_id = ").text(&session.to_string());
        Ok(self.run(sql).await? > 0)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Summary> {
    let (session, made_of) = (stored_id(row)?, row.digest()?);
    let facts = serde_json::from_str(&row.text()?)?;
    let made_at = row.time()?;
    let told = (row.opt_text()?, row.opt_text()?, row.opt_time()?);
    let narrative = match told {
        (Some(narrative), Some(model), Some(made_at)) => {
            Some(MadeNarrative { narrative: serde_json::from_str(&narrative)?, model, made_at })
        }
        _ => None,
    };
    Ok(Summary { session, made_of, facts, made_at, narrative })
}
