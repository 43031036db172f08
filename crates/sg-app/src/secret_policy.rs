//! What is done about secrets in what is pushed.

use sg_domain::{Caller, Feature, Result, Scope};

use crate::App;

/// What is done about secrets in what is pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecretPolicy {
    /// What is done with what is found; `None`: nothing is looked for.
    pub action: Option<SecretAction>,
}

/// What is done with a session that has secrets in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretAction {
    /// It is kept as it is, and it is noted that they are there.
    Warn,
    /// They are taken out.
    Redact,
    /// It is refused.
    Block,
}

impl SecretAction {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }
}

impl App {
    /// What is done about secrets in what the caller pushes.
    pub async fn secret_policy(&self, caller: &Caller) -> Result<SecretPolicy> {
        let identity = caller.require(Scope::Read)?;
        self.require_feature(identity, Feature::SecretScan).await?;
        Ok(SecretPolicy::default())
    }
}
