//! Lists of archives, and what they are counted by.

use sg_domain::archive::{ArchiveFilter, ArchiveOrder, ArchivedSession};
use sg_domain::{Direction, Result, Session, SessionId, UserId, Visibility};

use super::{columns, decode};
use crate::filter::LIVE;
use crate::sql::{Sql, to_i64};
use crate::store::stored_id;
use crate::{Store, Tx};

impl Store {
    /// A part of a list of archives.
    pub async fn archives(
        &self,
        who: &Visibility,
        filter: &ArchiveFilter,
        order: ArchiveOrder,
        direction: Direction,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<ArchivedSession>> {
        let sql = self.archives_sql(who, filter, order, direction, limit, offset);
        Ok(self.rows(sql, decode).await?)
    }

    pub(crate) fn archives_sql(
        &self,
        who: &Visibility,
        filter: &ArchiveFilter,
        order: ArchiveOrder,
        direction: Direction,
        limit: u32,
        offset: u64,
    ) -> Sql {
        let mut sql = self.select(&columns());
        wanted(&mut sql, who, filter);
        let way = if direction == Direction::Desc { " DESC" } else { "" };
        match order {
            ArchiveOrder::UpdatedAt => sql.add(" ORDER BY s.updated_at").add(way),
            ArchiveOrder::Model => {
                sql.add(" ORDER BY CASE WHEN a.model_id IS NULL THEN 1 ELSE 0 END, a.model_id");
                sql.either("", " COLLATE \"C\"").add(way).add(", s.updated_at DESC")
            }
        };
        sql.add(", a.id LIMIT ").int(i64::from(limit)).add(" OFFSET ").int(to_i64(offset));
        sql.end()
    }

    /// How many archives the list holds in all.
    pub async fn archive_count(&self, who: &Visibility, filter: &ArchiveFilter) -> Result<u64> {
        let mut sql = self.select(&["count(*)"]);
        wanted(&mut sql, who, filter);
        Ok(self.rows(sql.end(), |row| row.count()).await?.into_iter().next().unwrap_or(0))
    }

    /// The sessions of all archives of a list, last changed first, then by the archive's id.
    pub async fn archived_sessions(&self, who: &Visibility, filter: &ArchiveFilter) -> Result<Vec<SessionId>> {
        let mut sql = self.select(&["s.id"]);
        wanted(&mut sql, who, filter);
        sql.add(" ORDER BY s.updated_at DESC, a.id");
        Ok(self.rows(sql.end(), |row| stored_id(row)).await?)
    }

    /// The models of the archives that are not in the trash, `None` for those whose model is not known, with how many
    /// archives each has: the most frequent first.
    pub async fn archive_models(&self, who: &Visibility) -> Result<Vec<(Option<String>, u64)>> {
        let mut sql = self.select(&["a.model_id", "count(*)"]);
        wanted(&mut sql, who, &ArchiveFilter::default());
        sql.add(" GROUP BY a.model_id");
        let mut models = self.rows(sql.end(), |row| Ok((row.opt_text()?, row.count()?))).await?;
        models.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(models)
    }

    /// An owner's archive of this id or alias, in the trash or not: the id first, then what is not in the trash, then
    /// what was deleted last.
    pub async fn archive_of_owner(&self, owner: &UserId, id_or_alias: &str) -> Result<Option<ArchivedSession>> {
        let mut sql = self.select_archives();
        sql.add(" WHERE a.owner = ").text(owner.as_str());
        sql.add(" AND (a.id = ").text(id_or_alias).add(" OR s.alias = ").text(id_or_alias).add(")");
        sql.add(" ORDER BY CASE WHEN a.id = ").text(id_or_alias).add(" THEN 0 ELSE 1 END");
        sql.add(", CASE WHEN s.deleted_at IS NULL THEN 0 ELSE 1 END, s.deleted_at DESC, a.id LIMIT 1");
        Ok(self.row(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Forgets who put an archive into the trash: it is out of it.
    pub async fn forget_archive_deletion(&self, session: &Session) -> Result<()> {
        let mut sql = self.sql("UPDATE archive SET deleted_by = NULL, delete_scope = NULL WHERE session_id = ");
        sql.text(&session.id.to_string());
        self.run(sql).await?;
        Ok(())
    }
}

/// Adds where archives come from and which are wanted.
fn wanted(sql: &mut Sql, who: &Visibility, filter: &ArchiveFilter) {
    // SQLite keeps no statistics here, and takes the tables of a cross join as they stand: the sessions by their own
    // index, in the order of the list, and the archive of each.
    sql.either(" FROM session s CROSS JOIN archive a", " FROM session s JOIN archive a");
    sql.add(" ON a.session_id = s.id WHERE ").add(if filter.in_trash { "s.deleted_at IS NOT NULL" } else { LIVE });
    if let Visibility::Owner(owner) = who {
        sql.add(" AND s.owner = ").text(owner.as_str());
    }
    if !filter.source_tools.is_empty() {
        sql.one_of(" AND a.source_tool", &filter.source_tools);
    }
    if let Some(tag) = &filter.tag {
        match filter.in_trash {
            false => {
                sql.add(" AND EXISTS (SELECT 1 FROM session_label l WHERE l.session_id = s.id AND l.kind = 'tag'");
                sql.add(" AND l.value = ").text(tag).add(")");
            }
            // Labels are kept of what is not in the trash.
            true => {
                sql.add(" AND EXISTS (SELECT 1 FROM ").either(
                    "json_each(s.metadata, '$.tags') l",
                    r"json_array_elements_text(coalesce(replace(s.metadata, '\u0000', '\ufffd')::json -> 'tags',
                      '[]'::json)) l(value)",
                );
                sql.add(" WHERE l.value = ").text(tag).add(")");
            }
        }
    }
    if !filter.models.is_empty() {
        let known: Vec<&str> = filter.models.iter().flatten().map(String::as_str).collect();
        sql.add(" AND (FALSE");
        if known.len() < filter.models.len() {
            sql.add(" OR a.model_id IS NULL");
        }
        if !known.is_empty() {
            sql.one_of(" OR a.model_id", &known);
        }
        sql.add(")");
    }
    if let Some(from) = filter.updated_from {
        sql.add(" AND s.updated_at >= ").time(from);
    }
}
