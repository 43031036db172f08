//! Tokens spent, and what they cost.

use std::sync::Arc;

use async_graphql::{Context, Object};
use sg_app::{Cost, Spent};
use sg_domain::SessionId;

use crate::failure::Outcome;
use crate::loader::{Reach, SessionCost};
use crate::scalar::{BigInt, Decimal};

/// Tokens with their cost, or with where to find it.
pub(crate) struct TokenUsage {
    usage: sg_domain::TokenUsage,
    cost: CostSource,
}

enum CostSource {
    Known(Cost),
    /// A session knows its tokens; which models they are of is in its messages.
    Session(SessionId),
    /// A message that does not tell its time has its session's, and so its prices.
    Undated(SessionId, Option<String>),
}

impl TokenUsage {
    /// Tokens of one message.
    pub(crate) fn of_message(reach: &Reach, session: SessionId, message: &sg_domain::Message) -> Option<Self> {
        let usage = message.usage?;
        let cost = match message.at {
            Some(at) => CostSource::Known(reach.app.message_cost(message.model.as_deref(), at, &usage)),
            None => CostSource::Undated(session, message.model.clone()),
        };
        Some(Self { usage, cost })
    }

    /// Tokens of a session. Its cost is read when it is asked for.
    pub(crate) fn of_session(session: &sg_domain::Session) -> Self {
        let usage = session.usage;
        let nothing = CostSource::Known(Cost::default());
        Self { usage, cost: if usage.is_zero() { nothing } else { CostSource::Session(session.id) } }
    }

    async fn known(&self, ctx: &Context<'_>) -> Outcome<Cost> {
        let reach = Reach::of(ctx);
        match &self.cost {
            CostSource::Known(cost) => Ok(*cost),
            CostSource::Session(id) => {
                let found = reach.load(SessionCost(*id)).await?;
                Ok(found.unwrap_or_else(|| Cost::unpriced(&self.usage)))
            }
            CostSource::Undated(session, model) => {
                let session = reach.load(*session).await?;
                let cost = |session: Arc<sg_domain::Session>| {
                    reach.app.message_cost(model.as_deref(), session.activity_at, &self.usage)
                };
                Ok(session.map_or_else(|| Cost::unpriced(&self.usage), cost))
            }
        }
    }

    /// What they cost.
    pub(crate) async fn dollars(&self, ctx: &Context<'_>) -> Outcome<Option<Decimal>> {
        Ok(self.known(ctx).await?.dollars().map(Decimal))
    }
}

impl From<Spent> for TokenUsage {
    fn from(spent: Spent) -> Self {
        Self { usage: spent.usage, cost: CostSource::Known(spent.cost) }
    }
}

/// Tokens of one answer, or a sum of many. Each answer of a session is counted once, also when an agent wrote it as several
/// lines. A session that begins with a copy of an earlier one's messages has spent those tokens as far as can be told.
#[Object]
impl TokenUsage {
    /// Prompt tokens paid in full: without what the provider's cache served or stored.
    fn input(&self) -> BigInt {
        BigInt(self.usage.input)
    }

    /// Tokens the model wrote, reasoning included.
    fn output(&self) -> BigInt {
        BigInt(self.usage.output)
    }

    /// Prompt tokens read from the provider's cache.
    fn cache_read(&self) -> BigInt {
        BigInt(self.usage.cache_read)
    }

    /// Prompt tokens written to the provider's cache.
    fn cache_write(&self) -> BigInt {
        BigInt(self.usage.cache_write)
    }

    /// Of the output, tokens spent on reasoning, where the agent tells.
    fn reasoning(&self) -> BigInt {
        BigInt(self.usage.reasoning)
    }

    /// Input, output, cache reads and cache writes together.
    fn total(&self) -> BigInt {
        BigInt(self.usage.total())
    }

    /// What the tokens cost by `prices`, in US dollars: list prices of the day of each answer, without discounts. Null
    /// when none of the tokens has a price; of a sum, the tokens without one are left out (`unpricedTokens`).
    async fn cost(&self, ctx: &Context<'_>) -> Outcome<Option<Decimal>> {
        self.dollars(ctx).await
    }

    /// Tokens of models without a price, and of answers whose model is not known: they are not in `cost`.
    async fn unpriced_tokens(&self, ctx: &Context<'_>) -> Outcome<BigInt> {
        Ok(BigInt(self.known(ctx).await?.unpriced_tokens))
    }
}
