//! Figures over sessions and answers that the database computes: one statement each.
//!
//! Tokens are summed from the messages that carry them: every answer carries its tokens once, so these sums add up to
//! those of the sessions' own columns. An index holds all that is summed (`message_usage`), so no message is read.

use sg_domain::analytics::{DayActivity, HourActivity, SessionGroup, UsageGroup};
use sg_domain::time::DAY_MICROS;
use sg_domain::{AnalyticsScope, Result, SessionFilter, SessionsBy, Timestamp, TokenUsage, UsageBy, Visibility};

use crate::Store;
use crate::filter::visible_and_passing;
use crate::row::Row;
use crate::sql::{Engine, Sql};

/// When an answer was given; one without a time counts as of its session's last activity.
const AT: &str = "coalesce(m.at, s.activity_at)";
const HOUR_MICROS: i64 = DAY_MICROS / 24;

impl Store {
    /// Tokens of answers, summed by something, by model, and by the spans between instants that ascend. In no order.
    pub async fn usage(
        &self,
        who: &Visibility,
        scope: &AnalyticsScope,
        by: UsageBy,
        instants: &[Timestamp],
    ) -> Result<Vec<UsageGroup>> {
        let sql = self.usage_sql(who, scope, by, instants);
        let decode = move |row: &mut dyn Row| {
            let key = match by {
                UsageBy::All => row.opt_int().map(|_| None)?,
                UsageBy::Day => row.opt_time()?.map(Timestamp::day),
                _ => row.opt_text()?,
            };
            let (model, span) = (row.opt_text()?, row.count()?);
            let usage = TokenUsage {
                input: row.count()?,
                output: row.count()?,
                cache_read: row.count()?,
                cache_write: row.count()?,
                reasoning: row.count()?,
            };
            Ok(UsageGroup { key, model, span: usize::try_from(span).unwrap_or(usize::MAX), usage })
        };
        Ok(self.rows(sql, decode).await?)
    }

    pub(crate) fn usage_sql(
        &self,
        who: &Visibility,
        scope: &AnalyticsScope,
        by: UsageBy,
        instants: &[Timestamp],
    ) -> Sql {
        let day = floor(AT, DAY_MICROS);
        let key = match by {
            UsageBy::All => "NULL",
            UsageBy::Model => "m.model",
            UsageBy::Project => "s.project_key",
            UsageBy::Day => &day,
            UsageBy::Agent => "s.agent_name",
            UsageBy::Session => "s.id",
        };
        let span = span(instants);
        let engine = self.inner.engine;
        let sums = ["input", "output", "cache_read", "cache_write", "reasoning"]
            .map(|tokens| sum(engine, &format!("m.{tokens}_tokens")));
        let columns: Vec<&str> = [key, "m.model", &span].into_iter().chain(sums.iter().map(String::as_str)).collect();
        let mut sql = self.select(&columns);
        sql.add(" FROM session s JOIN message m ON m.session_id = s.id");
        within(&mut sql, who, scope, &scope.filter);
        sql.add(" AND m.input_tokens IS NOT NULL");
        if let Some(from) = scope.from {
            sql.add(" AND ").add(AT).add(" >= ").time(from);
        }
        if let Some(to) = scope.to {
            sql.add(" AND ").add(AT).add(" <= ").time(to);
        }
        sql.add(" GROUP BY m.model");
        // A constant is nothing to group by.
        for group in [key, span.as_str()].into_iter().filter(|group| !matches!(*group, "NULL" | "m.model" | "0")) {
            sql.add(", ").add(group);
        }
        sql.end()
    }

    /// How many sessions were active in the range, and of how many projects.
    pub async fn active_totals(&self, who: &Visibility, scope: &AnalyticsScope) -> Result<(u64, u64)> {
        let mut sql = self.select(&["count(*)", "count(DISTINCT s.project_key)"]);
        sql.add(" FROM session s");
        within(&mut sql, who, scope, &scope.active());
        let rows = self.rows(sql.end(), |row| Ok((row.count()?, row.count()?))).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// Sessions that were active in the range, counted by something: most first, then by value, what is not known last.
    pub async fn sessions_by(
        &self,
        who: &Visibility,
        scope: &AnalyticsScope,
        by: SessionsBy,
        limit: u32,
    ) -> Result<Vec<SessionGroup>> {
        let (value, label) = match by {
            SessionsBy::Model => ("l.value", Some("model")),
            SessionsBy::Branch => ("l.value", Some("branch")),
            SessionsBy::Tag => ("l.value", Some("tag")),
            SessionsBy::Client => ("s.client_name", None),
            SessionsBy::Agent => ("s.agent_name", None),
            SessionsBy::Machine => ("s.machine_name", None),
            SessionsBy::Project => ("s.project_key", None),
        };
        let size = sum(self.inner.engine, "s.markdown_size");
        let mut sql = self.select(&[value, "count(*)", &size]);
        sql.add(" FROM session s");
        if let Some(label) = label {
            sql.add(" JOIN session_label l ON l.session_id = s.id AND l.kind = '").add(label).add("'");
        }
        within(&mut sql, who, scope, &scope.active());
        sql.add(" GROUP BY ").add(value).add(" ORDER BY count(*) DESC, ").add(value);
        // SQLite would put them first.
        sql.add(" NULLS LAST LIMIT ").int(i64::from(limit));
        let decode = |row: &mut dyn Row| {
            Ok(SessionGroup { value: row.opt_text()?, count: row.count()?, markdown_size: row.count()? })
        };
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// Sessions that were active in the range by day, oldest day first, days without any left out.
    pub async fn activity_by_day(&self, who: &Visibility, scope: &AnalyticsScope) -> Result<Vec<DayActivity>> {
        let day = floor("s.activity_at", DAY_MICROS);
        let mut sql = self.select(&[&day, "count(*)", "count(DISTINCT s.project_key)"]);
        sql.add(" FROM session s");
        within(&mut sql, who, scope, &scope.active());
        sql.add(" GROUP BY ").add(&day).add(" ORDER BY ").add(&day);
        let decode = |row: &mut dyn Row| {
            Ok(DayActivity { date: row.time()?.day(), sessions: row.count()?, projects: row.count()? })
        };
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// Sessions that were active in the range by hour of the week, Monday first, hours without any left out.
    pub async fn activity_by_hour(&self, who: &Visibility, scope: &AnalyticsScope) -> Result<Vec<HourActivity>> {
        // 1970-01-01 was a Thursday, three days after a Monday. Moved by whole weeks, so that no remainder is negative.
        let monday = 3 * DAY_MICROS + 110_000 * 7 * DAY_MICROS;
        let hour = format!("((s.activity_at + {monday}) % {}) / {HOUR_MICROS}", 7 * DAY_MICROS);
        let mut sql = self.select(&[&hour, "count(*)"]);
        sql.add(" FROM session s");
        within(&mut sql, who, scope, &scope.active());
        sql.add(" GROUP BY ").add(&hour).add(" ORDER BY ").add(&hour);
        let decode = |row: &mut dyn Row| {
            let hour = u32::try_from(row.count()?).unwrap_or_default();
            Ok(HourActivity { weekday: hour / 24 + 1, hour: hour % 24, sessions: row.count()? })
        };
        Ok(self.rows(sql.end(), decode).await?)
    }
}

/// Adds ` WHERE` with what may be seen, what passes, and the project when there is one.
fn within(sql: &mut Sql, who: &Visibility, scope: &AnalyticsScope, filter: &SessionFilter) {
    visible_and_passing(sql, who, filter);
    if let Some(project) = scope.project {
        sql.add(" AND s.project_key = ").text(&project.to_string());
    }
}

/// The start of the span of time that holds an instant, rounded down before 1970 too.
fn floor(at: &str, micros: i64) -> String {
    format!("{at} - (({at} % {micros}) + {micros}) % {micros}")
}

/// How many of the instants lie at or before an answer.
fn span(instants: &[Timestamp]) -> String {
    if instants.is_empty() {
        return "0".to_owned();
    }
    let cases = instants.iter().enumerate().rev();
    let cases = cases.map(|(i, instant)| format!(" WHEN {AT} >= {} THEN {}", instant.micros(), i + 1));
    format!("CASE{} ELSE 0 END", cases.collect::<String>())
}

/// A sum that cannot fail: SQLite's own gives an error beyond 64 bits, and so does a cast on PostgreSQL. SQLite's
/// `total` is exact up to 2^53.
fn sum(engine: Engine, column: &str) -> String {
    match engine {
        Engine::Sqlite => format!("CAST(min(total({column}), 9.2e18) AS integer)"),
        Engine::Postgres => format!("CAST(least(coalesce(sum({column}), 0), 9200000000000000000) AS bigint)"),
    }
}
