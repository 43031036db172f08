//! API tokens, the account's keys.

use serde::Serialize;
use sg_domain::{ApiKey, Scope};

use super::Iso;

/// `data` of the list of tokens.
#[derive(Serialize)]
pub(in super::super) struct TokenList<'a> {
    pub(in super::super) tokens: Vec<TokenBody<'a>>,
    pub(in super::super) total: usize,
}

/// `data` of a new token: all of it, and this once its secret.
#[derive(Serialize)]
pub(in super::super) struct NewToken<'a> {
    #[serde(flatten)]
    pub(in super::super) body: TokenBody<'a>,
    pub(in super::super) token: &'a str,
}

/// `data` of a token that was revoked.
#[derive(Serialize)]
pub(in super::super) struct RevokedToken {
    pub(in super::super) id: String,
    pub(in super::super) success: bool,
}

/// A token as it is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct TokenBody<'a> {
    id: String,
    name: &'a str,
    /// How its secret begins, to tell tokens apart.
    prefix: &'a str,
    scopes: Vec<&'static str>,
    created_at: Iso,
    expires_at: Option<Iso>,
    last_used_at: Option<Iso>,
    revoked_at: Option<Iso>,
}

impl<'a> TokenBody<'a> {
    pub(in super::super) fn new(key: &'a ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: &key.name,
            prefix: &key.prefix,
            scopes: Scope::ALL.into_iter().filter(|scope| key.scopes.has(*scope)).map(Scope::name).collect(),
            created_at: Iso(key.created_at),
            expires_at: key.expires_at.map(Iso),
            last_used_at: key.last_used_at.map(Iso),
            revoked_at: key.revoked_at.map(Iso),
        }
    }
}
