//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod handoff;
mod push;
mod scenario;
mod sync;
pub(crate) mod world;
