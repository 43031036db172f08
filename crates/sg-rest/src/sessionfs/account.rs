//! Accounts: signing up, who one is, and showing that a mail address is one's own.

use axum::routing::{get, post, put};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::open("sign up", &["POST"], "/api/v1/auth/signup", || post(missing::soon)),
    Route::read("who am I", "/api/v1/auth/me", || get(missing::soon)),
    Route::read("me", "/api/v1/me", || get(missing::soon)),
    Route::write("set default organization", &["PUT"], "/api/v1/auth/me/default-org", || put(missing::soon)),
    Route::open("verify email", &["GET", "HEAD"], "/api/v1/auth/verify", || get(missing::soon)),
    Route::open("verify email by path", &["GET", "HEAD"], "/api/v1/auth/verify/{token}", || get(missing::soon)),
];
