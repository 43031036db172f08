//! Storing an archive: who may, in the place of what, and what people have made of it since it last came.

use std::sync::Arc;

use sg_domain::archive::ArchivedSession;
use sg_domain::id::normalise_remote;
use sg_domain::user::ClientFacts;
use sg_domain::{
    Archive, ArchiveFacts, Caller, Digest, Error, ErrorKind, Feature, Identity, ProjectId, Result, Scope, Session,
    SessionMetadata, Timestamp, Transcript, UserId,
};
use sg_store::{Content, SpoolPlace, Tx};

use crate::archive_read::{ReadArchive, read_archive};
use crate::session_etag::CURRENT_ETAG;
use crate::session_read::blocking;
use crate::{App, NewSession, PutOutcome, archive_scan};

/// An archive as it comes.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// What its client calls it.
    pub id: String,
    /// Its bytes.
    pub content: Content,
    /// Where what is made of it is kept until it is stored.
    pub spool: Arc<SpoolPlace>,
    /// Under which conditions it is stored.
    pub condition: PushCondition,
    /// What whoever sends it calls the session, whatever the archive says.
    pub title: Option<String>,
    /// The same of its tags.
    pub tags: Option<Vec<String>>,
    /// The same of the agent that wrote it.
    pub source_tool: Option<String>,
    /// What it is sent with.
    pub client: ClientFacts,
}

impl PushRequest {
    /// An archive that is stored whatever there is.
    pub fn new(id: impl Into<String>, content: Content, spool: Arc<SpoolPlace>) -> Self {
        Self {
            id: id.into(),
            content,
            spool,
            condition: PushCondition::default(),
            title: None,
            tags: None,
            source_tool: None,
            client: ClientFacts::default(),
        }
    }
}

/// Under which conditions an archive is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushCondition {
    /// The ETag that the client has seen, bare; it counts only where the archive is stored already.
    pub if_match: Option<String>,
    /// Whether it is taken out of the trash.
    pub undelete: bool,
}

impl App {
    /// Stores an archive: its bytes, then one transaction with the session that is in it, what its client said of it, and
    /// the index job. The session stays in the project of its first push, and what people called it stays.
    ///
    /// `Conflict` when the id is another account's, and, about its ETag, when it is not the one the client has seen; `Gone`
    /// when it is in the trash, and only then; `Forbidden` when secrets in it are to be refused; `Invalid` and `TooLarge`
    /// for what is no archive.
    pub async fn push_archive(&self, caller: &Caller, push: PushRequest) -> Result<(ArchivedSession, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        self.require_verified(identity).await?;
        self.require_feature(identity, Feature::CloudSync).await?;
        let PushRequest { id, content, spool, condition, title, tags, source_tool, client } = push;
        let found = self.store().any_archive(&id).await?;
        condition.check_early(found.as_ref(), identity)?;
        let limits = self.limits().archives.reading();
        let (mut content, mut scan) = (content, None);
        if let Some(action) = self.limits().archives.secrets {
            let (archive, limits, spool, now) = (content.clone(), limits, Arc::clone(&spool), self.now());
            let scanned = blocking(move || archive_scan::scan(&archive, action, &limits, &spool, now)).await?;
            (content, scan) = (scanned.content, Some(scanned.result));
        }
        let (name, archive) = (format!("{id}.sfs.tar.gz"), content.clone());
        let ReadArchive { transcript, mut facts, markdown, read } =
            blocking(move || read_archive(&name, &archive, &limits, &spool)).await?;
        facts.source_tool = source_tool.unwrap_or(facts.source_tool);
        let was_there = found.is_some();
        let project = match found {
            Some(found) => found.session.project_id,
            None => project_of(&transcript),
        };
        let project_name = project_name(&transcript, &facts);
        let (digest, size_bytes) = (content.digest(), content.len());
        let owner = identity.user.clone();
        let new_archive = NewArchive { id, owner, facts, digest, size_bytes, condition, was_there, title, tags, scan };
        let new = NewSession {
            project,
            project_name,
            client_id: new_archive.id.clone(),
            name: transcript.name,
            markdown,
            raw: Some(content),
            session_data: None,
            metadata: SessionMetadata { client_name: Some("sessionfs".to_owned()), ..transcript.metadata },
            transcript: None,
        };
        let (session, outcome) = self.put(identity, new, None, Some(&new_archive), Some(read)).await?;
        self.note_client(identity, &client).await;
        let archive = new_archive.row(&session, session.updated_at);
        Ok((ArchivedSession { archive, session, deleted_at: None }, outcome))
    }

    /// An id for an archive that came without one.
    pub fn new_archive_id(&self) -> String {
        format!("ses_{}", self.ids().secret_hex(8))
    }

    /// Whether an archive of this id could be stored now under a condition: the same errors as [`App::push_archive`]'s,
    /// before any of it is there.
    pub(crate) async fn check_push(&self, identity: &Identity, id: &str, condition: &PushCondition) -> Result<()> {
        condition.check_early(self.store().any_archive(id).await?.as_ref(), identity)
    }
}

impl PushCondition {
    /// Whether something may be stored in the place of what there is, before anything is read: what may come out of the
    /// trash counts as there.
    fn check_early(&self, found: Option<&ArchivedSession>, identity: &Identity) -> Result<()> {
        match found {
            Some(found) if found.deleted_at.is_some() && found.archive.owner == identity.user && self.undelete => {
                self.check_etag(&found.archive, MODIFIED_BEFORE_DELETION)
            }
            _ => self.check(found, identity),
        }
    }

    fn check(&self, found: Option<&ArchivedSession>, identity: &Identity) -> Result<()> {
        let Some(ArchivedSession { archive, deleted_at, .. }) = found else { return Ok(()) };
        if archive.owner != identity.user {
            return Err(Error::new(ErrorKind::Conflict, "session ID already claimed by another user").at("id"));
        }
        if deleted_at.is_some() {
            let message = "session is deleted. Send X-SessionFS-Undelete: true to restore.";
            return Err(Error::new(ErrorKind::Gone, message).at("id"));
        }
        self.check_etag(archive, "ETag mismatch — session has been updated")
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
}

const MODIFIED_BEFORE_DELETION: &str = "ETag mismatch — session was modified before deletion";

/// An archive to be stored with its session.
pub(crate) struct NewArchive {
    pub(crate) id: String,
    owner: UserId,
    facts: ArchiveFacts,
    digest: Digest,
    size_bytes: u64,
    condition: PushCondition,
    /// Whether there was one when it began to be read.
    was_there: bool,
    /// See [`PushRequest::title`].
    pub(crate) title: Option<String>,
    tags: Option<Vec<String>>,
    scan: Option<String>,
}

impl NewArchive {
    /// Whether it may be stored in the place of what there is now.
    pub(crate) fn check(&self, found: Option<&ArchivedSession>, identity: &Identity) -> Result<()> {
        self.condition.check(found, identity)?;
        match found {
            // Who else made it saw nothing of this one: neither may be lost unseen. The same bytes are no loss.
            Some(found) if !self.was_there && found.archive.digest != self.digest => {
                Err(Error::new(ErrorKind::Conflict, "session created by another request during upload").at("id"))
            }
            _ => Ok(()),
        }
    }

    /// Takes what is stored out of the trash, if that is wanted, to be replaced in the same transaction; whether it was
    /// there.
    pub(crate) async fn bring_back(&self, tx: &Tx, identity: &Identity, now: Timestamp) -> Result<bool> {
        if !self.condition.undelete {
            return Ok(false);
        }
        let Some(found) = tx.any_archive(&self.id).await?.filter(|found| found.archive.owner == identity.user) else {
            return Ok(false);
        };
        let Some(mut trashed) = tx.trashed_session(&identity.user, found.session.id).await? else { return Ok(false) };
        self.condition.check_etag(&found.archive, MODIFIED_BEFORE_DELETION)?;
        if let Some(alias) = &trashed.session.alias
            && tx.alias_holder(&identity.user, alias).await?.is_some()
        {
            // Another session has it since, and keeps it.
            tx.drop_alias(trashed.session.id).await?;
            trashed.session.alias = None;
        }
        tx.restore_session(&trashed.session).await?;
        // Nobody is offered what was thrown away, nor has a link to what comes in its place.
        tx.expire_handoffs_of(trashed.session.id, now).await?;
        tx.revoke_links_of(trashed.session.id, now).await?;
        Ok(true)
    }

    /// The session as it is to be stored: with the tags that people gave it since the last push, and without those that
    /// they took away.
    pub(crate) fn adapted(
        &self,
        new: &NewSession,
        stored: Option<&Session>,
        found: Option<&ArchivedSession>,
    ) -> NewSession {
        let mut new = new.clone();
        let now = stored.and_then(|stored| stored.metadata.tags.as_deref());
        let before = found.map(|found| found.archive.facts.tags.as_slice()).unwrap_or_default();
        let sent = match &self.tags {
            Some(tags) => tags.clone(),
            None => merged_tags(&self.facts.tags, before, now.unwrap_or_default()),
        };
        new.metadata.tags = (now.is_some() || !sent.is_empty()).then_some(sent);
        new.metadata.cut();
        new
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
            scan: self.scan.clone(),
        }
    }
}

/// The tags that a client sends, with what people have changed since it sent `before`.
fn merged_tags(sent: &[String], before: &[String], now: &[String]) -> Vec<String> {
    let is_removed = |tag: &&String| before.contains(tag) && !now.contains(tag);
    let mut tags: Vec<String> = sent.iter().filter(|tag| !is_removed(tag)).cloned().collect();
    for tag in now.iter().filter(|tag| !before.contains(tag)) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// As for imports: the git remote, else the folder; else one for all that say neither.
fn project_of(transcript: &Transcript) -> ProjectId {
    let remote = transcript.metadata.git_remote.as_deref().map(normalise_remote).filter(|remote| !remote.is_empty());
    ProjectId::derive(remote.as_deref().or(transcript.metadata.folder.as_deref()).unwrap_or("sessionfs"))
}

fn project_name(transcript: &Transcript, facts: &ArchiveFacts) -> String {
    let path = facts.git_remote.as_deref().or(transcript.metadata.folder.as_deref()).unwrap_or_default();
    let last = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if last.is_empty() { "SessionFS".to_owned() } else { last.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_people_outlive_those_of_clients() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (sent, before, now, want) in [
            ("a b", "", "", "a b"),
            ("a b", "a", "a", "a b"),
            ("b", "a b", "a b", "b"),
            ("a b", "a b", "b", "b"),
            ("a b", "a b", "a b mine", "a b mine"),
            ("c", "a b", "mine b", "c mine"),
            ("", "", "mine", "mine"),
        ] {
            let merged = merged_tags(&list(sent), &list(before), &list(now));
            assert_eq!(merged, list(want), "{sent} over {before} and {now}");
        }
    }
}
