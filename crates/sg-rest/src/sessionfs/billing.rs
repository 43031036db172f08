//! Billing, as a server answers it that nobody pays.

use axum::routing::{get, post};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("billing status", "/api/v1/billing/status", || get(missing::soon)),
    Route::write("billing checkout", &["POST"], "/api/v1/billing/checkout", || post(missing::soon)),
    Route::write("billing portal", &["POST"], "/api/v1/billing/portal", || post(missing::soon)),
];
