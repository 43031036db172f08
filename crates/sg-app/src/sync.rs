//! What an account's machines sync by themselves: settings, the watchlist, how it goes.

use sg_domain::sync::{SyncCounts, SyncHealth, Watcher};
use sg_domain::{
    ArchivedSession, Caller, Error, Feature, Result, Scope, SyncMode, SyncSettings, WatchStatus, WatchedSession,
};

use crate::App;

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncStanding {
    /// What it syncs.
    pub settings: SyncSettings,
    /// How much it has.
    pub counts: SyncCounts,
    /// How much it may have, in bytes; 0 is as much as it likes.
    pub limit_bytes: u64,
}

/// Sessions of a watchlist that are shown.
pub const MAX_WATCHED: u32 = 1_000;
/// Watchers that are kept of one account.
const MAX_WATCHERS: usize = 50;
/// The longest text of a watcher, in characters.
const MAX_WATCHER_CHARS: usize = 500;

impl App {
    /// What the caller's machines sync.
    pub async fn sync_settings(&self, caller: &Caller) -> Result<SyncSettings> {
        let identity = caller.require(Scope::Read)?;
        Ok(self.store().sync_settings(&identity.user).await?.unwrap_or_default())
    }

    /// Sets what the caller's machines sync, by the mode's name: whether the account may have any is asked first, as clients
    /// expect. A rest that is too short or too long is brought within bounds; `None` leaves it.
    pub async fn update_sync_settings(
        &self,
        caller: &Caller,
        mode: &str,
        debounce_secs: Option<i64>,
    ) -> Result<SyncSettings> {
        let identity = caller.require(Scope::Write)?;
        let wanted = SyncMode::parse(mode);
        if wanted != Some(SyncMode::Off) {
            self.require_feature(identity, Feature::Autosync).await?;
        }
        let mode = wanted.ok_or_else(|| Error::invalid("mode must be 'off', 'all', or 'selective'").at("mode"))?;
        let tx = self.store().begin().await?;
        let stored = tx.sync_settings(&identity.user).await?.unwrap_or_default();
        let bounds = SyncSettings::DEBOUNCE_SECS;
        let within = |secs: i64| u32::try_from(secs.max(0)).unwrap_or(u32::MAX).clamp(*bounds.start(), *bounds.end());
        let settings = SyncSettings { mode, debounce_secs: debounce_secs.map_or(stored.debounce_secs, within) };
        tx.put_sync_settings(&identity.user, settings).await?;
        tx.commit().await?;
        Ok(settings)
    }

    /// The caller's watchlist, newest first, at most so many.
    pub async fn watchlist(&self, caller: &Caller, limit: u32) -> Result<Vec<WatchedSession>> {
        let identity = caller.require(Scope::Read)?;
        self.store().watchlist(&identity.user, limit.min(MAX_WATCHED)).await
    }

    /// Puts one of the caller's sessions on the watchlist; again changes nothing.
    pub async fn watch_session(&self, caller: &Caller, name: &str) -> Result<WatchedSession> {
        let identity = caller.require(Scope::Write)?;
        let found = self.live_archive(identity, name).await?;
        let tx = self.store().begin().await?;
        // Locked, so that it is not deleted while it is put there.
        if tx.session_by_id(&identity.user, found.session.id).await?.is_none() {
            return Err(Error::not_found("session"));
        }
        tx.watch_session(&found, self.now()).await?;
        tx.commit().await?;
        let watched = self.store().watched_session(&identity.user, found.session.id).await?;
        watched.ok_or_else(|| Error::not_found("session"))
    }

    /// Takes one of the caller's sessions off the watchlist; the session, if there is one of that name.
    pub async fn unwatch_session(&self, caller: &Caller, name: &str) -> Result<Option<ArchivedSession>> {
        let identity = caller.require(Scope::Write)?;
        let found = self.named_or_none(self.live_archive(identity, name).await)?;
        let archive = found.as_ref().map_or(name, |found| &found.archive.id);
        let tx = self.store().begin().await?;
        tx.unwatch_session(&identity.user, archive).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Notes how sending a session goes; whether it is on the caller's watchlist.
    pub async fn set_watch_status(&self, caller: &Caller, name: &str, status: WatchStatus) -> Result<bool> {
        let identity = caller.require(Scope::Write)?;
        let found = self.named_or_none(self.live_archive(identity, name).await)?;
        let Some(found) = found else { return Ok(false) };
        let tx = self.store().begin().await?;
        let is_watched = tx.set_watch_status(&identity.user, &found.archive.id, status, self.now()).await?;
        tx.commit().await?;
        Ok(is_watched)
    }

    /// How the caller's account stands.
    pub async fn sync_standing(&self, caller: &Caller) -> Result<SyncStanding> {
        let identity = caller.require(Scope::Read)?;
        let user = self.user_of(identity).await?;
        let settings = self.store().sync_settings(&identity.user).await?.unwrap_or_default();
        let counts = self.store().sync_counts(&identity.user).await?;
        Ok(SyncStanding { settings, counts, limit_bytes: self.tier_of(&user).max_stored_bytes() })
    }

    /// Keeps what a daemon says of its watchers, as much of it as is sensible; returns how many are kept.
    pub async fn report_sync_health(&self, caller: &Caller, watchers: Vec<Watcher>) -> Result<usize> {
        let identity = caller.require(Scope::Write)?;
        let cut = |text: String| text.chars().take(MAX_WATCHER_CHARS).collect::<String>();
        let watchers: Vec<_> = watchers
            .into_iter()
            .take(MAX_WATCHERS)
            .map(|watcher| Watcher {
                name: cut(watcher.name),
                health: cut(watcher.health),
                degraded_since: watcher.degraded_since.map(cut),
                last_error: watcher.last_error.map(cut),
                sessions: watcher.sessions,
            })
            .collect();
        let health = SyncHealth { watchers, reported_at: self.now() };
        let tx = self.store().begin().await?;
        tx.put_sync_health(&identity.user, &health).await?;
        tx.commit().await?;
        Ok(health.watchers.len())
    }

    /// What a daemon of the caller's last said of its watchers.
    pub async fn sync_health(&self, caller: &Caller) -> Result<Option<SyncHealth>> {
        let identity = caller.require(Scope::Read)?;
        self.store().sync_health(&identity.user).await
    }

    fn named_or_none(&self, found: Result<ArchivedSession>) -> Result<Option<ArchivedSession>> {
        match found {
            Err(error) if error.kind == sg_domain::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }
}
