//! Archives: what a session that came as one is known by, and what its client said of it.

mod list;

use sg_domain::archive::{Archive, ArchiveDeletion, ArchiveFacts, ArchivedSession, DeleteScope};
use sg_domain::{Result, Session, SessionId, Timestamp, UserId, Visibility};

use crate::error::StoreResult;
use crate::filter::LIVE;
use crate::row::Row;
use crate::session::{SessionColumns, row as session_row};
use crate::sql::{Sql, to_i64};
use crate::store::{named, stored_id};
use crate::{Store, Tx};

const COLUMNS: [&str; 23] = [
    "a.id",
    "a.session_id",
    "a.owner",
    "a.source_tool",
    "a.source_tool_version",
    "a.original_id",
    "a.model_provider",
    "a.model_id",
    "a.parent_id",
    "a.message_count",
    "a.turn_count",
    "a.tool_use_count",
    "a.input_tokens",
    "a.output_tokens",
    "a.duration_millis",
    "a.git_remote",
    "a.git_branch",
    "a.git_commit",
    "a.digest",
    "a.size_bytes",
    "a.uploaded_at",
    "a.deleted_by",
    "a.delete_scope",
];

/// The scan comes behind the columns above.
const SCAN: &str = "a.scan";

impl Store {
    /// The archive of this id or alias, the id first; none that is in the trash.
    pub async fn archive(&self, who: &Visibility, id_or_alias: &str) -> Result<Option<ArchivedSession>> {
        let mut sql = self.select_archives();
        sql.add(" WHERE ").add(LIVE).add(" AND (a.id = ").text(id_or_alias);
        sql.add(" OR s.alias = ").text(id_or_alias).add(")");
        visible(&mut sql, who);
        sql.add(" ORDER BY CASE WHEN a.id = ").text(id_or_alias).add(" THEN 0 ELSE 1 END LIMIT 1");
        Ok(self.row(sql.end(), decode).await?)
    }

    /// The archive of this id, in the trash or not, whoever owns it: ids are one to a server.
    pub async fn any_archive(&self, id: &str) -> Result<Option<ArchivedSession>> {
        let mut sql = self.select_archives();
        sql.add(" WHERE a.id = ").text(id);
        Ok(self.row(sql.end(), decode).await?)
    }

    /// The archives of these sessions, in no order; sessions without one are left out.
    pub async fn archives_of(&self, who: &Visibility, sessions: &[SessionId]) -> Result<Vec<ArchivedSession>> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        let mut sql = self.select_archives();
        sql.one_of(" WHERE a.session_id", &ids);
        visible(&mut sql, who);
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// Starts a read of archives with their sessions: `a` and `s`.
    pub(crate) fn select_archives(&self) -> Sql {
        let mut sql = self.select(&columns());
        sql.add(" FROM archive a JOIN session s ON s.id = a.session_id");
        sql
    }
}

impl Tx {
    /// Writes an archive's row; the session's comes first. Whatever it was deleted by is forgotten: it is back.
    pub async fn put_archive(&self, archive: &Archive) -> Result<()> {
        let facts = &archive.facts;
        let mut sql = self.sql(
            "INSERT INTO archive (id, session_id, owner, source_tool, source_tool_version, original_id, model_provider,
             model_id, parent_id, message_count, turn_count, tool_use_count, input_tokens, output_tokens,
             duration_millis, git_remote, git_branch, git_commit, digest, size_bytes, uploaded_at, scan) VALUES (",
        );
        sql.text(&archive.id).add(", ").text(&archive.session.to_string()).add(", ").text(archive.owner.as_str());
        sql.add(", ").text(&facts.source_tool);
        for text in
            [&facts.source_tool_version, &facts.original_id, &facts.model_provider, &facts.model_id, &facts.parent_id]
        {
            sql.add(", ").opt_text(text.as_deref());
        }
        for count in [facts.messages, facts.turns, facts.tool_uses, facts.input_tokens, facts.output_tokens] {
            sql.add(", ").int(to_i64(count));
        }
        match facts.duration_millis {
            Some(millis) => sql.add(", ").int(to_i64(millis)),
            None => sql.add(", NULL"),
        };
        for text in [&facts.git_remote, &facts.git_branch, &facts.git_commit] {
            sql.add(", ").opt_text(text.as_deref());
        }
        sql.add(", ").text(&archive.digest.to_string()).add(", ").int(to_i64(archive.size_bytes));
        sql.add(", ").time(archive.uploaded_at).add(", ").opt_text(archive.scan.as_deref());
        sql.add(
            ") ON CONFLICT (session_id) DO UPDATE SET source_tool = excluded.source_tool,
             source_tool_version = excluded.source_tool_version, original_id = excluded.original_id,
             model_provider = excluded.model_provider, model_id = excluded.model_id, parent_id = excluded.parent_id,
             message_count = excluded.message_count, turn_count = excluded.turn_count,
             tool_use_count = excluded.tool_use_count, input_tokens = excluded.input_tokens,
             output_tokens = excluded.output_tokens, duration_millis = excluded.duration_millis,
             git_remote = excluded.git_remote, git_branch = excluded.git_branch, git_commit = excluded.git_commit,
             digest = excluded.digest, size_bytes = excluded.size_bytes, uploaded_at = excluded.uploaded_at,
             scan = excluded.scan, deleted_by = NULL, delete_scope = NULL",
        );
        self.run(sql).await?;
        Ok(())
    }

    /// The archive of this id, in the trash or not, whoever owns it.
    pub async fn any_archive(&self, id: &str) -> Result<Option<ArchivedSession>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&columns().join(", ")).add(" FROM archive a JOIN session s ON s.id = a.session_id WHERE a.id = ");
        sql.text(id);
        Ok(self.row(sql, decode).await?)
    }

    /// Notes who puts an archive into the trash, and where else it is to go.
    pub async fn note_archive_deletion(&self, session: &Session, by: &UserId, scope: DeleteScope) -> Result<()> {
        let mut sql = self.sql("UPDATE archive SET deleted_by = ");
        sql.text(by.as_str()).add(", delete_scope = ").text(scope.name());
        sql.add(" WHERE session_id = ").text(&session.id.to_string());
        self.run(sql).await?;
        Ok(())
    }
}

/// Adds whose archives may be seen.
pub(crate) fn visible(sql: &mut Sql, who: &Visibility) {
    if let Visibility::Owner(owner) = who {
        sql.add(" AND a.owner = ").text(owner.as_str());
    }
}

fn columns() -> Vec<&'static str> {
    let own = COLUMNS.into_iter().chain([SCAN, "s.deleted_at"]);
    own.chain(session_row::columns(SessionColumns::ALL)).collect()
}

/// Reads what [`Store::select_archives`] selects.
pub(crate) fn decode(row: &mut dyn Row) -> StoreResult<ArchivedSession> {
    let archive = Archive {
        id: row.text()?,
        session: stored_id(row)?,
        owner: UserId(row.text()?),
        facts: ArchiveFacts {
            source_tool: row.text()?,
            source_tool_version: row.opt_text()?,
            original_id: row.opt_text()?,
            model_provider: row.opt_text()?,
            model_id: row.opt_text()?,
            parent_id: row.opt_text()?,
            messages: row.count()?,
            turns: row.count()?,
            tool_uses: row.count()?,
            input_tokens: row.count()?,
            output_tokens: row.count()?,
            duration_millis: row.opt_int()?.map(|millis| u64::try_from(millis).unwrap_or(0)),
            git_remote: row.opt_text()?,
            git_branch: row.opt_text()?,
            git_commit: row.opt_text()?,
        },
        digest: row.digest()?,
        size_bytes: row.count()?,
        uploaded_at: row.time()?,
        deletion: deletion(row.opt_text()?, row.opt_text()?)?,
        scan: row.opt_text()?,
    };
    let deleted_at: Option<Timestamp> = row.opt_time()?;
    let session = session_row::decode(row, SessionColumns::ALL)?;
    Ok(ArchivedSession { archive, session, deleted_at })
}

fn deletion(by: Option<String>, scope: Option<String>) -> StoreResult<Option<ArchiveDeletion>> {
    let (Some(by), Some(scope)) = (by, scope) else { return Ok(None) };
    let found = DeleteScope::ALL.into_iter().find(|known| known.name() == scope);
    Ok(Some(ArchiveDeletion { by: UserId(by), scope: named(found, "delete scope", &scope)? }))
}
