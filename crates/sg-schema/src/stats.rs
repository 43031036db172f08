//! Figures, computed by the database and only when they are asked for.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use sg_domain::SessionFilter;
use tokio::sync::OnceCell;

use crate::failure::Outcome;
use crate::filter::start_of_week;
use crate::loader::Reach;
use crate::scalar::{BigInt, DateTime, Decimal, int};
use crate::usage::TokenUsage;

/// A day and its sessions.
#[derive(SimpleObject)]
pub(crate) struct DayCount {
    /// The UTC day, `YYYY-MM-DD`.
    date: String,
    /// Number of sessions whose last activity was on that day.
    count: i32,
}

/// A tag and its sessions.
#[derive(SimpleObject)]
pub(crate) struct TagCount {
    /// The tag.
    tag: String,
    /// Number of sessions that have it.
    count: i32,
}

/// A model and its sessions.
#[derive(SimpleObject)]
pub(crate) struct ModelCount {
    /// The model.
    model: String,
    /// Number of sessions in which it answered.
    count: i32,
}

/// When the sessions of a project happened, by last activity.
#[derive(SimpleObject)]
pub(crate) struct ProjectActivity {
    /// Number of sessions.
    sessions: i32,
    /// Of them, active in the last 7 days.
    sessions_last_week: i32,
    /// Of them, active in the last 30 days.
    sessions_last_month: i32,
    /// Machines that they come from; sessions that name no machine count as of one.
    machines: i32,
    /// Of them, with a session active in the last 30 days.
    machines_last_month: i32,
    /// When the first one began.
    first_at: Option<DateTime>,
    /// The latest activity.
    last_at: Option<DateTime>,
    /// Sessions a week between the first and the last activity.
    sessions_per_week: f64,
}

impl From<sg_domain::stats::ProjectActivity> for ProjectActivity {
    fn from(figures: sg_domain::stats::ProjectActivity) -> Self {
        Self {
            sessions: int(figures.sessions),
            sessions_last_week: int(figures.sessions_last_week),
            sessions_last_month: int(figures.sessions_last_month),
            machines: int(figures.machines),
            machines_last_month: int(figures.machines_last_month),
            first_at: figures.first_at.map(DateTime),
            last_at: figures.last_at.map(DateTime),
            sessions_per_week: figures.sessions_per_week(),
        }
    }
}

/// Totals that several fields share, read once.
#[derive(Default)]
struct Totals(OnceCell<sg_domain::ProjectStats>);

impl Totals {
    async fn get(
        &self,
        ctx: &Context<'_>,
        project: Option<sg_domain::ProjectKey>,
    ) -> Outcome<&sg_domain::ProjectStats> {
        let reach = Reach::of(ctx);
        Ok(self.0.get_or_try_init(|| reach.app.project_stats(&reach.caller, project)).await?)
    }
}

/// Tokens and costs that several fields share, read once.
#[derive(Default)]
struct Spending(OnceCell<sg_app::Spent>);

impl Spending {
    async fn get(&self, ctx: &Context<'_>, project: Option<sg_domain::ProjectKey>) -> Outcome<sg_app::Spent> {
        let reach = Reach::of(ctx);
        Ok(*self.0.get_or_try_init(|| reach.app.project_spent(&reach.caller, project)).await?)
    }
}

/// Figures of one project.
pub(crate) struct ProjectStats {
    project: Arc<sg_domain::Project>,
    totals: Totals,
    spending: Spending,
}

impl ProjectStats {
    /// The figures of a project; nothing is read yet.
    pub(crate) fn of(project: Arc<sg_domain::Project>) -> Self {
        Self { project, totals: Totals::default(), spending: Spending::default() }
    }

    async fn totals(&self, ctx: &Context<'_>) -> Outcome<&sg_domain::ProjectStats> {
        self.totals.get(ctx, Some(self.project.key)).await
    }
}

/// Figures of one project's sessions.
#[Object]
impl ProjectStats {
    /// Number of sessions.
    fn total_sessions(&self) -> i32 {
        int(self.project.session_count)
    }

    /// Bytes of markdown of all sessions.
    fn total_markdown_size(&self) -> BigInt {
        BigInt(self.project.total_markdown_size)
    }

    /// Tokens of all sessions, and their cost.
    async fn usage(&self, ctx: &Context<'_>) -> Outcome<TokenUsage> {
        Ok(self.spending.get(ctx, Some(self.project.key)).await?.into())
    }

    /// What all sessions cost, in US dollars: the same as `usage.cost`.
    async fn cost(&self, ctx: &Context<'_>) -> Outcome<Option<Decimal>> {
        Ok(self.spending.get(ctx, Some(self.project.key)).await?.cost.dollars().map(Decimal))
    }

    /// Bytes of the agents' own files of all sessions.
    async fn total_raw_data_size(&self, ctx: &Context<'_>) -> Outcome<BigInt> {
        Ok(BigInt(self.totals(ctx).await?.total_raw_data_size))
    }

    /// Models that answered, sorted.
    #[graphql(name = "uniqueLLMModels")]
    async fn unique_llm_models(&self, ctx: &Context<'_>) -> Outcome<Vec<String>> {
        Ok(self.totals(ctx).await?.unique_llm_models.clone())
    }

    /// Branches that sessions were on, sorted.
    async fn unique_git_branches(&self, ctx: &Context<'_>) -> Outcome<Vec<String>> {
        Ok(self.totals(ctx).await?.unique_git_branches.clone())
    }

    /// Sessions by day of last activity, oldest day first, days without any left out.
    async fn sessions_by_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many days back, today included, 1 to 3660.", default = 30)] days: Option<i32>,
    ) -> Outcome<Vec<DayCount>> {
        by_day(ctx, Some(self.project.key), days).await
    }

    /// The most used tags, most used first.
    async fn top_tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 10)] limit: Option<i32>,
    ) -> Outcome<Vec<TagCount>> {
        top_tags(ctx, Some(self.project.key), limit).await
    }

    /// The most used models, most used first.
    #[graphql(name = "topLLMModels")]
    async fn top_llm_models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 10)] limit: Option<i32>,
    ) -> Outcome<Vec<ModelCount>> {
        top_models(ctx, Some(self.project.key), limit).await
    }
}

/// Figures of everything the caller sees.
#[derive(Default)]
pub(crate) struct Stats {
    totals: Totals,
    spending: Spending,
}

/// Figures of all of the caller's sessions.
#[Object]
impl Stats {
    /// Number of sessions.
    async fn total_sessions(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.totals.get(ctx, None).await?.total_sessions))
    }

    /// Number of projects.
    async fn total_projects(&self, ctx: &Context<'_>) -> Outcome<i32> {
        let reach = Reach::of(ctx);
        Ok(int(reach.app.projects(&reach.caller).await?.len() as u64))
    }

    /// Bytes of markdown of all sessions.
    async fn total_markdown_size(&self, ctx: &Context<'_>) -> Outcome<BigInt> {
        Ok(BigInt(self.totals.get(ctx, None).await?.total_markdown_size))
    }

    /// Bytes of the agents' own files of all sessions.
    async fn total_raw_data_size(&self, ctx: &Context<'_>) -> Outcome<BigInt> {
        Ok(BigInt(self.totals.get(ctx, None).await?.total_raw_data_size))
    }

    /// Tokens of all sessions, and their cost.
    async fn usage(&self, ctx: &Context<'_>) -> Outcome<TokenUsage> {
        Ok(self.spending.get(ctx, None).await?.into())
    }

    /// What all sessions cost, in US dollars: the same as `usage.cost`.
    async fn cost(&self, ctx: &Context<'_>) -> Outcome<Option<Decimal>> {
        Ok(self.spending.get(ctx, None).await?.cost.dollars().map(Decimal))
    }

    /// Sessions that were active since Monday, in UTC.
    async fn sessions_this_week(&self, ctx: &Context<'_>) -> Outcome<i32> {
        let reach = Reach::of(ctx);
        let filter = SessionFilter { active_from: Some(start_of_week(reach.app.now())), ..SessionFilter::default() };
        Ok(int(reach.app.session_count(&reach.caller, &filter, None).await?))
    }

    /// Models that answered, sorted.
    #[graphql(name = "uniqueLLMModels")]
    async fn unique_llm_models(&self, ctx: &Context<'_>) -> Outcome<Vec<String>> {
        Ok(self.totals.get(ctx, None).await?.unique_llm_models.clone())
    }

    /// Branches that sessions were on, sorted.
    async fn unique_git_branches(&self, ctx: &Context<'_>) -> Outcome<Vec<String>> {
        Ok(self.totals.get(ctx, None).await?.unique_git_branches.clone())
    }

    /// Sessions by day of last activity, oldest day first, days without any left out.
    async fn sessions_by_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many days back, today included, 1 to 3660.", default = 30)] days: Option<i32>,
    ) -> Outcome<Vec<DayCount>> {
        by_day(ctx, None, days).await
    }

    /// The most used tags, most used first.
    async fn top_tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 10)] limit: Option<i32>,
    ) -> Outcome<Vec<TagCount>> {
        top_tags(ctx, None, limit).await
    }

    /// The most used models, most used first.
    #[graphql(name = "topLLMModels")]
    async fn top_llm_models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 100.", default = 10)] limit: Option<i32>,
    ) -> Outcome<Vec<ModelCount>> {
        top_models(ctx, None, limit).await
    }
}

type Project = Option<sg_domain::ProjectKey>;

async fn by_day(ctx: &Context<'_>, project: Project, days: Option<i32>) -> Outcome<Vec<DayCount>> {
    let reach = Reach::of(ctx);
    let counts = reach.app.sessions_by_day(&reach.caller, project, unsigned(days, 30)).await?;
    Ok(counts.into_iter().map(|c| DayCount { date: c.value, count: int(c.count) }).collect())
}

async fn top_tags(ctx: &Context<'_>, project: Project, limit: Option<i32>) -> Outcome<Vec<TagCount>> {
    let reach = Reach::of(ctx);
    let counts = reach.app.top_tags(&reach.caller, project, unsigned(limit, 10)).await?;
    Ok(counts.into_iter().map(|c| TagCount { tag: c.value, count: int(c.count) }).collect())
}

async fn top_models(ctx: &Context<'_>, project: Project, limit: Option<i32>) -> Outcome<Vec<ModelCount>> {
    let reach = Reach::of(ctx);
    let counts = reach.app.top_models(&reach.caller, project, unsigned(limit, 10)).await?;
    Ok(counts.into_iter().map(|c| ModelCount { model: c.value, count: int(c.count) }).collect())
}

/// A negative number becomes 0, which the operation refuses with its own words.
fn unsigned(value: Option<i32>, default: u32) -> u32 {
    value.map_or(default, |value| u32::try_from(value).unwrap_or(0))
}
