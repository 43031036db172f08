//! What an account may use. Everyone has all of it unless an operator says otherwise.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// A plan, the smallest first (`contracts/sessionfs.md` 0.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Nothing but reading.
    Free,
    /// One person, by hand.
    Starter,
    /// One person, by itself.
    Pro,
    /// Several people.
    Team,
    /// Everything: what a self-hosted server gives.
    #[default]
    Enterprise,
}

impl Tier {
    /// Every tier, the smallest first.
    pub const ALL: [Self; 5] = [Self::Free, Self::Starter, Self::Pro, Self::Team, Self::Enterprise];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Team => "team",
            Self::Enterprise => "enterprise",
        }
    }

    /// The tier of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// How many bytes of archives it stores; 0 is as many as there is room for.
    pub fn max_stored_bytes(self) -> u64 {
        const MIB: u64 = 1024 * 1024;
        match self {
            Self::Free | Self::Enterprise => 0,
            Self::Starter => 500 * MIB,
            Self::Pro => 2_048 * MIB,
            Self::Team => 1_024 * MIB,
        }
    }

    /// `Forbidden`, with what would be needed, unless this tier has a feature.
    pub fn require(self, feature: Feature) -> Result<()> {
        let needed = feature.tier();
        if self >= needed {
            return Ok(());
        }
        let needed = needed.name();
        Err(Error::new(ErrorKind::Forbidden, format!("this feature requires {needed} or above."))
            .with("error", "upgrade_required")
            .with("feature", feature.name())
            .with("current_tier", self.name())
            .with("required_tier", needed))
    }
}

/// Something that a tier unlocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Pushing sessions and searching them.
    CloudSync,
    /// Short names for sessions.
    Aliases,
    /// Judging a session by hand.
    ManualAudit,
    /// A summary without a model.
    Summary,
    /// Pushing by itself.
    Autosync,
    /// A summary by a model.
    NarrativeSummary,
    /// Giving a session to somebody.
    Handoff,
    /// Looking for secrets in what is pushed.
    SecretScan,
}

impl Feature {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudSync => "cloud_sync",
            Self::Aliases => "aliases_cloud",
            Self::ManualAudit => "judge_manual",
            Self::Summary => "summary_deterministic",
            Self::Autosync => "autosync",
            Self::NarrativeSummary => "summary_narrative",
            Self::Handoff => "handoff",
            Self::SecretScan => "dlp_secrets",
        }
    }

    /// The smallest tier that has it.
    pub fn tier(self) -> Tier {
        match self {
            Self::CloudSync | Self::Aliases | Self::ManualAudit | Self::Summary => Tier::Starter,
            Self::Autosync | Self::NarrativeSummary | Self::Handoff | Self::SecretScan => Tier::Pro,
        }
    }
}
