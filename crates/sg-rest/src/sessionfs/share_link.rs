//! Links that let whoever has one read a session.

use axum::routing::{delete, get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create share link", &["POST"], "/api/v1/sessions/{id}/share", || post(missing::soon)),
    Route::write("revoke share link", &["DELETE"], "/api/v1/sessions/{id}/share/{link_id}", || delete(missing::soon)),
    Route::open("open share link", &["GET", "HEAD"], "/api/v1/sessions/share/{token}", || get(missing::soon)),
    Route::open("open share link with password", &["POST"], "/api/v1/sessions/share/{token}", || post(missing::soon)),
];
