//! `PUT /projects/{pid}/sessions/{sid}`: a session as its client sends it, of any size. The body is unpacked and read as
//! it arrives; what is long goes to a spool, so that memory stays flat. Nothing is stored before all of it is there and
//! right.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::LengthLimitError;
use sg_app::{App, NewSession, PutOutcome};
use sg_domain::{Caller, Digest, Error, ErrorKind, ProjectId};

use self::fields::Upload;
use self::intake::{Encoding, Intake};
use super::credential::Writer;
use super::failure::Failure;
use super::idempotency::Idempotency;
use super::request::NewSessionPath;
use super::wire::{Envelope, StoredSession};
use super::{Gate, answer, conditional};

mod fields;
mod intake;
mod json;

/// What one upload may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// The most bytes of a request body as it arrives; enforced before this dialect, named in its errors.
    pub max_body_bytes: u64,
    /// The most bytes of a body when it is unpacked.
    pub max_unpacked_bytes: u64,
    /// How many times its size a body may unpack to.
    pub max_ratio: u64,
    /// Bodies that unpack to no more bytes than this may be packed any better.
    pub ratio_floor_bytes: u64,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            max_body_bytes: 512 * 1024 * 1024,
            max_unpacked_bytes: 1024 * 1024 * 1024,
            max_ratio: 200,
            ratio_floor_bytes: 16 * 1024 * 1024,
        }
    }
}

/// The handler. Who calls, where to and how it is packed is decided before any of the body is read.
pub(super) async fn put(
    State(gate): State<Gate>,
    Writer(caller): Writer,
    NewSessionPath(project, session): NewSessionPath,
    idempotency: Idempotency,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let encoding = Encoding::of(&headers)?;
    let place = Arc::clone(&gate.settings.spool);
    let intake = Intake::new(encoding, &gate.settings.upload, place, idempotency.is_wanted());
    let (upload, digest) = receive(intake, body, &gate.settings.upload).await?;
    let etag = conditional::expected(&headers);
    let stored = store(&gate.app, &caller, project, session, upload, etag);
    match digest {
        Some(digest) => idempotency.once(&gate.app, &caller, digest, stored).await,
        None => stored.await,
    }
}

async fn receive(mut intake: Intake, body: Body, limits: &UploadLimits) -> Result<(Upload, Option<Digest>), Failure> {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece.map_err(|error| cut_off(&error, limits))?;
        let read = blocking(move || intake.push(&piece).map(|()| intake)).await?;
        intake = match read {
            Ok(intake) => intake,
            Err(error) => {
                // Who still sends does not listen. What is too large is not listened to either: its sender finds the
                // connection closed.
                if error.kind != ErrorKind::TooLarge {
                    while let Some(Ok(_)) = pieces.next().await {}
                }
                return Err(error.into());
            }
        };
    }
    Ok(blocking(move || intake.finish()).await??)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// A body that does not go on: it is too long, or its sender stalls or is gone.
fn cut_off(error: &axum::Error, limits: &UploadLimits) -> Failure {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            let text = format!("request body is larger than {} bytes", limits.max_body_bytes);
            return Error::new(ErrorKind::TooLarge, text).into();
        }
        cause = error.source();
    }
    tracing::debug!(%error, "an upload was cut off");
    Failure::body_cut_off()
}

async fn store(
    app: &App,
    caller: &Caller,
    project: ProjectId,
    client_id: String,
    upload: Upload,
    etag: Option<String>,
) -> Result<Response, Failure> {
    let Upload { project_name, name, markdown, raw_data, session_data, metadata } = upload;
    let raw = Some(raw_data);
    let transcript = None;
    let new = NewSession { project, project_name, client_id, name, markdown, raw, session_data, metadata, transcript };
    let (session, outcome) = app.put_session_if(caller, new, etag.as_deref()).await?;
    let status = if outcome == PutOutcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = answer::json(status, 256, &Envelope::new(StoredSession::new(&session)))?;
    let modified = HeaderValue::try_from(session.updated_at.to_http_date()).map_err(Error::internal)?;
    response.headers_mut().insert(ETAG, conditional::tag_header(&session.etag)?);
    response.headers_mut().insert(LAST_MODIFIED, modified);
    Ok(response)
}
