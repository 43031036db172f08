//! API tokens: the keys of the caller's account.

use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde_json::Value;
use sg_app::{App, KeyRequest};
use sg_domain::{Dialect, ErrorKind, KeyId, Scope, Scopes, Timestamp};

use super::answer;
use super::body::{JsonBody, invalid};
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::wire::Envelope;
use super::wire::token::{NewToken, RevokedToken, TokenBody, TokenList};

/// A guess at the bytes of a token, for the size of the buffer.
const TOKEN_BYTES: usize = 320;
const NOT_FOUND: &str = "API token not found";

/// `{id}`. Text that can be no id names a token that is not there.
pub(super) struct TokenPath(KeyId);

impl<S: Send + Sync> FromRequestParts<S> for TokenPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = path.and_then(|Path(id)| id.parse().ok());
        id.map(Self).ok_or_else(|| Failure::not_found(NOT_FOUND))
    }
}

/// `GET /api-tokens`: all of them, revoked ones too, oldest first. What they are is listed, never their secrets.
pub(super) async fn list(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let keys = app.keys(&caller, false).await?;
    let tokens: Vec<_> = keys.iter().map(TokenBody::new).collect();
    let total = tokens.len();
    let body = Envelope::new(TokenList { tokens, total });
    Ok(answer::json(StatusCode::OK, 64 + total * TOKEN_BYTES, &body)?)
}

/// `POST /api-tokens`: makes one and shows its secret, this once.
pub(super) async fn create(
    State(app): State<App>,
    Writer(caller): Writer,
    body: JsonBody,
) -> Result<Response, Failure> {
    let name = body.required_text("name")?;
    let (scopes, expires_at) = (scopes(&body)?, expiry(&body)?);
    let user = caller.known()?.user.clone();
    let request = KeyRequest { user, name, dialect: Dialect::Specstory, scopes, expires_at };
    let made = app.create_key(&caller, request).await?;
    let body = Envelope::new(NewToken { body: TokenBody::new(&made.key), token: &made.secret });
    Ok(answer::secret(StatusCode::CREATED, &body)?)
}

/// `DELETE /api-tokens/{id}`: it stops working at once. Again changes nothing.
pub(super) async fn revoke(
    State(app): State<App>,
    Writer(caller): Writer,
    TokenPath(id): TokenPath,
) -> Result<Response, Failure> {
    app.revoke_key(&caller, id).await.map_err(|error| match error.kind {
        ErrorKind::NotFound => Failure::not_found(NOT_FOUND),
        _ => error.into(),
    })?;
    let body = Envelope::new(RevokedToken { id: id.to_string(), success: true });
    Ok(answer::json(StatusCode::OK, 96, &body)?)
}

/// `scopes`: a list of names; reading and writing when it is left out.
fn scopes(body: &JsonBody) -> Result<Scopes, Failure> {
    const MUST_BE: &str = "a list of read, write, admin";
    let names = match body.value("scopes") {
        None | Some(Value::Null) => return Ok(Scopes::of(&[Scope::Read, Scope::Write])),
        Some(Value::Array(names)) if !names.is_empty() => names,
        Some(_) => return Err(invalid("scopes", MUST_BE)),
    };
    let scope = |name: &Value| Scope::ALL.into_iter().find(|scope| Some(scope.name()) == name.as_str());
    let found: Option<Vec<_>> = names.iter().map(scope).collect();
    found.map(|scopes| Scopes::of(&scopes)).ok_or_else(|| invalid("scopes", MUST_BE))
}

/// `expiresAt`: an instant in the future, or null.
fn expiry(body: &JsonBody) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = body.text_or_null("expiresAt")?.flatten() else { return Ok(None) };
    let at = Timestamp::parse(&text).ok_or_else(|| invalid("expiresAt", "an ISO 8601 time"))?;
    Ok(Some(at))
}
