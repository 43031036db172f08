//! What people change about archives: names and tags, into the trash and out of it.

use sg_domain::archive::{ArchivedSession, DeleteScope};
use sg_domain::id::SessionRef;
use sg_domain::{Caller, Error, ErrorKind, Feature, Identity, Result, Scope};

use crate::{App, SessionUpdate};

impl App {
    /// Changes the session of an archive, named by the archive's id or its alias. A short name is a feature of its own.
    pub async fn update_archive(
        &self,
        caller: &Caller,
        id_or_alias: &str,
        update: SessionUpdate,
    ) -> Result<ArchivedSession> {
        let identity = caller.require(Scope::Write)?;
        if update.alias.is_some() {
            self.require_feature(identity, Feature::Aliases).await?;
        }
        let found = self.own_archive(identity, id_or_alias).await?.filter(|found| found.deleted_at.is_none());
        let found = found.ok_or_else(|| Error::not_found("session"))?;
        let session = self.update_session(caller, &SessionRef::Id(found.session.id), update).await?;
        Ok(ArchivedSession { session, ..found })
    }

    /// Puts an archive into the trash. `Gone` when it is there already.
    pub async fn delete_archive(
        &self,
        caller: &Caller,
        id_or_alias: &str,
        scope: DeleteScope,
    ) -> Result<ArchivedSession> {
        let identity = caller.require(Scope::Write)?;
        let found = self.own_archive(identity, id_or_alias).await?.ok_or_else(|| Error::not_found("session"))?;
        if found.deleted_at.is_some() {
            return Err(Error::new(ErrorKind::Gone, "session already deleted"));
        }
        self.trash(identity, &SessionRef::Id(found.session.id), None, scope).await?;
        self.own_archive(identity, &found.archive.id).await?.ok_or_else(|| Error::not_found("session"))
    }

    /// Takes an archive out of the trash, and tells where it was to be deleted. `Gone` when there is none; `Conflict`
    /// when it is not in the trash, or its alias is another's since.
    pub async fn restore_archive(&self, caller: &Caller, id_or_alias: &str) -> Result<(ArchivedSession, DeleteScope)> {
        let identity = caller.require(Scope::Write)?;
        let gone = || Error::new(ErrorKind::Gone, "session not found or already purged");
        let found = self.own_archive(identity, id_or_alias).await?.ok_or_else(gone)?;
        if found.deleted_at.is_none() {
            return Err(Error::new(ErrorKind::Conflict, "session is not deleted"));
        }
        let session = self.untrash(identity, found.session.id, None).await.map_err(|error| match error.kind {
            // Purged between the question and the answer.
            ErrorKind::NotFound => gone(),
            _ => error,
        })?;
        let scope = found.archive.deletion.as_ref().map_or(DeleteScope::Server, |deletion| deletion.scope);
        let mut archive = found.archive;
        archive.deletion = None;
        Ok((ArchivedSession { archive, session, deleted_at: None }, scope))
    }

    /// The caller's archive of this id or alias, in the trash or not.
    async fn own_archive(&self, identity: &Identity, id_or_alias: &str) -> Result<Option<ArchivedSession>> {
        self.store().archive_of_owner(&identity.user, id_or_alias).await
    }
}
