//! Tokens spent.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Tokens of one model answer, or a sum of many. `input` excludes what the cache served or stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Prompt tokens paid in full.
    #[serde(default)]
    pub input: u64,
    /// Tokens the model wrote, reasoning included.
    #[serde(default)]
    pub output: u64,
    /// Prompt tokens read from the provider's cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Prompt tokens written to the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Of `output`, those spent on reasoning, where the agent tells.
    #[serde(default)]
    pub reasoning: u64,
}

impl TokenUsage {
    /// Every token once: input, output, cache reads and writes.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output).saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// Whether nothing was counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for TokenUsage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}
