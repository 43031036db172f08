//! Archives: sessions as SessionFS's clients push and pull them.

use bytes::Bytes;
use sg_domain::archive::ArchivedSession;
use sg_domain::id::normalise_remote;
use sg_domain::{Archive, Caller, Digest, Error, ErrorKind, ProjectId, Result, Scope, SessionMetadata, Visibility};
use sg_formats::sessionfs::{Limits, facts, unpack};
use sg_formats::{FormatError, Source};

use crate::{App, NewSession, PutOutcome};

impl App {
    /// One archive by its id or the session's alias. `NotFound` when there is none that the caller may see.
    pub async fn archive(&self, caller: &Caller, id_or_alias: &str) -> Result<ArchivedSession> {
        let identity = caller.require(Scope::Read)?;
        let found = self.store().archive(&Visibility::of(identity), id_or_alias).await?;
        found.ok_or_else(|| Error::not_found("session"))
    }

    /// An archive's bytes, as they came.
    pub async fn archive_bytes(&self, caller: &Caller, archive: &Archive) -> Result<Bytes> {
        let identity = caller.require(Scope::Read)?;
        if !Visibility::of(identity).allows(&archive.owner) {
            return Err(Error::not_found("session"));
        }
        let bytes = self.store().blobs().get(archive.digest).await?;
        bytes.ok_or_else(|| Error::not_found("session blob"))
    }

    /// Stores an archive.
    pub async fn push_archive(&self, caller: &Caller, id: &str, bytes: Bytes) -> Result<(ArchivedSession, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        let name = format!("{id}.sfs.tar.gz");
        let members = unpack(&bytes, &Limits::default()).map_err(refused)?;
        let object = |wanted: &str| {
            let member = members.iter().find(|member| member.base_name() == wanted)?;
            serde_json::from_slice(&member.bytes).ok()
        };
        let (manifest, workspace) = (object("manifest.json"), object("workspace.json"));
        let facts = facts(&manifest.unwrap_or_default(), &workspace.unwrap_or_default());
        let source = Source { name: &name, bytes: &bytes, siblings: &[] };
        let transcript = sg_formats::parse(&source).ok().and_then(|parsed| parsed.transcripts.into_iter().next());
        let transcript = transcript.ok_or_else(|| Error::invalid("nothing in it"))?;
        let markdown = sg_formats::specstory::write(&transcript);
        let remote = transcript.metadata.git_remote.as_deref().map(normalise_remote);
        let project = match (&remote, &transcript.metadata.folder) {
            (Some(remote), _) => ProjectId::derive(remote),
            (None, Some(folder)) => ProjectId::derive(folder),
            (None, None) => ProjectId::derive("sessionfs"),
        };
        let new = NewSession {
            project,
            project_name: facts.git_remote.clone().unwrap_or_else(|| "sessions".to_owned()),
            client_id: id.to_owned(),
            name: transcript.name.clone(),
            markdown: markdown.into(),
            raw: Some(bytes.clone().into()),
            session_data: None,
            metadata: SessionMetadata { client_name: Some("sessionfs".to_owned()), ..transcript.metadata.clone() },
            transcript: Some(transcript),
        };
        let (session, outcome) = self.put_session(caller, new).await?;
        let archive = Archive {
            id: id.to_owned(),
            session: session.id,
            owner: identity.user.clone(),
            facts,
            digest: Digest::of(&bytes),
            size_bytes: bytes.len() as u64,
            uploaded_at: self.now(),
            deletion: None,
            scan: None,
        };
        let tx = self.store().begin().await?;
        tx.put_archive(&archive).await?;
        tx.commit().await?;
        Ok((ArchivedSession { archive, session, deleted_at: None }, outcome))
    }
}

fn refused(error: FormatError) -> Error {
    match error {
        FormatError::TooLarge { reason, .. } => Error::new(ErrorKind::TooLarge, reason),
        other => Error::invalid(other.to_string()),
    }
}
