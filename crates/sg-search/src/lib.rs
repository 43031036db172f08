//! Finding text: the [`SearchIndex`] trait and the engines behind it.
//!
//! What belongs here: tokens, ranking, query syntax, snippets, facets, an engine's own types. No tantivy type leaves
//! this crate. What does not: whose data it is (a query carries its visibility) and when something is indexed (jobs of
//! `sg-app`).

mod error;
mod exchange;
mod path;
mod piece;
mod query;
mod snippet;
mod tantivy_index;
mod tokenizer;

use async_trait::async_trait;
use sg_domain::{
    ExchangeHit, ExchangeQuery, Message, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, Session, SessionId,
};

pub use piece::MAX_SESSION_BYTES;
pub use tantivy_index::{TantivyConfig, TantivyIndex};

/// The most bytes of one session's exchanges that an index keeps.
pub const MAX_EXCHANGE_BYTES: usize = piece::MAX_SESSION_BYTES;

/// Everything the index keeps of one session.
#[derive(Clone, Debug)]
pub struct SessionDocument {
    /// The session; its metadata is what filters and facets work on.
    pub session: Session,
    /// The project's name, searchable and shown in facets by id.
    pub project_name: String,
    /// Its messages, in order; a message's ordinal is its place here.
    pub messages: Vec<Message>,
    /// The texts of its exchanges, in order. They are kept only while it can be resumed; of one that cannot they may be
    /// left out.
    pub exchanges: Vec<String>,
}

/// What an index knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexStatus {
    /// Sessions it holds.
    pub sessions: u64,
    /// Documents (pieces of messages) it holds.
    pub documents: u64,
    /// Bytes on disk; 0 where that is not known.
    pub bytes: u64,
    /// It was missing, foreign, corrupt or of another version when it was opened, and is empty now: the owner of the
    /// store must rebuild it.
    pub needs_rebuild: bool,
}

/// An index over sessions. It is disposable: everything in it can be made again from the store.
///
/// Writes are buffered until [`SearchIndex::commit`]. When commit returns, every write before it is durable and every
/// search that starts later sees it. A crash loses only what was not committed. Writes and searches may run
/// concurrently; writers take turns inside.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Writes a session, replacing all that was there of it.
    async fn put(&self, document: SessionDocument) -> Result<()>;

    /// Removes a session. Searches that start after this returns do not see it, even before the next commit.
    async fn remove(&self, session: SessionId) -> Result<()>;

    /// Makes all writes so far durable and searchable.
    async fn commit(&self) -> Result<()>;

    /// Answers a query. Never fails because of the text of the query.
    async fn search(&self, query: SearchQuery) -> Result<SearchPage>;

    /// The sessions that can be resumed and have one exchange in which all that was typed stands, each once, in no order
    /// and without a limit. Each part of the text is a beginning of a word, or of the last of several words that must
    /// follow each other; in closed quotes words are whole. No word is stemmed or left out, nothing else is syntax, and
    /// fewer than two letters or digits find nothing. Of a text without end the first 64 parts count. Never
    /// fails because of the text of the query.
    async fn exchanges(&self, query: ExchangeQuery) -> Result<Vec<ExchangeHit>>;

    /// The sessions nearest to one by what was said and which files were touched, nearest first, then by last activity
    /// (latest first), then by id; never the session itself. Subagents of it and the session that started it are sessions
    /// like any other. None when the session is not in the index, may not be seen, or nothing has to do with it.
    async fn related(&self, query: RelatedQuery) -> Result<Vec<RelatedHit>>;

    /// Which of these sessions the index holds, committed; for `doctor`. All of them when `None`.
    async fn sessions(&self) -> Result<Vec<(SessionId, String)>>;

    /// What the index knows of itself.
    fn status(&self) -> IndexStatus;

    /// Starts a new, empty index beside this one, which keeps serving. Writes made through this trait while a rebuild
    /// runs go to both, and win over the rebuild's own.
    async fn rebuild(&self) -> Result<Box<dyn Rebuild>>;
}

/// An index being built beside the one that serves.
#[async_trait]
pub trait Rebuild: Send {
    /// Adds a session to the new index.
    async fn put(&mut self, document: SessionDocument) -> Result<()>;

    /// Commits the new index and puts it in the old one's place, atomically: a search sees one or the other, a crash
    /// leaves one or the other. Dropping a rebuild without this leaves the old index as it was.
    async fn finish(self: Box<Self>) -> Result<()>;
}
