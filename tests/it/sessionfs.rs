//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod attack;
mod push;
mod scenario;
mod upload;
pub(crate) mod world;
