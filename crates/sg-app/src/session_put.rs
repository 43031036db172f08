//! Storing a session: the one way in, for imports and every dialect.

use bytes::Bytes;
use sg_domain::id::{SessionRef, client_id};
use sg_domain::session::{SessionBlobs, SessionCounts, SessionEtag, etag};
use sg_domain::{
    Caller, Digest, Error, ErrorKind, Exchange, Identity, JobId, JobKind, Message, ProjectId, ProjectKey, Result, Role,
    Scope, Session, SessionId, SessionMetadata, ShareStatus, Timestamp, TokenUsage, Transcript, Visibility,
};
use sg_formats::Source;
use sg_store::{SessionContent, Tx};

use crate::App;

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
    pub markdown: Bytes,
    /// The agent's own file, kept byte for byte. `None` keeps what is stored.
    pub raw: Option<Bytes>,
    /// SpecStory's session data (JSON text), kept byte for byte. `None` keeps what is stored.
    pub session_data: Option<Bytes>,
    /// What the client says of it; merged by key into what is stored.
    pub metadata: SessionMetadata,
    /// The conversation, when it was read already. `None` reads it from `raw`, else from `markdown`.
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

/// The most characters of the first prompt that lists show.
const FIRST_EXCHANGE_CHARS: usize = 500;
/// How often a write that met another one is tried.
const MAX_PUT_ATTEMPTS: u32 = 5;

impl App {
    /// Stores a session: blobs first, then one transaction with its rows, the data version and the index job.
    pub async fn put_session(&self, caller: &Caller, mut new: NewSession) -> Result<(Session, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        self.check_new(&new)?;
        let digests = digests(&new);
        // Looked at before anything is read or written: a sync that repeats itself costs one read.
        if let Some(session) = self.unchanged(identity, &new, digests).await?
            && self.has_content(&session).await?
        {
            return Ok((session, PutOutcome::Unchanged));
        }
        let read = read_content(&mut new);
        let blobs = self.store().blobs();
        blobs.put(new.markdown.clone()).await?;
        for bytes in [&new.raw, &new.session_data].into_iter().flatten() {
            blobs.put(bytes.clone()).await?;
        }
        // Two first uploads of one session may meet: the loser finds the winner's row the next time.
        let mut attempt = 1;
        loop {
            match self.try_put(identity, &new, digests, &read).await {
                Err(error) if error.kind == ErrorKind::Conflict && attempt < MAX_PUT_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    async fn try_put(
        &self,
        identity: &Identity,
        new: &NewSession,
        digests: SessionBlobs,
        read: &Read,
    ) -> Result<(Session, PutOutcome)> {
        let tx = self.store().begin().await?;
        let key = ProjectKey(self.ids().uuid());
        let project = tx.ensure_project(&identity.user, &new.project, &new.project_name, key, self.now()).await?;
        let stored = tx.session_for_update(&identity.user, project, &new.client_id).await?;
        // Read inside the transaction: a second connection here could starve while others wait for this one's lock.
        let marks = match &stored {
            Some(session) => exchange_marks(&tx.exchanges(session.id).await?),
            None => String::new(),
        };
        let session = self.merged(identity, new, stored.as_ref(), project, digests, &marks, read);
        if let Some(stored) = stored.as_ref().filter(|stored| is_same(stored, &session)) {
            // Another client stored just this while we read it.
            tx.commit().await?;
            return Ok((stored.clone(), PutOutcome::Unchanged));
        }
        let outcome = if stored.is_some() { PutOutcome::Updated } else { PutOutcome::Created };
        self.write(tx, identity, &session, read).await?;
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

    /// What [`App::put_session`] would do, without doing it.
    pub(crate) async fn would_put(&self, caller: &Caller, new: &NewSession) -> Result<PutOutcome> {
        let identity = caller.require(Scope::Write)?;
        self.check_new(new)?;
        let digests = digests(new);
        if self.unchanged(identity, new, digests).await?.is_some() {
            return Ok(PutOutcome::Unchanged);
        }
        let who = Visibility::of(identity);
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        let stored = self.store().session(&who, &wanted).await?;
        Ok(if stored.is_some() { PutOutcome::Updated } else { PutOutcome::Created })
    }

    fn check_new(&self, new: &NewSession) -> Result<()> {
        client_id("session", &new.client_id)?;
        if new.name.trim().is_empty() || new.project_name.trim().is_empty() {
            return Err(Error::invalid("a session needs a name and a project name"));
        }
        let max = self.limits().max_session_bytes;
        let sizes = [Some(&new.markdown), new.raw.as_ref(), new.session_data.as_ref()];
        if sizes.into_iter().flatten().any(|bytes| bytes.len() as u64 > max) {
            return Err(Error::new(ErrorKind::TooLarge, format!("a session may hold at most {max} bytes")));
        }
        Ok(())
    }

    /// The stored session, when storing the new one would change nothing that a reader can see.
    async fn unchanged(&self, identity: &Identity, new: &NewSession, digests: SessionBlobs) -> Result<Option<Session>> {
        let who = Visibility::of(identity);
        let wanted = SessionRef::InProject(new.project.clone(), new.client_id.clone());
        let Some(stored) = self.store().session(&who, &wanted).await? else { return Ok(None) };
        if stored.client_id != new.client_id {
            return Ok(None);
        }
        let marks = exchange_marks(&self.store().exchanges(&who, stored.id).await?);
        let (_, _, tag) = tag(new, Some(&stored), digests, &marks);
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
        digests: SessionBlobs,
        marks: &str,
        read: &Read,
    ) -> Session {
        let now = self.now();
        let (metadata, blobs, etag) = tag(new, stored, digests, marks);
        let size = |bytes: &Option<Bytes>| bytes.as_ref().map(|b| b.len() as u64);
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
            markdown_size: new.markdown.len() as u64,
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

    async fn write(&self, tx: Tx, identity: &Identity, session: &Session, read: &Read) -> Result<()> {
        let content = SessionContent { messages: &read.messages, exchanges: &read.exchanges };
        tx.put_session(session, Some(&content)).await?;
        let job = JobKind::IndexSession { session: session.id };
        tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &job, self.now()).await?;
        tx.bump_version(&identity.user).await?;
        tx.commit().await
    }
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

fn digests(new: &NewSession) -> SessionBlobs {
    SessionBlobs {
        markdown: Digest::of(&new.markdown),
        raw: new.raw.as_deref().map(Digest::of),
        session_data: new.session_data.as_deref().map(Digest::of),
    }
}

/// Metadata, blobs and ETag of the session as it will be.
fn tag(
    new: &NewSession,
    stored: Option<&Session>,
    digests: SessionBlobs,
    exchanges: &str,
) -> (SessionMetadata, SessionBlobs, String) {
    let mut metadata = stored.map(|s| s.metadata.clone()).unwrap_or_default();
    metadata.merge(new.metadata.clone());
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

/// Titles and hidden flags of exchanges, as text; empty when nobody changed any.
pub(crate) fn exchange_marks(exchanges: &[Exchange]) -> String {
    let marked = exchanges.iter().filter(|e| e.user_title.is_some() || e.hidden_from_share);
    marked.map(|e| format!("{}:{}:{:?};", e.ordinal, e.hidden_from_share, e.user_title)).collect()
}

/// What is read out of the content once, when it is stored.
struct Read {
    format: String,
    parent_client_id: Option<String>,
    agent_id: Option<String>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    messages: Vec<Message>,
    exchanges: Vec<Exchange>,
    counts: SessionCounts,
    usage: TokenUsage,
    first_exchange: String,
}

fn read_content(new: &mut NewSession) -> Read {
    let markdown = String::from_utf8_lossy(&new.markdown);
    let exchanges = sg_formats::specstory::exchanges(&markdown);
    let transcript = new.transcript.take().or_else(|| read_transcript(new));
    let (usage, times) = match &transcript {
        Some(t) => (t.usage(), (t.started_at, t.ended_at)),
        None => Default::default(),
    };
    let started_at = times.0.or_else(|| exchanges.iter().filter_map(|e| e.started_at).min());
    let ended_at = times.1.or_else(|| exchanges.iter().filter_map(|e| e.ended_at).max());
    let (format, parent_client_id, agent_id, messages) = match transcript {
        Some(t) => (t.format, t.parent_client_id, t.agent_id, t.messages),
        // Prose without any markers is still something that was said.
        None => ("specstory", None, None, vec![Message::text(Role::User, markdown.as_ref())]),
    };
    let counts = SessionCounts {
        messages: messages.len() as u64,
        turns: messages.iter().filter(|m| m.role == Role::User && !m.is_sidechain).count() as u64,
        tool_uses: messages.iter().map(|m| m.tool_uses() as u64).sum(),
        exchanges: exchanges.len() as u64,
    };
    Read {
        format: format.to_owned(),
        parent_client_id,
        agent_id,
        started_at,
        ended_at,
        first_exchange: first_exchange(&messages),
        messages,
        exchanges,
        counts,
        usage,
    }
}

/// Reads the conversation from the agent's own file, else from the markdown; the richer source first.
fn read_transcript(new: &NewSession) -> Option<Transcript> {
    let raw = new.raw.as_ref().map(|bytes| (format!("{}.jsonl", new.client_id), bytes));
    let markdown = Some((format!("{}.md", new.name), &new.markdown));
    [raw, markdown].into_iter().flatten().find_map(|(name, bytes)| {
        let parsed = sg_formats::parse(&Source { name: &name, bytes, siblings: &[] }).ok()?;
        parsed.transcripts.into_iter().find(|t| !t.messages.is_empty())
    })
}

/// The start of the first thing the person said.
fn first_exchange(messages: &[Message]) -> String {
    let prompt = messages.iter().filter(|m| m.role == Role::User && !m.is_sidechain).find_map(|m| {
        m.blocks.iter().find_map(|b| match b {
            sg_domain::ContentBlock::Text { text } if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        })
    });
    prompt.unwrap_or_default().chars().take(FIRST_EXCHANGE_CHARS).collect()
}
