//! WebSockets and event streams: how many, and how long they are waited for.

use serde::{Deserialize, Serialize};

/// WebSockets and event streams. They last, so they are counted by themselves, beside the requests that open them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketSection {
    /// Sockets and streams at a time, of everyone. Fewer than `http.max_connections`, or they keep requests out.
    pub max_open: usize,
    /// Sockets and streams at a time, from one address.
    pub max_per_address: usize,
    /// Sockets and streams at a time, of one key, device or signed-in browser.
    pub max_per_caller: usize,
    /// Operations at a time, of one socket.
    pub max_operations: usize,
    /// The largest message of a client, in bytes.
    pub max_message_bytes: usize,
    /// How long a new socket may take to say who it is, in seconds.
    pub init_timeout_secs: u64,
    /// How often a client is asked whether it is there, and its credential whether it still works, in seconds. A client
    /// that is silent for twice as long is let go.
    pub ping_secs: u64,
    /// How long a socket may stay open with nothing running on it, in seconds.
    pub idle_secs: u64,
}

impl Default for SocketSection {
    fn default() -> Self {
        Self {
            max_open: 512,
            max_per_address: 100,
            max_per_caller: 50,
            max_operations: 100,
            max_message_bytes: 256 * 1024,
            init_timeout_secs: 10,
            ping_secs: 20,
            idle_secs: 600,
        }
    }
}
