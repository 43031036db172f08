//! Deleting sessions: into the trash, out of it again, and for good.

use sg_domain::archive::DeleteScope;
use sg_domain::change::ChangeKind;
use sg_domain::id::SessionRef;
use sg_domain::time::DAY_MICROS;
use sg_domain::{
    Caller, Error, Identity, Page, PageRequest, Result, Scope, Session, SessionId, Timestamp, TrashedSession,
    Visibility,
};

use crate::App;
use crate::session_etag::expect;

/// Sessions that are purged in one transaction.
const PURGE_PART: u32 = 200;

impl App {
    /// Puts a session into the trash. It is out of every answer when this returns, and of the trash after
    /// [`Limits::trash_days`](crate::Limits::trash_days).
    pub async fn delete_session(&self, caller: &Caller, session: &SessionRef) -> Result<Session> {
        Ok(self.delete_session_if(caller, session, None).await?.session)
    }

    /// The same, if the session still has the ETag that the caller has seen; `Conflict` otherwise.
    pub async fn delete_session_if(
        &self,
        caller: &Caller,
        session: &SessionRef,
        etag: Option<&str>,
    ) -> Result<TrashedSession> {
        let identity = caller.require(Scope::Write)?;
        self.trash(identity, session, etag, DeleteScope::Server).await
    }

    /// Puts a session into the trash; one that came as an archive remembers by whom, and where else it is to be deleted.
    pub(crate) async fn trash(
        &self,
        identity: &Identity,
        session: &SessionRef,
        etag: Option<&str>,
        scope: DeleteScope,
    ) -> Result<TrashedSession> {
        let (tx, found) = self.locked(identity, session).await?;
        expect(&found, etag)?;
        let now = self.now();
        if !tx.trash_session(&identity.user, found.id, now).await? {
            return Err(Error::not_found("session"));
        }
        tx.note_archive_deletion(&found, &identity.user, scope).await?;
        self.commit_session(tx, identity, &found, ChangeKind::Deleted).await?;
        // The job makes it durable; this makes it immediate.
        if let Err(error) = self.search().remove(found.id).await {
            tracing::warn!(session = %found.id, %error, "deleted session stays in the index until its job runs");
        }
        Ok(TrashedSession { session: found, deleted_at: now })
    }

    /// A page of the caller's trash, last deleted first.
    pub async fn trashed_sessions(&self, caller: &Caller, page: &PageRequest) -> Result<Page<TrashedSession>> {
        let identity = caller.require(Scope::Read)?;
        self.store().trashed_sessions(&Visibility::of(identity), page).await
    }

    /// How many sessions are in the caller's trash.
    pub async fn trashed_count(&self, caller: &Caller) -> Result<u64> {
        let identity = caller.require(Scope::Read)?;
        self.store().trashed_count(&Visibility::of(identity)).await
    }

    /// Takes a session out of the trash, as it was. `NotFound` when it is not in the caller's; `Conflict` when its client
    /// has stored it anew since, or its alias is another's now.
    pub async fn restore_session(&self, caller: &Caller, id: SessionId, etag: Option<&str>) -> Result<Session> {
        let identity = caller.require(Scope::Write)?;
        self.untrash(identity, id, etag).await
    }

    /// Takes a session out of the trash.
    pub(crate) async fn untrash(&self, identity: &Identity, id: SessionId, etag: Option<&str>) -> Result<Session> {
        let tx = self.store().begin().await?;
        let Some(TrashedSession { mut session, .. }) = tx.trashed_session(&identity.user, id).await? else {
            return Err(not_in_trash());
        };
        expect(&session, etag)?;
        session.updated_at = self.now();
        tx.restore_session(&session).await?;
        tx.forget_archive_deletion(&session).await?;
        self.commit_session(tx, identity, &session, ChangeKind::Restored).await?;
        Ok(session)
    }

    /// Deletes a session in the trash for good.
    pub async fn purge_session(&self, caller: &Caller, id: SessionId, etag: Option<&str>) -> Result<Session> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        let Some(TrashedSession { session, .. }) = tx.trashed_session(&identity.user, id).await? else {
            return Err(not_in_trash());
        };
        expect(&session, etag)?;
        tx.purge_session(&identity.user, id).await?;
        tx.forget_answers_of(&identity.user).await?;
        tx.bump_version(&identity.user).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// When a session that was deleted then goes for good.
    pub fn purge_at(&self, deleted_at: Timestamp) -> Timestamp {
        deleted_at.plus_micros(i64::from(self.limits().trash_days) * DAY_MICROS)
    }

    /// Deletes for good what has been in the trash for long enough, in parts; returns how many sessions.
    pub(crate) async fn purge_trash(&self) -> Result<u64> {
        let before = self.now().plus_micros(-i64::from(self.limits().trash_days) * DAY_MICROS);
        let mut purged = 0;
        for owner in self.store().owners_of_trash(before).await? {
            loop {
                let tx = self.store().begin().await?;
                // First what a deletion of a project takes first, too.
                tx.bump_version(&owner).await?;
                let count = tx.purge_trash(&owner, before, PURGE_PART).await?;
                tx.forget_answers_of(&owner).await?;
                tx.commit().await?;
                purged += count;
                if count < u64::from(PURGE_PART) {
                    break;
                }
            }
        }
        Ok(purged)
    }
}

fn not_in_trash() -> Error {
    Error::not_found("deleted session")
}
