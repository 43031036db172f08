//! The root of every query.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::future::join_all;
use sg_domain::Error;

use crate::analytics::{Analytics, TimeRange, analytics};
use crate::device::{Device, devices};
use crate::failure::{Nullable, Outcome};
use crate::filter::SessionFilters;
use crate::handoff::{Handoff, HandoffBox, HandoffConnection, handoff, handoffs};
use crate::job::{Job, JobConnection, JobState, job, jobs};
use crate::key::{ApiKey, api_keys};
use crate::loader::Reach;
use crate::node::{Node, node};
use crate::page::{DEFAULT_FIRST, PageArgs};
use crate::price::{PriceTable, prices};
use crate::project::{Project, project};
use crate::rate_limit::{RateLimit, rate_limit};
use crate::search::{RankBy, SearchArgs, SearchResult, search_sessions};
use crate::search_resume::{ResumableHit, resumable_sessions};
use crate::session::{Session, session};
use crate::session_connection::{SessionArgs, SessionConnection, session_list, sessions};
use crate::session_trash::{DeletedSessionConnection, deleted_sessions};
use crate::share::{SharedSession, shared_session};
use crate::stats::Stats;
use crate::sync::{SyncSettings, SyncStatus, WatchedSession, sync_settings, sync_status, watchlist};
use crate::user::User;

/// The most ids that `nodes` takes.
const MAX_NODES: usize = 100;

/// The root. It holds nothing: everything is in the request.
pub struct Query;

/// Everything that can be asked.
#[Object]
impl Query {
    /// The account that asks.
    async fn viewer(&self, ctx: &Context<'_>) -> Outcome<User> {
        let reach = Reach::of(ctx);
        Ok(User(reach.app.viewer(&reach.caller).await?))
    }

    /// All projects, last activity first.
    async fn projects(&self, ctx: &Context<'_>) -> Outcome<Vec<Project>> {
        let reach = Reach::of(ctx);
        let projects = reach.app.projects(&reach.caller).await?;
        reach.spend(projects.len() as u64)?;
        Ok(projects.into_iter().map(|project| Project(Arc::new(project))).collect())
    }

    /// One project.
    async fn project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id that clients know the project by.")] id: String,
    ) -> Nullable<Project> {
        Some(project(Reach::of(ctx), &id).await)
    }

    /// Sessions of all projects. With `first`, `after`, `last` or `before` pages work as in Relay; otherwise `limit` and
    /// `offset` decide.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions; all of them when left out.")] filters: Option<SessionFilters>,
        #[graphql(desc = "At most this many, 1 to 200; larger values count as 200.", default = 200)] limit: Option<i32>,
        #[graphql(desc = "Skip this many.", default = 0)] offset: Option<i32>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when only a cursor is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only sessions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only sessions before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Sort by `createdAt`, `updatedAt`, `endedAt`, `lastActivity`, `name` or `markdownSize`.",
            default_with = "Some(\"createdAt\".to_owned())"
        )]
        order_by: Option<String>,
        #[graphql(desc = "`asc` or `desc`.", default_with = "Some(\"desc\".to_owned())")] order_direction: Option<
            String,
        >,
    ) -> Outcome<SessionConnection> {
        let page = PageArgs { first, after, last, before, limit, offset };
        Box::pin(sessions(ctx, SessionArgs { filters, page, order_by, order_direction })).await
    }

    /// The same sessions as a plain list: what a document gets that selects a session's own fields from `sessions`.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn session_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions; all of them when left out.")] filters: Option<SessionFilters>,
        #[graphql(desc = "At most this many, 1 to 200; larger values count as 200.", default = 200)] limit: Option<i32>,
        #[graphql(desc = "Skip this many.", default = 0)] offset: Option<i32>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when only a cursor is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only sessions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only sessions before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Sort by `createdAt`, `updatedAt`, `endedAt`, `lastActivity`, `name` or `markdownSize`.",
            default_with = "Some(\"createdAt\".to_owned())"
        )]
        order_by: Option<String>,
        #[graphql(desc = "`asc` or `desc`.", default_with = "Some(\"desc\".to_owned())")] order_direction: Option<
            String,
        >,
    ) -> Outcome<Vec<Session>> {
        let page = PageArgs { first, after, last, before, limit, offset };
        Box::pin(session_list(ctx, SessionArgs { filters, page, order_by, order_direction })).await
    }

    /// One session, by its id here, or by its project and the id its client gave it.
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id on this server; the id its client gave it and its alias work too.")]
        id: Option<String>,
        #[graphql(desc = "The id of its project; goes with `sessionId`.")] project_id: Option<String>,
        #[graphql(desc = "The id that its client gave it; the id on this server works too.")] session_id: Option<
            String,
        >,
    ) -> Nullable<Session> {
        Some(session(Reach::of(ctx), id.as_deref(), project_id.as_deref(), session_id.as_deref()).await)
    }

    /// What has this id; null when there is nothing that the caller may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of a project, session, message, exchange, job, API key, device or user.")] id: ID,
    ) -> Nullable<Node> {
        Box::pin(node(Reach::of(ctx), &id)).await
    }

    /// What has these ids, in their order; null where there is nothing that the caller may see.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "At most 100 ids of projects, sessions, messages, exchanges, jobs, API keys, devices or users."
        )]
        ids: Vec<ID>,
    ) -> Outcome<Vec<Nullable<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::invalid(format!("nodes takes at most {MAX_NODES} ids, ask in parts")).into());
        }
        let reach = Reach::of(ctx);
        Ok(join_all(ids.iter().map(|id| node(reach, id))).await)
    }

    /// The sessions that were deleted and can still be restored, last deleted first.
    async fn deleted_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only sessions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only sessions before this cursor.")] before: Option<String>,
    ) -> Outcome<DeletedSessionConnection> {
        let first = if last.is_none() { first.or(Some(DEFAULT_FIRST)) } else { first };
        Box::pin(deleted_sessions(Reach::of(ctx), PageArgs { first, after, last, before, limit: None, offset: None }))
            .await
    }

    /// Searches everything that was said. Words are ANDed; `"phrases"`, `OR`, `NOT`, `-word`, `prefix*`, parentheses and
    /// `field:value` work; nothing in a query is an error.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn search_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to search for; a blank query finds nothing.")] query: String,
        #[graphql(desc = "Which sessions are looked at; all of them when left out.")] filters: Option<SessionFilters>,
        #[graphql(desc = "At most this many sessions, 1 to 200; larger values count as 200.", default = 200)]
        limit: Option<i32>,
        #[graphql(desc = "Which page of `limit` sessions, from 1.", default = 1)] page: Option<i32>,
        #[graphql(desc = "At most this many sessions, 1 to 100; instead of `limit` and `page`.")] first: Option<i32>,
        #[graphql(desc = "Only what lies behind this cursor; goes with `first`.")] after: Option<String>,
        #[graphql(desc = "What decides the order.", default_with = "Some(RankBy::Relevance)")] rank_by: Option<RankBy>,
    ) -> Outcome<SearchResult> {
        Box::pin(search_sessions(ctx, SearchArgs { query, filters, limit, page, first, after, rank_by })).await
    }

    /// A session that its owner shares by link, whoever that is; null when there is none.
    async fn shared_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id on this server, or the id its client gave it.")] id: String,
    ) -> Nullable<SharedSession> {
        Box::pin(shared_session(Reach::of(ctx), &id)).await
    }

    /// The API keys of the caller's account, oldest first, revoked ones included.
    async fn api_keys(&self, ctx: &Context<'_>) -> Outcome<Vec<ApiKey>> {
        Box::pin(api_keys(Reach::of(ctx))).await
    }

    /// The devices of the caller's account that signed in, oldest first, revoked ones included.
    async fn devices(&self, ctx: &Context<'_>) -> Outcome<Vec<Device>> {
        Box::pin(devices(Reach::of(ctx))).await
    }

    /// Finds sessions that another machine can go on with, as someone types: those with one exchange in which every word
    /// of the query stands, last ended first, all of them. A word is the beginning of a run of letters and digits; one
    /// with punctuation inside (`poem.txt`) is runs that follow each other, the last of them a beginning; in closed
    /// `"quotes"` runs are whole and follow each other. Nothing else is syntax, no word is stemmed or left out, and
    /// fewer than two letters or digits find nothing. Scripts without spaces match anywhere. The first 64 words count.
    async fn resumable_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far.")] query: String,
        #[graphql(desc = "Only sessions of the project that clients know by this id.")] project_id: Option<String>,
    ) -> Outcome<Vec<ResumableHit>> {
        Box::pin(resumable_sessions(ctx, &query, project_id)).await
    }

    /// Where the caller stands with its rate limit, this request counted; null when nothing counts its requests, and over
    /// sockets and event streams.
    async fn rate_limit(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether to ask without being counted: every other field of the operation's root is left out of the \
                    answer as if `@skip` stood on it, and what the request took is given back (over sockets and event \
                    streams it is not). A caller that is over its limit is refused all the same.",
            default_with = "Some(false)"
        )]
        dry_run: Option<bool>,
    ) -> Nullable<RateLimit> {
        // A dry run is seen before anything runs: here it asks the same.
        let _ = dry_run;
        rate_limit(ctx)
    }

    /// The jobs of the caller's changes, newest first.
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only jobs in this state; all of them when left out.")] state: Option<JobState>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 20)] first: Option<i32>,
        #[graphql(desc = "Only jobs behind this cursor.")] after: Option<String>,
    ) -> Outcome<JobConnection> {
        Box::pin(jobs(Reach::of(ctx), state, first, after)).await
    }

    /// One job of the caller's.
    async fn job(&self, ctx: &Context<'_>, #[graphql(desc = "The job's id.")] id: ID) -> Nullable<Job> {
        Some(job(Reach::of(ctx), &id).await)
    }

    /// The handoffs that the caller is given or gives, newest first, whatever has become of them.
    async fn handoffs(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "box", desc = "Which side.", default_with = "Some(HandoffBox::Inbox)")] of: Option<HandoffBox>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 20)] first: Option<i32>,
        #[graphql(desc = "Only handoffs behind this cursor.")] after: Option<String>,
    ) -> Outcome<HandoffConnection> {
        Box::pin(handoffs(Reach::of(ctx), of.unwrap_or(HandoffBox::Inbox), first, after)).await
    }

    /// One handoff that the caller is given or gives. That the recipient has looked at it is noted.
    async fn handoff(&self, ctx: &Context<'_>, #[graphql(desc = "The handoff's id.")] id: ID) -> Nullable<Handoff> {
        Some(Box::pin(handoff(Reach::of(ctx), &id)).await)
    }

    /// What the caller's machines sync by themselves.
    async fn sync_settings(&self, ctx: &Context<'_>) -> Outcome<SyncSettings> {
        Box::pin(sync_settings(Reach::of(ctx))).await
    }

    /// How much of SessionFS's archives the caller has here, and how syncing them goes.
    async fn sync_status(&self, ctx: &Context<'_>) -> Outcome<SyncStatus> {
        Box::pin(sync_status(Reach::of(ctx))).await
    }

    /// The sessions that are synced by themselves where that is selective, newest on the list first.
    async fn watchlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 200; 200 when left out.")] first: Option<i32>,
    ) -> Outcome<Vec<WatchedSession>> {
        Box::pin(watchlist(Reach::of(ctx), first)).await
    }

    /// Figures of all sessions.
    async fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Figures of sessions, tokens and costs, of a range of time and of the sessions that pass.
    async fn analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "When: sessions count by their last activity, answers by the time they were given. All of \
            time when left out.")]
        time_range: Option<TimeRange>,
        #[graphql(desc = "Which sessions, whatever the range; all of them when left out.")] filters: Option<
            SessionFilters,
        >,
        #[graphql(desc = "Only sessions of the project that clients know by this id.")] project_id: Option<String>,
    ) -> Outcome<Analytics> {
        Box::pin(analytics(ctx, time_range, filters, project_id)).await
    }

    /// What models cost: the prices that costs are computed by.
    async fn prices(&self, ctx: &Context<'_>) -> Outcome<PriceTable> {
        prices(Reach::of(ctx))
    }
}
