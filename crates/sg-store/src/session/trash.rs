//! The trash: sessions that were deleted and can still come back. No other read sees them.

use sg_domain::page::SortValue;
use sg_domain::{
    Cursor, Error, ErrorKind, Page, PageRequest, ProjectId, Result, Session, SessionId, Timestamp, TrashedSession,
    UserId, Visibility,
};

use super::{SessionColumns, list, row};
use crate::error::StoreResult;
use crate::filter::LIVE;
use crate::row::Row;
use crate::sql::{Sql, storable};
use crate::store::stored_id;
use crate::{Store, Tx};

/// The name of the trash in its cursors.
pub const TRASH_LIST: &str = "trash.deleted_at.desc";

/// The cursor of a session in the trash.
pub fn trash_cursor(trashed: &TrashedSession) -> Cursor {
    let key = vec![SortValue::Int(trashed.deleted_at.micros()), SortValue::Text(trashed.session.id.to_string())];
    Cursor { list: TRASH_LIST.to_owned(), key }
}

impl Store {
    /// Owners of what is in the trash since before a time.
    pub async fn owners_of_trash(&self, before: Timestamp) -> Result<Vec<UserId>> {
        let mut sql = self.select(&["s.owner"]);
        sql.add(" FROM session s WHERE s.deleted_at IS NOT NULL AND s.deleted_at < ")
            .time(before)
            .add(" GROUP BY s.owner");
        Ok(self.rows(sql.end(), |row| Ok(UserId(row.text()?))).await?)
    }

    /// A page of the trash, last deleted first.
    pub async fn trashed_sessions(&self, who: &Visibility, page: &PageRequest) -> Result<Page<TrashedSession>> {
        let sql = self.trashed_sessions_sql(who, page)?;
        Ok(list::page(self.rows(sql, decode).await?, page))
    }

    pub(crate) fn trashed_sessions_sql(&self, who: &Visibility, page: &PageRequest) -> Result<Sql> {
        let mut sql = self.select(&columns());
        trashed(sql.add(" FROM session s"), who);
        for (cursor, than) in [(&page.after, "<"), (&page.before, ">")] {
            let Some(cursor) = cursor else { continue };
            let [SortValue::Int(at), SortValue::Text(id)] = cursor.key.as_slice() else {
                return Err(Error::invalid("this cursor does not belong to this list, take one from its own pages"));
            };
            sql.add(" AND (s.deleted_at, s.id) ").add(than).add(" (").int(*at).add(", ").text(id).add(")");
        }
        let way = if page.backward { "" } else { " DESC" };
        sql.add(" ORDER BY s.deleted_at").add(way).add(", s.id").add(way);
        list::limit(&mut sql, page);
        Ok(sql.end())
    }

    /// How many sessions are in the trash.
    pub async fn trashed_count(&self, who: &Visibility) -> Result<u64> {
        let mut sql = self.select(&["count(*)"]);
        trashed(sql.add(" FROM session s"), who);
        Ok(self.rows(sql.end(), |row| row.count()).await?.into_iter().next().unwrap_or(0))
    }

    /// The session in the owner's trash that its client knew by this id in a project; of several, the last deleted.
    pub async fn trashed_session(
        &self,
        owner: &UserId,
        project: &ProjectId,
        client_id: &str,
    ) -> Result<Option<TrashedSession>> {
        let mut sql = self.select(&columns());
        sql.add(" FROM session s WHERE s.deleted_at IS NOT NULL AND s.project_key = (SELECT key FROM project WHERE owner = ");
        sql.text(owner.as_str()).add(" AND id = ").text(project.as_str()).add(") AND s.client_id = ").text(client_id);
        sql.add(" ORDER BY s.deleted_at DESC, s.id DESC LIMIT 1");
        Ok(self.row(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Puts a session into the trash; whether there was one. Its row, messages, exchanges and blobs stay; its labels and
    /// its part of the project's sums go.
    pub async fn trash_session(&self, owner: &UserId, id: SessionId, now: Timestamp) -> Result<bool> {
        // The project is locked first, as writing does: the other order would be a deadlock with it.
        let mut sql = self.sql("SELECT s.project_key FROM session s WHERE s.id = ");
        sql.text(&id.to_string()).add(" AND s.owner = ").text(owner.as_str()).add(" AND ").add(LIVE);
        let Some(project) = self.row(sql, |row| stored_id(row)).await? else { return Ok(false) };
        self.lock_project(project).await?;
        let is_theirs = storable(owner.as_str());
        let Some(old) = self.stored(id).await?.filter(|old| old.owner == is_theirs && !old.is_deleted) else {
            return Ok(false);
        };
        let mut sql = self.sql("UPDATE session SET deleted_at = ");
        sql.time(now).add(" WHERE id = ").text(&id.to_string());
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM session_label WHERE session_id = ");
        sql.text(&id.to_string());
        self.run(sql).await?;
        self.add_to_project(old.project, -1, -old.markdown_size, -old.raw_data_size, None).await?;
        Ok(true)
    }

    /// The owner's session in the trash, locked for this transaction.
    pub async fn trashed_session(&self, owner: &UserId, id: SessionId) -> Result<Option<TrashedSession>> {
        let mut sql = self.sql("SELECT project_key FROM session WHERE id = ");
        sql.text(&id.to_string()).add(" AND owner = ").text(owner.as_str()).add(" AND deleted_at IS NOT NULL");
        let Some(project) = self.row(sql, |row| stored_id(row)).await? else { return Ok(None) };
        self.lock_project(project).await?;
        let mut sql = self.sql("SELECT ");
        sql.add(&columns().join(", ")).add(" FROM session s WHERE s.deleted_at IS NOT NULL AND s.id = ");
        sql.text(&id.to_string()).add(" AND s.owner = ").text(owner.as_str()).either("", " FOR UPDATE");
        Ok(self.row(sql, decode).await?)
    }

    /// Takes a session that [`Tx::trashed_session`] found out of the trash, with everything that belongs to it. `Conflict`
    /// when another session has its client id or its alias since.
    pub async fn restore_session(&self, session: &Session) -> Result<()> {
        let (key, client) = (session.project_key.to_string(), &session.client_id);
        let mut sql = self.sql("SELECT s.id FROM session s WHERE s.project_key = ");
        sql.text(&key).add(" AND s.client_id = ").text(client).add(" AND ").add(LIVE);
        if self.row(sql, |row| stored_id::<SessionId>(row)).await?.is_some() {
            return Err(taken("another session was stored under its client's id since, delete that one first"));
        }
        if let Some(alias) = &session.alias
            && self.alias_holder(&session.owner, alias).await?.is_some()
        {
            return Err(taken("another session has its alias since, take the alias away from that one first"));
        }
        let mut sql = self.sql("UPDATE session SET deleted_at = NULL, updated_at = ");
        sql.time(session.updated_at).add(" WHERE id = ").text(&session.id.to_string());
        self.run(sql).await.map_err(Error::from).map_err(|error| match error.kind {
            // Given away between the question and the answer.
            ErrorKind::Conflict => taken("another session has its id or alias since"),
            _ => error,
        })?;
        self.write_labels(session, None).await?;
        let sizes = [session.markdown_size, session.raw_data_size].map(crate::sql::to_i64);
        self.add_to_project(session.project_key, 1, sizes[0], sizes[1], Some(session.updated_at)).await?;
        Ok(())
    }

    /// Deletes a session in the trash and everything that belongs to it; whether there was one. Blobs stay for the sweep.
    pub async fn purge_session(&self, owner: &UserId, id: SessionId) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM session WHERE id = ");
        sql.text(&id.to_string()).add(" AND owner = ").text(owner.as_str()).add(" AND deleted_at IS NOT NULL");
        Ok(self.run(sql).await? > 0)
    }

    /// Deletes at most `limit` of an owner's sessions that are in the trash since before a time; returns how many. Those
    /// that somebody is about to restore are left for the next time.
    pub async fn purge_trash(&self, owner: &UserId, before: Timestamp, limit: u32) -> Result<u64> {
        let mut sql = self.sql("DELETE FROM session WHERE deleted_at IS NOT NULL AND deleted_at < ");
        sql.time(before).add(" AND id IN (SELECT id FROM session WHERE owner = ").text(owner.as_str());
        sql.add(" AND deleted_at IS NOT NULL AND deleted_at < ").time(before);
        sql.add(" ORDER BY deleted_at, id LIMIT ").int(i64::from(limit));
        sql.either("", " FOR UPDATE SKIP LOCKED").add(")");
        Ok(self.run(sql).await?)
    }
}

fn taken(what: &str) -> Error {
    Error::new(ErrorKind::Conflict, what)
}

/// Adds ` WHERE` and what of the trash may be seen.
fn trashed(sql: &mut Sql, who: &Visibility) {
    sql.add(" WHERE s.deleted_at IS NOT NULL AND ");
    match who {
        Visibility::Everyone => sql.add("TRUE"),
        Visibility::Owner(owner) => sql.add("s.owner = ").text(owner.as_str()),
    };
}

fn columns() -> Vec<&'static str> {
    let mut columns = row::columns(SessionColumns::ALL);
    columns.push("s.deleted_at");
    columns
}

fn decode(row: &mut dyn Row) -> StoreResult<TrashedSession> {
    Ok(TrashedSession { session: row::decode(row, SessionColumns::ALL)?, deleted_at: row.time()? })
}
