//! What is synced by itself, and how that goes.

use axum::routing::{delete, get, post, put};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("sync settings", "/api/v1/sync/settings", || get(missing::soon)),
    Route::write("set sync settings", &["PUT"], "/api/v1/sync/settings", || put(missing::soon)),
    Route::read("watchlist", "/api/v1/sync/watchlist", || get(missing::soon)),
    Route::write("watch session", &["POST"], "/api/v1/sync/watch/{id}", || post(missing::soon)),
    Route::write("unwatch session", &["DELETE"], "/api/v1/sync/watch/{id}", || delete(missing::soon)),
    Route::write("set watch status", &["PUT"], "/api/v1/sync/watch/{id}/{status}", || put(missing::soon)),
    Route::read("sync status", "/api/v1/sync/status", || get(missing::soon)),
    Route::write("report sync health", &["PUT"], "/api/v1/sync/health", || put(missing::soon)),
];
