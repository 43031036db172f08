//! Whether the server answers, as its clients ask it.

use axum::routing::get;

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::open("health", &["GET", "HEAD"], "/health", || get(missing::soon)),
    Route::open("api health", &["GET", "HEAD"], "/api/v1/health", || get(missing::soon)),
    Route::open("health ready", &["GET", "HEAD"], "/health/ready", || get(missing::soon)),
    Route::open("health pool", &["GET", "HEAD"], "/health/pool", || get(missing::soon)),
];
