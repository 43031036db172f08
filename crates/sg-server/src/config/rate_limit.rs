//! How many requests an hour, or a minute.

use serde::{Deserialize, Serialize};

/// How many requests an hour, each from its own bucket that holds an hour's worth and fills evenly; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitSection {
    /// REST requests of one API key.
    pub rest_per_hour: u32,
    /// REST requests a minute of one of SessionFS's keys, whose daemon comes in bursts.
    pub sessionfs_per_minute: u32,
    /// GraphQL requests of one API key.
    pub graphql_per_hour: u32,
    /// Requests of one device that signed in. A first sync sends a request for each session there ever was.
    pub device_per_hour: u32,
    /// Requests from one address that carry no credential, or one that does not work, where one is needed.
    pub unauthenticated_per_hour: u32,
    /// Requests from one address to what needs no credential: shared sessions, signing a device in, the API's description.
    pub open_per_hour: u32,
}

impl Default for RateLimitSection {
    fn default() -> Self {
        Self {
            rest_per_hour: 1_000,
            sessionfs_per_minute: 120,
            graphql_per_hour: 500,
            device_per_hour: 20_000,
            unauthenticated_per_hour: 600,
            open_per_hour: 3_000,
        }
    }
}

impl RateLimitSection {
    /// No limits.
    pub fn off() -> Self {
        Self {
            rest_per_hour: 0,
            sessionfs_per_minute: 0,
            graphql_per_hour: 0,
            device_per_hour: 0,
            unauthenticated_per_hour: 0,
            open_per_hour: 0,
        }
    }
}
