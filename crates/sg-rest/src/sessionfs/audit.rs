//! Audits: a session's claims, judged by a model.

use axum::routing::{get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("audit session", &["POST"], "/api/v1/sessions/{id}/audit", || post(missing::soon)),
    Route::read("read audit", "/api/v1/sessions/{id}/audit", || get(missing::soon)),
    Route::read("list audits", "/api/v1/sessions/{id}/audits", || get(missing::soon)),
    Route::read("audit status", "/api/v1/sessions/{id}/audit/status", || get(missing::soon)),
    Route::write("dismiss finding", &["POST"], "/api/v1/sessions/{id}/audit/dismiss", || post(missing::soon)),
    Route::read("read past audit", "/api/v1/sessions/audits/{audit_id}", || get(missing::soon)),
];
