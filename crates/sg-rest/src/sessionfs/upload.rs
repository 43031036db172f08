//! Archives that arrive in parts.

use axum::routing::{delete, get, post, put};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("begin upload", &["POST"], "/api/v1/sessions/{id}/uploads", || post(missing::no_parts)),
    Route::write("put part", &["PUT"], "/api/v1/uploads/{upload_id}/parts/{part}", || put(missing::soon)),
    Route::read("upload status", "/api/v1/uploads/{upload_id}", || get(missing::soon)),
    Route::write("complete upload", &["POST"], "/api/v1/uploads/{upload_id}/complete", || post(missing::soon)),
    Route::write("abort upload", &["DELETE"], "/api/v1/uploads/{upload_id}", || delete(missing::soon)),
];
