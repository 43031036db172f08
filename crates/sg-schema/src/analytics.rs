//! Figures over sessions and answers, computed by the database, each only when it is asked for.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use sg_domain::analytics::SessionGroup;
use sg_domain::error::quote;
use sg_domain::time::DAY_MICROS;
use sg_domain::{AnalyticsScope, Error, ProjectKey, Result, SessionFilter, SessionsBy, Timestamp, UsageBy};
use tokio::sync::OnceCell;

use crate::failure::Outcome;
use crate::filter::{SessionFilters, Wanted};
use crate::guard::cost::GROUP_WEIGHT;
use crate::loader::Reach;
use crate::project::{Project, project_by_key};
use crate::scalar::{BigInt, int};
use crate::usage::TokenUsage;

/// A range of time, both ends included; an end that is left out is open.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "TimeRange")]
pub(crate) struct TimeRange {
    /// At or after this time; a date or an RFC 3339 time.
    start: Option<String>,
    /// At or before this time; a date means the end of that day in UTC.
    end: Option<String>,
}

impl TimeRange {
    fn bounds(&self) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let read = |field: &str, text: &Option<String>| match text.as_deref() {
            None => Ok(None),
            Some(text) => Timestamp::parse(text).map(|at| Some((at, text.trim().len()))).ok_or_else(|| {
                let field = format!("timeRange.{field}");
                Error::invalid(format!("{field} is not a date or RFC 3339 time: {}", quote(text))).with("field", field)
            }),
        };
        let start = read("start", &self.start)?.map(|(at, _)| at);
        let is_date = |len: usize| len == "2026-01-16".len();
        let end = read("end", &self.end)?;
        Ok((start, end.map(|(at, len)| if is_date(len) { at.plus_micros(DAY_MICROS - 1) } else { at })))
    }
}

/// A model and the sessions in which it answered.
#[derive(SimpleObject)]
pub(crate) struct ModelSessions {
    /// The model.
    model: String,
    /// Number of sessions.
    count: i32,
    /// Bytes of their markdown.
    total_size: BigInt,
}

/// A program and the sessions that it sent.
#[derive(SimpleObject)]
pub(crate) struct ClientSessions {
    /// The program, such as `specstory-cli`; null for sessions that do not tell.
    client: Option<String>,
    /// Number of sessions.
    count: i32,
    /// Bytes of markdown of one of them, on average.
    average_size: f64,
}

/// A coding agent and its sessions.
#[derive(SimpleObject)]
pub(crate) struct AgentSessions {
    /// The agent, by its display name; null for sessions that do not tell.
    agent: Option<String>,
    /// Number of sessions.
    count: i32,
    /// Bytes of their markdown.
    total_size: BigInt,
}

/// A branch and the sessions that were on it.
#[derive(SimpleObject)]
pub(crate) struct BranchSessions {
    /// The branch.
    branch: String,
    /// Number of sessions.
    count: i32,
    /// Bytes of their markdown.
    total_size: BigInt,
}

/// A machine and the sessions that ran on it.
#[derive(SimpleObject)]
pub(crate) struct MachineSessions {
    /// The machine, by name; null for sessions that do not tell.
    machine: Option<String>,
    /// Number of sessions.
    count: i32,
    /// Bytes of their markdown.
    total_size: BigInt,
}

/// A tag and the sessions that have it.
#[derive(SimpleObject)]
pub(crate) struct TagSessions {
    /// The tag.
    tag: String,
    /// Number of sessions.
    count: i32,
    /// Bytes of their markdown.
    total_size: BigInt,
}

/// A project and its sessions.
pub(crate) struct ProjectSessionCount {
    project: ProjectKey,
    group: SessionGroup,
}

/// A project and its sessions.
#[Object(name = "ProjectSessions")]
impl ProjectSessionCount {
    /// The project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.project).await
    }

    /// Number of sessions.
    fn count(&self) -> i32 {
        int(self.group.count)
    }

    /// Bytes of their markdown.
    fn total_size(&self) -> BigInt {
        BigInt(self.group.markdown_size)
    }
}

/// A UTC day and what was active on it.
#[derive(SimpleObject)]
pub(crate) struct DayActivity {
    /// The day, `YYYY-MM-DD`.
    date: String,
    /// Number of sessions whose last activity was on that day.
    sessions: i32,
    /// Number of projects that they are of.
    projects: i32,
}

/// An hour of the week in UTC and what was active in it.
#[derive(SimpleObject)]
pub(crate) struct HourActivity {
    /// The day of the week, from 1 for Monday to 7 for Sunday.
    weekday: i32,
    /// The hour, from 0 to 23.
    hour: i32,
    /// Number of sessions whose last activity was in that hour.
    sessions: i32,
}

/// A model and the tokens of its answers.
#[derive(SimpleObject)]
pub(crate) struct ModelUsage {
    /// The model; null for answers that do not tell.
    model: Option<String>,
    /// The tokens and their cost.
    usage: TokenUsage,
}

/// A coding agent and the tokens of its sessions.
#[derive(SimpleObject)]
pub(crate) struct AgentUsage {
    /// The agent, by its display name; null for sessions that do not tell.
    agent: Option<String>,
    /// The tokens and their cost.
    usage: TokenUsage,
}

/// A UTC day and the tokens of the answers given on it.
#[derive(SimpleObject)]
pub(crate) struct DayUsage {
    /// The day, `YYYY-MM-DD`.
    date: String,
    /// The tokens and their cost.
    usage: TokenUsage,
}

/// A project and the tokens of its sessions.
pub(crate) struct ProjectUsage {
    project: ProjectKey,
    usage: sg_app::Spent,
}

/// A project and the tokens of its sessions.
#[Object]
impl ProjectUsage {
    /// The project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.project).await
    }

    /// The tokens and their cost.
    fn usage(&self) -> TokenUsage {
        self.usage.into()
    }
}

/// Figures of some sessions.
pub(crate) struct Analytics {
    scope: AnalyticsScope,
    totals: OnceCell<(u64, u64)>,
}

impl Analytics {
    async fn totals(&self, ctx: &Context<'_>) -> Outcome<(u64, u64)> {
        let reach = Reach::of(ctx);
        reach.spend(GROUP_WEIGHT)?;
        Ok(*self.totals.get_or_try_init(|| reach.app.active_totals(&reach.caller, &self.scope)).await?)
    }

    async fn sessions(&self, ctx: &Context<'_>, by: SessionsBy, limit: Option<i32>) -> Outcome<Vec<SessionGroup>> {
        let reach = Reach::of(ctx);
        reach.spend(GROUP_WEIGHT)?;
        let limit = limit.map_or(DEFAULT_GROUPS, |limit| u32::try_from(limit).unwrap_or(0));
        let groups = reach.app.sessions_by(&reach.caller, &self.scope, by, limit).await?;
        reach.spend(groups.len() as u64)?;
        Ok(groups)
    }

    async fn spent(&self, ctx: &Context<'_>, by: UsageBy) -> Outcome<Vec<sg_app::SpentBy>> {
        let reach = Reach::of(ctx);
        reach.spend(GROUP_WEIGHT)?;
        let groups = reach.app.spent_by(&reach.caller, &self.scope, by).await?;
        reach.spend(2 * groups.len() as u64)?;
        Ok(groups)
    }
}

/// Groups that a list of figures shows when nothing else is asked for.
const DEFAULT_GROUPS: u32 = 100;

/// Figures of sessions and of the answers in them. Sessions count by their last activity, answers by the time they were
/// given (those without a time by their session's last activity). Days and hours are in UTC.
#[Object]
impl Analytics {
    /// Number of sessions.
    async fn total_sessions(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.totals(ctx).await?.0))
    }

    /// Number of projects that they are of.
    async fn total_projects(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.totals(ctx).await?.1))
    }

    /// Sessions by model, most sessions first. A session counts for each model that answered in it.
    async fn sessions_by_model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<ModelSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Model, limit).await?;
        let group = |group: SessionGroup| {
            let total_size = BigInt(group.markdown_size);
            ModelSessions { model: group.value.unwrap_or_default(), count: int(group.count), total_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by the program that sent them, most sessions first.
    async fn sessions_by_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<ClientSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Client, limit).await?;
        let group = |group: SessionGroup| {
            let average_size = group.markdown_size as f64 / group.count.max(1) as f64;
            ClientSessions { client: group.value, count: int(group.count), average_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by coding agent, most sessions first.
    async fn sessions_by_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<AgentSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Agent, limit).await?;
        let group = |group: SessionGroup| {
            let total_size = BigInt(group.markdown_size);
            AgentSessions { agent: group.value, count: int(group.count), total_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by branch, most sessions first. A session counts for each branch that it was on.
    async fn sessions_by_branch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<BranchSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Branch, limit).await?;
        let group = |group: SessionGroup| {
            let total_size = BigInt(group.markdown_size);
            BranchSessions { branch: group.value.unwrap_or_default(), count: int(group.count), total_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by machine, most sessions first.
    async fn sessions_by_machine(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<MachineSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Machine, limit).await?;
        let group = |group: SessionGroup| {
            let total_size = BigInt(group.markdown_size);
            MachineSessions { machine: group.value, count: int(group.count), total_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by tag, most sessions first. A session counts for each of its tags.
    async fn sessions_by_tag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<TagSessions>> {
        let groups = self.sessions(ctx, SessionsBy::Tag, limit).await?;
        let group = |group: SessionGroup| {
            let total_size = BigInt(group.markdown_size);
            TagSessions { tag: group.value.unwrap_or_default(), count: int(group.count), total_size }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Sessions by project, most sessions first.
    async fn sessions_by_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 1000.", default = 100)] limit: Option<i32>,
    ) -> Outcome<Vec<ProjectSessionCount>> {
        let groups = self.sessions(ctx, SessionsBy::Project, limit).await?;
        let project = |group: SessionGroup| Some(ProjectSessionCount { project: key(&group.value)?, group });
        Ok(groups.into_iter().filter_map(project).collect())
    }

    /// Sessions and projects by day, oldest day first, days without any left out.
    async fn activity_by_day(&self, ctx: &Context<'_>) -> Outcome<Vec<DayActivity>> {
        let reach = Reach::of(ctx);
        reach.spend(GROUP_WEIGHT)?;
        let days = reach.app.activity_by_day(&reach.caller, &self.scope).await?;
        reach.spend(days.len() as u64)?;
        let day = |day: sg_domain::analytics::DayActivity| DayActivity {
            date: day.date,
            sessions: int(day.sessions),
            projects: int(day.projects),
        };
        Ok(days.into_iter().map(day).collect())
    }

    /// Sessions by hour of the week, Monday first, hours without any left out.
    async fn activity_by_hour(&self, ctx: &Context<'_>) -> Outcome<Vec<HourActivity>> {
        let reach = Reach::of(ctx);
        reach.spend(GROUP_WEIGHT)?;
        let hours = reach.app.activity_by_hour(&reach.caller, &self.scope).await?;
        let hour = |hour: sg_domain::analytics::HourActivity| HourActivity {
            weekday: int(hour.weekday.into()),
            hour: int(hour.hour.into()),
            sessions: int(hour.sessions),
        };
        Ok(hours.into_iter().map(hour).collect())
    }

    /// Tokens of all answers in the range, and their cost.
    async fn usage(&self, ctx: &Context<'_>) -> Outcome<TokenUsage> {
        let reach = Reach::of(ctx);
        Ok(reach.app.spent(&reach.caller, &self.scope).await?.into())
    }

    /// The same by model, most tokens first.
    async fn usage_by_model(&self, ctx: &Context<'_>) -> Outcome<Vec<ModelUsage>> {
        let groups = self.spent(ctx, UsageBy::Model).await?;
        Ok(groups.into_iter().map(|(model, spent)| ModelUsage { model, usage: spent.into() }).collect())
    }

    /// The same by project, most tokens first.
    async fn usage_by_project(&self, ctx: &Context<'_>) -> Outcome<Vec<ProjectUsage>> {
        let groups = self.spent(ctx, UsageBy::Project).await?;
        let project = |(project, usage)| Some(ProjectUsage { project: key(&project)?, usage });
        Ok(groups.into_iter().filter_map(project).collect())
    }

    /// The same by day, oldest day first, days without any left out.
    async fn usage_by_day(&self, ctx: &Context<'_>) -> Outcome<Vec<DayUsage>> {
        let groups = self.spent(ctx, UsageBy::Day).await?;
        let day = |(date, spent): sg_app::SpentBy| DayUsage { date: date.unwrap_or_default(), usage: spent.into() };
        Ok(groups.into_iter().map(day).collect())
    }

    /// The same by coding agent, most tokens first.
    async fn usage_by_agent(&self, ctx: &Context<'_>) -> Outcome<Vec<AgentUsage>> {
        let groups = self.spent(ctx, UsageBy::Agent).await?;
        Ok(groups.into_iter().map(|(agent, spent)| AgentUsage { agent, usage: spent.into() }).collect())
    }
}

fn key(value: &Option<String>) -> Option<ProjectKey> {
    value.as_deref().and_then(|key| key.parse().ok())
}

/// Says which sessions figures are wanted of; nothing is counted yet.
pub(crate) async fn analytics(
    ctx: &Context<'_>,
    time_range: Option<TimeRange>,
    filters: Option<SessionFilters>,
    project_id: Option<String>,
) -> Outcome<Analytics> {
    let reach = Reach::of(ctx);
    let (from, to) = time_range.unwrap_or_default().bounds()?;
    let Wanted { mut filter, text, cursor } = filters.unwrap_or_default().wanted(reach.app.now())?;
    if cursor.is_some() {
        return Err(Error::invalid("figures have no pages, leave filters.cursor out").into());
    }
    if let Some(project) = project_id {
        filter.and.push(SessionFilter { project_ids: vec![project], ..SessionFilter::default() });
    }
    let scope = reach.app.analytics(&reach.caller, &filter, text.as_deref(), from, to).await?;
    Ok(Analytics { scope, totals: OnceCell::new() })
}
