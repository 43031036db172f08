//! Accounts.

use async_graphql::{Context, ID, Object};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;

/// A person with an account.
pub(crate) struct User(pub(crate) sg_domain::User);

/// A person with an account on this server.
#[Object]
impl User {
    /// The user's id, which projects show as `ownerId`.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The mail address the user signs in with.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// When the account was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Where the changes of the caller's sessions stand now. Whoever takes it before a list and then subscribes to
    /// `sessionChanged` with it as `since` misses nothing in between.
    async fn change_cursor(&self, ctx: &Context<'_>) -> Outcome<String> {
        let reach = Reach::of(ctx);
        Ok(reach.app.change_cursor(&reach.caller).await?)
    }
}
