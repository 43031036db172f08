//! How accounts come to be, and what they may use: the operator's part.

use sg_domain::{Error, ErrorKind, Feature, Identity, Result, Tier, User};

use crate::App;

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUpPolicy {
    /// Whoever asks.
    Open,
    /// Whose address an operator invited.
    #[default]
    Invited,
    /// Nobody: an operator makes them.
    Closed,
}

/// What the operator decided about accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountRules {
    /// Who may make one.
    pub sign_up: SignUpPolicy,
    /// Whether a new account's address must be shown to be its own before it may send sessions.
    pub verify_email: bool,
    /// What an account may use that has no tier of its own.
    pub default_tier: Tier,
    /// The address that people reach the server at, for links in mails, without a slash at its end. Empty: there is none.
    pub public_url: String,
}

impl App {
    /// What an account may use.
    pub fn tier_of(&self, user: &User) -> Tier {
        user.tier.unwrap_or(self.inner.accounts.default_tier)
    }

    /// `Forbidden`, with what would be needed, unless the caller's account has a feature.
    pub(crate) async fn require_feature(&self, identity: &Identity, feature: Feature) -> Result<()> {
        let user = self.store().user(&identity.user).await?;
        let tier = user.map_or(self.inner.accounts.default_tier, |user| self.tier_of(&user));
        tier.require(feature)
    }

    /// `Forbidden` while the operator wants mail addresses shown to be their owners' own and the caller's was not.
    #[allow(dead_code, reason = "for the operations that take sessions in")]
    pub(crate) async fn require_verified(&self, identity: &Identity) -> Result<()> {
        if !self.inner.accounts.verify_email {
            return Ok(());
        }
        let user = self.store().user(&identity.user).await?;
        if user.is_none_or(|user| user.email_verified_at.is_some()) {
            return Ok(());
        }
        let message = "email not verified. Check your inbox for the verification link.";
        Err(Error::new(ErrorKind::Forbidden, message).with("error", "email_not_verified"))
    }
}
