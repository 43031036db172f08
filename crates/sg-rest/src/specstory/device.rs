//! Devices sign in here: a code for a refresh token, that for access tokens. Answers are bare, without the envelope of the
//! rest of the API: the command line reads them so.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use sg_app::{App, NewDevice};
use sg_domain::ClientAddress;

use super::answer;
use super::body::JsonBody;
use super::failure::Failure;
use super::wire::device::{AccessToken, DeviceUser, RefreshToken};
use super::wire::{Iso, Success};

/// `POST /device-login`: no credential but the code.
pub(super) async fn login(
    State(app): State<App>,
    address: Option<Extension<ClientAddress>>,
    body: JsonBody,
) -> Result<Response, Failure> {
    let code = body.required_text("device_code")?;
    let from = address.map(|Extension(address)| address);
    let device = device(&body)?;
    let made = app.device_login(&code, &device, from).await?;
    let body = RefreshToken {
        refresh_token: &made.secret,
        created_at: Iso(made.token.created_at),
        expires_at: Iso(made.token.expires_at),
        user: DeviceUser { email: &made.user.email },
    };
    Ok(answer::secret(StatusCode::OK, &body)?)
}

/// `POST /device-refresh`: an access token for a refresh token. Whatever the body is, it is not looked at.
pub(super) async fn refresh(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let made = app.device_refresh(bearer(&headers)).await?;
    let body =
        AccessToken { access_token: &made.secret, created_at: Iso(made.created_at), expires_at: Iso(made.expires_at) };
    Ok(answer::secret(StatusCode::OK, &body)?)
}

/// `POST` and `GET /device-logout`: a known refresh token stops working, if it has not already.
pub(super) async fn logout(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    app.device_logout(bearer(&headers)).await?;
    Ok(answer::json(StatusCode::OK, 64, &Success { success: true })?)
}

/// What the device says of itself. A system's parts become one line, as people read it.
fn device(body: &JsonBody) -> Result<NewDevice, Failure> {
    let text = |field| Ok::<_, Failure>(body.text_or_null(field)?.flatten().unwrap_or_default());
    let name = match text("os_display_name")? {
        name if name.is_empty() => text("os")?,
        name => {
            text("os")?;
            name
        }
    };
    let parts = [name, text("os_version")?, text("architecture")?];
    let parts: Vec<_> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    Ok(NewDevice {
        hostname: text("hostname")?,
        client: text("client")?,
        client_version: text("client_version")?,
        os: parts.join(" "),
        username: text("username")?,
    })
}

/// The refresh token, as it was sent.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
