//! What stands in paths and queries.

use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// A project.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InProject {
    /// The project's id, chosen by the client: 1 to 255 bytes, no control characters.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^/\x00-\x1f\x7f-\x9f]+$", example = "0f81-fa3b-cc40-b565")]
    pid: String,
}

/// A session.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InSession {
    /// The session's id, chosen by the client: 1 to 255 bytes, no control characters.
    #[param(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^/\x00-\x1f\x7f-\x9f]+$",
        example = "550e8400-e29b-41d4-a716-446655440000"
    )]
    sid: String,
}

/// An exchange.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InExchange {
    /// The exchange's id, as in the session.
    #[param(min_length = 1, example = "01900000-0000-7000-8000-000000000001.x0")]
    xid: String,
}

/// Only if nothing has changed since.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Unchanged {
    /// Tags that the client has seen, separated by commas, or `*`: the change is made only if the session has one of them
    /// still. Tags compare weakly.
    #[param(rename = "If-Match", required = false, example = "W/\"2c26b46b68ffc68ff99b453c1d304134\"")]
    if_match: String,
}

/// Which sessions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Resumable {
    /// Only sessions that another machine can resume.
    #[param(inline, required = false)]
    resumable: Flag,
}

/// True or false, as clients write it; nothing is false.
pub(super) struct Flag;

impl utoipa::PartialSchema for Flag {
    fn schema() -> RefOr<Schema> {
        let values = ["true", "false", "1", "0", ""];
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).into()
    }
}

impl utoipa::ToSchema for Flag {}
