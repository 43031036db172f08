//! Search: hits with their sessions, snippets, counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use sg_app::{MAX_SEARCH_OFFSET, SearchRequest};
use sg_domain::page::SortValue;
use sg_domain::search::{Hit, MessageHit};
use sg_domain::{Cursor, Error, FacetField, MessageId, Result, SearchPage};

use crate::exchange::{Exchange, exchanges, holding};
use crate::failure::{Nullable, Outcome};
use crate::filter::{SessionFilters, Wanted};
use crate::loader::Reach;
use crate::message::{Message, MessageRole, message};
use crate::metadata::SessionMetadata;
use crate::page::{DEFAULT_FIRST, MAX_FIRST, MAX_LIMIT, PageInfo, positive};
use crate::project::{Project, project_by_key};
use crate::scalar::{BigInt, DateTime, int};
use crate::selection::Rows;
use crate::session::Session;

/// What decides the order of hits.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "RankBy", remote = "sg_domain::RankBy")]
pub(crate) enum RankBy {
    /// How well the words match, with the title and recency taken into account.
    Relevance,
    /// Last activity, newest first.
    Recent,
}

/// What hits can be counted by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "FacetField", remote = "sg_domain::FacetField")]
pub(crate) enum Facet {
    /// Project id.
    Project,
    /// Agent name.
    Agent,
    /// Model.
    Model,
    /// Branch.
    Branch,
    /// Tag.
    Tag,
    /// UTC day of last activity, `YYYY-MM-DD`.
    Day,
}

/// Counts of all matches by one field.
#[derive(SimpleObject)]
#[graphql(name = "SearchFacet")]
pub(crate) struct SearchFacet {
    /// What the matches are counted by.
    field: Facet,
    /// Values, most frequent first.
    buckets: Vec<FacetBucket>,
}

/// A value and how many of the found sessions have it.
#[derive(SimpleObject)]
pub(crate) struct FacetBucket {
    /// The value.
    value: String,
    /// Number of found sessions that have it.
    count: i32,
}

/// The arguments of a search.
pub(crate) struct SearchArgs {
    pub(crate) query: String,
    pub(crate) filters: Option<SessionFilters>,
    pub(crate) limit: Option<i32>,
    pub(crate) page: Option<i32>,
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) rank_by: Option<RankBy>,
}

impl SearchArgs {
    /// How many sessions, and how many to skip.
    fn range(&self, cursor: Option<&str>) -> Result<(u32, u32)> {
        let after = match (self.after.as_deref(), cursor) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("after and filters.cursor mean the same, send one of them"));
            }
            (after, cursor) => after.or(cursor).map(offset_behind).transpose()?,
        };
        if self.first.is_none() && after.is_none() {
            let limit = positive("limit", self.limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT), MAX_LIMIT)?;
            let page = positive("page", self.page.unwrap_or(1), i32::MAX)?;
            return Ok((limit, limit.saturating_mul(page - 1)));
        }
        if self.page.is_some_and(|page| page != 1) {
            return Err(Error::invalid("page does not go with first or after, send one of them"));
        }
        Ok((positive("first", self.first.unwrap_or(DEFAULT_FIRST), MAX_FIRST)?, after.unwrap_or(0)))
    }
}

/// The list that search cursors belong to: a cursor is a place in the answer to the same question.
const LIST: &str = "search.place";

fn cursor(place: u32) -> String {
    Cursor { list: LIST.to_owned(), key: vec![SortValue::Int(place.into())] }.encode()
}

fn offset_behind(text: &str) -> Result<u32> {
    let cursor = Cursor::decode(text, LIST)?;
    let place = match cursor.key.as_slice() {
        [SortValue::Int(place)] => u32::try_from(*place).ok().and_then(|place| place.checked_add(1)),
        _ => None,
    };
    place.ok_or_else(|| Error::invalid("this cursor does not belong to this list, take one from its own pages"))
}

/// What a search found.
pub(crate) struct SearchResult {
    query: String,
    project_id: Option<String>,
    offset: u32,
    total: u64,
    hits: Vec<SearchHit>,
    facets: Vec<(FacetField, Vec<sg_domain::search::FacetBucket>)>,
    suggestion: Option<String>,
    took_ms: u64,
}

/// One hit of a page, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct SearchEdge {
    /// Where the hit lies in the answer.
    cursor: String,
    /// The hit.
    node: SearchHit,
}

/// What a search found, best first.
#[Object]
impl SearchResult {
    /// The hits of this page.
    fn results(&self) -> &[SearchHit] {
        &self.hits
    }

    /// The same as `results`.
    fn nodes(&self) -> &[SearchHit] {
        &self.hits
    }

    /// The hits with their cursors.
    fn edges(&self) -> Vec<SearchEdge> {
        let edge = |(place, hit): (u32, &SearchHit)| SearchEdge { cursor: cursor(place), node: hit.clone() };
        (self.offset..).zip(&self.hits).map(edge).collect()
    }

    /// Where this page lies in the answer.
    fn page_info(&self) -> PageInfo {
        let len = u32::try_from(self.hits.len()).unwrap_or(u32::MAX);
        let place_behind = u64::from(self.offset) + u64::from(len);
        let place = |n: u32| (len > 0).then(|| cursor(self.offset.saturating_add(n)));
        PageInfo {
            has_next_page: place_behind < self.total && place_behind <= u64::from(MAX_SEARCH_OFFSET) && len > 0,
            has_previous_page: self.offset > 0,
            start_cursor: place(0),
            end_cursor: place(len.saturating_sub(1)),
        }
    }

    /// Number of sessions that match in all.
    fn total(&self) -> i32 {
        int(self.total)
    }

    /// The same as `total`.
    fn total_count(&self) -> i32 {
        int(self.total)
    }

    /// The query as it was sent.
    fn query(&self) -> &str {
        &self.query
    }

    /// The project that was searched, when the filters named exactly one.
    fn project_id(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    /// Counts of all matches, not only of this page. Made only when they are asked for.
    fn facets(&self) -> Vec<SearchFacet> {
        let bucket = |b: &sg_domain::search::FacetBucket| FacetBucket { value: b.value.clone(), count: int(b.count) };
        let facet = |(field, buckets): &(FacetField, Vec<_>)| SearchFacet {
            field: (*field).into(),
            buckets: buckets.iter().map(bucket).collect(),
        };
        self.facets.iter().map(facet).collect()
    }

    /// What may have been meant, when little was found.
    fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// How long the search took, in milliseconds.
    fn took_ms(&self) -> BigInt {
        BigInt(self.took_ms)
    }
}

/// A session that was found.
#[derive(Clone)]
pub(crate) struct SearchHit {
    hit: Arc<Hit>,
    session: Arc<sg_domain::Session>,
}

/// A message that was found.
pub(crate) struct MatchingMessage {
    id: MessageId,
    hit: MessageHit,
}

/// A message that matches a search.
#[Object]
impl MatchingMessage {
    /// Its place in the session, from 0; what `messages(around:)` takes.
    fn ordinal(&self) -> i32 {
        int(self.hit.ordinal.into())
    }

    /// Who said it.
    fn role(&self) -> MessageRole {
        self.hit.role.into()
    }

    /// The best matching piece: HTML-escaped text with the matches in `<mark>`.
    fn snippet(&self) -> Option<&str> {
        self.hit.snippet.as_deref()
    }

    /// The message; null when it changed since it was indexed.
    async fn message(&self, ctx: &Context<'_>) -> Nullable<Message> {
        message(Reach::of(ctx), self.id).await
    }
}

/// A session that was found, with why.
#[Object]
impl SearchHit {
    /// The session's id on this server.
    fn id(&self) -> ID {
        ID(self.session.id.to_string())
    }

    /// The same as `id`.
    fn session_id(&self) -> ID {
        ID(self.session.id.to_string())
    }

    /// The id that its client or agent gave it.
    fn client_id(&self) -> &str {
        &self.session.client_id
    }

    /// The id of its project.
    fn project_id(&self) -> &str {
        self.session.project_id.as_str()
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.session.project_key).await
    }

    /// The name of its project.
    async fn project_name(&self, ctx: &Context<'_>) -> Outcome<String> {
        Ok(project_by_key(Reach::of(ctx), self.session.project_key).await?.0.name.clone())
    }

    /// What the session was called when it was sent.
    fn name(&self) -> &str {
        &self.session.name
    }

    /// What a person called it.
    fn user_title(&self) -> Option<&str> {
        self.session.user_title.as_deref()
    }

    /// The session itself.
    fn session(&self) -> Session {
        Session::new(self.session.clone())
    }

    /// Relevance, above 0 and at most 1, best first.
    fn rank(&self) -> f64 {
        self.hit.rank
    }

    /// The best matching piece: HTML-escaped text with the matches in `<mark>`.
    fn snippet(&self) -> Option<&str> {
        self.hit.snippet.as_deref()
    }

    /// The matched words as they stand in the text, each once.
    fn highlights(&self) -> &[String] {
        &self.hit.highlights
    }

    /// The messages that match best, best first.
    fn matching_messages(
        &self,
        #[graphql(desc = "At most this many, 1 to 20.", default = 5)] first: Option<i32>,
    ) -> Outcome<Vec<MatchingMessage>> {
        let first = positive("first", first.unwrap_or(5), MAX_MESSAGES)?;
        let id = |ordinal| MessageId { session: self.session.id, ordinal };
        let found = |hit: &MessageHit| MatchingMessage { id: id(hit.ordinal), hit: hit.clone() };
        Ok(self.hit.messages.iter().take(first as usize).map(found).collect())
    }

    /// The exchanges that hold a matched word, in order.
    async fn matching_exchanges(&self, ctx: &Context<'_>) -> Outcome<Vec<Exchange>> {
        if self.hit.highlights.is_empty() {
            return Ok(Vec::new());
        }
        Ok(holding(exchanges(Reach::of(ctx), &self.session).await?, &self.hit.highlights))
    }

    /// When the session was first stored here.
    fn created_at(&self) -> DateTime {
        DateTime(self.session.created_at)
    }

    /// When it last changed here.
    fn updated_at(&self) -> DateTime {
        DateTime(self.session.updated_at)
    }

    /// The first time in the conversation, where it is known.
    fn started_at(&self) -> Option<DateTime> {
        self.session.started_at.map(DateTime)
    }

    /// The last time in the conversation, where it is known.
    fn ended_at(&self) -> Option<DateTime> {
        self.session.ended_at.map(DateTime)
    }

    /// Where and by what the session was made.
    fn metadata(&self) -> SessionMetadata {
        SessionMetadata(self.session.clone())
    }

    /// Its end, else its start, else its last change: what date filters compare.
    fn last_activity(&self) -> DateTime {
        DateTime(self.session.activity_at)
    }

    /// Changes whenever anything a reader can see changes; as in the REST `ETag` header.
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.session.etag)
    }

    /// Bytes of the markdown.
    fn markdown_size(&self) -> i32 {
        int(self.session.markdown_size)
    }

    /// Bytes of the agent's own file; 0 when there is none.
    fn raw_data_size(&self) -> i32 {
        int(self.session.raw_data_size)
    }

    /// Bytes of the session data; null when there is none.
    fn session_data_size(&self) -> Option<i32> {
        self.session.session_data_size.map(int)
    }

    /// The whole session as markdown. Read only when it is asked for.
    async fn markdown_content(&self, ctx: &Context<'_>) -> Outcome<String> {
        let reach = Reach::of(ctx);
        reach.spend_bytes(self.session.markdown_size)?;
        let bytes = reach.app.markdown(&reach.caller, &self.session).await?;
        Ok(sg_domain::wtf8::lossy(&bytes).into_owned())
    }
}

/// The most matching messages of one hit.
const MAX_MESSAGES: i32 = 20;

/// Searches, and makes only what the selection asks for.
pub(crate) async fn search_sessions(ctx: &Context<'_>, args: SearchArgs) -> Outcome<SearchResult> {
    let began = Instant::now();
    let reach = Reach::of(ctx);
    let rows = Rows::of(ctx);
    let wanted = args.filters.clone().unwrap_or_default().wanted(reach.app.now())?;
    let (limit, offset) = args.range(wanted.cursor.as_deref())?;
    let Wanted { filter, text, .. } = wanted;
    let project_id = match filter.project_ids.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let request = SearchRequest {
        text: match text {
            Some(more) if !args.query.trim().is_empty() => format!("({}) ({more})", args.query),
            _ => args.query.clone(),
        },
        filter,
        rank_by: args.rank_by.unwrap_or(RankBy::Relevance).into(),
        limit,
        offset,
        facets: if ctx.look_ahead().field("facets").exists() { FacetField::ALL.to_vec() } else { Vec::new() },
        snippets: ["snippet", "highlights", "matchingExchanges"].iter().any(|field| rows.select(field))
            || rows.select_below("matchingMessages", "snippet"),
        messages_per_hit: match rows.largest_argument("matchingMessages", "first", 5) {
            Some(wanted) => u32::try_from(wanted.clamp(0, MAX_MESSAGES.into())).unwrap_or(0),
            // The words that decide which exchanges match come from the messages that do.
            None if rows.select("matchingExchanges") => u32::try_from(MAX_MESSAGES).unwrap_or(0),
            None => 0,
        },
        columns: sg_app::SessionColumns {
            metadata: rows.select("metadata") || rows.select_below("session", "metadata"),
            first_exchange: rows.select_below("session", "firstExchange"),
        },
    };
    let answer = reach.app.search_sessions(&reach.caller, &request).await?;
    let SearchPage { hits, total, facets, suggestion } = answer.page;
    let mut sessions: HashMap<_, _> =
        answer.sessions.into_iter().map(|(id, session)| (id, Arc::new(session))).collect();
    let hit = |hit: Hit| Some(SearchHit { session: sessions.remove(&hit.session)?, hit: Arc::new(hit) });
    Ok(SearchResult {
        query: args.query,
        project_id,
        offset,
        total,
        hits: hits.into_iter().filter_map(hit).collect(),
        facets,
        suggestion,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> SearchArgs {
        SearchArgs {
            query: "x".to_owned(),
            filters: None,
            limit: Some(200),
            page: Some(1),
            first: None,
            after: None,
            rank_by: None,
        }
    }

    #[test]
    fn both_ways_of_paging() {
        assert_eq!(args().range(None).unwrap(), (200, 0));
        assert_eq!(SearchArgs { limit: Some(5_000), page: Some(3), ..args() }.range(None).unwrap(), (200, 400));
        assert_eq!(SearchArgs { page: Some(i32::MAX), ..args() }.range(None).unwrap().0, 200);
        let after = Some(cursor(9));
        assert_eq!(SearchArgs { after: after.clone(), ..args() }.range(None).unwrap(), (20, 10));
        assert_eq!(args().range(after.as_deref()).unwrap(), (20, 10));
        for bad in [
            SearchArgs { limit: Some(0), ..args() },
            SearchArgs { page: Some(0), ..args() },
            SearchArgs { page: Some(-1), ..args() },
            SearchArgs { first: Some(-1_000_000), ..args() },
            SearchArgs { first: Some(5), page: Some(2), ..args() },
            SearchArgs { after: Some("nonsense".to_owned()), ..args() },
        ] {
            assert!(bad.range(None).is_err());
        }
    }
}
