//! Every test of the whole, in one binary: what is slow about tests is linking them.

#![allow(unreachable_pub, reason = "modules of one binary: pub is only how they reach each other")]

mod app;
mod architecture;
mod authorization;
mod browser;
mod cli;
mod crash;
mod formats;
mod graphql;
mod harness;
mod http;
mod import;
mod parity;
mod postgres;
mod program;
mod search_contract;
mod specstory;
mod store_contract;
