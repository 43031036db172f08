//! Putting the schema together, and its text.

use async_graphql::{EmptyMutation, EmptySubscription, ValidationMode};

use crate::query::Query;

/// The schema without any data: resolvers find the app, the caller and the loaders in the request.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// Deeper than the guard lets any document through; the library's own check only has to stay out of the way.
const LIBRARY_RECURSION_LIMIT: usize = 256;

/// Builds the schema. It holds no state, so the SDL can be printed without a store.
pub fn build_schema() -> Schema {
    // Documents arrive validated by the guard; the fast mode leaves only the library's checks for cycles. There must be
    // no extension: any one of them sends every field down the slow path.
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(LIBRARY_RECURSION_LIMIT)
        .finish()
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident();
    let sdl = build_schema().sdl_with_options(options);
    let mut lines: Vec<_> = sdl.trim().lines().map(str::trim_end).collect();
    // The library leaves runs of empty lines; one is enough.
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n") + "\n"
}
