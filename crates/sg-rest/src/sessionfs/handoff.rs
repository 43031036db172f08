//! Sessions that are given to somebody.

use axum::routing::{get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create handoff", &["POST"], "/api/v1/handoffs", || post(missing::soon)),
    Route::read("handoff inbox", "/api/v1/handoffs/inbox", || get(missing::soon)),
    Route::read("sent handoffs", "/api/v1/handoffs/sent", || get(missing::soon)),
    Route::read("read handoff", "/api/v1/handoffs/{id}", || get(missing::soon)),
    Route::write("claim handoff", &["POST"], "/api/v1/handoffs/{id}/claim", || post(missing::soon)),
    Route::write("revoke handoff", &["POST"], "/api/v1/handoffs/{id}/revoke", || post(missing::soon)),
    Route::write("decline handoff", &["POST"], "/api/v1/handoffs/{id}/decline", || post(missing::soon)),
    Route::read("list handoff comments", "/api/v1/handoffs/{id}/comments", || get(missing::soon)),
    Route::write("comment on handoff", &["POST"], "/api/v1/handoffs/{id}/comments", || post(missing::soon)),
    Route::read("list handoff events", "/api/v1/handoffs/{id}/events", || get(missing::soon)),
    Route::read("handoff summary", "/api/v1/handoffs/{id}/summary", || get(missing::soon)),
];
