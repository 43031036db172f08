//! A session that came as an archive: what its client calls it, and what it said of it. The conversation itself is a
//! [`Session`](crate::Session) like any other; the archive is kept byte for byte as its raw file.

use crate::{Digest, Session, SessionId, Timestamp, UserId};

/// What a client said of a session it pushed, as it said it: counts are the client's, not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// The agent that wrote it, such as `claude-code`; `unknown` when it does not say.
    pub source_tool: String,
    /// Its version.
    pub source_tool_version: Option<String>,
    /// The session's id at that agent.
    pub original_id: Option<String>,
    /// Who makes the model.
    pub model_provider: Option<String>,
    /// The model that answered.
    pub model_id: Option<String>,
    /// The archive that this one goes on from, or is a copy of.
    pub parent_id: Option<String>,
    /// Messages.
    pub messages: u64,
    /// Messages of the person.
    pub turns: u64,
    /// Calls of tools.
    pub tool_uses: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// From the first to the last message.
    pub duration_millis: Option<u64>,
    /// The remote of the folder it was made in, normalised: `owner/repo`.
    pub git_remote: Option<String>,
    /// The branch it was on.
    pub git_branch: Option<String>,
    /// The commit it was on.
    pub git_commit: Option<String>,
}

/// An archive that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// What clients call it: `ses_` and 8 to 40 letters and digits, unique on the whole server, in the trash too.
    pub id: String,
    /// The session it is.
    pub session: SessionId,
    /// Whose it is.
    pub owner: UserId,
    /// What its client said.
    pub facts: ArchiveFacts,
    /// SHA-256 of its bytes, which is also its ETag.
    pub digest: Digest,
    /// Its size, packed, in bytes.
    pub size_bytes: u64,
    /// When it last came.
    pub uploaded_at: Timestamp,
    /// Who deleted it and where, while it is in the trash.
    pub deletion: Option<ArchiveDeletion>,
    /// What a look for secrets found, as JSON.
    pub scan: Option<String>,
}

/// How an archive came into the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveDeletion {
    /// Who put it there.
    pub by: UserId,
    /// Where it was to be deleted.
    pub scope: DeleteScope,
}

/// Where a session is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteScope {
    /// Here alone.
    Server,
    /// Here and on every machine that has it.
    Everywhere,
}

impl DeleteScope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Server, Self::Everywhere];

    /// Its name in storage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Everywhere => "everywhere",
        }
    }
}

/// An archive with its session.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedSession {
    /// The archive.
    pub archive: Archive,
    /// The session.
    pub session: Session,
    /// When it was deleted, while it is in the trash.
    pub deleted_at: Option<Timestamp>,
}

/// Which archives are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveFilter {
    /// Those of one of these tools; empty is any.
    pub source_tools: Vec<String>,
    /// Those with just this tag among theirs.
    pub tag: Option<String>,
    /// Those of one of these models, `None` for a model that is not known; empty is any.
    pub models: Vec<Option<String>>,
    /// Those that changed here then or later.
    pub updated_from: Option<Timestamp>,
    /// What is in the trash, instead of what is not.
    pub in_trash: bool,
}

/// What a list of archives is sorted by. Every order ends in the archive's id, ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArchiveOrder {
    /// Last changed here.
    #[default]
    UpdatedAt,
    /// The model's name, archives without one last; then last changed first.
    Model,
}
