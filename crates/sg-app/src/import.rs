//! Importing what agents left on a machine: redact, read, place in a project, store.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use sg_domain::id::normalise_remote;
use sg_domain::{Caller, Digest, ProjectId, Result, Scope, SessionMetadata, Timestamp, Transcript};
use sg_formats::redact::Redactor;
use sg_formats::sessionfs::{Member, pack};
use sg_formats::{FormatError, Source};
use sg_store::{Content, ImportSource};

use crate::{App, NewSession, PutOutcome};

mod text;

pub use text::{ImportText, ImportedText, TextSession};

/// Raised when a format or the redactor reads more than before, so that unchanged files are read again once.
const READER_VERSION: u32 = 1;

/// The format whose sessions are folders.
const FOLDER_FORMAT: &str = "sessionfs";

/// What is known of a folder that a session was made in; found by whoever can look at the file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// The remote `origin`, as git has it.
    pub git_remote: Option<String>,
    /// `git_id` of `.specstory/.project.json`.
    pub git_id: Option<String>,
    /// `workspace_id` of `.specstory/.project.json`.
    pub workspace_id: Option<String>,
    /// `project_name` of `.specstory/.project.json`.
    pub project_name: Option<String>,
}

/// One file to import, or the files of a folder that are one session together.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// Absolute path.
    pub path: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Other files of the same session, by base name.
    pub siblings: Vec<(String, Bytes)>,
    /// Modification time.
    pub modified_at: Timestamp,
    /// The project folder, when the place of the file tells: the one that holds `.specstory/history`. Used where the
    /// session itself does not say where it was made.
    pub folder: String,
}

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Take secrets out before anything is stored.
    pub redact: bool,
    /// Only tell what would happen.
    pub dry_run: bool,
}

/// What became of one session of a file.
#[derive(Clone, Debug)]
pub struct ImportedSession {
    /// Its id in the agent's file.
    pub client_id: String,
    /// What it is called.
    pub name: String,
    /// The format it was in.
    pub format: &'static str,
    /// The project it went to.
    pub project: ProjectId,
    /// What became of it; in a dry run, what would have.
    pub outcome: ImportOutcome,
}

/// What became of a session that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is new.
    Created,
    /// It was there in another state.
    Updated,
    /// It was there just so, or reaches further there; nothing was written.
    Unchanged,
    /// It is in the trash, where it stays: nothing was written. Restore it, and import it again.
    InTrash,
}

impl From<PutOutcome> for ImportOutcome {
    fn from(outcome: PutOutcome) -> Self {
        match outcome {
            PutOutcome::Created => Self::Created,
            PutOutcome::Updated => Self::Updated,
            PutOutcome::Unchanged => Self::Unchanged,
        }
    }
}

/// What became of one file.
#[derive(Clone, Debug, Default)]
pub struct ImportedFile {
    /// Its sessions.
    pub sessions: Vec<ImportedSession>,
    /// Lines that could not be read, with their numbers.
    pub skipped: Vec<sg_domain::transcript::Skipped>,
    /// Secrets taken out, by kind.
    pub redacted: BTreeMap<&'static str, u64>,
    /// The whole file was skipped, and why: not a session, empty, too large.
    pub refused: Option<String>,
}

/// Reads and stores files for one caller; knows what was imported before.
pub struct Importer<'a> {
    app: &'a App,
    caller: &'a Caller,
    options: ImportOptions,
    redactor: Redactor,
    known: HashMap<String, ImportSource>,
    machine_name: Option<String>,
}

impl App {
    /// Starts an import into the caller's account. `machine_name` is noted on sessions that do not name one.
    pub async fn importer<'a>(
        &'a self,
        caller: &'a Caller,
        options: ImportOptions,
        machine_name: Option<String>,
    ) -> Result<Importer<'a>> {
        let identity = caller.require(Scope::Write)?;
        let known = self.store().import_sources(&identity.user).await?;
        let known = known.into_iter().map(|source| (source.path.clone(), source)).collect();
        Ok(Importer { app: self, caller, options, redactor: Redactor::new(), known, machine_name })
    }
}

/// A file that was read and is ready to be stored.
pub struct ReadFile {
    path: String,
    size: u64,
    modified_at: Timestamp,
    fingerprint: String,
    folder: String,
    raw: Bytes,
    transcripts: Vec<Transcript>,
    report: ImportedFile,
}

impl Importer<'_> {
    /// Whether a file was imported completely before and has not changed since, by size and modification time. Returns
    /// how many sessions it holds; saves reading it.
    pub fn is_known(&self, path: &str, size: u64, modified_at: Timestamp) -> Option<u64> {
        let known = self.known.get(path)?;
        let same =
            known.size == size && known.modified_at == modified_at && known.fingerprint.starts_with(&self.setting());
        same.then_some(known.sessions)
    }

    /// Redacts and parses a file. Pure work, made to run on a thread of its own beside [`Importer::store`].
    pub fn read(&self, file: ImportFile) -> ReadFile {
        let size = file.bytes.len() as u64 + file.siblings.iter().map(|(_, b)| b.len() as u64).sum::<u64>();
        let parts = std::iter::once(&file.bytes[..]).chain(file.siblings.iter().map(|(_, b)| &b[..]));
        let fingerprint = format!("{}{}", self.setting(), Digest::of_parts(parts));
        let mut report = ImportedFile::default();
        let raw = self.redacted(file.bytes, &mut report);
        let siblings: Vec<_> =
            file.siblings.into_iter().map(|(name, bytes)| (name, self.redacted(bytes, &mut report))).collect();
        let siblings: Vec<_> = siblings.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        let transcripts = match sg_formats::parse(&Source { name: &file.path, bytes: &raw, siblings: &siblings }) {
            Ok(parsed) => {
                report.skipped = parsed.skipped;
                parsed.transcripts
            }
            Err(error) => {
                report.refused = Some(match error {
                    FormatError::Unknown => "not a session format that sessiongraph knows".to_owned(),
                    other => other.to_string(),
                });
                Vec::new()
            }
        };
        // A session that is a folder is kept as the archive that its own client would send.
        let is_folder = !siblings.is_empty() && transcripts.iter().any(|t| t.format == FOLDER_FORMAT);
        let raw = if is_folder { packed(&raw, &siblings).unwrap_or(raw) } else { raw };
        ReadFile {
            path: file.path,
            size,
            modified_at: file.modified_at,
            fingerprint,
            folder: file.folder,
            raw,
            transcripts,
            report,
        }
    }

    /// Stores what was read. `workspace` tells about the folder a session was made in.
    pub async fn store(&self, read: ReadFile, workspace: impl Fn(&str) -> Workspace) -> Result<ImportedFile> {
        let mut report = read.report;
        let source = ImportSource {
            path: read.path.clone(),
            size: read.size,
            modified_at: read.modified_at,
            fingerprint: read.fingerprint,
            sessions: read.transcripts.len() as u64,
        };
        let unchanged = self.known.get(&read.path).is_some_and(|k| k.fingerprint == source.fingerprint);
        let mut is_complete = !self.options.dry_run && report.refused.is_none();
        for transcript in read.transcripts {
            let new = self.placed(transcript, &read.raw, &read.folder, &workspace)?;
            let (client_id, name, project) = (new.client_id.clone(), new.name.clone(), new.project.clone());
            let format = new.transcript.as_ref().map_or("", |t| t.format);
            let outcome = if unchanged {
                ImportOutcome::Unchanged
            } else if self.app.is_in_trash(self.caller, &new).await? {
                // A file with one of those is not noted: when it is restored, what was added to it since comes in.
                is_complete = false;
                ImportOutcome::InTrash
            } else if self.app.is_superseded(self.caller, &new).await? {
                ImportOutcome::Unchanged
            } else if self.options.dry_run {
                self.app.would_put(self.caller, new).await?.into()
            } else {
                self.app.put_session(self.caller, new).await?.1.into()
            };
            report.sessions.push(ImportedSession { client_id, name, format, project, outcome });
        }
        if is_complete && self.known.get(&read.path) != Some(&source) {
            let identity = self.caller.require(Scope::Write)?;
            let tx = self.app.store().begin().await?;
            tx.put_import_source(&identity.user, &source).await?;
            tx.commit().await?;
        }
        Ok(report)
    }

    fn setting(&self) -> String {
        format!("{READER_VERSION}:{}:", u8::from(self.options.redact))
    }

    fn redacted(&self, bytes: Bytes, report: &mut ImportedFile) -> Bytes {
        if !self.options.redact {
            return bytes;
        }
        let redacted = self.redactor.redact(&bytes);
        for (kind, count) in &redacted.counts {
            *report.redacted.entry(kind).or_default() += count;
        }
        match redacted.bytes {
            std::borrow::Cow::Owned(clean) => clean.into(),
            std::borrow::Cow::Borrowed(_) => bytes.clone(),
        }
    }

    /// Finds the project of a session the way SpecStory's CLI does: the git remote, else the workspace folder.
    fn placed(
        &self,
        mut transcript: Transcript,
        raw: &Bytes,
        fallback_folder: &str,
        workspace: impl Fn(&str) -> Workspace,
    ) -> Result<NewSession> {
        let folder = transcript.metadata.folder.clone().unwrap_or_else(|| fallback_folder.to_owned());
        let known = workspace(&folder);
        let remote = transcript.metadata.git_remote.take().or(known.git_remote);
        let remote = remote.map(|r| normalise_remote(&r)).filter(|r| !r.is_empty());
        let project = match (known.git_id, &remote, known.workspace_id) {
            (Some(id), _, _) => ProjectId::new(id)?,
            (None, Some(remote), _) => ProjectId::derive(remote),
            (None, None, Some(id)) => ProjectId::new(id)?,
            (None, None, None) => ProjectId::derive(&folder),
        };
        let last = |path: &str| {
            let last = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
            (!last.is_empty()).then(|| last.to_owned())
        };
        let project_name = known.project_name.or_else(|| remote.as_deref().and_then(last)).or_else(|| last(&folder));
        transcript.metadata.git_remote = remote;
        let is_markdown = transcript.markdown.is_some();
        let markdown = match transcript.markdown.take() {
            Some(markdown) => markdown,
            None => sg_formats::specstory::write(&transcript),
        };
        let metadata = SessionMetadata {
            client_name: transcript.metadata.client_name.clone().or_else(|| Some("sessiongraph".to_owned())),
            machine_name: transcript.metadata.machine_name.clone().or_else(|| self.machine_name.clone()),
            folder: Some(folder),
            ..transcript.metadata.clone()
        };
        Ok(NewSession {
            project,
            project_name: project_name.unwrap_or_else(|| "unnamed".to_owned()),
            client_id: transcript.client_id.clone(),
            name: transcript.name.clone(),
            markdown: markdown.into(),
            raw: (!is_markdown).then(|| raw.clone().into()),
            session_data: transcript.session_data.take().map(Content::from),
            metadata,
            transcript: Some(transcript),
        })
    }
}

/// The files of a session folder as one archive; the same files give the same bytes.
fn packed(manifest: &[u8], siblings: &[(&str, &[u8])]) -> Option<Bytes> {
    let files = std::iter::once(("manifest.json", manifest)).chain(siblings.iter().copied());
    let members: Vec<_> = files.map(|(name, bytes)| Member { name: name.to_owned(), bytes: bytes.to_vec() }).collect();
    pack(&members).ok().map(Bytes::from)
}
