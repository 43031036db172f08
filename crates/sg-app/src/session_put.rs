//! Storing a session: the one way in, for imports and every dialect.

use std::borrow::Cow;

use sg_domain::change::ChangeKind;
use sg_domain::id::{SessionRef, client_id};
use sg_domain::session::{SessionBlobs, SessionEtag, etag};
use sg_domain::wtf8;
use sg_domain::{
    Caller, Error, ErrorKind, Exchange, Identity, ProjectId, ProjectKey, Result, Scope, Session, SessionId,
    SessionMetadata, ShareStatus, Transcript, Visibility,
};
use sg_formats::specstory::{FIRST_VERSION, markdown_version};
use sg_store::{Content, SessionContent, Tx};

use crate::App;
use crate::archive::NewArchive;
use crate::exchange_mark::{exchange_marks, is_marked};
use crate::session_etag::{expect, expect_stored, is_about_etag};
use crate::session_read::{HEAD_BYTES, Messages, Read, blocking, read_content, write_in_chunks};

/// A session to be stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The project it belongs to; made when there is none.
    pub project: ProjectId,
    /// The project's name, when it has to be made.
    pub project_name: String,
    /// The id its client chose.
    pub client_id: String,
    /// What it is called.
    pub name: String,
    /// The readable form, kept byte for byte.
    pub markdown: Content,
    /// The agent's own file, kept byte for byte. `None` keeps what is stored.
    pub raw: Option<Content>,
    /// SpecStory's session data (JSON text), kept byte for byte. `None` keeps what is stored.
    pub session_data: Option<Content>,
    /// What the client says of it; merged by key into what is stored.
    pub metadata: SessionMetadata,
    /// The conversation, when it was read already. `None` reads it from `raw`, else from `markdown`, and the version of the
    /// markdown's layout as well when `metadata` does not name one.
    pub transcript: Option<Transcript>,
}

/// What storing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is new.
    Created,
    /// It was there in another state.
    Updated,
    /// It was there just so; nothing was written.
    Unchanged,
}

/// The longest name of a session or project, in bytes: lists are sorted by it, and an index takes no longer one.
const MAX_NAME_BYTES: usize = 1_024;
/// How often a write that met another one is tried.
const MAX_PUT_ATTEMPTS: u32 = 5;

impl App {
    /// Stores a session: blobs first, then one transaction with its rows, the data version and the index job.
    pub async fn put_session(&self, caller: &Caller, new: NewSession) -> Result<(Session, PutOutcome)> {
        self.put_session_if(caller, new, None).await
    }

    /// The same, if the stored session still has the ETag that the caller has seen; `Conflict` otherwise, and when there
    /// is none any more. A session in the trash is not stored: putting its id again makes a new one.
    pub async fn put_session_if(
        &self,
        caller: &Caller,
        new: NewSession,
        etag: Option<&str>,
    ) -> Result<(Session, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        self.put(identity, new, etag, None).await
    }

    /// The same for whoever was let in already; with an archive, that is written in the same transaction, and the session
    /// as well, however little of it changes.
    pub(crate) async fn put(
        &self,
        identity: &Identity,
        new: NewSession,
        etag: Option<&str>,
        archive: Option<&NewArchive>,
    ) -> Result<(Session, PutOutcome)> {
        self.check_new(&new)?;
        let (mut new, facts) = facts(new).await?;
        // Looked at before anything is read or written: a sync that repeats itself costs one read.
        if archive.is_none()
            && let Some(session) = self.unchanged(identity, &new, &facts).await?
            && self.has_content(&session).await?
        {
            expect(&session, etag)?;
            return Ok((session, PutOutcome::Unchanged));
        }
        // What was read already needs no thread of its own.
        let read = if new.transcript.is_some() && matches!(new.markdown, Content::Bytes(_)) {
            read_content(&mut new)?
        } else {
            let (read, back) = blocking(move || read_content(&mut new).map(|read| (read, new))).await?;
            new = back;
            read
        };
        let blobs = self.store().blobs();
        for content in [Some(&new.markdown), new.raw.as_ref(), new.session_data.as_ref()].into_iter().flatten() {
            blobs.put_content(content).await?;
        }
        // Two first uploads of one session may meet: the loser finds the winner's row the next time.
        let mut attempt = 1;
        loop {
            match self.try_put(identity, &new, &facts, &read, etag, archive).await {
                Err(error) if is_a_race(&error) && attempt < MAX_PUT_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "everything a row is made of, and when")]
    async fn try_put(
        &self,
        identity: &Identity,
        new: &NewSession,
        facts: &Facts,
        read: &Read,
        etag: Option<&str>,
        archive: Option<&NewArchive>,
    ) -> Result<(Session, PutOutcome)> {
        let tx = self.store().begin().await?;
        let key = ProjectKey(self.ids().uuid());
        let project = tx.ensure_project(&identity.user, &new.project, &new.project_name, key, self.now()).await?;
        if let Some(archive) = archive {
            archive.bring_back(&tx, identity, self.now()).await?;
        }
        let stored = tx.session_for_update(&identity.user, project, &new.client_id).await?;
        if let Some(archive) = archive {
            // The session is locked now: nobody pushes another one in between.
            archive.check(tx.any_archive(&archive.id).await?.as_ref(), identity)?;
        }
        expect_stored(stored.as_ref(), etag)?;
        // Read inside the transaction: a second connection here could starve while others wait for this one's lock.
        let (mut exchanges, mut kept) = (Cow::Borrowed(&read.exchanges[..]), stored.clone());
        if let Some(session) = &mut kept {
            let marked = tx.exchanges(session.id).await?;
            if marked.iter().any(is_marked) {
                let before = (session.blobs.markdown, session.markdown_size);
                let carried = self.carry_marks(marked, before, &read.exchanges, &new.markdown).await?;
                exchanges = Cow::Owned(carried.exchanges);
                if carried.is_hidden_lost {
                    session.share_status = ShareStatus::Private;
                }
            }
        }
        // Of the marks as they will be: the same sent again must find the same ETag.
        let marks = exchange_marks(&exchanges);
        let session = self.merged(identity, new, kept.as_ref(), project, facts, &marks, read);
        if let Some(stored) = stored.as_ref().filter(|stored| archive.is_none() && is_same(stored, &session)) {
            // Another client stored just this while we read it.
            tx.commit().await?;
            return Ok((stored.clone(), PutOutcome::Unchanged));
        }
        let (outcome, kind) = match stored {
            Some(_) => (PutOutcome::Updated, ChangeKind::Updated),
            None => (PutOutcome::Created, ChangeKind::Created),
        };
        self.write(tx, identity, &session, kind, read, &exchanges, archive).await?;
        Ok((session, outcome))
    }

    /// Whether everything that a session's row names is there; content that was lost comes back with the next upload.
    async fn has_content(&self, session: &Session) -> Result<bool> {
        let SessionBlobs { markdown, raw, session_data } = session.blobs;
        for digest in [Some(markdown), raw, session_data].into_iter().flatten() {
            if !self.store().blobs().exists(digest).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a session read from this machine is known already from another source that reaches at least as far: the
    /// agent's own file and SpecStory's markdown of it are one session, and must not replace each other in turn.
    pub(crate) async fn is_superseded(&self, caller: &Caller, new: &NewSession) -> Result<bool> {
        let identity = caller.require(Scope::Write)?;
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        let Some(stored) = self.store().session(&Visibility::of(identity), &wanted).await? else { return Ok(false) };
        let Some(transcript) = &new.transcript else { return Ok(false) };
        Ok(stored.format != transcript.format && stored.ended_at >= transcript.ended_at)
    }

    /// Whether a session read from this machine is in the trash, and not stored besides. Whoever deleted it does not want
    /// it back with the next look at the agent's files; restoring it is another matter.
    pub(crate) async fn is_in_trash(&self, caller: &Caller, new: &NewSession) -> Result<bool> {
        let identity = caller.require(Scope::Write)?;
        if self.store().trashed_session(&identity.user, &new.project, &new.client_id).await?.is_none() {
            return Ok(false);
        }
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        Ok(self.store().session(&Visibility::of(identity), &wanted).await?.is_none())
    }

    /// What [`App::put_session`] would do, without doing it.
    pub(crate) async fn would_put(&self, caller: &Caller, new: NewSession) -> Result<PutOutcome> {
        let identity = caller.require(Scope::Write)?;
        self.check_new(&new)?;
        let (new, facts) = facts(new).await?;
        if self.unchanged(identity, &new, &facts).await?.is_some() {
            return Ok(PutOutcome::Unchanged);
        }
        let who = Visibility::of(identity);
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        let stored = self.store().session(&who, &wanted).await?;
        Ok(if stored.is_some() { PutOutcome::Updated } else { PutOutcome::Created })
    }

    fn check_new(&self, new: &NewSession) -> Result<()> {
        client_id("session", &new.client_id).map_err(|error| error.at("sessionId"))?;
        for (field, text) in [("name", &new.name), ("projectName", &new.project_name)] {
            if text.trim().is_empty() {
                return Err(Error::invalid("a session needs a name and a project name").at(field));
            }
            if text.len() > MAX_NAME_BYTES {
                let message = format!("{field} is longer than {MAX_NAME_BYTES} bytes");
                return Err(Error::invalid(message).with("field", field).at(field));
            }
        }
        new.metadata.check().map_err(|error| error.at("metadata"))?;
        let max = self.limits().max_session_bytes;
        let contents = [
            ("markdown", Some(&new.markdown)),
            ("rawData", new.raw.as_ref()),
            ("sessionData", new.session_data.as_ref()),
        ];
        match contents.into_iter().find(|(_, content)| content.is_some_and(|content| content.len() > max)) {
            Some((field, _)) => {
                Err(Error::new(ErrorKind::TooLarge, format!("a session may hold at most {max} bytes")).at(field))
            }
            None => Ok(()),
        }
    }

    /// The stored session, when storing the new one would change nothing that a reader can see.
    async fn unchanged(&self, identity: &Identity, new: &NewSession, facts: &Facts) -> Result<Option<Session>> {
        let who = Visibility::of(identity);
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        let Some(stored) = self.store().session(&who, &wanted).await? else { return Ok(None) };
        if stored.client_id != new.client_id {
            return Ok(None);
        }
        let marks = exchange_marks(&self.store().exchanges(&who, stored.id).await?);
        let (_, _, tag) = tag(new, Some(&stored), facts, &marks);
        let same_lineage = new.transcript.as_ref().is_none_or(|t| {
            t.format == stored.format
                && t.parent_client_id == stored.parent_client_id
                && t.agent_id == stored.agent_id
                && t.messages.len() as u64 == stored.counts.messages
                && t.usage() == stored.usage
        });
        Ok((tag == stored.etag && same_lineage).then_some(stored))
    }

    #[allow(clippy::too_many_arguments, reason = "everything a row is made of")]
    fn merged(
        &self,
        identity: &Identity,
        new: &NewSession,
        stored: Option<&Session>,
        project_key: ProjectKey,
        facts: &Facts,
        marks: &str,
        read: &Read,
    ) -> Session {
        let now = self.now();
        let (metadata, blobs, etag) = tag(new, stored, facts, marks);
        let size = |content: &Option<Content>| content.as_ref().map(Content::len);
        let times = (read.started_at, read.ended_at);
        Session {
            id: stored.map_or_else(|| SessionId(self.ids().uuid()), |s| s.id),
            client_id: new.client_id.clone(),
            project_key,
            project_id: new.project.clone(),
            owner: identity.user.clone(),
            name: new.name.clone(),
            user_title: stored.and_then(|s| s.user_title.clone()),
            alias: stored.and_then(|s| s.alias.clone()),
            format: read.format.to_owned(),
            parent_client_id: read.parent_client_id.clone(),
            agent_id: read.agent_id.clone(),
            started_at: times.0,
            ended_at: times.1,
            created_at: stored.map_or(now, |s| s.created_at),
            updated_at: now,
            activity_at: times.1.or(times.0).unwrap_or(now),
            etag,
            markdown_size: new.markdown.len(),
            raw_data_size: size(&new.raw).unwrap_or_else(|| stored.map_or(0, |s| s.raw_data_size)),
            session_data_size: size(&new.session_data).or_else(|| stored.and_then(|s| s.session_data_size)),
            counts: read.counts,
            usage: read.usage,
            first_exchange: read.first_exchange.clone(),
            share_status: stored.map_or(ShareStatus::Private, |s| s.share_status),
            metadata,
            blobs,
        }
    }

    #[allow(clippy::too_many_arguments, reason = "everything that is written")]
    async fn write(
        &self,
        tx: Tx,
        identity: &Identity,
        session: &Session,
        kind: ChangeKind,
        read: &Read,
        exchanges: &[Exchange],
        archive: Option<&NewArchive>,
    ) -> Result<()> {
        match &read.messages {
            Messages::Whole(messages) => {
                let content = SessionContent { messages, exchanges };
                tx.put_session(session, Some(&content)).await?;
            }
            Messages::Pieces { name, markdown } => {
                tx.put_session(session, None).await?;
                tx.put_exchanges(session.id, exchanges).await?;
                write_in_chunks(&tx, session.id, name, markdown).await?;
            }
        }
        if let Some(archive) = archive {
            tx.put_archive(&archive.row(session, self.now())).await?;
        }
        self.commit_session(tx, identity, session, kind).await
    }
}

/// Whether another write came in between, so that trying again helps.
fn is_a_race(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict && !is_about_etag(error)
}

/// Whether nothing that a reader can see differs.
fn is_same(stored: &Session, new: &Session) -> bool {
    stored.etag == new.etag
        && stored.format == new.format
        && stored.parent_client_id == new.parent_client_id
        && stored.agent_id == new.agent_id
        && stored.counts == new.counts
        && stored.usage == new.usage
}

/// What is known of a new session from its content alone, before it is read.
struct Facts {
    digests: SessionBlobs,
    /// The version that the markdown's comments name, when the metadata is silent and it is ours to find out.
    version: Option<Version>,
}

/// A version that is derived: from the comments, or unknown.
struct Version(Option<String>);

/// Finds the facts; somewhere else when that means to read files or to hash much.
async fn facts(new: NewSession) -> Result<(NewSession, Facts)> {
    let wants_version = new.transcript.is_none() && new.metadata.markdown_version.is_none();
    let find = move || {
        let version = match wants_version {
            true => {
                let head = new.markdown.head(HEAD_BYTES)?;
                Some(Version(markdown_version(&wtf8::lossy(&head)).map(str::to_owned)))
            }
            false => None,
        };
        let digests = SessionBlobs {
            markdown: new.markdown.digest(),
            raw: new.raw.as_ref().map(Content::digest),
            session_data: new.session_data.as_ref().map(Content::digest),
        };
        Ok((new, Facts { digests, version }))
    };
    if wants_version { blocking(find).await } else { find() }
}

/// Metadata, blobs and ETag of the session as it will be.
fn tag(
    new: &NewSession,
    stored: Option<&Session>,
    facts: &Facts,
    exchanges: &str,
) -> (SessionMetadata, SessionBlobs, String) {
    let Facts { digests, version } = facts;
    let mut metadata = stored.map(|s| s.metadata.clone()).unwrap_or_default();
    metadata.merge(new.metadata.clone());
    if let Some(Version(version)) = version {
        // A version that somebody named stays as long as the markdown does: two clients that send the same, one with the
        // version and one without, must not change the session in turn.
        let is_known = stored.is_some_and(|s| s.blobs.markdown == digests.markdown) || version.is_none();
        if !(is_known && metadata.markdown_version.is_some()) {
            metadata.markdown_version = Some(version.clone().unwrap_or_else(|| FIRST_VERSION.to_owned()));
        }
    }
    let blobs = SessionBlobs {
        markdown: digests.markdown,
        raw: digests.raw.or_else(|| stored.and_then(|s| s.blobs.raw)),
        session_data: digests.session_data.or_else(|| stored.and_then(|s| s.blobs.session_data)),
    };
    let tag = etag(&SessionEtag {
        name: &new.name,
        user_title: stored.and_then(|s| s.user_title.as_deref()),
        alias: stored.and_then(|s| s.alias.as_deref()),
        share_status: stored.map(|s| s.share_status).unwrap_or_default(),
        metadata: &metadata,
        blobs,
        exchanges,
    });
    (metadata, blobs, tag)
}
