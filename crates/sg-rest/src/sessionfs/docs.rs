//! The description of this API, and pages that show it.

use axum::routing::get;

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::open("openapi", &["GET", "HEAD"], "/openapi.json", || get(missing::soon)),
    Route::open("swagger", &["GET", "HEAD"], "/docs", || get(missing::soon)),
    Route::open("redoc", &["GET", "HEAD"], "/redoc", || get(missing::soon)),
];
