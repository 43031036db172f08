//! The log of what changed of sessions, and the bells that wake who follows it.
//!
//! Its clock is each owner's data version. Moving that locks the owner's row until the transaction has ended, so versions
//! of one owner are in the order of their commits: whoever has read everything up to a version has missed nothing, and no
//! later commit can put anything before it. Bells only say that there is more; what there is, and in which order, is read
//! from the table. So a bell may ring twice or for nothing, and a subscriber holds no queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use sg_domain::change::{ChangeKind, ChangePlace, SessionChange};
use sg_domain::{JobId, ProjectId, ProjectKey, Result, Session, Timestamp, UserId};
use tokio::sync::watch;

use crate::error::{StoreError, StoreResult};
use crate::filter::LIVE;
use crate::row::Row;
use crate::sql::Sql;
use crate::store::{named, stored_id};
use crate::{Store, Tx};

/// Changes behind a place, and how far the log reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// The changes, in order.
    pub changes: Vec<SessionChange>,
    /// The owner's data version at that moment: everything up to it that is not among the changes is behind them.
    pub version: i64,
    /// Changes up to this version are not kept any more.
    pub swept: i64,
}

/// The channel on which PostgreSQL tells every server whose version has moved.
pub(crate) const CHANGE_CHANNEL: &str = "sessiongraph_change";
/// The channel on which it tells which jobs have.
pub(crate) const JOB_CHANNEL: &str = "sessiongraph_job";
/// How often SQLite's file is looked at: another process that writes it has no other way to tell.
const SQLITE_LOOK: Duration = Duration::from_secs(1);
/// How often PostgreSQL is asked although it tells: a connection can be dead without either end knowing.
const POSTGRES_LOOK: Duration = Duration::from_secs(15);

impl Store {
    /// Rings when the owner's data version moves, from now on.
    pub fn listen(&self, owner: &UserId) -> Ear<UserId> {
        self.inner.bells.owners.listen(owner.clone())
    }

    /// Wakes the owner's subscribers though nothing of theirs has moved: who they are may have.
    pub fn nudge(&self, owner: &UserId) {
        self.inner.bells.owners.nudge(owner);
    }

    /// At most `limit` changes behind a place, oldest first. One statement, so that versions and changes agree.
    pub async fn changes(&self, owner: &UserId, after: ChangePlace, limit: u32) -> Result<ChangePage> {
        let of = owner.clone();
        let sql = self.changes_sql(owner, after, limit);
        let rows = self.rows(sql, move |row| Ok((row.int()?, row.int()?, decode(row, &of)?))).await?;
        let mut page = ChangePage::default();
        for (version, swept, change) in rows {
            (page.version, page.swept) = (version, swept);
            page.changes.extend(change);
        }
        Ok(page)
    }

    pub(crate) fn changes_sql(&self, owner: &UserId, after: ChangePlace, limit: u32) -> Sql {
        let mut sql = self.select(&[
            "d.version",
            "d.swept",
            "c.version",
            "c.ordinal",
            "c.at",
            "c.kind",
            "c.session_id",
            "c.client_id",
            "c.project_key",
            "c.project_id",
        ]);
        // Cut off inside: neither engine would see that what is joined is in order already, and both would sort all of it.
        sql.add(
            " FROM data_version d LEFT JOIN (SELECT version, ordinal, at, kind, session_id, client_id, project_key,",
        );
        sql.add(" project_id FROM change WHERE owner = ").text(owner.as_str()).add(" AND (version, ordinal) > (");
        sql.int(after.version).add(", ").int(after.ordinal).add(") ORDER BY version, ordinal LIMIT ");
        sql.int(i64::from(limit.max(1))).add(") c ON TRUE WHERE d.owner = ").text(owner.as_str());
        sql.add(" ORDER BY c.version, c.ordinal");
        sql.end()
    }

    /// Forgets changes from before a time; returns how many owners had some.
    pub async fn sweep_changes(&self, before: Timestamp) -> Result<u64> {
        // The first of each owner is the oldest: one step in an index an owner.
        let mut sql = self.select(&["d.owner"]);
        sql.add(" FROM data_version d WHERE (SELECT c.at FROM change c WHERE c.owner = d.owner");
        sql.add(" ORDER BY c.version, c.ordinal LIMIT 1) < ").time(before);
        let owners = self.rows(sql.end(), |row| row.text()).await?;
        for owner in &owners {
            // An owner at a time: nobody waits for another's log.
            let tx = self.begin().await?;
            // The owner's row first: whoever waits for it afterwards must look at the log as it is by then.
            let mut sql = tx.sql("SELECT version FROM data_version WHERE owner = ");
            sql.text(owner).either("", " FOR UPDATE");
            tx.row(sql, |row| row.int()).await?;
            // Whole versions, and none behind one that is kept: clocks of several servers may differ.
            let mut sql = tx.sql("UPDATE data_version SET swept = coalesce((SELECT min(c.version) - 1 FROM change c");
            sql.add(" WHERE c.owner = data_version.owner AND c.at >= ").time(before).add("), version)");
            sql.add(" WHERE owner = ").text(owner);
            tx.run(sql).await?;
            let mut sql = tx.sql("DELETE FROM change WHERE owner = ");
            sql.text(owner).add(" AND version <= (SELECT swept FROM data_version WHERE owner = ").text(owner).add(")");
            tx.run(sql).await?;
            tx.commit().await?;
        }
        Ok(owners.len() as u64)
    }

    /// Asks for the versions of all owners that somebody listens for, and rings where one has moved.
    pub async fn look_at_versions(&self) -> Result<()> {
        let owners: Vec<String> = self.inner.bells.owners.keys().into_iter().map(|owner| owner.0).collect();
        if !owners.is_empty() {
            let mut sql = self.select(&["d.owner", "d.version"]);
            sql.add(" FROM data_version d WHERE ").one_of("d.owner", &owners);
            for (owner, version) in self.rows(sql.end(), |row| Ok((UserId(row.text()?), row.int()?))).await? {
                self.inner.bells.owners.ring(&owner, version);
            }
        }
        self.inner.bells.jobs.nudge_all();
        Ok(())
    }

    /// Hears what other processes change, and rings for it here. Ends only with an error, such as a lost connection; begun
    /// again, it catches up with what it missed. Changes of this process ring without it.
    pub async fn hear_others(&self) -> Result<()> {
        let Some(url) = &self.inner.postgres_url else {
            loop {
                self.look_at_versions().await?;
                tokio::time::sleep(SQLITE_LOOK).await;
            }
        };
        let mut listener = listener(url).await?;
        // Only now: whatever is committed from here on is told.
        self.look_at_versions().await?;
        loop {
            let told = {
                let mut told = std::pin::pin!(listener.try_recv());
                loop {
                    tokio::select! {
                        told = &mut told => break told.map_err(connection_error)?,
                        () = tokio::time::sleep(POSTGRES_LOOK) => self.look_at_versions().await?,
                    }
                }
            };
            match told {
                Some(told) => self.ring_for(&told),
                // The connection was lost and is back.
                None => self.look_at_versions().await?,
            }
        }
    }

    fn ring_for(&self, told: &PgNotification) {
        let bells = &self.inner.bells;
        match told.channel() {
            CHANGE_CHANNEL => {
                let moved = told.payload().split_once(' ').and_then(|(v, owner)| Some((v.parse().ok()?, owner)));
                if let Some((version, owner)) = moved {
                    bells.owners.ring(&UserId(owner.to_owned()), version);
                }
            }
            _ => told.payload().split(' ').filter_map(|id| id.parse().ok()).for_each(|id| bells.jobs.nudge(&id)),
        }
    }
}

/// One connection of its own: the pool's must stay free for work.
async fn listener(url: &str) -> StoreResult<PgListener> {
    let options: PgConnectOptions = url.parse().map_err(connection_error)?;
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.connect_with(options.disable_statement_logging()).await.map_err(connection_error)?;
    let mut listener = PgListener::connect_with(&pool).await.map_err(connection_error)?;
    listener.listen_all([CHANGE_CHANNEL, JOB_CHANNEL]).await.map_err(connection_error)?;
    Ok(listener)
}

fn connection_error(error: sea_orm::sqlx::Error) -> StoreError {
    sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(error))).into()
}

/// Rows of one statement.
const CHUNK: usize = 500;

impl Tx {
    /// Moves the owner's data version and returns the new one. Every operation that changes what an owner can see calls it
    /// once, near its end: the owner's other writers wait from here until this transaction has ended, which is what makes
    /// the version a sequence. On PostgreSQL every server is told with the commit.
    pub async fn bump_version(&self, owner: &UserId) -> Result<i64> {
        let mut sql = self.sql("");
        sql.either("", "WITH moved AS (");
        sql.add("INSERT INTO data_version (owner, version) VALUES (").text(owner.as_str()).add(", 1)");
        sql.add(" ON CONFLICT (owner) DO UPDATE SET version = data_version.version + 1 RETURNING version, owner");
        sql.either("", ") SELECT version, pg_notify('").either("", CHANGE_CHANNEL);
        sql.either("", "', version || ' ' || owner)::text FROM moved");
        let version = self.row(sql, |row| row.int()).await?;
        let version = version.ok_or_else(|| StoreError::Corrupt("a data version did not move".to_owned()))?;
        self.rings.lock().owners.push((owner.clone(), version));
        Ok(version)
    }

    /// Writes what happened to one session into the log, as the change of this version.
    pub async fn log_change(&self, version: i64, kind: ChangeKind, session: &Session, at: Timestamp) -> Result<()> {
        self.log_changes(version, kind, std::slice::from_ref(session), at).await
    }

    /// Writes what happened to several sessions of one owner at once.
    pub async fn log_changes(&self, version: i64, kind: ChangeKind, sessions: &[Session], at: Timestamp) -> Result<()> {
        let mut following = i64::try_from(sessions.len()).unwrap_or(i64::MAX);
        for chunk in sessions.chunks(CHUNK) {
            let mut sql = self.sql(INSERT);
            sql.add(" VALUES ");
            for (at_row, session) in chunk.iter().enumerate() {
                following -= 1;
                sql.add(if at_row == 0 { "(" } else { ", (" }).text(session.owner.as_str());
                sql.add(", ").int(version).add(", ").int(-following).add(", ").time(at).add(", ").text(kind.name());
                sql.add(", ").text(&session.id.to_string()).add(", ").text(&session.client_id);
                sql.add(", ").text(&session.project_key.to_string()).add(", ").text(session.project_id.as_str());
                sql.add(")");
            }
            self.run(sql).await?;
        }
        Ok(())
    }

    /// Writes into the log that every session of a project is deleted; before they are.
    pub async fn log_deleted_project(&self, version: i64, project: ProjectKey, at: Timestamp) -> Result<()> {
        let mut sql = self.sql(INSERT);
        sql.add(" SELECT s.owner, ").int(version).add(", row_number() OVER (ORDER BY s.id) - count(*) OVER (), ");
        sql.time(at).add(", '").add(ChangeKind::Deleted.name());
        sql.add("', s.id, s.client_id, s.project_key, s.project_id FROM session s WHERE s.project_key = ");
        // Those in the trash were told of when they went there.
        sql.text(&project.to_string()).add(" AND ").add(LIVE);
        self.run(sql).await?;
        Ok(())
    }
}

const INSERT: &str =
    "INSERT INTO change (owner, version, ordinal, at, kind, session_id, client_id, project_key, project_id)";

/// A change, or `None` where the log has none behind the place.
fn decode(row: &mut dyn Row, owner: &UserId) -> StoreResult<Option<SessionChange>> {
    let Some(version) = row.opt_int()? else { return Ok(None) };
    Ok(Some(SessionChange {
        place: ChangePlace { version, ordinal: row.int()? },
        owner: owner.clone(),
        at: row.time()?,
        kind: {
            let text = row.text()?;
            named(ChangeKind::ALL.into_iter().find(|kind| kind.name() == text), "kind of change", &text)?
        },
        session: stored_id(row)?,
        client_id: row.text()?,
        project: stored_id(row)?,
        project_id: ProjectId::new(row.text()?).map_err(|e| StoreError::Corrupt(e.to_string()))?,
    }))
}

/// The bells of one store: what has moved, for those in this process who want to know.
#[derive(Default)]
pub(crate) struct Bells {
    /// Owners' data versions.
    pub(crate) owners: Arc<Tower<UserId>>,
    /// Jobs.
    pub(crate) jobs: Arc<Tower<JobId>>,
}

/// What to ring for when a transaction has been committed.
#[derive(Default)]
pub(crate) struct Rings {
    pub(crate) owners: Vec<(UserId, i64)>,
    pub(crate) jobs: Vec<JobId>,
}

impl Bells {
    pub(crate) fn ring(&self, rings: Rings) {
        for (owner, version) in rings.owners {
            self.owners.ring(&owner, version);
        }
        for job in rings.jobs {
            self.jobs.nudge(&job);
        }
    }
}

/// Bells by key. There is one as long as somebody listens to it.
pub(crate) struct Tower<K>(Mutex<HashMap<K, watch::Sender<i64>>>);

impl<K> Default for Tower<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> Tower<K> {
    pub(crate) fn listen(self: &Arc<Self>, key: K) -> Ear<K> {
        let receiver = self.0.lock().entry(key.clone()).or_insert_with(|| watch::channel(0).0).subscribe();
        Ear { receiver, key, tower: Arc::clone(self) }
    }

    /// Rings once for each version, however often it is told.
    fn ring(&self, key: &K, version: i64) {
        if let Some(bell) = self.0.lock().get(key) {
            bell.send_if_modified(|known| std::mem::replace(known, version.max(*known)) < version);
        }
    }

    pub(crate) fn nudge(&self, key: &K) {
        if let Some(bell) = self.0.lock().get(key) {
            bell.send_modify(|_| {});
        }
    }

    fn nudge_all(&self) {
        let mut bells = self.0.lock();
        forget_unheard(&mut bells);
        bells.values().for_each(|bell| bell.send_modify(|_| {}));
    }

    pub(crate) fn keys(&self) -> Vec<K> {
        let mut bells = self.0.lock();
        forget_unheard(&mut bells);
        bells.keys().cloned().collect()
    }
}

/// Takes down bells that nobody listens to: of two ears that are dropped at once, each may have counted the other.
fn forget_unheard<K>(bells: &mut HashMap<K, watch::Sender<i64>>) {
    bells.retain(|_, bell| bell.receiver_count() > 0);
}

/// Who listens to one bell.
pub struct Ear<K: Hash + Eq + Clone> {
    receiver: watch::Receiver<i64>,
    key: K,
    tower: Arc<Tower<K>>,
}

impl<K: Hash + Eq + Clone> Ear<K> {
    /// Forgets what has rung so far: to be called before looking, so that what comes after the look rings again.
    pub fn forget(&mut self) {
        self.receiver.mark_unchanged();
    }

    /// Waits for the bell, if it has not rung since [`Ear::forget`].
    pub async fn wait(&mut self) {
        // The bell is there as long as this ear is.
        let _ = self.receiver.changed().await;
    }
}

impl<K: Hash + Eq + Clone> Drop for Ear<K> {
    fn drop(&mut self) {
        let mut bells = self.tower.0.lock();
        // This one still counts.
        if bells.get(&self.key).is_some_and(|bell| bell.receiver_count() <= 1) {
            bells.remove(&self.key);
        }
    }
}
