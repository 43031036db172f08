//! Archives: sessions as SessionFS's clients push and pull them. What is told of them, their bytes, and turns at pushing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sg_domain::archive::ArchivedSession;
use sg_domain::{Archive, Caller, Error, ErrorKind, Feature, Result, Scope, Visibility};
use sg_store::BlobStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::App;

impl App {
    /// One archive by its id or the session's alias. `NotFound` when there is none that the caller may see.
    pub async fn archive(&self, caller: &Caller, id_or_alias: &str) -> Result<ArchivedSession> {
        let identity = caller.require(Scope::Read)?;
        let found = self.store().archive(&Visibility::of(identity), id_or_alias).await?;
        found.ok_or_else(|| Error::not_found("session"))
    }

    /// An archive's bytes, as they came.
    pub async fn archive_bytes(&self, caller: &Caller, archive: &Archive) -> Result<Bytes> {
        let identity = caller.require(Scope::Read)?;
        if !Visibility::of(identity).allows(&archive.owner) {
            return Err(Error::not_found("session"));
        }
        let bytes = self.store().blobs().get(archive.digest).await?;
        bytes.ok_or_else(|| Error::not_found("session blob"))
    }

    /// An archive's bytes piece by piece, as they came.
    pub async fn archive_stream(&self, caller: &Caller, archive: &Archive) -> Result<BlobStream> {
        let identity = caller.require(Scope::Read)?;
        if !Visibility::of(identity).allows(&archive.owner) {
            return Err(Error::not_found("session"));
        }
        let stream = self.store().blobs().stream(archive.digest).await?;
        stream.ok_or_else(|| Error::not_found("session blob"))
    }

    /// A turn at pushing: each account has a few at a time. `RateLimited` when none comes free in half a minute. Nothing is
    /// held meanwhile but the caller's request.
    pub async fn push_turn(&self, caller: &Caller) -> Result<PushTurn> {
        let identity = caller.require(Scope::Write)?;
        let limits = &self.limits().archives;
        let turns = {
            let mut all = self.inner.push_turns.lock();
            // Those that nobody uses now are as good as new ones.
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
            Arc::clone(
                all.entry(identity.user.clone())
                    .or_insert_with(|| Arc::new(Semaphore::new(limits.pushes_at_once.max(1)))),
            )
        };
        match tokio::time::timeout(limits.push_wait, Arc::clone(&turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(PushTurn { _permit: permit, _turns: turns }),
            _ => {
                let kind = ErrorKind::RateLimited { retry_after: PUSH_RETRY };
                Err(Error::new(kind, "too many concurrent syncs. Please wait.").with("error", "sync_rate_limit"))
            }
        }
    }

    /// The most bytes that an archive of the caller's may have, packed. `Forbidden` when it may push none.
    pub async fn push_limit(&self, caller: &Caller) -> Result<u64> {
        let identity = caller.require(Scope::Write)?;
        self.require_verified(identity).await?;
        self.require_feature(identity, Feature::CloudSync).await?;
        Ok(self.limits().archives.max_archive_bytes)
    }
}

/// When it is worth trying again.
const PUSH_RETRY: Duration = Duration::from_secs(5);
/// The largest file in one, unpacked: the client refuses to unpack larger ones.
pub const MAX_MEMBER_BYTES: u64 = 50 << 20;

/// A turn at pushing; over when it is dropped.
pub struct PushTurn {
    _permit: OwnedSemaphorePermit,
    _turns: Arc<Semaphore>,
}
