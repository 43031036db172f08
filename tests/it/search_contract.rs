//! What every search index must do, whatever engine is behind it. A new engine is one more factory in `engines`.

#![allow(clippy::unwrap_used)]

mod exchange;
mod filter;
mod language;
mod page;
mod related;
mod write;

use sg_domain::search::RankBy;
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    Digest, Message, ProjectId, ProjectKey, Role, SearchPage, SearchQuery, Session, SessionFilter, SessionId,
    SessionMetadata, ShareStatus, Timestamp, TokenUsage, UserId, Visibility,
};
use sg_search::{SearchIndex, SessionDocument, TantivyConfig, TantivyIndex};
use tempfile::TempDir;

/// An index under test and what must outlive it.
struct Engine {
    index: Box<dyn SearchIndex>,
    _folder: TempDir,
}

/// The engines, fresh and empty.
fn engines() -> Vec<(&'static str, Engine)> {
    let folder = TempDir::new().unwrap();
    let index = TantivyIndex::open(config(&folder)).unwrap();
    vec![("tantivy", Engine { index: Box::new(index), _folder: folder })]
}

fn config(folder: &TempDir) -> TantivyConfig {
    TantivyConfig { writer_memory_bytes: 15_000_000, ..TantivyConfig::new(folder.path().join("index")) }
}

fn id(n: u64) -> SessionId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

fn user(name: &str) -> UserId {
    UserId(format!("user_{name}"))
}

fn day(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    day("2026-06-01T12:00:00Z")
}

/// A session of Ann's with these messages.
fn session(n: u64, title: &str, messages: &[(Role, &str)]) -> SessionDocument {
    let digest = Digest::of(b"");
    let at = day("2026-01-15T10:00:00Z");
    let session = Session {
        id: id(n),
        client_id: format!("client-{n}"),
        project_key: ProjectKey("00000000-0000-7000-8000-00000000000a".parse().unwrap()),
        project_id: ProjectId::new("p-one").unwrap(),
        owner: user("ann"),
        name: title.to_owned(),
        user_title: None,
        alias: None,
        format: "claude-code".to_owned(),
        parent_client_id: None,
        agent_id: None,
        started_at: Some(at),
        ended_at: Some(at),
        created_at: at,
        updated_at: at,
        activity_at: at,
        etag: format!("etag-{n}"),
        markdown_size: 0,
        raw_data_size: 0,
        session_data_size: None,
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: String::new(),
        share_status: ShareStatus::default(),
        metadata: SessionMetadata::default(),
        blobs: SessionBlobs { markdown: digest, raw: None, session_data: None },
    };
    let messages = messages.iter().map(|(role, text)| Message::text(*role, *text)).collect();
    SessionDocument { session, project_name: "One".to_owned(), messages, exchanges: Vec::new() }
}

/// A session in which the person says one thing.
fn says(n: u64, text: &str) -> SessionDocument {
    session(n, &format!("Untitled {n}"), &[(Role::User, text)])
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        visibility: Visibility::Owner(user("ann")),
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 50,
        offset: 0,
        facets: Vec::new(),
        snippets: true,
        messages_per_hit: 3,
        now: now(),
    }
}

async fn fill(index: &dyn SearchIndex, documents: impl IntoIterator<Item = SessionDocument>) {
    for document in documents {
        index.put(document).await.unwrap();
    }
    index.commit().await.unwrap();
}

async fn search(index: &dyn SearchIndex, text: &str) -> SearchPage {
    index.search(query(text)).await.unwrap()
}

fn ids(page: &SearchPage) -> Vec<SessionId> {
    page.hits.iter().map(|hit| hit.session).collect()
}

/// The numbers of the sessions found, ascending.
async fn found(index: &dyn SearchIndex, text: &str) -> Vec<u64> {
    numbers(&search(index, text).await)
}

fn numbers(page: &SearchPage) -> Vec<u64> {
    let mut numbers: Vec<u64> = page.hits.iter().map(|hit| (hit.session.0.as_u128() & 0xffff_ffff) as u64).collect();
    numbers.sort_unstable();
    numbers
}
