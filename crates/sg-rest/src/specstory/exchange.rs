//! One exchange of a session.

use axum::extract::State;
use axum::response::Response;
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use sg_app::{App, ExchangeUpdate};
use sg_domain::ErrorKind;

use super::body::JsonBody;
use super::credential::Writer;
use super::failure::Failure;
use super::idempotency::Idempotency;
use super::request::ExchangePath;
use super::wire::{Envelope, ExchangeBody, ExchangeData};
use super::{answer, conditional};

/// `PATCH /projects/{pid}/sessions/{sid}/exchanges/{xid}`: its title, and whether a share shows it.
pub(super) async fn update(
    State(app): State<App>,
    Writer(caller): Writer,
    ExchangePath(session, exchange): ExchangePath,
    key: Idempotency,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Failure> {
    let change = async {
        let update = ExchangeUpdate {
            user_title: body.text_or_null("userTitle")?,
            hidden_from_share: body.flag("hiddenFromShare")?,
            etag: conditional::expected(&headers),
        };
        let changed = app.update_exchange(&caller, &session, exchange, update).await;
        let (session, exchange) = changed.map_err(|error| match error.kind {
            ErrorKind::NotFound => Failure::not_found("Exchange not found or access denied"),
            _ => Failure::from(error),
        })?;
        let data = Envelope::new(ExchangeData { exchange: ExchangeBody::without_content(&session, &exchange) });
        let mut response = answer::json(StatusCode::OK, 512, &data)?;
        // The session's: hiding an exchange changes what its readers see.
        response.headers_mut().insert(ETAG, conditional::tag_header(&session.etag)?);
        Ok(response)
    };
    key.once(&app, &caller, body.digest, change).await
}
