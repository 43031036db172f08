//! Taking a handoff: the recipient gets a copy of the session as it is now, and nobody gets a second one.

use sg_domain::change::ChangeKind;
use sg_domain::handoff::HandoffSide;
use sg_domain::session::{SessionEtag, etag};
use sg_domain::{
    Archive, ArchivedSession, Caller, Error, ErrorKind, Exchange, Handoff, HandoffEventKind, HandoffStatus, Identity,
    ProjectKey, Result, Scope, Session, SessionId, ShareStatus, Visibility,
};

use crate::App;
use crate::exchange_mark::exchange_marks;
use crate::handoff::{expired, not_found};

impl App {
    /// Takes a handoff: the caller, who must be its recipient, gets a copy of the session, in their own project of the same
    /// id. All of it happens or nothing does. `Gone` when its time has passed, `Conflict` when it does not wait any more;
    /// `NotFound` when the session is gone, and then it waits on, for it may come back out of the trash.
    pub async fn claim_handoff(&self, caller: &Caller, id: &str) -> Result<Handoff> {
        let identity = caller.require(Scope::Write)?;
        let (handoff, side) = self.side(identity, id).await?;
        if side != HandoffSide::Recipient {
            return Err(not_found());
        }
        refuse(&handoff)?;
        let offered = self.offered(&handoff).await?;
        let everyone = Visibility::everyone();
        let project = self.store().projects_by_key(&everyone, &[offered.session.project_key]).await?.pop();
        let name = project.map_or_else(|| "sessions".to_owned(), |project| project.name);

        let now = self.now();
        let archive = format!("ses_{}", self.ids().secret_hex(8));
        let tx = self.store().begin().await?;
        // In the order of every other writer: a project, a session, then what hangs on it.
        let key = ProjectKey(self.ids().uuid());
        let project = tx.ensure_project(&identity.user, &offered.session.project_id, &name, key, now).await?;
        let session = handoff.session.ok_or_else(source_gone)?;
        // As it is by now, and stays until the copy is there.
        let source = tx.offered_session(session, &handoff.archive).await?.ok_or_else(source_gone)?;
        if !tx.claim_handoff(id, &identity.user, &archive, now).await? {
            drop(tx);
            return Err(self.lost(id).await?);
        }
        let exchanges = tx.exchanges(source.session.id).await?;
        let session = self.copied(identity, &source, &archive, &exchanges, project, offered.session.project_id);
        let copy = Archive {
            id: archive,
            session: session.id,
            owner: identity.user.clone(),
            facts: sg_domain::ArchiveFacts {
                original_id: Some(source.archive.id.clone()),
                parent_id: Some(source.archive.id.clone()),
                ..source.archive.facts
            },
            uploaded_at: now,
            deletion: None,
            ..source.archive
        };
        tx.put_session(&session, None).await?;
        tx.copy_content(source.session.id, session.id).await?;
        tx.put_archive(&copy).await?;
        self.note(&tx, identity, &handoff, HandoffEventKind::Claimed, None).await?;
        let claimed = tx.handoff_for_update(id).await?.ok_or_else(not_found)?;
        self.commit_session(tx, identity, &session, ChangeKind::Created).await?;
        Ok(claimed)
    }

    /// The session of a handoff as it is now, whoever owns it: who may see it is the caller's to check.
    pub(crate) async fn offered(&self, handoff: &Handoff) -> Result<ArchivedSession> {
        // The id alone is not enough: its client may have used it again for another session.
        let is_it = |found: &ArchivedSession| found.deleted_at.is_none() && Some(found.session.id) == handoff.session;
        self.store().any_archive(&handoff.archive).await?.filter(is_it).ok_or_else(source_gone)
    }

    /// Why a handoff that waited a moment ago could not be taken.
    async fn lost(&self, id: &str) -> Result<Error> {
        let handoff = self.store().handoff(id).await?.ok_or_else(not_found)?;
        let handoff = Handoff { status: handoff.status_at(self.now()), ..handoff };
        let error = match refuse(&handoff) {
            Err(error) if error.kind == ErrorKind::Conflict => error,
            Err(error) => return Ok(error),
            Ok(()) => Error::new(ErrorKind::Conflict, "handoff could not be claimed, try again"),
        };
        let mut error = error.with("error", CLAIM_RACE_LOST).with("current_status", handoff.status.name());
        if let Some(winner) = &handoff.claimed_by {
            error = error.with("winner_user_id", winner.as_str());
            if let Some(address) = self.address_of(winner).await? {
                error = error.with("winner_email", address);
            }
        }
        Ok(error)
    }

    /// The session of the copy: the same content, its first day kept, without what only its owner gave it.
    fn copied(
        &self,
        identity: &Identity,
        source: &ArchivedSession,
        archive: &str,
        exchanges: &[Exchange],
        project_key: ProjectKey,
        project_id: sg_domain::ProjectId,
    ) -> Session {
        let from = source.session.clone();
        let (alias, share_status) = (None, ShareStatus::Private);
        Session {
            id: SessionId(self.ids().uuid()),
            client_id: archive.to_owned(),
            project_key,
            project_id,
            owner: identity.user.clone(),
            alias,
            updated_at: self.now(),
            share_status,
            etag: etag(&SessionEtag {
                name: &from.name,
                user_title: from.user_title.as_deref(),
                alias: None,
                share_status,
                metadata: &from.metadata,
                blobs: from.blobs,
                exchanges: &exchange_marks(exchanges),
            }),
            ..from
        }
    }
}

/// What the details of a `Conflict` say when two tried at once.
pub const CLAIM_RACE_LOST: &str = "claim_race_lost";

fn source_gone() -> Error {
    Error::new(ErrorKind::NotFound, "source session no longer exists")
}

/// Whether a handoff can be taken.
fn refuse(handoff: &Handoff) -> Result<()> {
    match handoff.status {
        HandoffStatus::Pending => Ok(()),
        HandoffStatus::Expired => Err(expired()),
        HandoffStatus::Claimed => Err(Error::new(ErrorKind::Conflict, "handoff already claimed")),
        status => {
            let message = format!("handoff is {} and cannot be claimed", status.name());
            Err(Error::new(ErrorKind::Conflict, message))
        }
    }
}
