//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod attack;
mod client;
pub(crate) mod full;
mod push;
mod scenario;
mod upload;
mod handoff;
mod sync;
pub(crate) mod world;
