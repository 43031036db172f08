//! Parts of the hosted service that this server does not have: each says so, instead of a 404 that a client could take
//! for "there is none".

use axum::routing::{get, post};

use super::Gate;
use super::credential::SignedIn;
use super::failure::Failure;
use super::wire;
use crate::route::Route;

/// Every method of a whole area.
const ALL: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("project contexts", ALL, "/api/v1/projects/{*rest}", || {
        get(projects).post(projects).put(projects).patch(projects).delete(projects)
    })
    .absent(),
    Route::write("project context list", ALL, "/api/v1/projects", || {
        get(projects).post(projects).put(projects).patch(projects).delete(projects)
    })
    .absent(),
    Route::read("organization", "/api/v1/org", || get(organization)),
    Route::write("create organization", &["POST"], "/api/v1/org", || post(organizations)).absent(),
    Route::write("organizations", ALL, "/api/v1/org/{*rest}", || {
        get(organizations).post(organizations).put(organizations).patch(organizations).delete(organizations)
    })
    .absent(),
    Route::write("github settings", ALL, "/api/v1/settings/github", || {
        get(integrations).post(integrations).put(integrations).patch(integrations).delete(integrations)
    })
    .absent(),
    Route::write("gitlab settings", ALL, "/api/v1/settings/gitlab", || {
        get(integrations).post(integrations).put(integrations).patch(integrations).delete(integrations)
    })
    .absent(),
];

async fn projects(_: SignedIn) -> Failure {
    Failure::not_built("Project contexts")
}

/// Nobody is in one: what the original answers then.
async fn organization(_: SignedIn) -> axum::response::Response {
    wire::json(&serde_json::json!({ "org": null, "members": [], "current_user_role": null }))
}

async fn organizations(_: SignedIn) -> Failure {
    Failure::not_built("Organizations")
}

async fn integrations(_: SignedIn) -> Failure {
    Failure::not_built("Integrations")
}

/// Stands where a route is being built.
pub(super) async fn soon(_: SignedIn) -> Failure {
    Failure::not_built("These routes")
}
