//! API tokens, described.

use super::schema::token::{CreatedToken, NewToken, RevokedToken, TokenList};
use super::schema::{Envelope, ErrorBody};

/// List API tokens
///
/// All of the account's, revoked ones too, oldest first; never their secrets.
#[utoipa::path(
    get, path = "/api/v1/api-tokens", operation_id = "listApiTokens", tag = "tokens",
    responses((status = 200, description = "The tokens.", body = inline(Envelope<TokenList>)))
)]
fn list_tokens() {}

/// Make an API token
///
/// Its secret is in this answer and never again.
#[utoipa::path(
    post, path = "/api/v1/api-tokens", operation_id = "createApiToken", tag = "tokens",
    request_body(content = NewToken, description = "The token that is wanted."),
    responses(
        (status = 201, description = "The token.", body = inline(Envelope<CreatedToken>)),
        (status = 400, description = "The body is not what it should be, or it would have expired already.", body = ErrorBody, example = json!({"success": false, "error": "Missing required field: name"})),
    )
)]
fn create_token() {}

/// Revoke an API token
///
/// It stops working at once. Again changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/api-tokens/{id}", operation_id = "revokeApiToken", tag = "tokens",
    params(("id" = String, Path, description = "The token's id.", min_length = 1, example = "01900000-0000-7000-8000-000000000001")),
    responses(
        (status = 200, description = "It is revoked.", body = inline(Envelope<RevokedToken>)),
        (status = 404, description = "The account has no such token.", body = ErrorBody, example = json!({"success": false, "error": "API token not found"})),
    )
)]
fn revoke_token() {}
