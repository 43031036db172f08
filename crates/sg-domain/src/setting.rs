//! What an account decides for itself: the model that judges its sessions, and when sessions are judged and summarised.

use serde::{Deserialize, Serialize};

/// The model that an account chose, without its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgeSettings {
    /// Who runs it, by name.
    pub provider: String,
    /// Its name there; empty leaves it open.
    pub model: String,
    /// The address to ask it at; `None` is the provider's own.
    pub base_url: Option<String>,
    /// Whether a key is kept for just this provider and address.
    pub has_key: bool,
}

/// When something is done with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// When somebody asks for it.
    #[default]
    Manual,
    /// When it was pushed.
    OnSync,
    /// When there is a pull request of it.
    OnPr,
}

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Manual, Self::OnSync, Self::OnPr];

    /// Its name in storage and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::OnSync => "on_sync",
            Self::OnPr => "on_pr",
        }
    }

    /// The one of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }
}

/// When an account's sessions are judged and summarised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// When they are judged.
    pub audit: Trigger,
    /// When they are summarised.
    pub summary: Trigger,
}
