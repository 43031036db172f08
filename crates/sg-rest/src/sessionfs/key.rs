//! API keys of the caller's account, in the two forms that the API has for them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde_json::{Value, json};
use sg_app::{App, CreatedKey, KeyRequest};
use sg_domain::{ApiKey, Caller, Dialect, ErrorKind, KeyId, Scope, Scopes, Timestamp};

use super::body::{Body, OptionalBody};
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::time::stamp;
use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create key", &["POST"], "/api/v1/auth/keys", || post(create)),
    Route::read("list keys", "/api/v1/auth/keys", || get(list)),
    Route::write("revoke key", &["DELETE"], "/api/v1/auth/keys/{key_id}", || delete(revoke)),
    Route::read("list personal keys", "/api/v1/auth/me/api-keys", || get(list_personal)),
    Route::write("create personal key", &["POST"], "/api/v1/auth/me/api-keys", || post(create_personal)),
    Route::write("revoke personal key", &["DELETE"], "/api/v1/auth/me/api-keys/{key_id}", || delete(revoke_personal)),
];

/// What a key is called that nobody named.
const UNNAMED: &str = "API key";
const MAX_NAME_CHARS: usize = 100;
/// The longest that a key lasts that ends by itself.
const MAX_DAYS: i64 = 730;

/// `POST /auth/keys`: a key as good as the one it is asked with, shown this once.
async fn create(State(app): State<App>, Writer(caller): Writer, mut body: Body) -> Result<Response, Failure> {
    let name = body.text("name", 0..=MAX_NAME_CHARS);
    let made = make(&app, &caller, body, name, None).await?;
    Ok(wire::secret(&json!({
        "key_id": made.key.id.to_string(),
        "raw_key": made.secret,
        "name": made.key.name,
        "created_at": stamp(made.key.created_at),
    })))
}

/// `GET /auth/keys`: those that were not revoked.
async fn list(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let keys = app.keys(&caller, false).await?;
    let keys = keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| {
        json!({
            "key_id": key.id.to_string(),
            "name": key.name,
            "created_at": stamp(key.created_at),
            "last_used_at": key.last_used_at.map(stamp),
        })
    });
    Ok(wire::json(&Value::from_iter(keys)))
}

/// `DELETE /auth/keys/{key_id}`: it stops working at once, also the one it is asked with. Again changes nothing.
async fn revoke(
    State(app): State<App>,
    Writer(caller): Writer,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Failure> {
    end(&app, &caller, id).await
}

/// `GET /auth/me/api-keys`: all of them, revoked ones too.
async fn list_personal(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let (keys, now) = (app.keys(&caller, false).await?, app.now());
    Ok(wire::json(&Value::from_iter(keys.iter().map(|key| personal(key, now)))))
}

/// `POST /auth/me/api-keys`: the same as the other, and it may end by itself.
async fn create_personal(State(app): State<App>, Writer(caller): Writer, mut body: Body) -> Result<Response, Failure> {
    let name = body.required_text("name", 1..=MAX_NAME_CHARS);
    let days = body.int("expires_in_days", 1..=MAX_DAYS);
    let made = make(&app, &caller, body, Some(name), days).await?;
    let mut shown = personal(&made.key, app.now());
    shown["key"] = made.secret.into();
    Ok(wire::secret(&shown))
}

/// `DELETE /auth/me/api-keys/{key_id}`. The reason that clients send is not kept.
async fn revoke_personal(
    State(app): State<App>,
    Writer(caller): Writer,
    id: Result<Path<String>, PathRejection>,
    OptionalBody(mut body): OptionalBody,
) -> Result<Response, Failure> {
    body.text("reason", 0..=1_000);
    body.done()?;
    end(&app, &caller, id).await
}

fn personal(key: &ApiKey, now: Timestamp) -> Value {
    let is_active = key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now);
    json!({
        "id": key.id.to_string(),
        "name": key.name,
        "key_prefix": key.prefix,
        "scopes": ["*"],
        "created_at": stamp(key.created_at),
        "expires_at": key.expires_at.map(stamp),
        "last_used_at": key.last_used_at.map(stamp),
        "is_active": is_active,
    })
}

async fn make(
    app: &App,
    caller: &Caller,
    mut body: Body,
    name: Option<String>,
    days: Option<i64>,
) -> Result<CreatedKey, Failure> {
    body.check()?;
    let identity = caller.known()?;
    let mine: Vec<Scope> = [Scope::Read, Scope::Write].into_iter().filter(|s| identity.scopes.has(*s)).collect();
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let request = KeyRequest {
        user: identity.user.clone(),
        name: name.unwrap_or_else(|| UNNAMED.to_owned()),
        dialect: Dialect::Sessionfs,
        scopes: Scopes::of(&mine),
        expires_at: days.map(|days| app.now().plus_micros(days * sg_domain::time::DAY_MICROS)),
    };
    app.create_key(caller, request).await.map_err(|error| {
        if error.kind != ErrorKind::Invalid {
            return error.into();
        }
        let field = if error.input.as_deref().is_some_and(|at| at == ["name"]) { "name" } else { "expires_in_days" };
        body.refuse(field, &error.message);
        body.into_failure()
    })
}

async fn end(app: &App, caller: &Caller, id: Result<Path<String>, PathRejection>) -> Result<Response, Failure> {
    let unknown = || Failure::not_found("API key not found");
    let id: KeyId = id.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(unknown)?;
    match app.revoke_key(caller, id).await {
        Ok(()) => Ok(wire::no_content()),
        Err(error) if error.kind == ErrorKind::NotFound => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}
