//! Sessions that have to do with another one.

use std::collections::HashMap;

use sg_domain::{Caller, Error, RelatedHit, RelatedQuery, Result, Scope, Session, SessionId, Visibility};
use sg_store::SessionColumns;

use crate::App;

/// The most related sessions that are shown.
const MAX_RELATED: u32 = 50;

impl App {
    /// The caller's sessions nearest to one of them, nearest first, with their rows.
    pub async fn related_sessions(
        &self,
        caller: &Caller,
        session: SessionId,
        limit: u32,
        columns: SessionColumns,
    ) -> Result<Vec<(RelatedHit, Session)>> {
        let identity = caller.require(Scope::Read)?;
        if !(1..=MAX_RELATED).contains(&limit) {
            return Err(Error::invalid(format!("limit must be between 1 and {MAX_RELATED}")));
        }
        let visibility = Visibility::of(identity);
        let query = RelatedQuery { visibility: visibility.clone(), session, limit: limit as usize };
        let hits = self.search().related(query).await?;
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = hits.iter().map(|hit| hit.session).collect();
        let rows = self.store().sessions_by_id(&visibility, &ids, columns).await?;
        // The index may lag behind the store by one job; the store decides what is shown.
        let mut rows: HashMap<_, _> = rows.into_iter().map(|session| (session.id, session)).collect();
        Ok(hits.into_iter().filter_map(|hit| rows.remove(&hit.session).map(|session| (hit, session))).collect())
    }
}
