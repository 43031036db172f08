//! The GraphQL endpoint as a whole: what it answers, what it refuses, what it costs.

mod analytics;
mod attack;
mod budget;
mod change;
mod client;
mod connection;
mod cost;
mod differ;
mod etag;
mod filter;
mod filter_property;
mod idempotency;
mod import;
mod input;
mod job;
mod kept;
mod leak;
mod lint;
mod message;
mod page;
mod plain;
mod search;
mod shape;
mod socket;
mod sse;
mod subscription;
mod transport;
mod trash;
mod trusted;
mod visibility;

use serde_json::Value;

/// The texts at `field` of every element of a list.
fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap_or_else(|| panic!("not a list: {list:#}"));
    list.iter().map(|element| element[field].as_str().unwrap()).collect()
}
