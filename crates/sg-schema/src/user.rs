//! Accounts.

use async_graphql::{Context, Enum, ID, Object};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;

/// What an account may use, the least first.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "Tier", remote = "sg_domain::Tier")]
pub(crate) enum Tier {
    /// Nothing but reading.
    Free,
    /// What one person does by hand.
    Starter,
    /// What one person has done automatically.
    Pro,
    /// What several people do together.
    Team,
    /// Everything: what a server of one's own gives.
    Enterprise,
}

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

    /// What the user is called; null when nobody said.
    fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }

    /// Whether the mail address was shown to be the user's own.
    fn is_email_verified(&self) -> bool {
        self.0.email_verified_at.is_some()
    }

    /// What the account may use.
    fn tier(&self, ctx: &Context<'_>) -> Tier {
        Reach::of(ctx).app.tier_of(&self.0).into()
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
