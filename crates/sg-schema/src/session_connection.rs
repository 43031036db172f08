//! Lists of sessions: arguments, pages, totals.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use sg_app::{SessionColumns, SessionList, session_cursor};
use sg_domain::error::quote;
use sg_domain::{Cursor, Direction, Error, Page, Project, Result, SessionFilter, SessionOrder, Timestamp};
use tokio::sync::OnceCell;

use crate::failure::Outcome;
use crate::filter::{SessionFilters, Wanted};
use crate::loader::{ListKey, ProjectSessions, Reach};
use crate::page::{PageArgs, PageInfo};
use crate::scalar::int;
use crate::selection::{Rows, wants_rows};
use crate::session::Session;
use crate::session_row::{Edges, Nodes};

/// The arguments of every list of sessions.
pub(crate) struct SessionArgs {
    /// Which sessions.
    pub(crate) filters: Option<SessionFilters>,
    /// Which part of the list.
    pub(crate) page: PageArgs,
    /// Sorted by.
    pub(crate) order_by: Option<String>,
    /// `asc` or `desc`.
    pub(crate) order_direction: Option<String>,
}

impl SessionArgs {
    fn list(self, now: Timestamp, columns: SessionColumns) -> Result<SessionList> {
        let Wanted { filter, text, cursor } = self.filters.unwrap_or_default().wanted(now)?;
        let (order, direction) = order(self.order_by.as_deref(), self.order_direction.as_deref())?;
        let list = list_name(order, direction);
        let mut page = self.page.request(&list)?;
        if let Some(cursor) = cursor {
            if page.after.is_some() {
                return Err(Error::invalid("after and filters.cursor mean the same, send one of them"));
            }
            page.after = Some(Cursor::decode(&cursor, &list)?);
        }
        Ok(SessionList { filter, text, order, direction, page, columns })
    }
}

/// The list that the cursors of this order name, as the store writes it; a test holds the two together.
fn list_name(order: SessionOrder, direction: Direction) -> String {
    let direction = match direction {
        Direction::Asc => "asc",
        Direction::Desc => "desc",
    };
    format!("session.{}.{direction}", order.name())
}

/// Reads `orderBy` and `orderDirection`: camel case, snake case or capitals, the direction also as the end of the name
/// (`CREATED_AT_DESC`).
fn order(by: Option<&str>, direction: Option<&str>) -> Result<(SessionOrder, Direction)> {
    let plain = |text: &str| -> String { text.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect() };
    let by = by.unwrap_or("createdAt");
    let name = plain(by);
    let (name, suffix) = match (name.strip_suffix("desc"), name.strip_suffix("asc")) {
        (Some(name), _) => (name, Some(Direction::Desc)),
        (_, Some(name)) => (name, Some(Direction::Asc)),
        _ => (name.as_str(), None),
    };
    let order = match name {
        "createdat" => SessionOrder::CreatedAt,
        "updatedat" => SessionOrder::UpdatedAt,
        "endedat" => SessionOrder::EndedAt,
        "activity" | "lastactivity" | "lastupdated" | "activityat" => SessionOrder::Activity,
        "name" => SessionOrder::Name,
        "markdownsize" => SessionOrder::MarkdownSize,
        _ => {
            return Err(Error::invalid(format!(
                "unknown orderBy {}, use createdAt, updatedAt, endedAt, lastActivity, name or markdownSize",
                quote(by)
            )));
        }
    };
    let direction = match (suffix, direction.map(plain).as_deref()) {
        (Some(direction), _) => direction,
        (None, None | Some("desc")) => Direction::Desc,
        (None, Some("asc")) => Direction::Asc,
        (None, Some(other)) => {
            return Err(Error::invalid(format!("unknown orderDirection {}, use asc or desc", quote(other))));
        }
    };
    Ok((order, direction))
}

/// One session of a page, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct SessionEdge {
    /// Where the session lies in the list.
    cursor: String,
    /// The session.
    node: Session,
}

impl SessionEdge {
    /// The edge of a session in a list that is sorted so.
    pub(crate) fn new(session: &Session, order: SessionOrder, direction: Direction) -> Self {
        Self { cursor: session_cursor(session.row(), order, direction).encode(), node: session.clone() }
    }
}

/// A page of sessions.
pub(crate) struct SessionConnection {
    page: Page<Session>,
    order: SessionOrder,
    direction: Direction,
    filter: SessionFilter,
    text: Option<String>,
    /// Known without asking: the whole list is on this page, or the project counts it.
    known_total: Option<u64>,
    total: OnceCell<u64>,
}

impl SessionConnection {
    fn new(list: SessionList, page: Page<Session>, known_total: Option<u64>) -> Self {
        let SessionList { filter, text, order, direction, .. } = list;
        Self { page, order, direction, filter, text, known_total, total: OnceCell::new() }
    }

    fn cursor(&self, session: &Session) -> String {
        session_cursor(session.row(), self.order, self.direction).encode()
    }

    async fn count(&self, ctx: &Context<'_>) -> Outcome<u64> {
        if let Some(total) = self.known_total {
            return Ok(total);
        }
        let reach = Reach::of(ctx);
        let count = || reach.app.session_count(&reach.caller, &self.filter, self.text.as_deref());
        Ok(*self.total.get_or_try_init(count).await?)
    }
}

/// A page of sessions. `nodes`, `items` and `sessions` are three names of the same list, because clients use all three.
#[Object]
impl SessionConnection {
    /// The sessions with their cursors.
    fn edges(&self) -> Edges<'_> {
        Edges { sessions: &self.page.items, order: self.order, direction: self.direction }
    }

    /// The sessions.
    fn nodes(&self) -> Nodes<'_> {
        Nodes(&self.page.items)
    }

    /// The same as `nodes`.
    fn items(&self) -> Nodes<'_> {
        Nodes(&self.page.items)
    }

    /// The same as `nodes`.
    fn sessions(&self) -> Nodes<'_> {
        Nodes(&self.page.items)
    }

    /// Where this page lies in the list.
    fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: self.page.items.first().map(|session| self.cursor(session)),
            end_cursor: self.page.items.last().map(|session| self.cursor(session)),
        }
    }

    /// Number of sessions in the whole list. Counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.count(ctx).await?))
    }

    /// The same as `totalCount`.
    async fn total(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.count(ctx).await?))
    }

    /// Whether sessions follow this page.
    fn has_next_page(&self) -> bool {
        self.page.has_next
    }

    /// Whether sessions precede this page.
    fn has_previous_page(&self) -> bool {
        self.page.has_previous
    }
}

/// The caller's sessions.
pub(crate) async fn sessions(ctx: &Context<'_>, args: SessionArgs) -> Outcome<SessionConnection> {
    let reach = Reach::of(ctx);
    let list = args.list(reach.app.now(), Rows::of(ctx).columns())?;
    if !wants_rows(ctx) {
        return Ok(SessionConnection::new(list, empty(), None));
    }
    let page = reach.app.sessions(&reach.caller, &list).await?.map(|session| Session::new(Arc::new(session)));
    reach.spend(page.items.len() as u64 + 1)?;
    let total = whole(&list, &page);
    Ok(SessionConnection::new(list, page, total))
}

/// The sessions of one project. First pages of sibling projects are read together.
pub(crate) async fn project_sessions(
    ctx: &Context<'_>,
    project: &Arc<Project>,
    args: SessionArgs,
) -> Outcome<SessionConnection> {
    project_page(Reach::of(ctx), project, args, Rows::of(ctx).columns(), wants_rows(ctx)).await
}

/// The caller's sessions, without what a connection knows of its page.
pub(crate) async fn session_list(ctx: &Context<'_>, args: SessionArgs) -> Outcome<Vec<Session>> {
    let reach = Reach::of(ctx);
    let list = args.list(reach.app.now(), Rows::of_list(ctx).columns())?;
    let page = reach.app.sessions(&reach.caller, &list).await?;
    reach.spend(page.items.len() as u64 + 1)?;
    Ok(page.items.into_iter().map(|session| Session::new(Arc::new(session))).collect())
}

/// The sessions of one project, without what a connection knows of its page.
pub(crate) async fn project_session_list(
    ctx: &Context<'_>,
    project: &Arc<Project>,
    args: SessionArgs,
) -> Outcome<Vec<Session>> {
    let columns = Rows::of_list(ctx).columns();
    Ok(project_page(Reach::of(ctx), project, args, columns, true).await?.page.items)
}

async fn project_page(
    reach: &Reach,
    project: &Arc<Project>,
    args: SessionArgs,
    columns: SessionColumns,
    wants_rows: bool,
) -> Outcome<SessionConnection> {
    let mut list = args.list(reach.app.now(), columns)?;
    let is_unfiltered = list.filter.is_empty() && list.text.is_none();
    let known_total = is_unfiltered.then_some(project.session_count);
    let is_first_page =
        list.page.after.is_none() && list.page.before.is_none() && !list.page.backward && list.page.offset == 0;
    let page = if !wants_rows {
        None
    } else if is_first_page {
        Some(first_page(reach, project, &list).await?)
    } else {
        None
    };
    // What is asked one project at a time is the same list with the project as one more condition.
    let inner = std::mem::take(&mut list.filter);
    list.filter = if inner.project_ids.is_empty() {
        SessionFilter { project_ids: vec![project.id.as_str().to_owned()], ..inner }
    } else {
        let own = SessionFilter { project_ids: vec![project.id.as_str().to_owned()], ..SessionFilter::default() };
        SessionFilter { and: vec![inner], ..own }
    };
    let page = match page {
        Some(page) => page,
        None if !wants_rows => empty(),
        None => {
            let page = reach.app.sessions(&reach.caller, &list).await?;
            reach.spend(page.items.len() as u64 + 1)?;
            page.map(|session| Session::of_project(Arc::new(session), project.clone()))
        }
    };
    let total = known_total.or_else(|| whole(&list, &page));
    Ok(SessionConnection::new(list, page, total))
}

async fn first_page(reach: &Reach, project: &Arc<Project>, list: &SessionList) -> Outcome<Page<Session>> {
    let size = list.page.limit.unwrap_or(u32::MAX);
    // One more than wanted tells whether there is a next page.
    let mut more = list.clone();
    more.page.limit = Some(size.saturating_add(1));
    let found = reach.load(ProjectSessions { project: project.key, list: ListKey::new(more) }).await?;
    let found = found.unwrap_or_default();
    let items = found.iter().take(size as usize);
    Ok(Page {
        items: items.map(|session| Session::of_project(session.clone(), project.clone())).collect(),
        has_next: found.len() > size as usize,
        has_previous: false,
    })
}

fn empty() -> Page<Session> {
    Page { items: Vec::new(), has_next: false, has_previous: false }
}

/// The list's length, when all of it is on this page.
fn whole(list: &SessionList, page: &Page<Session>) -> Option<u64> {
    let from_the_start = list.page.after.is_none() && list.page.before.is_none() && list.page.offset == 0;
    (from_the_start && !page.has_next && !page.has_previous).then_some(page.items.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_in_every_spelling() {
        for by in ["createdAt", "CREATED_AT", "created_at", "CREATED_AT_DESC"] {
            assert_eq!(order(Some(by), None).unwrap(), (SessionOrder::CreatedAt, Direction::Desc), "{by}");
        }
        assert_eq!(order(None, Some("ASC")).unwrap(), (SessionOrder::CreatedAt, Direction::Asc));
        assert_eq!(order(Some("name_asc"), Some("desc")).unwrap(), (SessionOrder::Name, Direction::Asc));
        for by in ["lastActivity", "endedAt", "updatedAt", "markdownSize"] {
            assert!(order(Some(by), None).is_ok(), "{by}");
        }
        assert!(order(Some("rank"), None).unwrap_err().message.contains("orderBy"));
        assert!(order(None, Some("up")).unwrap_err().message.contains("orderDirection"));
    }
}
