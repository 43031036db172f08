//! `[accounts]`: who may make one, and what it may use.

use serde::{Deserialize, Serialize};
use sg_app::{AccountRules, SignUpPolicy};
use sg_domain::Tier;

/// How accounts come to be, and what they may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsSection {
    /// Who may make an account through the API: `open`, `invited` or `closed`.
    pub sign_up: SignUpName,
    /// Whether a new account may send sessions only when its mail address was shown to be its own.
    /// Not available yet: it needs mail.
    pub verify_email: bool,
    /// What an account may use that has no tier of its own: `free`, `starter`, `pro`, `team` or `enterprise`.
    pub default_tier: Tier,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUpName {
    /// Whoever reaches the server.
    Open,
    /// Whose address an operator invited.
    #[default]
    Invited,
    /// Nobody.
    Closed,
}

impl AccountsSection {
    /// The operations' part.
    pub(crate) fn rules(&self, public_url: &str) -> AccountRules {
        AccountRules {
            sign_up: match self.sign_up {
                SignUpName::Open => SignUpPolicy::Open,
                SignUpName::Invited => SignUpPolicy::Invited,
                SignUpName::Closed => SignUpPolicy::Closed,
            },
            verify_email: self.verify_email,
            default_tier: self.default_tier,
            public_url: public_url.to_owned(),
        }
    }
}
