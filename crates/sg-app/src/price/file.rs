//! Reading a file of prices. What is wrong is told with its line.

use std::collections::HashSet;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use sg_domain::Timestamp;
use toml::Spanned;
use toml::value::Datetime;

use super::{Price, plain};

/// Why a file of prices cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// The most prices in a file.
const MAX_PRICES: usize = 1_000;
/// The most days on which prices change: each is a condition of the statements that sum tokens.
const MAX_DAYS: usize = 100;
/// A million dollars per million tokens.
const MAX_MICROS: u64 = 1_000_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    as_of: Option<Day>,
    #[serde(default)]
    price: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    models: Vec<Spanned<String>>,
    from: Option<Day>,
    input: Amount,
    output: Amount,
    cache_read: Option<Amount>,
    cache_write: Option<Amount>,
}

/// Reads a file: the day it is of, and its prices.
pub(super) fn parse(text: &str) -> Result<(Option<Timestamp>, Vec<Price>), PriceFault> {
    let fault = |at: usize, message: String| {
        let before = text.get(..at).unwrap_or(text);
        PriceFault { line: before.matches('\n').count() + 1, message }
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        fault(error.span().map_or(0, |span| span.start), message)
    })?;
    let mut prices: Vec<Price> = Vec::new();
    let (mut seen, mut days) = (HashSet::new(), HashSet::new());
    for entry in &file.price {
        for model in &entry.models {
            let at = model.span().start;
            let name = plain(model.get_ref());
            if name.trim_end_matches('*').is_empty() || name.trim_end_matches('*').contains('*') {
                return Err(fault(at, format!("{:?} is no name of a model", model.get_ref())));
            }
            let price = Price {
                model: name,
                from: entry.from.map(|day| day.0),
                input: entry.input.0,
                output: entry.output.0,
                cache_read: entry.cache_read.unwrap_or(entry.input).0,
                cache_write: entry.cache_write.unwrap_or(entry.input).0,
            };
            if !seen.insert((price.model.clone(), price.from)) {
                let from = price.from.map_or("always".to_owned(), |from| format!("from {}", from.day()));
                return Err(fault(at, format!("{:?} has a price {from} already, take one of them out", price.model)));
            }
            prices.push(price);
            if prices.len() > MAX_PRICES {
                return Err(fault(at, format!("there are more than {MAX_PRICES} prices")));
            }
            days.extend(entry.from.map(|day| day.0));
            if days.len() > MAX_DAYS {
                return Err(fault(at, format!("prices change on more than {MAX_DAYS} days")));
            }
        }
    }
    Ok((file.as_of.map(|day| day.0), prices))
}

/// A day as TOML writes it.
#[derive(Clone, Copy)]
struct Day(Timestamp);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Datetime::deserialize(deserializer)?;
        let is_day = given.date.is_some() && given.time.is_none() && given.offset.is_none();
        let day = is_day.then(|| Timestamp::parse(&given.to_string())).flatten();
        day.map(Self).ok_or_else(|| D::Error::custom(format!("{given} is not a day, write it like 2026-01-31")))
    }
}

/// Dollars per million tokens, in micro-dollars.
#[derive(Clone, Copy)]
struct Amount(u64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Amount;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("dollars per million tokens: 0 to a million, at most 6 digits behind the point")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Amount, E> {
                micros(&value.to_string()).map(Amount).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Amount, E> {
                // The shortest text that means this number is the one that was written.
                micros(&value.to_string()).map(Amount).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// Reads a decimal number exactly.
fn micros(text: &str) -> Option<u64> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    if behind.len() > 6 || !whole.bytes().chain(behind.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let behind: u64 = format!("{behind:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(behind).filter(|micros| *micros <= MAX_MICROS)
}
