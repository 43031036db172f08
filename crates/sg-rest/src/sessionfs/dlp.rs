//! What is done about secrets in what is pushed.

use axum::routing::get;

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[Route::read("secret policy", "/api/v1/dlp/policy", || get(missing::soon))];
