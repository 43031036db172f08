//! Summaries of sessions: made of their stored messages, a page at a time, and kept until the session changes.

use std::collections::HashMap;

use sg_domain::{
    Archive, Caller, Digest, Error, ErrorKind, Feature, Identity, Result, Scope, Session, SessionId, Summarizer,
    Summary, SummaryFacts, Visibility,
};
use sg_store::{MessageQuery, SessionColumns};

use crate::App;

mod narrative;

pub use narrative::NarrativeFault;

/// Messages that are read at a time.
const PAGE_MESSAGES: u32 = 200;
/// How often a session is read that is written at the same time.
const MAX_READ_ATTEMPTS: u32 = 3;
/// Moves when the rules of a summary do: what was made by others is made anew.
const RULES: u32 = 1;
/// Characters of a commit that are shown.
const COMMIT_CHARS: usize = 7;

/// A session with its summary.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSummary {
    /// The session.
    pub session: Session,
    /// What its client said of it, if it came as an archive.
    pub archive: Option<Archive>,
    /// The summary.
    pub summary: Summary,
}

impl SessionSummary {
    /// What the session is called.
    pub fn title(&self) -> &str {
        let title = self.session.title();
        if title.trim().is_empty() { "Untitled" } else { title }
    }

    /// The agent that it was made with, as its client names it.
    pub fn tool(&self) -> &str {
        match &self.archive {
            Some(archive) => &archive.facts.source_tool,
            None => self.session.metadata.agent_name.as_deref().unwrap_or(&self.session.format),
        }
    }

    /// The model that answered, where it is known.
    pub fn model(&self) -> Option<&str> {
        let said = self.archive.as_ref().and_then(|archive| archive.facts.model_id.as_deref());
        said.or_else(|| self.session.metadata.llm_models.as_ref()?.first().map(String::as_str))
    }

    /// Messages: as the client counted them, else as they were.
    pub fn messages(&self) -> u64 {
        let said = self.archive.as_ref().map(|archive| archive.facts.messages);
        said.filter(|count| *count > 0).unwrap_or(self.session.counts.messages)
    }

    /// The branch that it ended on, where it is known.
    pub fn branch(&self) -> Option<&str> {
        let said = self.archive.as_ref().and_then(|archive| archive.facts.git_branch.as_deref());
        said.or_else(|| self.session.metadata.git_branches.as_ref()?.last().map(String::as_str))
    }

    /// The start of the commit that it was on, where it is known.
    pub fn commit(&self) -> Option<&str> {
        let commit = self.archive.as_ref()?.facts.git_commit.as_deref()?;
        Some(commit.char_indices().nth(COMMIT_CHARS).map_or(commit, |(end, _)| &commit[..end]))
    }
}

impl App {
    /// A session's summary, made now if it was not, or of another state. `NotFound` when the caller may not see the
    /// session; `Invalid` when it has no messages.
    pub async fn summary(&self, caller: &Caller, session: SessionId) -> Result<SessionSummary> {
        let identity = caller.require(Scope::Read)?;
        let (session, archive) = self.summarised(identity, session).await?;
        let known = self.store().summaries(&Visibility::of(identity), &[session.id]).await?.pop();
        self.fresh(identity, session, archive, known).await
    }

    /// The summaries of these sessions, in no order. Those that may not be seen and those without messages are left out.
    pub async fn summaries(&self, caller: &Caller, sessions: &[SessionId]) -> Result<Vec<SessionSummary>> {
        let identity = caller.require(Scope::Read)?;
        let who = Visibility::of(identity);
        let found = self.store().sessions_by_id(&who, sessions, SessionColumns::ALL).await?;
        let archives = self.store().archives_of(&who, sessions).await?;
        let mut archives: HashMap<_, _> =
            archives.into_iter().map(|found| (found.archive.session, found.archive)).collect();
        let known = self.store().summaries(&who, sessions).await?;
        let mut known: HashMap<_, _> = known.into_iter().map(|summary| (summary.session, summary)).collect();
        let mut summaries = Vec::with_capacity(found.len());
        for session in found.into_iter().filter(|session| session.counts.messages > 0) {
            let (archive, known) = (archives.remove(&session.id), known.remove(&session.id));
            match self.fresh(identity, session, archive, known).await {
                Ok(summary) => summaries.push(summary),
                // Deleted since.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(summaries)
    }

    /// Makes a session's summary anew, whatever is kept; what a model told stays.
    pub async fn summarize(&self, caller: &Caller, session: SessionId) -> Result<SessionSummary> {
        let identity = caller.require(Scope::Write)?;
        // The answer tells what is in the session.
        caller.require(Scope::Read)?;
        self.require_feature(identity, Feature::Summary).await?;
        let (session, archive) = self.summarised(identity, session).await?;
        self.made(identity, session, archive, true).await
    }

    /// The session and its archive, if it has one.
    async fn summarised(&self, identity: &Identity, session: SessionId) -> Result<(Session, Option<Archive>)> {
        let who = Visibility::of(identity);
        let found = self.store().sessions_by_id(&who, &[session], SessionColumns::ALL).await?.pop();
        let found = found.ok_or_else(|| Error::not_found("session"))?;
        let archive = self.store().archives_of(&who, &[session]).await?.pop().map(|found| found.archive);
        Ok((found, archive))
    }

    /// What is known, if it is of this state of the session; else it is made.
    async fn fresh(
        &self,
        identity: &Identity,
        session: Session,
        archive: Option<Archive>,
        known: Option<Summary>,
    ) -> Result<SessionSummary> {
        match known.filter(|summary| summary.made_of == state_of(&session)) {
            Some(summary) => Ok(SessionSummary { session, archive, summary }),
            None => self.made(identity, session, archive, false).await,
        }
    }

    /// Makes a summary and keeps it. Unless it is `wanted`, one that somebody else made of the same state meanwhile stays.
    async fn made(
        &self,
        identity: &Identity,
        mut session: Session,
        archive: Option<Archive>,
        wanted: bool,
    ) -> Result<SessionSummary> {
        let who = Visibility::of(identity);
        let mut attempt = 1;
        let facts = loop {
            if session.counts.messages == 0 {
                return Err(Error::invalid("could not generate summary — no messages found"));
            }
            let facts = self.facts_of(&who, &session).await?;
            // Pages of two states make the summary of neither. Read again, the row tells.
            let again = self.store().sessions_by_id(&who, &[session.id], SessionColumns::ALL).await?.pop();
            let again = again.ok_or_else(|| Error::not_found("session"))?;
            let is_same = state_of(&again) == state_of(&session);
            session = again;
            if is_same {
                break facts;
            }
            if attempt == MAX_READ_ATTEMPTS {
                return Err(Error::new(ErrorKind::Unavailable, "the session is being written; try again"));
            }
            attempt += 1;
        };
        let made_of = state_of(&session);
        let summary = Summary { session: session.id, made_of, facts, made_at: self.now(), narrative: None };
        let tx = self.store().begin().await?;
        if wanted {
            // What it shows of when it was made moves.
            tx.bump_version(&identity.user).await?;
        }
        let stored = match tx.summary(session.id).await?.filter(|stored| !wanted && stored.made_of == made_of) {
            Some(stored) => Some(stored),
            None if tx.put_summary(&summary).await? => tx.summary(session.id).await?,
            None => None,
        };
        tx.commit().await?;
        let summary = stored.ok_or_else(|| Error::not_found("session"))?;
        Ok(SessionSummary { session, archive, summary })
    }

    async fn facts_of(&self, who: &Visibility, session: &Session) -> Result<SummaryFacts> {
        let mut summarizer = Summarizer::default();
        let mut query = MessageQuery { limit: Some(PAGE_MESSAGES), ..MessageQuery::default() };
        loop {
            let page = self.store().messages(who, session.id, &query).await?;
            page.items.iter().for_each(|(_, message)| summarizer.add(message));
            match page.items.last() {
                Some((ordinal, _)) if page.has_next => query.after = Some(*ordinal),
                _ => return Ok(summarizer.finish()),
            }
        }
    }
}

/// What a summary is made of: the content that the messages were read from, and what was read. A new name or alias is no
/// new state.
fn state_of(session: &Session) -> Digest {
    let blobs = &session.blobs;
    let content = |digest: Option<Digest>| digest.map(|digest| digest.to_string()).unwrap_or_default();
    let counts = format!("{RULES} {:?} {:?} {}", session.counts, session.usage, session.format);
    Digest::of_parts([
        counts.as_bytes(),
        blobs.markdown.to_string().as_bytes(),
        content(blobs.raw).as_bytes(),
        content(blobs.session_data).as_bytes(),
    ])
}
