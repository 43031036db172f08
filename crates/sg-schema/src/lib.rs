//! GraphQL: the schema's types as newtypes over domain values, resolvers over `sg-app`, and the guard and HTTP
//! handler in front of them.
//!
//! What belongs here: a GraphQL name, nullability, a description, paging arguments, which columns a selection needs,
//! what a document may cost. What does not: rules (`sg-app`), sockets and middleware (`sg-server`).
//!
//! async-graphql is pinned exactly to 8.0.0-rc.5. 7.x writes sibling fields in the order in which their resolvers
//! finish, which breaks the specification and every snapshot; the release candidates keep the query's order. Nothing
//! of it leaves this crate but [`Schema`], so that a later release is this crate's change alone.
//!
//! The future of a field is as large as that of the type's largest field, and moves as documents nest: what a resolver
//! awaits is boxed where it is large.
//!
//! The road of a request: [`Graphql::handle`] (`http.rs`) reads parameters, or [`socket::Socket`] a message; `operation.rs`
//! is the road of both from there: `guard.rs` turns text into a document that
//! is known to be valid and bounded, `query.rs` and its nouns resolve it with the loaders of `loader.rs`, `failure.rs`
//! gives every error its code.

mod analytics;
mod change;
mod content;
mod device;
mod event;
mod exchange;
mod exchange_change;
mod failure;
mod filter;
mod graphql;
mod guard;
mod handoff;
mod handoff_change;
mod http;
mod idempotency;
mod job;
mod job_change;
mod kept;
mod key;
mod loader;
mod message;
mod metadata;
mod mutation;
mod node;
mod operation;
mod page;
mod plain;
mod price;
mod project;
mod project_change;
mod query;
mod rate_limit;
mod related;
mod scalar;
mod schema;
mod search;
mod search_resume;
mod selection;
mod session;
mod session_bulk;
mod session_change;
mod session_connection;
mod session_import;
mod session_put;
mod session_row;
mod session_trash;
mod share;
mod share_link;
pub mod socket;
mod stats;
mod stream;
mod subscription;
mod summary;
mod sync;
mod trusted;
mod usage;
mod user;

pub use graphql::{Graphql, GraphqlLimits};
pub use http::{Body, refused_events};
pub use schema::{Schema, build_schema, sdl};
pub use trusted::Manifest;
