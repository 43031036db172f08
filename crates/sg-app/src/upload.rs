//! Archives that arrive in parts: each part is kept when it comes, and all together are pushed like any other archive.

use std::sync::Arc;

use futures_util::StreamExt as _;
use sg_domain::archive::ArchivedSession;
use sg_domain::{Caller, Digest, Error, ErrorKind, Result, Scope, Upload, Visibility};
use sg_store::{Content, Spool, SpoolPlace};

use crate::session_read::blocking;
use crate::{App, PushCondition, PushRequest, PutOutcome};

/// Bytes of a part.
const PART_BYTES: u64 = 8 << 20;
/// Uploads of one account that are under way.
const MAX_PENDING: u64 = 3;
/// How long parts are taken.
const LASTING_SECS: i64 = 24 * 60 * 60;

/// What becomes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// Parts are taken.
    Pending,
    /// It became its archive.
    Completed,
    /// It had its time.
    Expired,
}

impl UploadState {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Expired => "expired",
        }
    }
}

/// The detail of an error that names it for clients.
pub const UPLOAD_FAULT: &str = "uploadFault";

impl App {
    /// Begins an upload of so many bytes with this digest. The errors of a push, and `Conflict` when too many are under
    /// way.
    pub async fn begin_upload(
        &self,
        caller: &Caller,
        archive: &str,
        total_bytes: u64,
        digest: Digest,
        condition: &PushCondition,
    ) -> Result<Upload> {
        let identity = caller.require(Scope::Write)?;
        let limit = self.push_limit(caller).await?;
        if total_bytes == 0 || total_bytes > limit {
            return Err(Error::new(ErrorKind::TooLarge, format!("an archive may have 1 to {limit} bytes")));
        }
        self.check_push(identity, archive, condition).await?;
        let now = self.now();
        let upload = Upload {
            id: format!("up_{}", self.ids().secret_hex(12)),
            owner: identity.user.clone(),
            archive: archive.to_owned(),
            total_bytes,
            digest,
            part_bytes: PART_BYTES,
            part_count: u32::try_from(total_bytes.div_ceil(PART_BYTES)).unwrap_or(u32::MAX),
            completed_at: None,
            expires_at: now.plus_micros(LASTING_SECS * 1_000_000),
        };
        let tx = self.store().begin().await?;
        if tx.pending_uploads(&identity.user, now).await? >= MAX_PENDING {
            let message = format!("at most {MAX_PENDING} uploads can be under way, complete or abort one first");
            return Err(fault(ErrorKind::Conflict, "too_many_pending_uploads", message));
        }
        tx.insert_upload(&upload).await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// An upload of the caller's, how it stands and which parts have come.
    pub async fn upload(&self, caller: &Caller, id: &str) -> Result<(Upload, UploadState, Vec<u32>)> {
        let identity = caller.require(Scope::Read)?;
        let upload = self.store().upload(&Visibility::of(identity), id).await?;
        let upload = upload.ok_or_else(|| Error::not_found("upload"))?;
        let parts = match upload.completed_at {
            Some(_) => (1..=upload.part_count).collect(),
            None => self.store().upload_parts(&upload).await?.into_iter().map(|(number, _)| number).collect(),
        };
        let state = self.upload_state(&upload);
        Ok((upload, state, parts))
    }

    fn upload_state(&self, upload: &Upload) -> UploadState {
        match upload.completed_at {
            Some(_) => UploadState::Completed,
            None if upload.expires_at <= self.now() => UploadState::Expired,
            None => UploadState::Pending,
        }
    }

    /// How many bytes a part of the caller's upload must have, while parts are taken.
    pub async fn upload_part_len(&self, caller: &Caller, id: &str, number: u32) -> Result<u64> {
        let identity = caller.require(Scope::Write)?;
        let upload = self.store().upload(&Visibility::of(identity), id).await?;
        let upload = upload.ok_or_else(|| Error::not_found("upload"))?;
        self.expect_pending(&upload)?;
        upload.part_len(number).ok_or_else(|| {
            let message = format!("parts are numbered from 1 to {}", upload.part_count);
            fault(ErrorKind::Invalid, "invalid_part_number", message)
        })
    }

    /// Keeps a part; one that came before is replaced.
    pub async fn put_upload_part(&self, caller: &Caller, id: &str, number: u32, content: &Content) -> Result<()> {
        caller.require(Scope::Write)?;
        let wanted = self.upload_part_len(caller, id, number).await?;
        if content.len() != wanted {
            return Err(part_size(number, wanted));
        }
        let digest = self.store().blobs().put_content(content).await?;
        let tx = self.store().begin().await?;
        if !tx.put_upload_part(id, number, digest, self.now()).await? {
            return Err(not_pending());
        }
        tx.commit().await
    }

    /// Makes the archive of an upload whose parts have all come. Again, it answers with what it made, as long as that is
    /// what is stored.
    pub async fn complete_upload(
        &self,
        caller: &Caller,
        id: &str,
        spool: Arc<SpoolPlace>,
        condition: PushCondition,
        client: sg_domain::user::ClientFacts,
    ) -> Result<(ArchivedSession, PutOutcome)> {
        let identity = caller.require(Scope::Write)?;
        let upload = self.store().upload(&Visibility::of(identity), id).await?;
        let upload = upload.ok_or_else(|| Error::not_found("upload"))?;
        if upload.completed_at.is_some() {
            let made = self.store().any_archive(&upload.archive).await?;
            let is_it = |made: &ArchivedSession| {
                made.archive.owner == identity.user && made.deleted_at.is_none() && made.archive.digest == upload.digest
            };
            return made.filter(is_it).map(|made| (made, PutOutcome::Updated)).ok_or_else(not_pending);
        }
        self.expect_pending(&upload)?;
        let content = self.assembled(&upload, &spool).await?;
        let push = PushRequest { condition, client, ..PushRequest::new(upload.archive.clone(), content, spool) };
        let done = self.push_archive(caller, push).await?;
        let tx = self.store().begin().await?;
        tx.complete_upload(&upload.id, self.now()).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Gives an upload up. `NotFound` when there is none of the caller's.
    pub async fn abort_upload(&self, caller: &Caller, id: &str) -> Result<()> {
        let identity = caller.require(Scope::Write)?;
        let tx = self.store().begin().await?;
        if !tx.delete_upload(&identity.user, id).await? {
            return Err(Error::not_found("upload"));
        }
        tx.commit().await
    }

    /// Gives up what was not completed in its time; returns how many.
    pub(crate) async fn sweep_uploads(&self) -> Result<u64> {
        let tx = self.store().begin().await?;
        let swept = tx.delete_uploads(self.now()).await?;
        tx.commit().await?;
        Ok(swept)
    }

    fn expect_pending(&self, upload: &Upload) -> Result<()> {
        match self.upload_state(upload) {
            UploadState::Pending => Ok(()),
            UploadState::Expired => {
                let message = "this upload has expired, begin another one";
                Err(fault(ErrorKind::Conflict, "upload_expired", message))
            }
            UploadState::Completed => Err(not_pending()),
        }
    }

    /// All parts, one behind the other.
    async fn assembled(&self, upload: &Upload, place: &Arc<SpoolPlace>) -> Result<Content> {
        let parts = self.store().upload_parts(upload).await?;
        let missing: Vec<String> = (1..=upload.part_count)
            .filter(|number| !parts.iter().any(|(have, _)| have == number))
            .map(|number| number.to_string())
            .collect();
        if !missing.is_empty() {
            let message = format!("{} of {} parts are missing", missing.len(), upload.part_count);
            return Err(fault(ErrorKind::Conflict, "missing_parts", message).with("missing", missing.join(",")));
        }
        let mut spool = Spool::new(Arc::clone(place));
        for (number, digest) in parts {
            let stream = self.store().blobs().stream(digest).await?;
            let mut stream = stream.ok_or_else(|| Error::internal(format!("part {number} of an upload is gone")))?;
            while let Some(piece) = stream.next().await {
                let piece = piece?;
                spool = blocking(move || spool.push(&piece).map(|()| spool)).await?;
            }
        }
        let content = blocking(move || spool.finish()).await?;
        if content.len() != upload.total_bytes || content.digest() != upload.digest {
            let message = "the parts together have another digest than was said, begin another upload";
            return Err(fault(ErrorKind::Invalid, "sha256_mismatch", message));
        }
        Ok(content)
    }
}

fn part_size(number: u32, wanted: u64) -> Error {
    fault(ErrorKind::Invalid, "part_size_mismatch", format!("part {number} must have {wanted} bytes"))
}

fn not_pending() -> Error {
    fault(ErrorKind::Conflict, "upload_not_pending", "this upload takes no more parts")
}

fn fault(kind: ErrorKind, name: &'static str, message: impl Into<String>) -> Error {
    Error::new(kind, message).with(UPLOAD_FAULT, name).at("upload")
}
