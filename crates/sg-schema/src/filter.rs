//! Filters as clients send them, and the one place that turns them into the domain's filter.

use async_graphql::InputObject;
use sg_domain::error::quote;
use sg_domain::time::DAY_MICROS;
use sg_domain::{Error, Result, SessionFilter, Timestamp};

/// Which sessions are wanted. AND across fields, OR inside a list; what is left out does not filter.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "SessionFilters")]
pub(crate) struct SessionFilters {
    /// Only sessions of the project that clients know by this id.
    project_id: Option<String>,
    /// Only sessions of any of these projects.
    project_ids: Option<Vec<String>>,
    /// Only sessions that this program sent.
    client_name: Option<String>,
    /// Only sessions that any of these programs sent.
    client_names: Option<Vec<String>>,
    /// Only sessions of this coding agent, by its display name, such as `Claude Code`.
    agent_name: Option<String>,
    /// Only sessions of any of these coding agents.
    agent_names: Option<Vec<String>>,
    /// Only sessions of the machine with this id.
    device_id: Option<String>,
    /// Only sessions of any of the machines with these ids.
    device_ids: Option<Vec<String>>,
    /// Only sessions of any of the machines with these names.
    machine_names: Option<Vec<String>>,
    /// Only sessions that were on any of these branches.
    git_branches: Option<Vec<String>>,
    /// Only sessions in which any of these models answered.
    llm_models: Option<Vec<String>>,
    /// Only sessions with any of these tags.
    tags: Option<Vec<String>>,
    /// Only sessions whose agent worked in any of these folders or below one of them.
    folders: Option<Vec<String>>,
    /// Only sessions that were active at or after this time; a date or an RFC 3339 time.
    start_date: Option<String>,
    /// Only sessions that were active at or before this time; a date means the end of that day in UTC.
    end_date: Option<String>,
    /// Only sessions that were active in this range.
    date_range: Option<DateRange>,
    /// A range by name: `today`, `yesterday`, `last7days`, `last30days`, `last90days`, `thisWeek`, `thisMonth` (days and
    /// weeks in UTC, weeks from Monday) or `all`.
    time_filter: Option<String>,
    /// Only sessions that were stored here at or after this time.
    created_after: Option<String>,
    /// Whether any branch is known of the session.
    has_git_branches: Option<bool>,
    /// Only sessions that a search for these words finds. Only at the top, not inside `and`, `or`, `not`.
    search_text: Option<String>,
    /// Only what lies behind this cursor, as `after` does. Only at the top, not inside `and`, `or`, `not`.
    cursor: Option<String>,
    /// All of these hold.
    and: Option<Vec<SessionFilters>>,
    /// Any of these holds.
    or: Option<Vec<SessionFilters>>,
    /// This does not hold.
    not: Option<Box<SessionFilters>>,
}

/// A range of time.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "DateRange")]
pub(crate) struct DateRange {
    /// At or after this time; a date or an RFC 3339 time.
    start: Option<String>,
    /// At or before this time; a date means the end of that day in UTC.
    end: Option<String>,
}

/// What a client's filter comes down to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// Which sessions.
    pub(crate) filter: SessionFilter,
    /// Only what a search for these words finds.
    pub(crate) text: Option<String>,
    /// Only what lies behind this cursor.
    pub(crate) cursor: Option<String>,
}

impl SessionFilters {
    /// Normalises: singular and plural names become one list, dates and named ranges become one range.
    pub(crate) fn wanted(self, now: Timestamp) -> Result<Wanted> {
        let (text, cursor) = (self.search_text.clone(), self.cursor.clone());
        let top = Self { search_text: None, cursor: None, ..self };
        let filter = top.filter(now)?;
        filter.check()?;
        Ok(Wanted { filter, text: text.filter(|t| !t.trim().is_empty()), cursor })
    }

    fn filter(self, now: Timestamp) -> Result<SessionFilter> {
        if self.search_text.is_some() || self.cursor.is_some() {
            return Err(Error::invalid("searchText and cursor only work at the top of filters, move them there"));
        }
        let mut range = Range::default();
        if let Some(name) = &self.time_filter {
            range.narrow(named_range(name, now)?);
        }
        let dates = self.date_range.unwrap_or_default();
        let starts = [("startDate", self.start_date), ("dateRange.start", dates.start)];
        for (field, text) in starts.into_iter().filter_map(|(field, text)| Some((field, text?))) {
            range.narrow(Range { from: Some(start_of(field, &text)?), to: None });
        }
        let ends = [("endDate", self.end_date), ("dateRange.end", dates.end)];
        for (field, text) in ends.into_iter().filter_map(|(field, text)| Some((field, text?))) {
            range.narrow(Range { from: None, to: Some(end_of(field, &text)?) });
        }
        let created_from = self.created_after.as_deref().map(|text| start_of("createdAfter", text)).transpose()?;
        let each = |filters: Option<Vec<Self>>| -> Result<Vec<SessionFilter>> {
            filters.unwrap_or_default().into_iter().map(|filters| filters.filter(now)).collect()
        };
        Ok(SessionFilter {
            project_ids: values("projectIds", self.project_id, self.project_ids)?,
            session_ids: None,
            client_names: values("clientNames", self.client_name, self.client_names)?,
            agent_names: values("agentNames", self.agent_name, self.agent_names)?,
            device_ids: values("deviceIds", self.device_id, self.device_ids)?,
            machine_names: values("machineNames", None, self.machine_names)?,
            git_branches: values("gitBranches", None, self.git_branches)?,
            llm_models: values("llmModels", None, self.llm_models)?,
            tags: values("tags", None, self.tags)?,
            folders: values("folders", None, self.folders)?,
            parent_client_ids: Vec::new(),
            active_from: range.from,
            active_to: range.to,
            created_from,
            has_git_branches: self.has_git_branches,
            resumable: None,
            and: each(self.and)?,
            or: each(self.or)?,
            not: self.not.map(|filters| filters.filter(now)).transpose()?.map(Box::new),
        })
    }
}

/// One list out of a singular and a plural field: trimmed, without repetitions, in the order they were sent.
fn values(field: &str, one: Option<String>, many: Option<Vec<String>>) -> Result<Vec<String>> {
    let mut values = Vec::new();
    for value in one.into_iter().chain(many.unwrap_or_default()) {
        let value = value.trim();
        if value.is_empty() {
            // Dropping it would widen the answer to everything, keeping it would empty the answer; neither is meant.
            return Err(Error::invalid(format!("filters.{field} has a blank value, leave it out")));
        }
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    Ok(values)
}

/// A range of time, open where it is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Range {
    fn narrow(&mut self, other: Self) {
        self.from = self.from.max(other.from);
        self.to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

fn start_of(field: &str, text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| {
        Error::invalid(format!("filters.{field} is not a date or RFC 3339 time: {}", quote(text))).with("field", field)
    })
}

/// As `start_of`; a date without a time means the last instant of that day.
fn end_of(field: &str, text: &str) -> Result<Timestamp> {
    let time = start_of(field, text)?;
    let is_date = text.trim().len() == "2026-01-16".len();
    Ok(if is_date { time.plus_micros(DAY_MICROS - 1) } else { time })
}

fn named_range(name: &str, now: Timestamp) -> Result<Range> {
    let today = now.start_of_day();
    let since = |from: Timestamp| Range { from: Some(from), to: None };
    let days_ago = |days: i64| since(now.plus_micros(-days * DAY_MICROS));
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Ok(match plain.as_str() {
        "today" => since(today),
        "yesterday" => Range { from: Some(today.plus_micros(-DAY_MICROS)), to: Some(today.plus_micros(-1)) },
        "last7days" => days_ago(7),
        "last30days" => days_ago(30),
        "last90days" => days_ago(90),
        "thisweek" => since(start_of_week(now)),
        "thismonth" => since(start_of_month(now)),
        "all" => Range::default(),
        _ => {
            return Err(Error::invalid(format!(
                "unknown timeFilter {}, use today, yesterday, last7days, last30days, last90days, thisWeek, thisMonth or all",
                quote(name)
            ))
            .with("field", "timeFilter"));
        }
    })
}

/// Midnight UTC of the Monday of this week.
pub(crate) fn start_of_week(now: Timestamp) -> Timestamp {
    let today = now.start_of_day();
    // 1970-01-01 was a Thursday, three days after a Monday.
    let since_monday = (today.micros().div_euclid(DAY_MICROS) + 3).rem_euclid(7);
    today.plus_micros(-since_monday * DAY_MICROS)
}

fn start_of_month(now: Timestamp) -> Timestamp {
    let day = now.day();
    Timestamp::parse(&format!("{}-01", &day[..day.len() - 3])).unwrap_or_else(|| now.start_of_day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn wanted(filters: SessionFilters) -> Result<Wanted> {
        // A Wednesday.
        filters.wanted(at("2026-04-15T10:30:00Z"))
    }

    fn range(filters: SessionFilters) -> (Option<Timestamp>, Option<Timestamp>) {
        let filter = wanted(filters).unwrap().filter;
        (filter.active_from, filter.active_to)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn singular_and_plural_names_become_one_list() {
        let filters = SessionFilters {
            project_id: some(" a "),
            project_ids: Some(vec!["b".to_owned(), "a".to_owned()]),
            agent_name: some("Claude Code"),
            tags: Some(Vec::new()),
            ..Default::default()
        };
        let filter = wanted(filters).unwrap().filter;
        assert_eq!(filter.project_ids, ["a", "b"]);
        assert_eq!(filter.agent_names, ["Claude Code"]);
        assert!(filter.tags.is_empty());
        let blank = SessionFilters { project_id: some(" "), ..Default::default() };
        assert_eq!(wanted(blank).unwrap_err().message, "filters.projectIds has a blank value, leave it out");
    }

    #[test]
    fn dates_are_inclusive_and_ranges_intersect() {
        let filters = SessionFilters {
            start_date: some("2026-04-01"),
            end_date: some("2026-04-02"),
            date_range: Some(DateRange { start: some("2026-03-01T00:00:00Z"), end: some("2026-04-09") }),
            ..Default::default()
        };
        assert_eq!(range(filters), (Some(at("2026-04-01")), Some(at("2026-04-03").plus_micros(-1))));
        let filters =
            SessionFilters { time_filter: some("last7days"), start_date: some("2020-01-01"), ..Default::default() };
        assert_eq!(range(filters), (Some(at("2026-04-08T10:30:00Z")), None));
    }

    #[test]
    fn every_named_range() {
        let named = |name: &str| range(SessionFilters { time_filter: some(name), ..Default::default() });
        assert_eq!(named("today"), (Some(at("2026-04-15")), None));
        assert_eq!(named("yesterday"), (Some(at("2026-04-14")), Some(at("2026-04-15").plus_micros(-1))));
        assert_eq!(named("LAST_30_DAYS"), (Some(at("2026-03-16T10:30:00Z")), None));
        assert_eq!(named("last90days").0, Some(at("2026-01-15T10:30:00Z")));
        assert_eq!(named("thisWeek"), (Some(at("2026-04-13")), None));
        assert_eq!(named("thisMonth"), (Some(at("2026-04-01")), None));
        assert_eq!(named("all"), (None, None));
        assert_eq!(start_of_week(at("2026-04-13")), at("2026-04-13"));
        assert_eq!(start_of_week(at("2026-04-12T23:59:59Z")), at("2026-04-06"));
    }

    #[test]
    fn what_is_wrong_says_so() {
        for filters in [
            SessionFilters { start_date: some("soon"), ..Default::default() },
            SessionFilters { end_date: some("2026-13-01"), ..Default::default() },
            SessionFilters { created_after: some(""), ..Default::default() },
            SessionFilters { time_filter: some("lastCentury"), ..Default::default() },
            SessionFilters {
                not: Some(Box::new(SessionFilters { search_text: some("x"), ..Default::default() })),
                ..Default::default()
            },
        ] {
            let error = wanted(filters).unwrap_err();
            assert_eq!(error.kind, sg_domain::ErrorKind::Invalid, "{}", error.message);
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut filters = SessionFilters::default();
        for _ in 0..10 {
            filters = SessionFilters { not: Some(Box::new(filters)), ..Default::default() };
        }
        assert!(wanted(filters).unwrap_err().message.contains("nest"));
    }
}
