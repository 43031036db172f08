//! The GraphQL endpoint as a whole: what it answers, what it refuses, what it costs.

mod attack;
mod budget;
mod change;
mod etag;
mod filter;
mod idempotency;
mod import;
mod input;
mod message;
mod page;
mod search;
mod shape;
mod transport;
mod trash;
mod visibility;

use serde_json::Value;

/// The texts at `field` of every element of a list.
fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap_or_else(|| panic!("not a list: {list:#}"));
    list.iter().map(|element| element[field].as_str().unwrap()).collect()
}
