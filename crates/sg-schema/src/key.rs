//! API keys.

use async_graphql::{Enum, ID, InputObject, Object, SimpleObject};
use sg_app::KeyRequest;
use sg_domain::{ApiKey as Key, Dialect, Error, KeyId, Scopes};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;

/// What a key lets its bearer do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "Scope", remote = "sg_domain::Scope")]
pub(crate) enum Scope {
    /// Read and search everything the account may see.
    Read,
    /// Create, change and delete it.
    Write,
    /// Run the server: accounts, jobs of everyone.
    Admin,
}

/// A key without its secret, of which only a hash is stored.
pub(crate) struct ApiKey(pub(crate) Key);

/// An API key. Its secret was shown once, when it was made.
#[Object]
impl ApiKey {
    /// The key's id, which `revokeApiKey` takes; not the secret.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// What its owner calls it.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// How its secret begins, to tell keys apart.
    fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// What it may do.
    fn scopes(&self) -> Vec<Scope> {
        sg_domain::Scope::ALL.into_iter().filter(|scope| self.0.scopes.has(*scope)).map(Scope::from).collect()
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it stops working; null when it does not by itself.
    fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// When it last worked, to the minute.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it was revoked; null while it works.
    fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

/// A key that is wanted.
#[derive(InputObject)]
pub(crate) struct CreateApiKeyInput {
    /// What to call it, 1 to 100 characters.
    name: String,
    /// What it may do; no more than the caller's own key. Reading and writing when left out.
    scopes: Option<Vec<Scope>>,
    /// When it stops working; never by itself when left out.
    expires_at: Option<DateTime>,
}

/// What came of making a key.
#[derive(SimpleObject)]
pub(crate) struct CreateApiKeyPayload {
    /// The key.
    api_key: ApiKey,
    /// Its secret, shown this once.
    secret: String,
}

/// Which key is to be revoked.
#[derive(InputObject)]
pub(crate) struct RevokeApiKeyInput {
    /// The key's id.
    id: String,
}

/// What came of revoking a key.
#[derive(SimpleObject)]
pub(crate) struct RevokeApiKeyPayload {
    /// The id of the key, which no longer works.
    revoked_api_key_id: ID,
}

/// The caller's keys, oldest first.
pub(crate) async fn api_keys(reach: &Reach) -> Outcome<Vec<ApiKey>> {
    let keys = reach.app.keys(&reach.caller, false).await?;
    reach.spend(keys.len() as u64)?;
    Ok(keys.into_iter().map(ApiKey).collect())
}

/// Makes a key.
pub(crate) async fn create_api_key(reach: &Reach, input: CreateApiKeyInput) -> Outcome<CreateApiKeyPayload> {
    let user = reach.caller.require(sg_domain::Scope::Write)?.user.clone();
    let scopes = input.scopes.unwrap_or_else(|| vec![Scope::Read, Scope::Write]);
    let scopes: Vec<_> = scopes.into_iter().map(sg_domain::Scope::from).collect();
    let request = KeyRequest {
        user,
        name: input.name,
        dialect: Dialect::Specstory,
        scopes: Scopes::of(&scopes),
        expires_at: input.expires_at.map(|at| at.0),
    };
    let made = reach.app.create_key(&reach.caller, request).await?;
    Ok(CreateApiKeyPayload { api_key: ApiKey(made.key), secret: made.secret })
}

/// Revokes a key.
pub(crate) async fn revoke_api_key(reach: &Reach, input: RevokeApiKeyInput) -> Outcome<RevokeApiKeyPayload> {
    reach.caller.require(sg_domain::Scope::Write)?;
    let id: KeyId = input.id.parse().map_err(|_| Error::not_found("key"))?;
    reach.app.revoke_key(&reach.caller, id).await?;
    Ok(RevokeApiKeyPayload { revoked_api_key_id: ID(id.to_string()) })
}
