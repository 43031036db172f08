//! Putting the schema together, and its text.

use async_graphql::ValidationMode;

use crate::mutation::Mutation;
use crate::query::Query;
use crate::subscription::Subscription;

/// The schema without any data: resolvers find the app, the caller and the loaders in the request.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Deeper than the guard lets any document through; the library's own check only has to stay out of the way.
const LIBRARY_RECURSION_LIMIT: usize = 256;

/// Builds the schema. It holds no state, so the SDL can be printed without a store.
pub fn build_schema() -> Schema {
    // Documents arrive validated by the guard; the fast mode leaves only the library's checks for cycles. There must be
    // no extension: any one of them sends every field down the slow path.
    Schema::build(Query, Mutation, Subscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(LIBRARY_RECURSION_LIMIT)
        .finish()
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .prefer_single_line_descriptions()
        .include_specified_by()
        .use_space_ident();
    let sdl = build_schema().sdl_with_options(options);
    let mut lines: Vec<_> = sdl.trim().lines().map(str::trim_end).collect();
    // The library leaves runs of empty lines; one is enough.
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;
    use apollo_compiler::schema::ExtendedType;

    use super::*;

    /// `schema.graphql` is what the binary prints. `UPDATE_SCHEMA=1` writes it anew.
    #[test]
    fn the_checked_in_schema_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema.graphql");
        #[allow(clippy::disallowed_methods, reason = "a test's own switch")]
        if std::env::var("UPDATE_SCHEMA").is_ok() {
            std::fs::write(path, sdl()).unwrap();
        }
        let checked_in = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            checked_in == sdl(),
            "schema.graphql is old: run the tests with UPDATE_SCHEMA=1 and look at the difference"
        );
    }

    #[test]
    fn everything_has_a_description() {
        let schema = Schema::parse_and_validate(sdl(), "schema.graphql").unwrap();
        let mut bare = Vec::new();
        let mut check = |name: String, described: bool| {
            if !described {
                bare.push(name);
            }
        };
        for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
            check(name.to_string(), ty.description().is_some());
            let fields = match ty {
                ExtendedType::Object(ty) => Some(&ty.fields),
                ExtendedType::Interface(ty) => Some(&ty.fields),
                ExtendedType::InputObject(ty) => {
                    for (field, definition) in &ty.fields {
                        check(format!("{name}.{field}"), definition.description.is_some());
                    }
                    None
                }
                ExtendedType::Enum(ty) => {
                    for (value, definition) in &ty.values {
                        check(format!("{name}.{value}"), definition.description.is_some());
                    }
                    None
                }
                ExtendedType::Scalar(_) | ExtendedType::Union(_) => None,
            };
            for (field, definition) in fields.into_iter().flatten() {
                check(format!("{name}.{field}"), definition.description.is_some());
                for argument in &definition.arguments {
                    check(format!("{name}.{field}({})", argument.name), argument.description.is_some());
                }
            }
        }
        assert!(bare.is_empty(), "without a description: {bare:#?}");
    }
}
