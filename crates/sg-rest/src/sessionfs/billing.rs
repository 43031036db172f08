//! Billing, as a server answers it that nobody pays.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use sg_app::App;

use super::body::{Body, OptionalBody};
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("billing status", "/api/v1/billing/status", || get(status)),
    Route::write("billing checkout", &["POST"], "/api/v1/billing/checkout", || post(checkout)),
    Route::write("billing portal", &["POST"], "/api/v1/billing/portal", || post(portal)),
];

/// What the hosted service sells.
const SOLD: [&str; 3] = ["starter", "pro", "team"];
const MAX_SEATS: i64 = 10_000;

/// `GET /billing/status`.
async fn status(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let plan = app.plan_use(&caller).await?;
    Ok(wire::json(&json!({
        "tier": plan.tier.name(),
        "storage_used_bytes": plan.stored_bytes,
        "storage_limit_bytes": plan.tier.max_stored_bytes(),
        "stripe_customer_id": null,
        "has_subscription": false,
        "has_personal_subscription": false,
        "is_org_member": false,
        "org_role": null,
        "is_beta": true,
    })))
}

/// `POST /billing/checkout`: nothing is sold here.
async fn checkout(Writer(_): Writer, mut body: Body) -> Result<Response, Failure> {
    let tier = body.required_text("tier", 0..=100);
    body.int("seats", 1..=MAX_SEATS);
    body.done()?;
    Err(Failure::bad_request(match SOLD.contains(&tier.as_str()) {
        true => format!("Stripe price not configured for tier: {tier}"),
        false => format!("Invalid tier: {tier}"),
    }))
}

/// `POST /billing/portal`: nobody has bought anything.
async fn portal(Writer(_): Writer, OptionalBody(mut body): OptionalBody) -> Result<Response, Failure> {
    let scope = body.text("scope", 0..=100);
    if scope.as_deref().is_some_and(|scope| !matches!(scope, "auto" | "org" | "personal")) {
        body.refuse("scope", "scope must be 'auto', 'org' or 'personal'");
    }
    body.done()?;
    Err(Failure::bad_request(match scope.as_deref() {
        Some("personal") => "No personal subscription found.",
        _ => "No subscription found.",
    }))
}
