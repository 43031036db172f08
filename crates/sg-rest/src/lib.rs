//! The REST dialects: documented APIs of other products, answered by the same operations as GraphQL.
//!
//! What belongs here: a URL, a header, a status, a JSON key of a dialect, and nothing that two surfaces would have to
//! agree on: permission, rules and order of side effects are `sg-app`'s. Each dialect is a complete router that works
//! from the root of a server, and no dialect uses another; [`front`] decides which of them is asked.

pub mod front;
pub mod route;
pub mod sessionfs;
pub mod specstory;
