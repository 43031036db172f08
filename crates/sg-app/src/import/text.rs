//! Importing a session that a client sends as text, as the agent's own file has it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use sg_domain::error::quote;
use sg_domain::transcript::Skipped;
use sg_domain::{Caller, Digest, Error, ErrorKind, ProjectId, Result, Scope, Session, Transcript, Visibility};
use sg_formats::redact::Redactor;
use sg_formats::{FORMATS, FormatError, Source};

use super::{ImportOptions, ImportOutcome, ImportedFile, Importer, Workspace};
use crate::App;
use crate::session_read::blocking;

/// A session as a client sends it.
#[derive(Clone, Debug)]
pub struct ImportText {
    /// The name of its format, such as `claude-code`; found out when it is `None`.
    pub format: Option<String>,
    /// The agent's own file.
    pub content: Bytes,
    /// Other files of the same session, by base name, for formats that keep one in a folder.
    pub siblings: Vec<(String, Bytes)>,
    /// What the file is called. Sessions that do not name themselves are known by it.
    pub file_name: Option<String>,
    /// The project it goes to; `None` finds it as an import from a folder does.
    pub project: Option<ProjectId>,
    /// What to call the project if it has to be made.
    pub project_name: Option<String>,
    /// Take secrets out before anything is stored.
    pub redact: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct ImportedText {
    /// Its sessions: nearly always one.
    pub sessions: Vec<TextSession>,
    /// Lines that could not be read, with their numbers.
    pub skipped: Vec<Skipped>,
    /// Secrets taken out, by kind.
    pub redacted: BTreeMap<&'static str, u64>,
}

/// What became of one session of it.
#[derive(Clone, Debug)]
pub struct TextSession {
    /// The session as it is stored now, or as it lies in the trash.
    pub session: Session,
    /// What was done.
    pub outcome: ImportOutcome,
}

impl App {
    /// Stores the sessions of a text: secrets taken out, read, placed, as an import from a folder does. Sending the same
    /// again changes nothing, sending it longer updates it.
    pub async fn import_text(&self, caller: &Caller, text: ImportText) -> Result<ImportedText> {
        let identity = caller.require(Scope::Write)?;
        check(&text, self.limits().max_session_bytes)?;
        let project = Workspace {
            git_id: text.project.as_ref().map(|project| project.as_str().to_owned()),
            project_name: text.project_name.clone(),
            ..Workspace::default()
        };
        let has_project = text.project.is_some();
        let (report, raw, transcripts) = blocking(move || read(text)).await?;
        if !has_project && transcripts.iter().any(|t| t.metadata.folder.is_none() && t.metadata.git_remote.is_none()) {
            let message = "the session does not say where it was made, name its project";
            return Err(Error::invalid(message).at("projectId"));
        }
        let options = ImportOptions { redact: false, dry_run: false };
        let redactor = Redactor::new();
        let importer = Importer { app: self, caller, options, redactor, known: HashMap::new(), machine_name: None };
        let mut sessions = Vec::with_capacity(transcripts.len());
        for transcript in transcripts {
            let folder = transcript.metadata.folder.clone();
            let mut new = importer.placed(transcript, &raw, "", |_| project.clone())?;
            new.metadata.folder = folder;
            let wanted = sg_domain::id::SessionRef::InProject(new.project.clone(), new.client_id.clone());
            let (session, outcome) = if self.is_in_trash(caller, &new).await? {
                let trashed = self.store().trashed_session(&identity.user, &new.project, &new.client_id).await?;
                (trashed.map(|trashed| trashed.session), ImportOutcome::InTrash)
            } else if self.is_superseded(caller, &new).await? {
                (self.store().session(&Visibility::of(identity), &wanted).await?, ImportOutcome::Unchanged)
            } else {
                let (session, outcome) = self.put_session(caller, new).await?;
                (Some(session), outcome.into())
            };
            let session = session.ok_or_else(|| {
                Error::new(ErrorKind::Conflict, "the session was deleted while it was imported, try again")
            })?;
            sessions.push(TextSession { session, outcome });
        }
        Ok(ImportedText { sessions, skipped: report.skipped, redacted: report.redacted })
    }
}

fn check(text: &ImportText, max: u64) -> Result<()> {
    if text.content.is_empty() {
        return Err(Error::invalid("content must not be empty").at("content"));
    }
    if text.content.len() as u64 > max {
        return Err(Error::new(ErrorKind::TooLarge, format!("a session may hold at most {max} bytes")).at("content"));
    }
    if let Some(name) = &text.format
        && sg_formats::format(name).is_none()
    {
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        let message = format!("unknown format {}, use {}", quote(name), known.join(", "));
        return Err(Error::new(ErrorKind::Unsupported, message).at("format"));
    }
    // Formats look at the ends of names, never open them; a path of any length or kind is nothing a file is called.
    let is_name = |name: &str| (1..=255).contains(&name.len()) && !name.contains(['/', '\\', '\0']);
    if text.file_name.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(Error::invalid("fileName must be 1 to 255 bytes without slashes").at("fileName"));
    }
    if text.project_name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::invalid("projectName must not be empty").at("projectName"));
    }
    Ok(())
}

fn read(text: ImportText) -> Result<(ImportedFile, Bytes, Vec<Transcript>)> {
    let format = text.format.as_deref().and_then(sg_formats::format);
    // Of a session that does not name itself the same text is the same session.
    let name = text.file_name.unwrap_or_else(|| {
        let end = match format.map(|format| format.name()) {
            Some("specstory") => "md",
            Some("gemini-cli") => "json",
            _ => "jsonl",
        };
        format!("{}.{end}", &Digest::of(&text.content).to_string()[..32])
    });
    let mut report = ImportedFile::default();
    let redactor = text.redact.then(Redactor::new);
    let mut redacted = |bytes: Bytes| {
        let Some(redactor) = &redactor else { return bytes };
        let redacted = redactor.redact(&bytes);
        for (kind, count) in &redacted.counts {
            *report.redacted.entry(kind).or_default() += count;
        }
        Bytes::copy_from_slice(&redacted.bytes)
    };
    let raw = redacted(text.content);
    let siblings: Vec<_> = text.siblings.into_iter().map(|(name, bytes)| (name, redacted(bytes))).collect();
    let siblings: Vec<_> = siblings.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let source = Source { name: &name, bytes: &raw, siblings: &siblings };
    let parsed = match format {
        Some(format) => format.parse(&source),
        None => sg_formats::parse(&source),
    };
    let parsed = parsed.map_err(|error| match error {
        FormatError::Unknown => Error::new(ErrorKind::Unsupported, error.to_string()).at("content"),
        FormatError::TooLarge { .. } | FormatError::MemberTooLarge { .. } => {
            Error::new(ErrorKind::TooLarge, error.to_string()).at("content")
        }
        FormatError::Empty { .. } | FormatError::Broken { .. } => Error::invalid(error.to_string()).at("content"),
    })?;
    if parsed.transcripts.iter().all(|transcript| transcript.messages.is_empty()) {
        return Err(Error::invalid("there is no message in it").at("content"));
    }
    report.skipped = parsed.skipped;
    let raw = match siblings.is_empty() {
        true => raw,
        false => super::packed(&raw, &siblings).unwrap_or(raw),
    };
    Ok((report, raw, parsed.transcripts))
}
