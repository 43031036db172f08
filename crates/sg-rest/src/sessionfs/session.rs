//! Sessions: lists, one, its messages, its names, the trash, and search.

use axum::routing::{delete, get, patch, post, put};

use super::{Gate, missing};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("list sessions", "/api/v1/sessions", || get(missing::soon)),
    Route::read("search", "/api/v1/sessions/search", || get(missing::soon)),
    Route::read("list models", "/api/v1/sessions/models", || get(missing::soon)),
    Route::read("read session", "/api/v1/sessions/{id}", || get(missing::soon)),
    Route::write("update session", &["PATCH"], "/api/v1/sessions/{id}", || patch(missing::soon)),
    Route::write("delete session", &["DELETE"], "/api/v1/sessions/{id}", || delete(missing::soon)),
    Route::write("restore session", &["POST"], "/api/v1/sessions/{id}/restore", || post(missing::soon)),
    Route::read("list messages", "/api/v1/sessions/{id}/messages", || get(missing::soon)),
    Route::write("set alias", &["PUT"], "/api/v1/sessions/{id}/alias", || put(missing::soon)),
    Route::write("clear alias", &["DELETE"], "/api/v1/sessions/{id}/alias", || delete(missing::soon)),
    Route::read("workspace", "/api/v1/sessions/{id}/workspace", || get(missing::soon)),
    Route::read("tools", "/api/v1/sessions/{id}/tools", || get(missing::soon)),
];
