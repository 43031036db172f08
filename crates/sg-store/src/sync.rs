//! What accounts sync by themselves: settings, the watchlist, counts, the health of their watchers.

use sg_domain::sync::{SyncCounts, SyncHealth};
use sg_domain::{
    ArchivedSession, Result, SessionId, SyncMode, SyncSettings, Timestamp, UserId, Visibility, WatchStatus,
    WatchedSession,
};

use crate::archive;
use crate::error::StoreResult;
use crate::filter::LIVE;
use crate::row::Row;
use crate::sql::Sql;
use crate::store::named;
use crate::{Store, Tx};

impl Store {
    /// What an account set; `None` when it set nothing.
    pub async fn sync_settings(&self, owner: &UserId) -> Result<Option<SyncSettings>> {
        let mut sql = self.select(&SETTING_COLUMNS);
        sql.add(" FROM sync_setting WHERE owner = ").text(owner.as_str());
        Ok(self.row(sql.end(), decode_settings).await?)
    }

    /// An account's watchlist, newest first, at most so many; nothing in the trash.
    pub async fn watchlist(&self, owner: &UserId, limit: u32) -> Result<Vec<WatchedSession>> {
        let mut sql = self.select_watched(owner);
        sql.add(" ORDER BY w.watched_at DESC, w.session_id DESC LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), decode_watched).await?)
    }

    /// One session of an account's watchlist.
    pub async fn watched_session(&self, owner: &UserId, session: SessionId) -> Result<Option<WatchedSession>> {
        let mut sql = self.select_watched(owner);
        sql.add(" AND w.session_id = ").text(&session.to_string());
        Ok(self.row(sql.end(), decode_watched).await?)
    }

    /// How much an account has, and how much of it is watched.
    pub async fn sync_counts(&self, owner: &UserId) -> Result<SyncCounts> {
        let sum = |of: &str| format!("CAST(coalesce(sum({of}), 0) AS bigint)");
        let is = |status: &str| sum(&format!("CASE WHEN w.status = '{status}' THEN 1 ELSE 0 END"));
        let (bytes, queued, failed) = (sum("a.size_bytes"), is("queued"), is("failed"));
        let mut sql = self.select(&["count(*)", &bytes, "count(w.session_id)", &queued, &failed]);
        sql.add(" FROM archive a JOIN session s ON s.id = a.session_id");
        sql.add(" LEFT JOIN sync_watch w ON w.session_id = a.session_id WHERE a.owner = ").text(owner.as_str());
        sql.add(" AND ").add(LIVE);
        let counts = |row: &mut dyn Row| {
            Ok(SyncCounts {
                sessions: row.count()?,
                bytes: row.count()?,
                watched: row.count()?,
                queued: row.count()?,
                failed: row.count()?,
            })
        };
        Ok(self.row(sql.end(), counts).await?.unwrap_or_default())
    }

    /// How an account's watchers were when they were last told of.
    pub async fn sync_health(&self, owner: &UserId) -> Result<Option<SyncHealth>> {
        let mut sql = self.select(&["watchers", "reported_at"]);
        sql.add(" FROM sync_health WHERE owner = ").text(owner.as_str());
        let health = |row: &mut dyn Row| {
            Ok(SyncHealth { watchers: serde_json::from_str(&row.text()?)?, reported_at: row.time()? })
        };
        Ok(self.row(sql.end(), health).await?)
    }

    fn select_watched(&self, owner: &UserId) -> Sql {
        let archive = archive::columns();
        let mut sql = self.select(&[&WATCH_COLUMNS[..], &archive[..]].concat());
        sql.add(
            " FROM sync_watch w JOIN archive a ON a.session_id = w.session_id JOIN session s ON s.id = a.session_id",
        );
        sql.add(" WHERE w.owner = ").text(owner.as_str()).add(" AND ").add(LIVE);
        archive::visible(&mut sql, &Visibility::Owner(owner.clone()));
        sql
    }
}

impl Tx {
    /// What an account set; `None` when it set nothing.
    pub async fn sync_settings(&self, owner: &UserId) -> Result<Option<SyncSettings>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&SETTING_COLUMNS.join(", ")).add(" FROM sync_setting WHERE owner = ").text(owner.as_str());
        Ok(self.row(sql, decode_settings).await?)
    }

    /// Sets what an account syncs.
    pub async fn put_sync_settings(&self, owner: &UserId, settings: SyncSettings) -> Result<()> {
        let mut sql = self.sql("INSERT INTO sync_setting (owner, mode, debounce_secs) VALUES (");
        sql.text(owner.as_str()).add(", ").text(settings.mode.name()).add(", ");
        sql.int(i64::from(settings.debounce_secs))
            .add(") ON CONFLICT (owner) DO UPDATE SET mode = excluded.mode, debounce_secs = excluded.debounce_secs");
        self.run(sql).await?;
        Ok(())
    }

    /// Puts a session on its owner's watchlist; one that is there stays as it is. The session is locked.
    pub async fn watch_session(&self, session: &ArchivedSession, now: Timestamp) -> Result<()> {
        let mut sql = self.sql("INSERT INTO sync_watch (session_id, owner, status, watched_at) VALUES (");
        sql.text(&session.session.id.to_string()).add(", ").text(session.archive.owner.as_str());
        sql.add(", 'pending', ").time(now).add(") ON CONFLICT (session_id) DO NOTHING");
        self.run(sql).await?;
        Ok(())
    }

    /// Takes a session off its owner's watchlist; whether it was there.
    pub async fn unwatch_session(&self, owner: &UserId, archive: &str) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM sync_watch");
        named_archive(&mut sql, owner, archive);
        Ok(self.run(sql).await? > 0)
    }

    /// Notes how sending a watched session goes; whether it is watched, and not in the trash.
    pub async fn set_watch_status(
        &self,
        owner: &UserId,
        archive: &str,
        status: WatchStatus,
        now: Timestamp,
    ) -> Result<bool> {
        let mut sql = self.sql("UPDATE sync_watch SET status = ");
        sql.text(status.name());
        if status == WatchStatus::Synced {
            sql.add(", last_synced_at = ").time(now);
        }
        named_archive(&mut sql, owner, archive);
        sql.add(" AND EXISTS (SELECT 1 FROM session s WHERE s.id = sync_watch.session_id AND ").add(LIVE).add(")");
        Ok(self.run(sql).await? > 0)
    }

    /// Notes how an account's watchers are, instead of what was noted before.
    pub async fn put_sync_health(&self, owner: &UserId, health: &SyncHealth) -> Result<()> {
        let watchers = serde_json::to_value(&health.watchers).map_err(crate::error::StoreError::from)?;
        let mut sql = self.sql("INSERT INTO sync_health (owner, watchers, reported_at) VALUES (");
        sql.text(owner.as_str()).add(", ").text(&watchers.to_string()).add(", ").time(health.reported_at).add(
            ") ON CONFLICT (owner) DO UPDATE SET watchers = excluded.watchers, reported_at = excluded.reported_at",
        );
        self.run(sql).await?;
        Ok(())
    }
}

/// Adds ` WHERE` and the one row of an owner's archive.
fn named_archive(sql: &mut Sql, owner: &UserId, archive: &str) {
    sql.add(" WHERE owner = ").text(owner.as_str());
    sql.add(" AND session_id = (SELECT a.session_id FROM archive a WHERE a.id = ").text(archive).add(")");
}

const SETTING_COLUMNS: [&str; 2] = ["mode", "debounce_secs"];

fn decode_settings(row: &mut dyn Row) -> StoreResult<SyncSettings> {
    let mode = row.text()?;
    Ok(SyncSettings {
        mode: named(SyncMode::parse(&mode), "sync mode", &mode)?,
        debounce_secs: u32::try_from(row.int()?).unwrap_or(u32::MAX),
    })
}

const WATCH_COLUMNS: [&str; 3] = ["w.status", "w.last_synced_at", "w.watched_at"];

fn decode_watched(row: &mut dyn Row) -> StoreResult<WatchedSession> {
    let status = row.text()?;
    Ok(WatchedSession {
        status: named(WatchStatus::parse(&status), "watch status", &status)?,
        last_synced_at: row.opt_time()?,
        watched_at: row.time()?,
        session: archive::decode(row)?,
    })
}
