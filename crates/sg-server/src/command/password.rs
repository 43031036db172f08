//! Where a password comes from: a terminal that does not show it, standard input, or chance.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use clap::Args;
use sg_app::{Ids as _, RandomIds};

/// Where a password comes from. Without any of these a terminal asks for it; elsewhere one is made up and printed.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Source {
    /// Reads the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Makes a password up and prints it, this once.
    #[arg(long)]
    generate_password: bool,
}

/// A password, and whether its owner has yet to be told.
pub(super) enum Password {
    Given(String),
    Generated(String),
}

impl Password {
    pub(super) fn text(&self) -> &str {
        let (Self::Given(text) | Self::Generated(text)) = self;
        text
    }

    pub(super) fn generated(&self) -> Option<&str> {
        match self {
            Self::Given(_) => None,
            Self::Generated(text) => Some(text),
        }
    }
}

/// The longest first line of standard input that is looked at, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Gets a password.
pub(super) fn read(source: &Source) -> anyhow::Result<Password> {
    if source.password_stdin {
        let mut line = String::new();
        std::io::stdin().lock().take(MAX_LINE_BYTES).read_line(&mut line)?;
        let password = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        anyhow::ensure!(!password.is_empty(), "there is no password on standard input");
        sg_app::check_password(password)?;
        return Ok(Password::Given(password.to_owned()));
    }
    if source.generate_password || !std::io::stdin().is_terminal() {
        return Ok(Password::Generated(generated()));
    }
    let password = rpassword::prompt_password("Password (empty: one is made up): ")?;
    if password.is_empty() {
        return Ok(Password::Generated(generated()));
    }
    sg_app::check_password(&password)?;
    let again = rpassword::prompt_password("The same again: ")?;
    anyhow::ensure!(password == again, "the two passwords differ");
    Ok(Password::Given(password))
}

/// Eighty bits that can be read out.
pub(super) fn generated() -> String {
    let random = RandomIds.secret_hex(10);
    [&random[..5], &random[5..10], &random[10..15], &random[15..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_passwords_are_long_enough_and_differ() {
        let (one, other) = (generated(), generated());
        assert!(one.len() == 23 && one.len() >= sg_app::MIN_PASSWORD_CHARS && one != other, "{one}");
    }
}
