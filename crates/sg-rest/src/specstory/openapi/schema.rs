//! The bodies as the description names them: the wire types' twins, owned and with their rules. A test holds real answers
//! against them.

use utoipa::ToSchema;

pub(super) mod account;
pub(super) mod project;
pub(super) mod search;
pub(super) mod session;
pub(super) mod share;
pub(super) mod token;
pub(super) mod upload;

/// An error. `error` is always one text; clients go by the status.
#[derive(ToSchema)]
pub(super) struct ErrorBody {
    /// Always `false`.
    #[schema(example = false)]
    success: bool,
    /// What is wrong, for people.
    error: String,
    /// Names the request in the server's log. Only on errors of the server itself.
    #[schema(nullable = false)]
    #[schema(rename = "requestId")]
    request_id: Option<String>,
}

/// It is done.
#[derive(ToSchema)]
pub(super) struct Done {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
}

/// The answer of everything that has `data`.
#[derive(ToSchema)]
pub(super) struct Envelope<T> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// What was asked for.
    data: T,
}
