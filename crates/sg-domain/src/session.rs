//! A session: one conversation with a coding agent.

use serde::{Deserialize, Serialize};

use crate::{Digest, ProjectId, ProjectKey, SessionId, SessionMetadata, Timestamp, TokenUsage, UserId};

/// Who may read a session without signing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShareStatus {
    /// Nobody.
    #[default]
    Private,
    /// Whoever has the link.
    Unlisted,
}

impl ShareStatus {
    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Unlisted => "unlisted",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Private, Self::Unlisted].into_iter().find(|status| status.name() == name)
    }
}

/// Where a session's content lies in the blob store. A blob is written before the row that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionBlobs {
    /// The readable markdown; always there.
    pub markdown: Digest,
    /// The agent's own file, where there is one.
    pub raw: Option<Digest>,
    /// SpecStory's session data (JSON text), where a client sent it.
    pub session_data: Option<Digest>,
}

/// Counted once when the session is stored, so that no list has to load messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCounts {
    /// All messages.
    pub messages: u64,
    /// Messages of the person, side conversations left out.
    pub turns: u64,
    /// Calls of tools.
    pub tool_uses: u64,
    /// Exchanges of the markdown.
    pub exchanges: u64,
}

/// A session without its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Our id.
    pub id: SessionId,
    /// The id its client chose, unique inside the project.
    pub client_id: String,
    /// The project's row.
    pub project_key: ProjectKey,
    /// The project as clients name it.
    pub project_id: ProjectId,
    /// Who owns it.
    pub owner: UserId,
    /// What it was called when it was sent, often a file name.
    pub name: String,
    /// What a person called it.
    pub user_title: Option<String>,
    /// A short name that a person gave, unique per owner.
    pub alias: Option<String>,
    /// The format it came in, such as `claude-code`; `specstory` for synced ones.
    pub format: String,
    /// The session that started this one (a subagent's parent), as its client named it.
    pub parent_client_id: Option<String>,
    /// The subagent that this session is the transcript of.
    pub agent_id: Option<String>,
    /// First and last times of the conversation, where they are known.
    pub started_at: Option<Timestamp>,
    /// See `started_at`.
    pub ended_at: Option<Timestamp>,
    /// When it was first stored here.
    pub created_at: Timestamp,
    /// When it last changed here.
    pub updated_at: Timestamp,
    /// `ended_at`, else `started_at`, else `updated_at`: what lists sort by and date filters compare.
    pub activity_at: Timestamp,
    /// Changes whenever anything a reader can see changes, and only then. Bare hex; surfaces add the `W/"…"`.
    pub etag: String,
    /// UTF-8 bytes of the markdown as it was received.
    pub markdown_size: u64,
    /// Bytes of the agent's own file; 0 when there is none.
    pub raw_data_size: u64,
    /// Bytes of the session data; `None` when there is none.
    pub session_data_size: Option<u64>,
    /// Message, turn, tool and exchange counts.
    pub counts: SessionCounts,
    /// Tokens of all its messages, each answer counted once.
    pub usage: TokenUsage,
    /// The start of the first prompt, at most 500 characters.
    pub first_exchange: String,
    /// Who may read it without signing in.
    pub share_status: ShareStatus,
    /// Facts about where and by what it was made.
    pub metadata: SessionMetadata,
    /// Where its content lies.
    pub blobs: SessionBlobs,
}

impl Session {
    /// What a list shows as its title: the person's, else the client's, else the name.
    pub fn title(&self) -> &str {
        self.user_title.as_deref().or(self.metadata.title.as_deref()).unwrap_or(&self.name)
    }
}

/// A session in the trash.
#[derive(Clone, Debug, PartialEq)]
pub struct TrashedSession {
    /// The session as it was.
    pub session: Session,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// How much of a session is stored: what a sync compares with what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSize {
    /// See [`Session::client_id`].
    pub client_id: String,
    /// See [`Session::markdown_size`].
    pub markdown_size: u64,
    /// See [`Session::session_data_size`].
    pub session_data_size: Option<u64>,
}

/// What a list of sessions is sorted by. Every order ends in the session's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOrder {
    /// Last activity.
    #[default]
    Activity,
    /// First stored here.
    CreatedAt,
    /// Last changed here.
    UpdatedAt,
    /// `ended_at`, sessions without one last; then `updated_at`. SpecStory's list order.
    EndedAt,
    /// Name, by code point.
    Name,
    /// Bytes of markdown.
    MarkdownSize,
}

impl SessionOrder {
    /// Every order.
    pub const ALL: [Self; 6] =
        [Self::Activity, Self::CreatedAt, Self::UpdatedAt, Self::EndedAt, Self::Name, Self::MarkdownSize];

    /// Its name in cursors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::EndedAt => "ended_at",
            Self::Name => "name",
            Self::MarkdownSize => "markdown_size",
        }
    }
}

/// Makes an ETag out of everything a reader of the session can see.
pub fn etag(parts: &SessionEtag<'_>) -> String {
    let blob = |digest: Option<Digest>| digest.map(|d| d.0.to_vec()).unwrap_or_default();
    let metadata = serde_json::to_vec(parts.metadata).unwrap_or_default();
    Digest::of_parts([
        parts.name.as_bytes(),
        parts.user_title.unwrap_or_default().as_bytes(),
        parts.alias.unwrap_or_default().as_bytes(),
        parts.share_status.name().as_bytes(),
        &metadata,
        &parts.blobs.markdown.0,
        &blob(parts.blobs.raw),
        &blob(parts.blobs.session_data),
        parts.exchanges.as_bytes(),
    ])
    .to_string()
}

/// What goes into an ETag.
pub struct SessionEtag<'a> {
    /// See [`Session::name`].
    pub name: &'a str,
    /// See [`Session::user_title`].
    pub user_title: Option<&'a str>,
    /// See [`Session::alias`].
    pub alias: Option<&'a str>,
    /// See [`Session::share_status`].
    pub share_status: ShareStatus,
    /// See [`Session::metadata`].
    pub metadata: &'a SessionMetadata,
    /// See [`Session::blobs`].
    pub blobs: SessionBlobs,
    /// Titles and hidden flags of exchanges that people changed; empty when none.
    pub exchanges: &'a str,
}
