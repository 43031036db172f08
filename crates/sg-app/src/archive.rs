//! Archives: sessions as SessionFS's clients push and pull them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sg_domain::archive::ArchivedSession;
use sg_domain::id::normalise_remote;
use sg_domain::{
    Archive, ArchiveFacts, Caller, Digest, Error, ErrorKind, Feature, Identity, ProjectId, Result, Scope, Session,
    SessionMetadata, Timestamp, Transcript, UserId, Visibility,
};
use sg_formats::FormatError;
use sg_formats::sessionfs::{Limits, facts, unpack_from};
use sg_store::{BlobStream, Content, Tx};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::session_etag::CURRENT_ETAG;
use crate::session_read::blocking;
use crate::{App, NewSession, PutOutcome};

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
        let turns = {
            let mut all = self.inner.push_turns.lock();
            // Those that nobody uses now are as good as new ones.
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
            Arc::clone(all.entry(identity.user.clone()).or_insert_with(|| Arc::new(Semaphore::new(PUSHES_AT_ONCE))))
        };
        match tokio::time::timeout(PUSH_WAIT, Arc::clone(&turns).acquire_owned()).await {
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
        Ok(MAX_ARCHIVE_BYTES)
    }

    /// Stores an archive: its bytes, then one transaction with the session that is in it, what its client said of it, and
    /// the index job. The session stays in the project of its first push.
    ///
    /// `Conflict` when the id is another account's, and, about its ETag, when it is not the one the client has seen; `Gone`
    /// when it is in the trash, and only then; `Invalid` and `TooLarge` for what is no archive.
    pub async fn push_archive(
        &self,
        caller: &Caller,
        id: &str,
        content: Content,
        push: PushRequest,
    ) -> Result<(ArchivedSession, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        self.require_verified(identity).await?;
        self.require_feature(identity, Feature::CloudSync).await?;
        let found = self.store().any_archive(id).await?;
        let condition = |facts: ArchiveFacts, content: &Content| NewArchive {
            id: id.to_owned(),
            owner: identity.user.clone(),
            facts,
            digest: content.digest(),
            size_bytes: content.len(),
            if_match: push.if_match.clone(),
            undelete: push.undelete,
        };
        condition(ArchiveFacts::default(), &content).check_early(found.as_ref(), identity)?;
        let name = format!("{id}.sfs.tar.gz");
        let (transcript, facts) = {
            let content = content.clone();
            blocking(move || read(&name, &content)).await?
        };
        let project = match found {
            Some(found) => found.session.project_id,
            None => project_of(&transcript),
        };
        let new_archive = condition(facts, &content);
        let new = NewSession {
            project,
            project_name: project_name(&transcript, &new_archive.facts),
            client_id: id.to_owned(),
            name: transcript.name.clone(),
            markdown: sg_formats::specstory::write(&transcript).into(),
            raw: Some(content),
            session_data: None,
            metadata: SessionMetadata { client_name: Some("sessionfs".to_owned()), ..transcript.metadata.clone() },
            transcript: Some(transcript),
        };
        let (session, outcome) = self.put(identity, new, None, Some(&new_archive)).await?;
        let archive = new_archive.row(&session, session.updated_at);
        Ok((ArchivedSession { archive, session, deleted_at: None }, outcome))
    }
}

/// Pushes of one account at a time.
const PUSHES_AT_ONCE: usize = 3;
/// How long one more waits for its turn.
const PUSH_WAIT: Duration = Duration::from_secs(30);
/// When it is worth trying again.
const PUSH_RETRY: Duration = Duration::from_secs(5);
/// The largest archive, packed.
const MAX_ARCHIVE_BYTES: u64 = 300 << 20;

/// The largest file in one, unpacked: the client refuses to unpack larger ones.
pub const MAX_MEMBER_BYTES: u64 = 50 << 20;

/// A turn at pushing; over when it is dropped.
pub struct PushTurn {
    _permit: OwnedSemaphorePermit,
    _turns: Arc<Semaphore>,
}

/// Under which conditions an archive is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushRequest {
    /// The ETag that the client has seen, bare; it counts only where the archive is stored already.
    pub if_match: Option<String>,
    /// Whether it is taken out of the trash.
    pub undelete: bool,
}

/// An archive to be stored with its session.
pub(crate) struct NewArchive {
    pub(crate) id: String,
    owner: UserId,
    facts: ArchiveFacts,
    digest: Digest,
    size_bytes: u64,
    if_match: Option<String>,
    undelete: bool,
}

impl NewArchive {
    /// Whether it may be stored in the place of what there is.
    pub(crate) fn check(&self, found: Option<&ArchivedSession>, identity: &Identity) -> Result<()> {
        let Some(ArchivedSession { archive, deleted_at, .. }) = found else { return Ok(()) };
        if archive.owner != identity.user {
            return Err(Error::new(ErrorKind::Conflict, "session ID already claimed by another user"));
        }
        if deleted_at.is_some() {
            return Err(deleted());
        }
        self.check_etag(archive, "ETag mismatch — session has been updated")
    }

    /// The same before anything is read, for what may come out of the trash too.
    fn check_early(&self, found: Option<&ArchivedSession>, identity: &Identity) -> Result<()> {
        match found {
            Some(found) if found.deleted_at.is_some() && found.archive.owner == identity.user && self.undelete => {
                self.check_etag(&found.archive, "ETag mismatch — session was modified before deletion")
            }
            _ => self.check(found, identity),
        }
    }

    fn check_etag(&self, archive: &Archive, message: &str) -> Result<()> {
        match &self.if_match {
            Some(seen) if *seen != archive.digest.to_string() => {
                let error = Error::new(ErrorKind::Conflict, message);
                Err(error.with(CURRENT_ETAG, archive.digest.to_string()).at("etag"))
            }
            _ => Ok(()),
        }
    }

    /// Takes what is stored out of the trash, if that is wanted, to be replaced in the same transaction.
    pub(crate) async fn bring_back(&self, tx: &Tx, identity: &Identity, now: Timestamp) -> Result<()> {
        if !self.undelete {
            return Ok(());
        }
        let Some(found) = tx.any_archive(&self.id).await?.filter(|found| found.archive.owner == identity.user) else {
            return Ok(());
        };
        if let Some(trashed) = tx.trashed_session(&identity.user, found.session.id).await? {
            self.check_etag(&found.archive, "ETag mismatch — session was modified before deletion")?;
            tx.restore_session(&trashed.session).await?;
            // Whoever had a link to what was deleted has none to what comes in its place.
            tx.revoke_links_of(found.session.id, now).await?;
        }
        Ok(())
    }

    /// Its row.
    pub(crate) fn row(&self, session: &Session, now: Timestamp) -> Archive {
        Archive {
            id: self.id.clone(),
            session: session.id,
            owner: self.owner.clone(),
            facts: self.facts.clone(),
            digest: self.digest,
            size_bytes: self.size_bytes,
            uploaded_at: now,
            deletion: None,
            scan: None,
        }
    }
}

fn deleted() -> Error {
    Error::new(ErrorKind::Gone, "session is deleted. Send X-SessionFS-Undelete: true to restore.")
}

/// The conversation in an archive and what its manifest says; an archive without either is an empty conversation. Not for
/// the runtime's own threads.
fn read(name: &str, content: &Content) -> Result<(Transcript, ArchiveFacts)> {
    let limits = Limits { advised_member_bytes: MAX_MEMBER_BYTES, ..Limits::default() };
    let members = unpack_from(content.reader(), content.len(), &limits).map_err(refused)?;
    let parsed = sg_formats::sessionfs::read_members(name, &members);
    let object = |wanted: &str| {
        let member = members.iter().find(|member| member.base_name() == wanted)?;
        serde_json::from_slice(&member.bytes).ok()
    };
    let facts = facts(&object("manifest.json").unwrap_or_default(), &object("workspace.json").unwrap_or_default());
    let transcript = parsed.ok().and_then(|parsed| parsed.transcripts.into_iter().next());
    Ok((transcript.unwrap_or_else(|| sg_formats::sessionfs::empty(name)), facts))
}

/// As for imports: the git remote, else the folder; else one for all that say neither.
fn project_of(transcript: &Transcript) -> ProjectId {
    let remote = transcript.metadata.git_remote.as_deref().map(normalise_remote).filter(|remote| !remote.is_empty());
    ProjectId::derive(remote.as_deref().or(transcript.metadata.folder.as_deref()).unwrap_or("sessionfs"))
}

fn project_name(transcript: &Transcript, facts: &ArchiveFacts) -> String {
    let path = facts.git_remote.as_deref().or(transcript.metadata.folder.as_deref()).unwrap_or("SessionFS");
    let last = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    if last.is_empty() { "SessionFS".to_owned() } else { last.chars().take(200).collect() }
}

fn refused(error: FormatError) -> Error {
    match error {
        FormatError::TooLarge { reason, .. } => Error::new(ErrorKind::TooLarge, reason),
        FormatError::MemberTooLarge { name, size, limit } => {
            let mib = |bytes: u64| bytes >> 20;
            let message = format!(
                "session file '{name}' is {}MB which exceeds the {}MB per-file limit for your tier.",
                mib(size),
                mib(limit)
            );
            Error::new(ErrorKind::TooLarge, message)
                .with("error", "session_too_large")
                .with("file", name)
                .with("size_bytes", size.to_string())
                .with("limit_bytes", limit.to_string())
                .with("suggestion", "Start a new session, or compact this one, and push again.")
        }
        FormatError::Broken { reason, .. } => Error::invalid(reason),
        other => Error::invalid(other.to_string()),
    }
}
