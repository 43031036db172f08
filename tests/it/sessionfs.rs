//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod push;
mod scenario;
pub(crate) mod world;
