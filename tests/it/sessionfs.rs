//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod attack;
mod client;
pub(crate) mod full;
mod handoff;
mod push;
mod scenario;
mod share_link;
mod summary;
mod sync;
mod upload;
pub(crate) mod world;
