//! Links that let whoever has one read a session, and the wrong passwords that were tried on each.

use sg_domain::{Result, SessionId, ShareLink, ShareLinkId, ShareTarget, Timestamp, UserId, Visibility};

use crate::error::StoreResult;
use crate::filter::{Seek, visible};
use crate::row::Row;
use crate::store::stored_id;
use crate::{Store, Tx};

const COLUMNS: [&str; 8] = [
    "l.id",
    "l.session_id",
    "l.owner",
    "l.token_hash",
    "l.password_hash",
    "l.created_at",
    "l.expires_at",
    "l.revoked_at",
];

/// How many wrong passwords a link takes in how long.
#[derive(Clone, Copy, Debug)]
pub struct GuessAllowance {
    /// So many.
    pub guesses: u32,
    /// In a window that begins with the first, in microseconds.
    pub window_micros: i64,
}

impl Store {
    /// The links of these sessions that were not taken back, newest first.
    pub async fn share_links(&self, who: &Visibility, sessions: &[SessionId]) -> Result<Vec<ShareLink>> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM share_link l JOIN session s ON s.id = l.session_id");
        visible(&mut sql, who, Seek::Project);
        sql.one_of(" AND l.session_id", &ids);
        sql.add(" AND l.revoked_at IS NULL ORDER BY l.created_at DESC, l.id DESC");
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// What the link with the token of this hash leads to, ended or not: the one read of a tenant's archive that needs no
    /// tenant.
    pub async fn share_target(&self, token_hash: &sg_domain::Digest) -> Result<Option<ShareTarget>> {
        let behind = ["a.id", "a.digest", "a.size_bytes", "s.deleted_at", "u.disabled_at"];
        let mut sql = self.select(&COLUMNS.into_iter().chain(behind).collect::<Vec<_>>());
        sql.add(
            " FROM share_link l JOIN session s ON s.id = l.session_id JOIN archive a ON a.session_id = l.session_id",
        );
        sql.add(r#" JOIN "user" u ON u.id = l.owner WHERE l.token_hash = "#).text(&token_hash.to_string());
        let target = self.row(sql.end(), |row| {
            Ok(ShareTarget {
                link: decode(row)?,
                archive: row.text()?,
                digest: row.digest()?,
                size_bytes: row.count()?,
                is_deleted: row.opt_time()?.is_some(),
                is_owner_disabled: row.opt_time()?.is_some(),
            })
        });
        Ok(target.await?)
    }
}

impl Tx {
    /// Adds a link; whether its owner has the session, outside of the trash.
    pub async fn insert_share_link(&self, link: &ShareLink) -> Result<bool> {
        let mut sql = self.sql(
            "INSERT INTO share_link (session_id, owner, id, token_hash, password_hash, created_at, expires_at)
             SELECT s.id, s.owner, ",
        );
        sql.text(&link.id.to_string()).add(", ").text(&link.token_hash.to_string()).add(", ");
        sql.opt_text(link.password_hash.as_deref()).add(", ").time(link.created_at).add(", ").time(link.expires_at);
        sql.add(" FROM session s");
        visible(&mut sql, &Visibility::Owner(link.owner.clone()), Seek::Project);
        sql.add(" AND s.id = ").text(&link.session.to_string());
        Ok(self.run(sql).await? > 0)
    }

    /// How many links of a session can still be opened.
    pub async fn open_share_links(&self, session: SessionId, now: Timestamp) -> Result<u64> {
        let mut sql = self.sql("SELECT count(*) FROM share_link WHERE session_id = ");
        sql.text(&session.to_string()).add(" AND revoked_at IS NULL AND expires_at > ").time(now);
        Ok(self.row(sql, |row| row.count()).await?.unwrap_or(0))
    }

    /// Removes a session's links that ended before a time.
    pub async fn drop_ended_share_links(&self, session: SessionId, before: Timestamp) -> Result<()> {
        let mut sql = self.sql("DELETE FROM share_link WHERE session_id = ");
        sql.text(&session.to_string()).add(" AND expires_at < ").time(before);
        self.run(sql).await?;
        Ok(())
    }

    /// Takes a link back, for good; whether the owner has it. With `archive`, only one of the archive that has this id or
    /// alias. Again changes nothing.
    pub async fn revoke_share_link(
        &self,
        owner: &UserId,
        id: ShareLinkId,
        archive: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut sql = self.sql("UPDATE share_link SET revoked_at = coalesce(revoked_at, ");
        sql.time(now).add(") WHERE id = ").text(&id.to_string()).add(" AND owner = ").text(owner.as_str());
        if let Some(name) = archive {
            sql.add(" AND session_id IN (SELECT a.session_id FROM archive a JOIN session s ON s.id = a.session_id");
            sql.add(" WHERE a.owner = ").text(owner.as_str()).add(" AND (a.id = ").text(name);
            sql.add(" OR s.alias = ").text(name).add("))");
        }
        Ok(self.run(sql).await? > 0)
    }

    /// Takes every link of a session back; how many there were. Whoever brings a session back from the trash with new
    /// content must not open it to those who had a link to the old.
    pub async fn revoke_links_of(&self, session: SessionId, now: Timestamp) -> Result<u64> {
        let mut sql = self.sql("UPDATE share_link SET revoked_at = ");
        sql.time(now).add(" WHERE revoked_at IS NULL AND session_id = ").text(&session.to_string());
        Ok(self.run(sql).await?)
    }

    /// Counts a wrong password in advance. `Some`: there were too many, and this is when there may be more.
    pub async fn count_share_guess(
        &self,
        id: ShareLinkId,
        allowance: GuessAllowance,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let begun = now.plus_micros(-allowance.window_micros);
        let mut sql = self.sql("UPDATE share_link SET failures = CASE WHEN failures_since > ");
        sql.time(begun).add(" THEN failures + 1 ELSE 1 END, failures_since = CASE WHEN failures_since > ");
        sql.time(begun).add(" THEN failures_since ELSE ").time(now).add(" END WHERE id = ").text(&id.to_string());
        sql.add(" AND (failures < ").int(allowance.guesses.into()).add(" OR failures_since <= ").time(begun).add(")");
        if self.run(sql).await? > 0 {
            return Ok(None);
        }
        let mut sql = self.sql("SELECT failures_since FROM share_link WHERE id = ");
        sql.text(&id.to_string());
        let since = self.row(sql, |row| row.time()).await?.unwrap_or(now);
        Ok(Some(since.plus_micros(allowance.window_micros)))
    }

    /// Takes one wrong password back: it was right.
    pub async fn forgive_share_guess(&self, id: ShareLinkId) -> Result<()> {
        let mut sql = self.sql("UPDATE share_link SET failures = failures - 1 WHERE failures > 0 AND id = ");
        sql.text(&id.to_string());
        self.run(sql).await?;
        Ok(())
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<ShareLink> {
    Ok(ShareLink {
        id: stored_id(row)?,
        session: stored_id(row)?,
        owner: UserId(row.text()?),
        token_hash: row.digest()?,
        password_hash: row.opt_text()?,
        created_at: row.time()?,
        expires_at: row.time()?,
        revoked_at: row.opt_time()?,
    })
}
