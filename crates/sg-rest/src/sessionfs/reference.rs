//! How a path names a session: by its id, or by its alias (`contracts/sessionfs.md` 0.6).

use super::failure::Failure;

/// The first part of every id.
const PREFIX: &str = "ses_";

/// Whether a name has the form of an id: `ses_` and 8 to 40 lower-case letters and digits.
pub(super) fn is_id(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| {
        (8..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// An id or an alias; 400 when it has the form of neither.
pub(super) fn id_or_alias(text: &str) -> Result<&str, Failure> {
    if is_id(text) || sg_domain::id::alias(text).is_ok() {
        Ok(text)
    } else {
        Err(Failure::bad_request("Invalid session ID or alias format"))
    }
}

/// An id; 400 when it has another form.
pub(super) fn id(text: &str) -> Result<&str, Failure> {
    if is_id(text) { Ok(text) } else { Err(Failure::bad_request("Invalid session ID format")) }
}
