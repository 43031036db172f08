//! Every test of the whole, in one binary: what is slow about tests is linking them.

#![allow(unreachable_pub, reason = "modules of one binary: pub is only how they reach each other")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, with the line where it could not"
)]
#![allow(clippy::manual_is_multiple_of, reason = "n % 3 == 0 is how patterns of samples read")]

mod app;
mod architecture;
mod authorization;
mod browser;
mod cli;
mod crash;
mod formats;
mod front;
mod graphql;
mod harness;
mod http;
mod import;
mod leak;
mod openapi;
mod parity;
mod postgres;
mod program;
mod rate_limit;
mod scenario;
mod search_contract;
mod sessionfs;
mod sign_in;
mod specstory;
mod store_contract;
