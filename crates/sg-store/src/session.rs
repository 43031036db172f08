//! Sessions: lists, lookups, counts.

use std::collections::HashMap;

use sg_domain::id::SessionRef;
use sg_domain::session::SessionSize;
use sg_domain::{
    Direction, Exchange, Message, Page, PageRequest, ProjectId, ProjectKey, Result, Session, SessionFilter, SessionId,
    SessionOrder, Visibility,
};

use crate::Store;
use crate::error::StoreResult;
use crate::filter::{LIVE, Seek, passing, visible, visible_and_passing};
use crate::row::Row;
use crate::sql::{Engine, Sql};

pub(crate) mod list;
pub(crate) mod row;
mod trash;
mod write;

pub use list::{decode_session_cursor, session_cursor, session_ordering};
pub use trash::{TRASH_LIST, trash_cursor};

/// The wider columns of a session; those not asked for come back empty. Everything else is always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionColumns {
    /// `metadata`.
    pub metadata: bool,
    /// `first_exchange`.
    pub first_exchange: bool,
}

impl SessionColumns {
    /// Every column.
    pub const ALL: Self = Self { metadata: true, first_exchange: true };
    /// Only the narrow ones.
    pub const NARROW: Self = Self { metadata: false, first_exchange: false };
}

/// What belongs to a session and is written with it.
#[derive(Clone, Debug)]
pub struct SessionContent<'a> {
    /// All messages. Stored ones that stay the same at the start of the list are not written again.
    pub messages: &'a [Message],
    /// All exchanges, written as they are: titles and hidden flags too. Whoever writes them brings what people said of
    /// the stored ones.
    pub exchanges: &'a [Exchange],
}

impl Store {
    /// A page of sessions.
    pub async fn sessions(
        &self,
        who: &Visibility,
        filter: &SessionFilter,
        order: SessionOrder,
        direction: Direction,
        page: &PageRequest,
        columns: SessionColumns,
    ) -> Result<Page<Session>> {
        let sql = self.sessions_sql(who, filter, order, direction, page, columns)?;
        let rows = self.rows(sql, move |row| row::decode(row, columns)).await?;
        Ok(list::page(rows, page))
    }

    /// The first `limit` sessions of each of these projects, in one statement.
    #[allow(clippy::too_many_arguments)]
    pub async fn sessions_by_project(
        &self,
        who: &Visibility,
        projects: &[ProjectKey],
        filter: &SessionFilter,
        order: SessionOrder,
        direction: Direction,
        limit: u32,
        columns: SessionColumns,
    ) -> Result<HashMap<ProjectKey, Vec<Session>>> {
        let mut found: HashMap<ProjectKey, Vec<Session>> = HashMap::new();
        if projects.is_empty() || limit == 0 {
            return Ok(found);
        }
        let sql = self.sessions_by_project_sql(who, projects, filter, order, direction, limit, columns);
        for session in self.rows(sql, move |row| row::decode(row, columns)).await? {
            found.entry(session.project_key).or_default().push(session);
        }
        for sessions in found.values_mut() {
            sessions.sort_unstable_by(|a, b| session_ordering(a, b, order, direction));
        }
        Ok(found)
    }

    /// How many sessions pass.
    pub async fn session_count(&self, who: &Visibility, filter: &SessionFilter) -> Result<u64> {
        let sql = self.session_count_sql(who, filter);
        Ok(self.rows(sql, |row| row.count()).await?.into_iter().next().unwrap_or(0))
    }

    /// One session.
    pub async fn session(&self, who: &Visibility, session: &SessionRef) -> Result<Option<Session>> {
        Ok(self.row(self.session_sql(who, session), |row| row::decode(row, SessionColumns::ALL)).await?)
    }

    /// A session that its owner shares, by our id or by the id its client chose: the one read of a tenant's data that
    /// needs no tenant. A client's id names one only while no other shared session has it: whoever chose the same id must
    /// not get another's link.
    pub async fn shared_session(&self, id: &str) -> Result<Option<Session>> {
        let mut sql = self.select_sessions(SessionColumns::ALL);
        sql.add(" WHERE ").add(LIVE).add(" AND s.share_status = 'unlisted' AND (");
        // See `session` about the words in the branch.
        sql.add(LIVE).add(" AND s.share_status = 'unlisted' AND s.client_id = ").text(id);
        let own = id.parse::<SessionId>().ok();
        if own.is_some() {
            sql.add(" OR s.id = ").text(id);
        }
        sql.add(") ORDER BY CASE WHEN s.id = ").text(id).add(" THEN 0 ELSE 1 END, s.id LIMIT 2");
        let mut found = self.rows(sql.end(), |row| row::decode(row, SessionColumns::ALL)).await?;
        let is_own = found.first().is_some_and(|session| Some(session.id) == own);
        Ok(if is_own || found.len() == 1 { Some(found.swap_remove(0)) } else { None })
    }

    /// Sessions by id, in no order; those that may not be seen are left out.
    pub async fn sessions_by_id(
        &self,
        who: &Visibility,
        ids: &[SessionId],
        columns: SessionColumns,
    ) -> Result<Vec<Session>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut sql = self.select_sessions(columns);
        visible(&mut sql, who, Seek::Project);
        sql.one_of(" AND s.id", &ids);
        Ok(self.rows(sql.end(), move |row| row::decode(row, columns)).await?)
    }

    /// Sizes of a project's sessions, by client id; none when the project may not be seen.
    pub async fn session_sizes(&self, who: &Visibility, project: &ProjectId) -> Result<Vec<SessionSize>> {
        let mut sql = self.select(&["s.client_id", "s.markdown_size", "s.session_data_size"]);
        sql.add(" FROM project p JOIN session s ON s.project_key = p.key WHERE p.id = ").text(project.as_str());
        if let Visibility::Owner(owner) = who {
            sql.add(" AND p.owner = ").text(owner.as_str());
        }
        sql.add(" AND ").add(LIVE).add(" ORDER BY s.client_id");
        let decode = |row: &mut dyn Row| {
            Ok(SessionSize {
                client_id: row.text()?,
                markdown_size: row.count()?,
                session_data_size: row.opt_int()?.map(|size| u64::try_from(size).unwrap_or(0)),
            })
        };
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// The ids of a project's sessions, whoever owns them: for jobs, which act for nobody.
    pub async fn session_ids_of(&self, project: ProjectKey) -> Result<Vec<SessionId>> {
        let mut sql = self.select(&["s.id"]);
        sql.add(" FROM session s WHERE ").add(LIVE).add(" AND s.project_key = ").text(&project.to_string());
        sql.add(" ORDER BY s.id");
        Ok(self.rows(sql.end(), |row| crate::store::stored_id(row)).await?)
    }

    /// A session's exchanges, in order.
    pub async fn exchanges(&self, who: &Visibility, session: SessionId) -> Result<Vec<Exchange>> {
        let mut sql = self.select(&EXCHANGE_COLUMNS);
        sql.add(" FROM session s JOIN exchange x ON x.session_id = s.id");
        visible(&mut sql, who, Seek::Project);
        sql.add(" AND s.id = ").text(&session.to_string()).add(" ORDER BY x.ordinal");
        Ok(self.rows(sql.end(), decode_exchange).await?)
    }

    fn select_sessions(&self, columns: SessionColumns) -> Sql {
        let mut sql = self.select(&row::columns(columns));
        sql.add(" FROM session s");
        sql
    }

    pub(crate) fn session_count_sql(&self, who: &Visibility, filter: &SessionFilter) -> Sql {
        // The sums of projects know already, for the question that every list asks.
        let unfiltered = SessionFilter { project_ids: Vec::new(), ..filter.clone() }.is_empty();
        let mut sql =
            self.select(&[if unfiltered { "CAST(coalesce(sum(p.session_count), 0) AS bigint)" } else { "count(*)" }]);
        if unfiltered {
            sql.add(" FROM project p WHERE ");
            match who {
                Visibility::Owner(owner) => sql.add("p.owner = ").text(owner.as_str()),
                Visibility::Everyone => sql.add("TRUE"),
            };
            if !filter.project_ids.is_empty() {
                sql.one_of(" AND p.id", &filter.project_ids);
            }
        } else {
            sql.add(" FROM session s");
            visible_and_passing(&mut sql, who, filter);
        }
        sql.end()
    }

    pub(crate) fn session_sql(&self, who: &Visibility, session: &SessionRef) -> Sql {
        let mut sql = self.select_sessions(SessionColumns::ALL);
        match session {
            SessionRef::Id(id) => {
                visible(&mut sql, who, Seek::Project);
                sql.add(" AND s.id = ").text(&id.to_string());
            }
            SessionRef::InProject(project, client_id) => {
                visible(&mut sql, who, Seek::Project);
                // In the branch too: SQLite takes an index that leaves rows out only by the words beside its columns.
                sql.add(" AND (").add(LIVE).add(" AND s.project_key IN (SELECT key FROM project WHERE ");
                if let Visibility::Owner(owner) = who {
                    sql.add("owner = ").text(owner.as_str()).add(" AND ");
                }
                sql.add("id = ").text(project.as_str()).add(") AND s.client_id = ").text(client_id);
                if let Ok(id) = client_id.parse::<SessionId>() {
                    sql.add(" OR s.id = ").text(&id.to_string()).add(" AND s.project_id = ").text(project.as_str());
                }
                // The client's own id wins over ours.
                sql.add(") ORDER BY CASE WHEN s.client_id = ").text(client_id);
                sql.add(" THEN 0 ELSE 1 END, s.activity_at DESC, s.id DESC LIMIT 1");
            }
            SessionRef::Alias(alias) => {
                visible(&mut sql, who, Seek::Owner);
                // Only maintenance can see several owners' sessions of one alias.
                sql.add(" AND s.alias = ").text(alias).add(" ORDER BY s.activity_at DESC, s.id DESC LIMIT 1");
            }
            SessionRef::Client(client_id) => {
                visible(&mut sql, who, Seek::Owner);
                sql.add(" AND s.client_id = ").text(client_id);
                sql.add(" ORDER BY s.activity_at DESC, s.id DESC LIMIT 1");
            }
        }
        sql.end()
    }

    pub(crate) fn sessions_sql(
        &self,
        who: &Visibility,
        filter: &SessionFilter,
        order: SessionOrder,
        direction: Direction,
        page: &PageRequest,
        columns: SessionColumns,
    ) -> Result<Sql> {
        let mut sql = self.select_sessions(columns);
        visible_and_passing(&mut sql, who, filter);
        list::between(&mut sql, order, direction, page)?;
        list::order_by(&mut sql, order, direction, page.backward);
        list::limit(&mut sql, page);
        Ok(sql.end())
    }

    /// One seek a project: a window over every group would read all their sessions.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn sessions_by_project_sql(
        &self,
        who: &Visibility,
        projects: &[ProjectKey],
        filter: &SessionFilter,
        order: SessionOrder,
        direction: Direction,
        limit: u32,
        columns: SessionColumns,
    ) -> Sql {
        let mut keys: Vec<String> = projects.iter().map(ToString::to_string).collect();
        keys.sort_unstable();
        keys.dedup();
        let keys = keys.into();
        let mut sql;
        match self.inner.engine {
            Engine::Sqlite => {
                // Outside it is `o`, so that the filter's `s` is the row inside.
                let outside: Vec<String> =
                    row::columns(columns).iter().map(|column| column.replacen("s.", "o.", 1)).collect();
                sql = self.select(&outside.iter().map(String::as_str).collect::<Vec<_>>());
                sql.add(" FROM json_each(").json(keys).add(") p");
                sql.add(" CROSS JOIN session o ON o.rowid IN (SELECT s.rowid FROM session s");
                visible(&mut sql, who, Seek::Project);
                sql.add(" AND s.project_key = p.value");
            }
            Engine::Postgres => {
                sql = self.select(&row::columns(columns));
                sql.add(" FROM json_array_elements_text(").json(keys);
                sql.add("::json) p CROSS JOIN LATERAL (SELECT * FROM session s");
                visible(&mut sql, who, Seek::Project);
                sql.add(" AND s.project_key = p.value");
            }
        }
        passing(&mut sql, filter);
        list::order_by(&mut sql, order, direction, false);
        sql.add(" LIMIT ").int(i64::from(limit)).either(")", ") s");
        sql.end()
    }
}

/// What [`decode_exchange`] reads, in its order.
const EXCHANGE_COLUMNS: [&str; 7] =
    ["x.ordinal", "x.start_byte", "x.end_byte", "x.started_at", "x.ended_at", "x.user_title", "x.hidden_from_share"];

fn decode_exchange(row: &mut dyn Row) -> StoreResult<Exchange> {
    Ok(Exchange {
        ordinal: u32::try_from(row.int()?).unwrap_or(u32::MAX),
        start: row.count()?,
        end: row.count()?,
        started_at: row.opt_time()?,
        ended_at: row.opt_time()?,
        user_title: row.opt_text()?,
        hidden_from_share: row.flag()?,
    })
}
