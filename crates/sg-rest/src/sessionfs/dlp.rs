//! What is done about secrets in what is pushed.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use sg_app::{App, SecretAction};

use super::credential::Reader;
use super::failure::Failure;
use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[Route::read("secret policy", "/api/v1/dlp/policy", || get(policy))];

/// `GET /dlp/policy`: clients ask before each push and look for secrets themselves where it is on.
async fn policy(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let policy = app.secret_policy(&caller).await?;
    Ok(wire::json(&json!({
        "enabled": policy.action.is_some(),
        "mode": policy.action.unwrap_or(SecretAction::Warn).name(),
        "categories": ["secrets"],
        "custom_patterns": [],
        "allowlist": [],
    })))
}
