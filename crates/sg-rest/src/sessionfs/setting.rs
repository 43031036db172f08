//! Settings: the model that judges, and when it does.

use axum::routing::{delete, get, put};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("judge settings", "/api/v1/settings/judge", || get(missing::soon)),
    Route::write("set judge settings", &["PUT"], "/api/v1/settings/judge", || put(missing::soon)),
    Route::write("delete judge settings", &["DELETE"], "/api/v1/settings/judge", || delete(missing::soon)),
    Route::read("judge models", "/api/v1/settings/judge/models", || get(missing::soon)),
    Route::read("audit trigger", "/api/v1/settings/audit-trigger", || get(missing::soon)),
    Route::write("set audit trigger", &["PUT"], "/api/v1/settings/audit-trigger", || put(missing::soon)),
    Route::read("summarize trigger", "/api/v1/settings/summarize-trigger", || get(missing::soon)),
    Route::write("set summarize trigger", &["PUT"], "/api/v1/settings/summarize-trigger", || put(missing::soon)),
];
