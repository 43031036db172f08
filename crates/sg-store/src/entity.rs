//! The tables as SeaORM sees them: one module per noun, `Model` is a row. Private to this crate.

// Documented by the migrations that make the tables.
#![allow(missing_docs, unreachable_pub)]

pub(crate) mod api_key;
pub(crate) mod device_token;
pub(crate) mod exchange;
pub(crate) mod import_source;
pub(crate) mod kept_answer;
pub(crate) mod message;
pub(crate) mod project;
pub(crate) mod session;
pub(crate) mod session_label;
pub(crate) mod user;
