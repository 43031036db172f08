//! The server: configuration, the HTTP stack, the worker, the command line.
//!
//! What belongs here: flags, sockets, the environment, signals, tasks, assets. What does not: rules. It touches the
//! store and the index only to construct them.

pub mod command;
pub mod config;
pub mod control;
pub mod gateway;
pub mod http;
pub mod import;
pub mod progress;
pub mod run;
pub mod secret;
pub mod telemetry;
pub mod worker;
