//! Search over everything that was said.

use std::collections::HashMap;

use sg_domain::{
    Caller, Error, FacetField, RankBy, Result, Scope, SearchPage, SearchQuery, Session, SessionFilter, SessionId,
    Visibility,
};
use sg_store::SessionColumns;

use crate::App;

/// A search as a caller asks for it.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// What the person typed. Blank finds nothing.
    pub text: String,
    /// Which sessions are looked at.
    pub filter: SessionFilter,
    /// What decides the order.
    pub rank_by: RankBy,
    /// At most this many sessions.
    pub limit: u32,
    /// Skip this many sessions.
    pub offset: u32,
    /// Counts to make.
    pub facets: Vec<FacetField>,
    /// Whether to make snippets.
    pub snippets: bool,
    /// At most this many matching messages a session.
    pub messages_per_hit: u32,
    /// The wider columns of the found sessions that will be looked at.
    pub columns: SessionColumns,
}

/// What was found, with the sessions' rows.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// Hits, total, facets, suggestion.
    pub page: SearchPage,
    /// The sessions of the hits. A hit whose row is gone is left out of both.
    pub sessions: HashMap<SessionId, Session>,
}

/// The most sessions one page of a search may hold.
const MAX_LIMIT: u32 = 200;
/// The furthest a search can be paged: behind that, narrowing the query finds more than paging does.
pub const MAX_SEARCH_OFFSET: u32 = 10_000;
/// The most matching messages shown of one session.
const MAX_MESSAGES_PER_HIT: u32 = 20;

impl App {
    /// Searches the caller's sessions.
    pub async fn search_sessions(&self, caller: &Caller, request: &SearchRequest) -> Result<SearchAnswer> {
        let identity = caller.require(Scope::Read)?;
        self.check_query(&request.text)?;
        request.filter.check()?;
        if request.offset > MAX_SEARCH_OFFSET {
            return Err(Error::invalid(format!(
                "a search shows its first {MAX_SEARCH_OFFSET} sessions, narrow the query"
            )));
        }
        let who = Visibility::of(identity);
        let mut page = self
            .search()
            .search(SearchQuery {
                visibility: who.clone(),
                text: request.text.clone(),
                filter: request.filter.clone(),
                rank_by: request.rank_by,
                limit: request.limit.min(MAX_LIMIT) as usize,
                offset: request.offset as usize,
                facets: request.facets.clone(),
                snippets: request.snippets,
                messages_per_hit: request.messages_per_hit.min(MAX_MESSAGES_PER_HIT) as usize,
                now: self.now(),
            })
            .await?;
        let ids: Vec<_> = page.hits.iter().map(|hit| hit.session).collect();
        let rows =
            if ids.is_empty() { Vec::new() } else { self.store().sessions_by_id(&who, &ids, request.columns).await? };
        let sessions: HashMap<_, _> = rows.into_iter().map(|session| (session.id, session)).collect();
        // The index may lag behind the store by one job; the store decides what is shown. `total` and facets stay those of
        // one state of the index.
        page.hits.retain(|hit| sessions.contains_key(&hit.session));
        Ok(SearchAnswer { page, sessions })
    }

    pub(crate) fn check_query(&self, text: &str) -> Result<()> {
        let max = self.limits().max_query_bytes;
        if text.len() > max {
            return Err(Error::invalid(format!("query is longer than {max} bytes, shorten it")));
        }
        Ok(())
    }
}
