//! `[secrets]`: the server's own secret.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// The server's own secret: it seals what is stored for later use and signs links in mails. Servers on one database need
/// the same one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsSection {
    /// 64 hex digits. Empty: those in the file.
    pub key: Secret,
    /// Where it is kept; made with a new one when it is missing. Empty: `secret.key` in the data folder.
    pub key_file: PathBuf,
}
