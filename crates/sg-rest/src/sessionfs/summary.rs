//! Summaries of sessions.

use axum::routing::{get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("read summary", "/api/v1/sessions/{id}/summary", || get(missing::soon)),
    Route::write("make summary", &["POST"], "/api/v1/sessions/{id}/summary", || post(missing::soon)),
    Route::write("make narrative summary", &["POST"], "/api/v1/sessions/{id}/summary/narrative", || {
        post(missing::soon)
    }),
];
