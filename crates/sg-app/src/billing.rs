//! What an account may store, on a server that nobody pays.

use sg_domain::{Caller, Error, Result, Scope, Tier};

use crate::App;

/// How much of its plan an account uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanUse {
    /// The plan.
    pub tier: Tier,
    /// Bytes of its archives that are not in the trash.
    pub stored_bytes: u64,
}

impl App {
    /// The plan of the caller's account.
    pub async fn plan_use(&self, caller: &Caller) -> Result<PlanUse> {
        let identity = caller.require(Scope::Read)?;
        let user = self.store().user(&identity.user).await?.ok_or_else(Error::unauthenticated)?;
        let stored_bytes = self.store().archived_bytes(&identity.user).await?;
        Ok(PlanUse { tier: self.tier_of(&user), stored_bytes })
    }
}
