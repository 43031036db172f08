//! The prices in use.

use async_graphql::{Object, SimpleObject};
use sg_app::Dollars;
use sg_domain::Timestamp;

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::Decimal;

/// The price of a model.
#[derive(SimpleObject)]
#[graphql(name = "Price")]
pub(crate) struct Price {
    /// The model; it also stands for its names with a date or a variant behind it. With `*` at its end, every name that
    /// begins so.
    model: String,
    /// The first UTC day on which the price holds, `YYYY-MM-DD`; null when it always did.
    from: Option<String>,
    /// Prompt tokens paid in full, in US dollars per million.
    input: Decimal,
    /// Tokens the model wrote, in US dollars per million.
    output: Decimal,
    /// Prompt tokens read from the provider's cache, in US dollars per million.
    cache_read: Decimal,
    /// Prompt tokens written to the provider's cache, in US dollars per million.
    cache_write: Decimal,
}

fn price(price: &sg_app::Price) -> Price {
    let dollars = |micros| Decimal(Dollars::from_micros(micros));
    Price {
        model: price.model.clone(),
        from: price.from.map(Timestamp::day),
        input: dollars(price.input),
        output: dollars(price.output),
        cache_read: dollars(price.cache_read),
        cache_write: dollars(price.cache_write),
    }
}

/// A table of prices.
pub(crate) struct PriceTable {
    as_of: Option<String>,
    is_built_in: bool,
    prices: Vec<sg_app::Price>,
}

/// What models cost: list prices, which whoever runs the server can replace by a file (`prices.file`).
#[Object]
impl PriceTable {
    /// The UTC day on which the prices were last checked, `YYYY-MM-DD`, where the table tells.
    fn as_of(&self) -> Option<&str> {
        self.as_of.as_deref()
    }

    /// Whether these are the prices that came with the program.
    fn is_built_in(&self) -> bool {
        self.is_built_in
    }

    /// The prices, in the order of the file.
    fn models(&self) -> Vec<Price> {
        self.prices.iter().map(price).collect()
    }
}

/// The prices in use.
pub(crate) fn prices(reach: &Reach) -> Outcome<PriceTable> {
    let table = reach.app.prices(&reach.caller)?;
    reach.spend(table.prices.len() as u64)?;
    let as_of = table.as_of.map(Timestamp::day);
    Ok(PriceTable { as_of, is_built_in: table.is_built_in, prices: table.prices.clone() })
}
