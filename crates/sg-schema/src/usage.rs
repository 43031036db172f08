//! Tokens spent.

use async_graphql::SimpleObject;

use crate::scalar::BigInt;

/// Tokens of one answer, or a sum of many. Nothing is counted twice.
#[derive(SimpleObject)]
#[graphql(name = "TokenUsage")]
pub(crate) struct TokenUsage {
    /// Prompt tokens paid in full: without what the provider's cache served or stored.
    input: BigInt,
    /// Tokens the model wrote, reasoning included.
    output: BigInt,
    /// Prompt tokens read from the provider's cache.
    cache_read: BigInt,
    /// Prompt tokens written to the provider's cache.
    cache_write: BigInt,
    /// Of the output, tokens spent on reasoning, where the agent tells.
    reasoning: BigInt,
    /// Input, output, cache reads and cache writes together.
    total: BigInt,
}

impl From<sg_domain::TokenUsage> for TokenUsage {
    fn from(usage: sg_domain::TokenUsage) -> Self {
        Self {
            input: BigInt(usage.input),
            output: BigInt(usage.output),
            cache_read: BigInt(usage.cache_read),
            cache_write: BigInt(usage.cache_write),
            reasoning: BigInt(usage.reasoning),
            total: BigInt(usage.total()),
        }
    }
}
