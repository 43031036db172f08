//! Importing sessions in the agents' own formats.

use std::sync::Arc;

use async_graphql::{Enum, InputObject, SimpleObject};
use bytes::Bytes;
use sg_app::import::{ImportOutcome, ImportText};
use sg_domain::{ProjectId, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::int;
use crate::session::Session;

/// How an agent writes sessions down.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportFormat {
    /// Claude Code: `<session>.jsonl`.
    ClaudeCode,
    /// Codex CLI: `rollout-….jsonl`.
    Codex,
    /// Gemini CLI: `session-….json`.
    GeminiCli,
    /// SpecStory's markdown.
    Specstory,
    /// SessionFS: the `manifest.json` of a `.sfs` folder, its other files in `files`.
    Sessionfs,
}

impl ImportFormat {
    fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::GeminiCli => "gemini-cli",
            Self::Specstory => "specstory",
            Self::Sessionfs => "sessionfs",
        }
    }
}

/// Another file of a session that is a folder.
#[derive(InputObject)]
pub(crate) struct ImportFileInput {
    /// What it is called, such as `messages.jsonl`.
    name: String,
    /// Its text.
    content: String,
}

/// A session in its agent's own format. The body of a request is bounded: large ones go in with the import command.
#[derive(InputObject)]
pub(crate) struct ImportSessionInput {
    /// The format; found out when it is left out.
    format: Option<ImportFormat>,
    /// The agent's own file, as text.
    content: String,
    /// The other files of a session that is a folder.
    files: Option<Vec<ImportFileInput>>,
    /// What the file is called. A session that does not name itself is known by it: send the same one each time.
    file_name: Option<String>,
    /// The id that clients know its project by; found by the git remote or folder that the session names when it is left
    /// out.
    project_id: Option<String>,
    /// The project's name, when it has to be made.
    project_name: Option<String>,
    /// Whether secrets are taken out before anything is stored.
    #[graphql(default = true)]
    redact: bool,
}

/// What importing did with a session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "ImportOutcome", remote = "ImportOutcome")]
pub(crate) enum Import {
    /// It is new.
    Created,
    /// It was there in another state.
    Updated,
    /// It was there just so, or reaches further there; nothing was written.
    Unchanged,
    /// It is in the trash, where it stays: nothing was written. Restore it, and import it again.
    InTrash,
}

/// A session that was found in what was sent.
#[derive(SimpleObject)]
pub(crate) struct ImportedSession {
    /// The session as it is stored; null when it is in the trash.
    session: Option<Session>,
    /// The id that it has on this server, in the trash too.
    session_id: async_graphql::ID,
    /// What was done.
    outcome: Import,
}

/// A line that could not be read. The others were.
#[derive(SimpleObject)]
pub(crate) struct SkippedLine {
    /// Its number, from 1; 0 when it is about the whole file.
    line: i32,
    /// Why.
    reason: String,
}

/// How many secrets of a kind were taken out.
#[derive(SimpleObject)]
pub(crate) struct RedactedCount {
    /// The kind, such as `github-token`.
    kind: String,
    /// How many.
    count: i32,
}

/// What came of importing a session.
#[derive(SimpleObject)]
pub(crate) struct ImportSessionPayload {
    /// The sessions that were found: nearly always one.
    sessions: Vec<ImportedSession>,
    /// How many lines could not be read.
    skipped_count: i32,
    /// The lines that could not be read, the first hundred.
    skipped: Vec<SkippedLine>,
    /// Secrets that were taken out.
    redacted: Vec<RedactedCount>,
}

/// The most lines that are listed.
const MAX_SKIPPED: usize = 100;
/// The most other files.
const MAX_FILES: usize = 10;

/// Imports a session.
pub(crate) async fn import_session(reach: &Reach, input: ImportSessionInput) -> Outcome<ImportSessionPayload> {
    reach.caller.require(Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    let files = input.files.unwrap_or_default();
    if files.len() > MAX_FILES {
        let message = format!("files takes at most {MAX_FILES} files");
        return Err(sg_domain::Error::invalid(message).at("files").into());
    }
    let text = ImportText {
        format: input.format.map(|format| format.name().to_owned()),
        content: Bytes::from(input.content),
        siblings: files.into_iter().map(|file| (file.name, Bytes::from(file.content))).collect(),
        file_name: input.file_name,
        project: input.project_id.map(ProjectId::new).transpose().map_err(|error| error.at("projectId"))?,
        project_name: input.project_name,
        redact: input.redact,
    };
    let imported = reach.app.import_text(&reach.caller, text).await?;
    let session = |found: sg_app::import::TextSession| ImportedSession {
        session_id: async_graphql::ID(found.session.id.to_string()),
        session: (found.outcome != ImportOutcome::InTrash).then(|| Session::new(Arc::new(found.session))),
        outcome: found.outcome.into(),
    };
    let line =
        |skipped: sg_domain::transcript::Skipped| SkippedLine { line: int(skipped.line), reason: skipped.reason };
    let redacted = imported.redacted.into_iter();
    Ok(ImportSessionPayload {
        sessions: imported.sessions.into_iter().map(session).collect(),
        skipped_count: int(imported.skipped.len() as u64),
        skipped: imported.skipped.into_iter().take(MAX_SKIPPED).map(line).collect(),
        redacted: redacted.map(|(kind, count)| RedactedCount { kind: kind.to_owned(), count: int(count) }).collect(),
    })
}
