//! The server's own secret: from the settings, or from a file that is made at the first start.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use rand::RngCore as _;
use sg_app::{VAULT_KEY_BYTES, Vault};

use crate::config::Config;

/// The file in the data folder.
const FILE: &str = "secret.key";

/// The vault of this server.
pub fn vault(config: &Config) -> anyhow::Result<Vault> {
    let given = config.secrets.key.expose();
    if !given.is_empty() {
        return parse(given).ok_or_else(|| anyhow!("secrets.key must be {} hex digits", VAULT_KEY_BYTES * 2));
    }
    let named = &config.secrets.key_file;
    let path = if named.as_os_str().is_empty() { config.data_dir.join(FILE) } else { PathBuf::from(named) };
    let text = read_or_make(&path).with_context(|| format!("cannot use the secret in {}", path.display()))?;
    parse(text.trim()).ok_or_else(|| anyhow!("{} must hold {} hex digits", path.display(), VAULT_KEY_BYTES * 2))
}

fn parse(text: &str) -> Option<Vault> {
    let mut secret = [0; VAULT_KEY_BYTES];
    hex::decode_to_slice(text, &mut secret).ok()?;
    Some(Vault::new(secret))
}

/// Two that start at once agree: the file is made under another name and linked into its place, where only the first
/// link counts.
fn read_or_make(path: &Path) -> std::io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let mut secret = [0; VAULT_KEY_BYTES];
    rand::rng().fill_bytes(&mut secret);
    let staged = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&staged)?;
    file.write_all(hex::encode(secret).as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&staged, path);
    std::fs::remove_file(&staged)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(path),
    }
}
