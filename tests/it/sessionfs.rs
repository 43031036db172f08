//! The SessionFS dialect: every row of its contract, its own client, and those who mean ill.

mod account;
mod push;
mod scenario;
mod share_link;
mod summary;
pub(crate) mod world;
