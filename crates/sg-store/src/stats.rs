//! Figures the database computes.

use sg_domain::stats::{Count, ProjectActivity};
use sg_domain::time::DAY_MICROS;
use sg_domain::{ProjectKey, ProjectStats, Result, Timestamp, Visibility};

use crate::Store;
use crate::filter::LIVE;
use crate::sql::Sql;

impl Store {
    /// Totals of a project, or of everything visible.
    pub async fn project_stats(&self, who: &Visibility, project: Option<ProjectKey>) -> Result<ProjectStats> {
        let mut sql = self.select(&[
            "CAST(coalesce(sum(p.session_count), 0) AS bigint)",
            "CAST(coalesce(sum(p.total_markdown_size), 0) AS bigint)",
            "CAST(coalesce(sum(p.total_raw_data_size), 0) AS bigint)",
        ]);
        sql.add(" FROM project p");
        within(&mut sql, who, project, "p.owner", "p.key");
        let sums = self.rows(sql.end(), |row| Ok((row.count()?, row.count()?, row.count()?))).await?;
        let (total_sessions, total_markdown_size, total_raw_data_size) = sums.into_iter().next().unwrap_or_default();

        let mut sql = self.select(&["l.kind", "l.value"]);
        sql.add(" FROM session_label l");
        within(&mut sql, who, project, "l.owner", "l.project_key");
        sql.add(" AND l.kind IN ('branch', 'model') GROUP BY l.kind, l.value ORDER BY l.kind, l.value");
        let labels = self.rows(sql.end(), |row| Ok((row.text()?, row.text()?))).await?;
        let (branches, models): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(kind, _)| kind == "branch");
        let values = |labels: Vec<(String, String)>| labels.into_iter().map(|(_, value)| value).collect();
        Ok(ProjectStats {
            total_sessions,
            total_markdown_size,
            total_raw_data_size,
            unique_llm_models: values(models),
            unique_git_branches: values(branches),
        })
    }

    /// Sessions per UTC day of last activity since `from`, ascending, days without any left out.
    pub async fn sessions_by_day(
        &self,
        who: &Visibility,
        project: Option<ProjectKey>,
        from: Timestamp,
    ) -> Result<Vec<Count>> {
        // Midnight of the day, rounded down before 1970 too.
        let day = format!("s.activity_at - ((s.activity_at % {DAY_MICROS}) + {DAY_MICROS}) % {DAY_MICROS}");
        let mut sql = self.select(&[&day, "count(*)"]);
        sql.add(" FROM session s");
        within(&mut sql, who, project, "s.owner", "s.project_key");
        sql.add(" AND s.activity_at >= ").time(from).add(" AND ").add(LIVE);
        sql.add(" GROUP BY ").add(&day).add(" ORDER BY ").add(&day);
        let days = self.rows(sql.end(), |row| Ok(Count { value: row.time()?.day(), count: row.count()? })).await?;
        Ok(days)
    }

    /// When a project's sessions happened, and from how many machines; recent ones are those since the given times.
    pub async fn project_activity(
        &self,
        who: &Visibility,
        project: ProjectKey,
        week: Timestamp,
        month: Timestamp,
    ) -> Result<ProjectActivity> {
        let week = week.micros();
        let month = month.micros();
        let machine = "coalesce(s.device_id, s.machine_name, '')";
        let mut sql = self.select(&[
            "count(*)",
            &format!("count(CASE WHEN s.activity_at >= {week} THEN 1 END)"),
            &format!("count(CASE WHEN s.activity_at >= {month} THEN 1 END)"),
            &format!("count(DISTINCT {machine})"),
            &format!("count(DISTINCT CASE WHEN s.activity_at >= {month} THEN {machine} END)"),
            "min(coalesce(s.started_at, s.activity_at))",
            "max(s.activity_at)",
        ]);
        sql.add(" FROM session s");
        within(&mut sql, who, Some(project), "s.owner", "s.project_key");
        sql.add(" AND ").add(LIVE);
        let decode = |row: &mut dyn crate::row::Row| {
            Ok(ProjectActivity {
                sessions: row.count()?,
                sessions_last_week: row.count()?,
                sessions_last_month: row.count()?,
                machines: row.count()?,
                machines_last_month: row.count()?,
                first_at: row.opt_time()?,
                last_at: row.opt_time()?,
            })
        };
        Ok(self.rows(sql.end(), decode).await?.into_iter().next().unwrap_or_default())
    }

    /// The most used tags, most used first, then by name.
    pub async fn top_tags(&self, who: &Visibility, project: Option<ProjectKey>, limit: u32) -> Result<Vec<Count>> {
        self.top_labels("tag", who, project, limit).await
    }

    /// The most used models, most used first, then by name.
    pub async fn top_models(&self, who: &Visibility, project: Option<ProjectKey>, limit: u32) -> Result<Vec<Count>> {
        self.top_labels("model", who, project, limit).await
    }

    async fn top_labels(
        &self,
        kind: &str,
        who: &Visibility,
        project: Option<ProjectKey>,
        limit: u32,
    ) -> Result<Vec<Count>> {
        let mut sql = self.select(&["l.value", "count(*)"]);
        sql.add(" FROM session_label l");
        within(&mut sql, who, project, "l.owner", "l.project_key");
        sql.add(" AND l.kind = ").text(kind);
        sql.add(" GROUP BY l.value ORDER BY count(*) DESC, l.value LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), |row| Ok(Count { value: row.text()?, count: row.count()? })).await?)
    }
}

/// Adds ` WHERE` with what may be seen, in one project or all. The index of the project is the one to use when there is
/// one; see `filter.rs` about `+`.
fn within(sql: &mut Sql, who: &Visibility, project: Option<ProjectKey>, owner_column: &str, key_column: &str) {
    sql.add(" WHERE ");
    match who {
        Visibility::Everyone => sql.add("TRUE"),
        Visibility::Owner(owner) => {
            if project.is_some() {
                sql.either("+", "");
            }
            sql.add(owner_column).add(" = ").text(owner.as_str())
        }
    };
    if let Some(project) = project {
        sql.add(" AND ").add(key_column).add(" = ").text(&project.to_string());
    }
}
