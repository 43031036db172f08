//! What answers cost: a table of prices, and exact sums.
//!
//! Prices are whole micro-dollars per million tokens and sums whole millionths of a micro-dollar, so nothing is ever
//! rounded: the costs of the days of a month add up to that of the month.

use std::fmt;
use std::ops::AddAssign;

use sg_domain::{Caller, Result, Scope, Timestamp, TokenUsage};

use crate::App;

mod file;
pub use file::PriceFault;

/// The price of a model from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The model's name as the table has it; with `*` at its end, the beginning of names.
    pub model: String,
    /// The first instant at which it holds; `None` is always.
    pub from: Option<Timestamp>,
    /// Of prompt tokens, in micro-dollars per million tokens.
    pub input: u64,
    /// Of written tokens, as `input`.
    pub output: u64,
    /// Of tokens read from a cache, as `input`.
    pub cache_read: u64,
    /// Of tokens written to a cache, as `input`.
    pub cache_write: u64,
}

/// The prices in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable {
    /// The day on which the prices were last checked, where the file tells.
    pub as_of: Option<Timestamp>,
    /// Whether they came with the program.
    pub is_built_in: bool,
    /// Every price, in the order of the file.
    pub prices: Vec<Price>,
    /// The instants at which a price begins to hold, ascending.
    instants: Vec<Timestamp>,
}

/// The table that comes with the program.
const BUILT_IN: &str = include_str!("price.toml");

impl PriceTable {
    /// The table that comes with the program.
    pub fn built_in() -> Self {
        // A test parses it.
        let parsed = Self::parse(BUILT_IN).unwrap_or_default();
        Self { is_built_in: true, ..parsed }
    }

    /// Reads a table; `examples` are in `price.toml`, which comes with the program.
    pub fn parse(text: &str) -> Result<Self, PriceFault> {
        let (as_of, prices) = file::parse(text)?;
        let mut instants: Vec<_> = prices.iter().filter_map(|price| price.from).collect();
        instants.sort_unstable();
        instants.dedup();
        Ok(Self { as_of, is_built_in: false, prices, instants })
    }

    /// The instants at which a price begins to hold, ascending: between two of them no price changes.
    pub fn instants(&self) -> &[Timestamp] {
        &self.instants
    }

    /// The price of a model at a time.
    pub fn price(&self, model: &str, at: Timestamp) -> Option<&Price> {
        let name = plain(model);
        let mut best: Option<(bool, usize, &Price)> = None;
        for price in self.prices.iter().filter(|price| price.from.is_none_or(|from| from <= at)) {
            let Some(is_exact) = covers(&price.model, &name) else { continue };
            let closer = best
                .is_none_or(|(exact, len, known)| (is_exact, price.model.len(), price.from) > (exact, len, known.from));
            if closer {
                best = Some((is_exact, price.model.len(), price));
            }
        }
        best.map(|(.., price)| price)
    }

    /// What tokens of a model cost that were spent at a time.
    pub fn cost(&self, model: Option<&str>, at: Timestamp, usage: &TokenUsage) -> Cost {
        let Some(price) = model.and_then(|model| self.price(model, at)) else {
            return Cost { unpriced_tokens: usage.total(), ..Cost::default() };
        };
        let parts = [
            (usage.input, price.input),
            (usage.output, price.output),
            (usage.cache_read, price.cache_read),
            (usage.cache_write, price.cache_write),
        ];
        let sum = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        Cost { amount: sum, priced_tokens: usage.total(), unpriced_tokens: 0 }
    }

    /// As [`PriceTable::cost`], by the number of [`PriceTable::instants`] that lie at or before the time.
    pub(crate) fn cost_of_span(&self, model: Option<&str>, span: usize, usage: &TokenUsage) -> Cost {
        let before_all = Timestamp::from_micros(i64::MIN);
        let at = span.checked_sub(1).and_then(|i| self.instants.get(i)).copied().unwrap_or(before_all);
        self.cost(model, at, usage)
    }
}

/// A model's name as it is compared: without the provider, in lower case.
fn plain(model: &str) -> String {
    let name = model.trim();
    name.rsplit_once('/').map_or(name, |(_, name)| name).to_lowercase()
}

/// Whether an entry is about a name, and if so whether it is that very name.
fn covers(entry: &str, name: &str) -> Option<bool> {
    if let Some(start) = entry.strip_suffix('*') {
        return name.starts_with(start).then_some(false);
    }
    let rest = name.strip_prefix(entry)?;
    (rest.is_empty() || is_variant(rest)).then_some(rest.is_empty())
}

/// Whether what stands behind a name is a date or the like. `-6` is not: it makes another model of `claude-opus-4`.
fn is_variant(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(['-', '@', ':']) else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    digits >= 4 || ["latest", "preview", "exp"].iter().any(|word| rest.starts_with(word))
}

/// What tokens cost, and how many of them have no price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Millionths of a micro-dollar.
    amount: u128,
    priced_tokens: u64,
    /// Tokens without a price, which are not in the cost.
    pub unpriced_tokens: u64,
}

impl Cost {
    /// Tokens without a price.
    pub fn unpriced(usage: &TokenUsage) -> Self {
        Self { unpriced_tokens: usage.total(), ..Self::default() }
    }

    /// US dollars; `None` when there are tokens and none of them has a price.
    pub fn dollars(&self) -> Option<Dollars> {
        (self.priced_tokens > 0 || self.unpriced_tokens == 0).then_some(Dollars(self.amount))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.amount = self.amount.saturating_add(other.amount);
        self.priced_tokens = self.priced_tokens.saturating_add(other.priced_tokens);
        self.unpriced_tokens = self.unpriced_tokens.saturating_add(other.unpriced_tokens);
    }
}

/// An amount in US dollars, exact; in millionths of a micro-dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(u128);

impl Dollars {
    /// From micro-dollars, as prices have them.
    pub fn from_micros(micros: u64) -> Self {
        Self(u128::from(micros) * 1_000_000)
    }
}

/// A decimal number: all of its digits and no more, at least two behind the point.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u128 = 1_000_000_000_000;
        let behind = format!("{:012}", self.0 % ONE);
        let digits = behind.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / ONE, &behind[..digits])
    }
}

impl App {
    /// The prices in use.
    pub fn prices(&self, caller: &Caller) -> Result<&PriceTable> {
        caller.require(Scope::Read)?;
        Ok(self.price_table())
    }

    /// What tokens of a message cost. Needs no permission: who knows the message may know its price.
    pub fn message_cost(&self, model: Option<&str>, at: Timestamp, usage: &TokenUsage) -> Cost {
        self.price_table().cost(model, at, usage)
    }
}

#[cfg(test)]
mod tests;
