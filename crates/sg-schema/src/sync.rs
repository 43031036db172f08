//! What the caller's machines sync by themselves, and how that goes.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use sg_app::MAX_MEMBER_BYTES;
use sg_domain::{Error, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::page::{MAX_LIMIT, positive};
use crate::scalar::{BigInt, DateTime, int};
use crate::session::Session;

/// Which sessions are synced by themselves.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "SyncMode", remote = "sg_domain::SyncMode")]
pub(crate) enum SyncMode {
    /// None.
    Off,
    /// All.
    All,
    /// Those on the watchlist.
    Selective,
}

/// How sending a watched session goes, as its client says.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "WatchStatus", remote = "sg_domain::WatchStatus")]
pub(crate) enum WatchStatus {
    /// Nothing has happened yet.
    Pending,
    /// It is to be sent.
    Queued,
    /// It was sent.
    Synced,
    /// It could not be sent.
    Failed,
}

/// What an account syncs by itself.
pub(crate) struct SyncSettings(sg_domain::SyncSettings);

/// What the caller's machines sync by themselves.
#[Object]
impl SyncSettings {
    /// Which sessions.
    fn mode(&self) -> SyncMode {
        self.0.mode.into()
    }

    /// How long a session must rest before it is sent, in seconds.
    fn debounce_seconds(&self) -> i32 {
        int(u64::from(self.0.debounce_secs))
    }

    /// The largest file in an archive, unpacked, in bytes: clients neither send nor unpack larger ones.
    fn max_member_bytes(&self) -> BigInt {
        BigInt(MAX_MEMBER_BYTES)
    }
}

/// How an account stands.
pub(crate) struct SyncStatus(sg_app::SyncStanding);

/// How much of SessionFS's archives the caller has here, and how syncing them goes. Nothing in the trash counts.
#[Object]
impl SyncStatus {
    /// Sessions that came as archives.
    fn total_sessions(&self) -> i32 {
        int(self.0.counts.sessions)
    }

    /// Sessions on the watchlist.
    fn watched_sessions(&self) -> i32 {
        int(self.0.counts.watched)
    }

    /// Those of them that are to be sent.
    fn queued_sessions(&self) -> i32 {
        int(self.0.counts.queued)
    }

    /// Those of them that could not be sent.
    fn failed_sessions(&self) -> i32 {
        int(self.0.counts.failed)
    }

    /// Bytes of the archives, packed.
    fn storage_used_bytes(&self) -> BigInt {
        BigInt(self.0.counts.bytes)
    }

    /// Bytes that they may have; null when there is no limit.
    fn storage_limit_bytes(&self) -> Option<BigInt> {
        Some(self.0.limit_bytes).filter(|limit| *limit > 0).map(BigInt)
    }

    /// How the caller's daemon last said that its looks at agents' sessions go; null when none has said anything.
    async fn health(&self, ctx: &Context<'_>) -> Outcome<Option<SyncHealth>> {
        let reach = Reach::of(ctx);
        let found = reach.app.sync_health(&reach.caller).await?;
        reach.spend(found.as_ref().map_or(0, |health| health.watchers.len() as u64))?;
        Ok(found.map(|health| SyncHealth {
            reported_at: DateTime(health.reported_at),
            watchers: health.watchers.into_iter().map(watcher).collect(),
        }))
    }
}

/// How a daemon's looks at agents' sessions went when it last said so.
#[derive(SimpleObject)]
pub(crate) struct SyncHealth {
    /// When it said so.
    reported_at: DateTime,
    /// Agent by agent.
    watchers: Vec<SyncWatcher>,
}

/// How a daemon's look at one agent's sessions goes, in its own words.
#[derive(SimpleObject)]
pub(crate) struct SyncWatcher {
    /// The agent.
    name: String,
    /// How it goes.
    health: String,
    /// Since when it does not go well.
    degraded_since: Option<String>,
    /// What went wrong last.
    last_error: Option<String>,
    /// Sessions that it sees.
    sessions_tracked: i32,
}

fn watcher(said: sg_domain::sync::Watcher) -> SyncWatcher {
    SyncWatcher {
        name: said.name,
        health: said.health,
        degraded_since: said.degraded_since,
        last_error: said.last_error,
        sessions_tracked: int(said.sessions),
    }
}

/// A session on the watchlist.
#[derive(SimpleObject)]
pub(crate) struct WatchedSession {
    /// The session.
    session: Session,
    /// How sending it goes.
    status: WatchStatus,
    /// When it was last sent, as its client says.
    last_synced_at: Option<DateTime>,
    /// Since when it is watched.
    watched_at: DateTime,
}

fn watched(row: sg_domain::WatchedSession) -> WatchedSession {
    WatchedSession {
        session: Session::new(Arc::new(row.session.session)),
        status: row.status.into(),
        last_synced_at: row.last_synced_at.map(DateTime),
        watched_at: DateTime(row.watched_at),
    }
}

/// What is to be synced.
#[derive(InputObject)]
pub(crate) struct UpdateSyncSettingsInput {
    /// Which sessions.
    mode: SyncMode,
    /// How long a session must rest before it is sent, 5 to 300 seconds; left as it is when left out.
    debounce_seconds: Option<i32>,
}

/// What came of changing what is synced.
#[derive(SimpleObject)]
pub(crate) struct UpdateSyncSettingsPayload {
    /// What is synced.
    sync_settings: SyncSettings,
}

/// Which session is to be watched.
#[derive(InputObject)]
pub(crate) struct WatchSessionInput {
    /// The session, by its id on this server, the id its client knows it by, or its alias. It came as an archive.
    id: String,
}

/// What came of watching a session.
#[derive(SimpleObject)]
pub(crate) struct WatchSessionPayload {
    /// The session on the watchlist.
    watched_session: WatchedSession,
}

/// Which session is not to be watched any more.
#[derive(InputObject)]
pub(crate) struct UnwatchSessionInput {
    /// The session, by its id on this server, the id its client knows it by, or its alias.
    id: String,
}

/// What came of not watching a session any more.
#[derive(SimpleObject)]
pub(crate) struct UnwatchSessionPayload {
    /// The session's id on this server.
    unwatched_session_id: ID,
}

/// What the caller's machines sync.
pub(crate) async fn sync_settings(reach: &Reach) -> Outcome<SyncSettings> {
    Ok(SyncSettings(reach.app.sync_settings(&reach.caller).await?))
}

/// How the caller's account stands.
pub(crate) async fn sync_status(reach: &Reach) -> Outcome<SyncStatus> {
    Ok(SyncStatus(reach.app.sync_standing(&reach.caller).await?))
}

/// The caller's watchlist.
pub(crate) async fn watchlist(reach: &Reach, first: Option<i32>) -> Outcome<Vec<WatchedSession>> {
    reach.caller.require(Scope::Read)?;
    let first = positive("first", first.unwrap_or(MAX_LIMIT), MAX_LIMIT)?;
    let found = reach.app.watchlist(&reach.caller, first).await?;
    reach.spend(found.len() as u64 + 1)?;
    Ok(found.into_iter().map(watched).collect())
}

/// Changes what the caller's machines sync.
pub(crate) async fn update_sync_settings(
    reach: &Reach,
    input: UpdateSyncSettingsInput,
) -> Outcome<UpdateSyncSettingsPayload> {
    reach.caller.require(Scope::Write)?;
    let bounds = sg_domain::SyncSettings::DEBOUNCE_SECS;
    let is_within = |secs: i32| u32::try_from(secs).is_ok_and(|secs| bounds.contains(&secs));
    if input.debounce_seconds.is_some_and(|secs| !is_within(secs)) {
        let message = format!("debounceSeconds must be {} to {}", bounds.start(), bounds.end());
        return Err(Error::invalid(message).at("debounceSeconds").into());
    }
    let mode = sg_domain::SyncMode::from(input.mode);
    let debounce = input.debounce_seconds.map(i64::from);
    let settings = reach.app.update_sync_settings(&reach.caller, mode.name(), debounce).await?;
    Ok(UpdateSyncSettingsPayload { sync_settings: SyncSettings(settings) })
}

/// Puts a session on the watchlist.
pub(crate) async fn watch_session(reach: &Reach, input: WatchSessionInput) -> Outcome<WatchSessionPayload> {
    reach.caller.require(Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    Ok(WatchSessionPayload { watched_session: watched(reach.app.watch_session(&reach.caller, &input.id).await?) })
}

/// Takes a session off the watchlist.
pub(crate) async fn unwatch_session(reach: &Reach, input: UnwatchSessionInput) -> Outcome<UnwatchSessionPayload> {
    reach.caller.require(Scope::Write)?;
    let found = reach.app.unwatch_session(&reach.caller, &input.id).await?;
    let found = found.ok_or_else(|| Error::not_found("session"))?;
    Ok(UnwatchSessionPayload { unwatched_session_id: ID(found.session.id.to_string()) })
}
