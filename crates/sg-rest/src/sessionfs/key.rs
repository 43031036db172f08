//! API keys of the caller's account.

use axum::routing::{delete, get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::write("create key", &["POST"], "/api/v1/auth/keys", || post(missing::soon)),
    Route::read("list keys", "/api/v1/auth/keys", || get(missing::soon)),
    Route::write("revoke key", &["DELETE"], "/api/v1/auth/keys/{key_id}", || delete(missing::soon)),
    Route::read("list personal keys", "/api/v1/auth/me/api-keys", || get(missing::soon)),
    Route::write("create personal key", &["POST"], "/api/v1/auth/me/api-keys", || post(missing::soon)),
    Route::write("revoke personal key", &["DELETE"], "/api/v1/auth/me/api-keys/{key_id}", || delete(missing::soon)),
];
