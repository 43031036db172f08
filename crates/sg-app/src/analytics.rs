//! Figures over sessions and what their answers cost, computed by the database.

use std::collections::{BTreeMap, HashMap};

use sg_domain::analytics::{DayActivity, HourActivity, SessionGroup};
use sg_domain::{
    AnalyticsScope, Caller, Error, ProjectKey, Result, Scope, SessionFilter, SessionId, SessionsBy, Timestamp,
    TokenUsage, UsageBy, Visibility,
};

use crate::{App, Cost};

/// The most groups that one list of figures shows.
pub const MAX_GROUPS: u32 = 1_000;

/// Tokens and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// The tokens.
    pub usage: TokenUsage,
    /// What they cost.
    pub cost: Cost,
}

/// Tokens and costs of what has something in common; `None` where that is not known.
pub type SpentBy = (Option<String>, Spent);

impl App {
    /// What figures will be about: the sessions that pass and that a search for the words finds.
    pub async fn analytics(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
        text: Option<&str>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<AnalyticsScope> {
        let identity = caller.require(Scope::Read)?;
        let filter = self.narrowed(identity, filter, text).await?;
        Ok(AnalyticsScope { filter, project: None, from, to })
    }

    /// How many sessions, of how many projects.
    pub async fn active_totals(&self, caller: &Caller, scope: &AnalyticsScope) -> Result<(u64, u64)> {
        let identity = caller.require(Scope::Read)?;
        self.store().active_totals(&Visibility::of(identity), scope).await
    }

    /// Sessions counted by something, most first.
    pub async fn sessions_by(
        &self,
        caller: &Caller,
        scope: &AnalyticsScope,
        by: SessionsBy,
        limit: u32,
    ) -> Result<Vec<SessionGroup>> {
        let identity = caller.require(Scope::Read)?;
        if !(1..=MAX_GROUPS).contains(&limit) {
            return Err(Error::invalid(format!("limit must be between 1 and {MAX_GROUPS}")));
        }
        self.store().sessions_by(&Visibility::of(identity), scope, by, limit).await
    }

    /// Sessions and projects by UTC day.
    pub async fn activity_by_day(&self, caller: &Caller, scope: &AnalyticsScope) -> Result<Vec<DayActivity>> {
        let identity = caller.require(Scope::Read)?;
        self.store().activity_by_day(&Visibility::of(identity), scope).await
    }

    /// Sessions by hour of the week.
    pub async fn activity_by_hour(&self, caller: &Caller, scope: &AnalyticsScope) -> Result<Vec<HourActivity>> {
        let identity = caller.require(Scope::Read)?;
        self.store().activity_by_hour(&Visibility::of(identity), scope).await
    }

    /// Tokens and costs by something: days ascending, all else by tokens, most first; what is not known comes last among
    /// equals. Nothing was spent where nothing is listed.
    pub async fn spent_by(&self, caller: &Caller, scope: &AnalyticsScope, by: UsageBy) -> Result<Vec<SpentBy>> {
        let identity = caller.require(Scope::Read)?;
        let prices = self.price_table();
        let groups = self.store().usage(&Visibility::of(identity), scope, by, prices.instants()).await?;
        let mut sums: BTreeMap<Option<String>, Spent> = BTreeMap::new();
        for group in groups {
            let cost = prices.cost_of_span(group.model.as_deref(), group.span, &group.usage);
            let sum = sums.entry(group.key).or_default();
            sum.usage += group.usage;
            sum.cost += cost;
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        if by != UsageBy::Day {
            let key = |sum: &SpentBy| (std::cmp::Reverse(sum.1.usage.total()), sum.0.is_none());
            sums.sort_by_key(key);
        }
        Ok(sums)
    }

    /// Tokens and costs of everything.
    pub async fn spent(&self, caller: &Caller, scope: &AnalyticsScope) -> Result<Spent> {
        let all = self.spent_by(caller, scope, UsageBy::All).await?;
        Ok(all.into_iter().next().map(|(_, spent)| spent).unwrap_or_default())
    }

    /// Tokens and costs of a project, or of everything the caller sees.
    pub async fn project_spent(&self, caller: &Caller, project: Option<ProjectKey>) -> Result<Spent> {
        self.spent(caller, &AnalyticsScope { project, ..AnalyticsScope::default() }).await
    }

    /// What each of these sessions cost. One that the caller may not see, or in which no tokens are known, is left out.
    pub async fn session_costs(&self, caller: &Caller, sessions: &[SessionId]) -> Result<HashMap<SessionId, Cost>> {
        let filter = SessionFilter { session_ids: Some(sessions.to_vec()), ..SessionFilter::default() };
        let scope = AnalyticsScope { filter, ..AnalyticsScope::default() };
        let found = self.spent_by(caller, &scope, UsageBy::Session).await?;
        let id = |key: Option<String>| key.and_then(|id| id.parse().ok());
        Ok(found.into_iter().filter_map(|(key, spent)| Some((id(key)?, spent.cost))).collect())
    }
}
