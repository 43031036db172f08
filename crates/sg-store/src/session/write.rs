//! Writing sessions with what belongs to them, and keeping the sums of their projects right.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait, Iterable};
use sg_domain::{ErrorKind, Exchange, ProjectKey, Result, Session, SessionId, Timestamp, UserId};

use super::row::{self, labels};
use super::{EXCHANGE_COLUMNS, SessionColumns, SessionContent, decode_exchange};
use crate::Tx;
use crate::entity::{exchange, session, session_label};
use crate::error::{StoreError, StoreResult};
use crate::filter::LIVE;
use crate::sql::{Sql, storable, to_i64};

/// Exchanges and labels in one statement.
const CHUNK: usize = 500;

impl Tx {
    /// The owner's session with this client id in a project, locked for this transaction.
    pub async fn session_for_update(
        &self,
        owner: &UserId,
        project: ProjectKey,
        client_id: &str,
    ) -> Result<Option<Session>> {
        // A session that does not exist yet cannot be locked; its project can.
        self.lock_project(project).await?;
        let mut sql = self.select_session(owner);
        sql.add(" AND s.project_key = ").text(&project.to_string()).add(" AND s.client_id = ").text(client_id);
        self.locked_session(sql).await
    }

    /// One session by id, locked for this transaction.
    pub async fn session_by_id(&self, owner: &UserId, id: SessionId) -> Result<Option<Session>> {
        let mut sql = self.select_session(owner);
        sql.add(" AND s.id = ").text(&id.to_string());
        self.locked_session(sql).await
    }

    /// A session's exchanges, in order, as this transaction sees them.
    pub async fn exchanges(&self, session: SessionId) -> Result<Vec<Exchange>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&EXCHANGE_COLUMNS.join(", ")).add(" FROM exchange x WHERE x.session_id = ").text(&session.to_string());
        sql.add(" ORDER BY x.ordinal");
        Ok(self.rows(sql, decode_exchange).await?)
    }

    /// Writes a session, new or known by its id, with everything that belongs to it. `content: None` leaves messages and
    /// exchanges as they are. Keeps the project's sums right. `Conflict` when the id is another owner's or in the trash, or
    /// the client id or alias is another session's.
    pub async fn put_session(&self, new: &Session, content: Option<&SessionContent<'_>>) -> Result<()> {
        self.lock_project(new.project_key).await?;
        let old = self.stored(new.id).await?;
        if let Some(old) = &old {
            if old.owner != storable(new.owner.as_str()) || old.is_deleted {
                return Err(sg_domain::Error::new(ErrorKind::Conflict, "this session id is taken"));
            }
            if old.project != new.project_key {
                self.lock_project(old.project).await?;
            }
        }
        self.write_row(new).await?;
        self.write_labels(new, old.as_ref()).await?;
        if let Some(content) = content {
            crate::message::write(self, new.id, content.messages, old.is_some()).await?;
            self.write_exchanges(new.id, content.exchanges, old.is_some()).await?;
        }
        self.keep_sums(new, old.as_ref()).await?;
        Ok(())
    }

    /// Writes all exchanges of a session whose row is there, as [`Tx::put_session`] does.
    pub async fn put_exchanges(&self, session: SessionId, exchanges: &[Exchange]) -> Result<()> {
        Ok(self.write_exchanges(session, exchanges, true).await?)
    }

    /// Writes what a person says of an exchange; whether there is such an exchange.
    pub async fn mark_exchange(&self, session: SessionId, exchange: &Exchange) -> Result<bool> {
        let mut sql = self.sql("UPDATE exchange SET hidden_from_share = ");
        sql.int(i64::from(exchange.hidden_from_share));
        match &exchange.user_title {
            Some(title) => sql.add(", user_title = ").text(title),
            None => sql.add(", user_title = NULL"),
        };
        sql.add(" WHERE session_id = ").text(&session.to_string());
        sql.add(" AND ordinal = ").int(i64::from(exchange.ordinal));
        Ok(self.run(sql).await? > 0)
    }

    /// Whose alias it is, if any session of the owner has it.
    pub async fn alias_holder(&self, owner: &UserId, alias: &str) -> Result<Option<SessionId>> {
        let mut sql = self.sql("SELECT s.id FROM session s WHERE s.owner = ");
        sql.text(owner.as_str()).add(" AND s.alias = ").text(alias).add(" AND ").add(LIVE);
        Ok(self.row(sql, |row| crate::store::stored_id(row)).await?)
    }

    fn select_session(&self, owner: &UserId) -> Sql {
        let mut sql = self.sql("SELECT ");
        sql.add(&row::columns(SessionColumns::ALL).join(", "));
        sql.add(" FROM session s WHERE ").add(LIVE).either(" AND +s.owner = ", " AND s.owner = ").text(owner.as_str());
        sql
    }

    async fn locked_session(&self, mut sql: Sql) -> Result<Option<Session>> {
        sql.either("", " FOR UPDATE");
        Ok(self.row(sql, |row| row::decode(row, SessionColumns::ALL)).await?)
    }

    /// What is stored of a session, as far as writing it needs to know.
    pub(super) async fn stored(&self, id: SessionId) -> StoreResult<Option<Stored>> {
        let mut sql = self.sql("SELECT owner, project_key, markdown_size, raw_data_size, metadata, deleted_at");
        sql.add(" FROM session WHERE id = ").text(&id.to_string()).either("", " FOR UPDATE");
        self.row(sql, |row| {
            Ok(Stored {
                owner: row.text()?,
                project: crate::store::stored_id(row)?,
                markdown_size: row.int()?,
                raw_data_size: row.int()?,
                labels: labels(&serde_json::from_str(&row.text()?)?),
                is_deleted: row.opt_int()?.is_some(),
            })
        })
        .await
    }

    async fn write_row(&self, new: &Session) -> Result<()> {
        use session::Column;
        let replace = OnConflict::column(Column::Id)
            .update_columns(Column::iter().filter(|column| !matches!(column, Column::Id)))
            .to_owned();
        let done =
            session::Entity::insert(row::encode(new)?).on_conflict(replace).exec_without_returning(&self.tx).await;
        done.map_err(StoreError::from).map_err(sg_domain::Error::from).map_err(|mut e| {
            if e.kind == ErrorKind::Conflict {
                e.message = "another session has this id or alias".to_owned();
            }
            e
        })?;
        Ok(())
    }

    pub(super) async fn write_labels(&self, new: &Session, old: Option<&Stored>) -> StoreResult<()> {
        let wanted = labels(&new.metadata);
        if let Some(old) = old {
            if old.labels == wanted && old.project == new.project_key {
                return Ok(());
            }
            let mut sql = self.sql("DELETE FROM session_label WHERE session_id = ");
            sql.text(&new.id.to_string());
            self.run(sql).await?;
        }
        let rows: Vec<_> = wanted
            .into_iter()
            .map(|(kind, value)| session_label::ActiveModel {
                session_id: Set(new.id.to_string()),
                kind: Set(kind.to_owned()),
                value: Set(value),
                owner: Set(storable(new.owner.as_str())),
                project_key: Set(new.project_key.to_string()),
            })
            .collect();
        for chunk in rows.chunks(CHUNK) {
            session_label::Entity::insert_many(chunk.to_vec()).exec_without_returning(&self.tx).await?;
        }
        Ok(())
    }

    async fn write_exchanges(&self, id: SessionId, exchanges: &[Exchange], known: bool) -> StoreResult<()> {
        use exchange::Column;
        let rows: Vec<_> = exchanges
            .iter()
            .map(|x| exchange::ActiveModel {
                session_id: Set(id.to_string()),
                ordinal: Set(i64::from(x.ordinal)),
                start_byte: Set(to_i64(x.start)),
                end_byte: Set(to_i64(x.end)),
                started_at: Set(x.started_at.map(Timestamp::micros)),
                ended_at: Set(x.ended_at.map(Timestamp::micros)),
                user_title: Set(x.user_title.as_deref().map(storable)),
                hidden_from_share: Set(i64::from(x.hidden_from_share)),
            })
            .collect();
        if known {
            let ordinals: Vec<i64> = exchanges.iter().map(|x| i64::from(x.ordinal)).collect();
            let last = ordinals.iter().max().copied().unwrap_or(-1);
            let mut sql = self.sql("DELETE FROM exchange WHERE session_id = ");
            sql.text(&id.to_string()).add(" AND ordinal > ").int(last);
            self.run(sql).await?;
        }
        let replace = OnConflict::columns([Column::SessionId, Column::Ordinal])
            .update_columns(Column::iter().filter(|column| !matches!(column, Column::SessionId | Column::Ordinal)))
            .to_owned();
        for chunk in rows.chunks(CHUNK) {
            exchange::Entity::insert_many(chunk.to_vec())
                .on_conflict(replace.clone())
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }

    async fn keep_sums(&self, new: &Session, old: Option<&Stored>) -> StoreResult<()> {
        let (markdown, raw) = (to_i64(new.markdown_size), to_i64(new.raw_data_size));
        let at = Some(new.updated_at);
        match old {
            Some(old) if old.project == new.project_key => {
                let (markdown, raw) = (markdown - old.markdown_size, raw - old.raw_data_size);
                self.add_to_project(new.project_key, 0, markdown, raw, at).await
            }
            Some(old) => {
                self.add_to_project(old.project, -1, -old.markdown_size, -old.raw_data_size, at).await?;
                self.add_to_project(new.project_key, 1, markdown, raw, at).await
            }
            None => self.add_to_project(new.project_key, 1, markdown, raw, at).await,
        }
    }

    /// Moves a project's sums. Its row is locked, so that what is read here is the latest.
    pub(super) async fn add_to_project(
        &self,
        key: ProjectKey,
        sessions: i64,
        markdown_size: i64,
        raw_data_size: i64,
        at: Option<Timestamp>,
    ) -> StoreResult<()> {
        let key = key.to_string();
        let mut sql = self.sql("UPDATE project SET session_count = session_count + ");
        sql.int(sessions).add(", total_markdown_size = total_markdown_size + ").int(markdown_size);
        sql.add(", total_raw_data_size = total_raw_data_size + ").int(raw_data_size);
        sql.add(", last_activity_at = (SELECT max(s.activity_at) FROM session s WHERE s.project_key = ").text(&key);
        sql.add(" AND ").add(LIVE).add(")");
        if let Some(at) = at {
            sql.add(", updated_at = CASE WHEN updated_at < ")
                .time(at)
                .add(" THEN ")
                .time(at)
                .add(" ELSE updated_at END");
        }
        sql.add(" WHERE key = ").text(&key);
        self.run(sql).await?;
        Ok(())
    }
}

pub(super) struct Stored {
    pub(super) owner: String,
    pub(super) project: ProjectKey,
    pub(super) markdown_size: i64,
    pub(super) raw_data_size: i64,
    labels: Vec<(&'static str, String)>,
    pub(super) is_deleted: bool,
}
