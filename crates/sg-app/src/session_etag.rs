//! Optimistic concurrency: a change that names the ETag its caller has seen is made to that state or not at all.

use sg_domain::session::{SessionEtag, etag};
use sg_domain::{Error, ErrorKind, Result, Session};

/// The detail of a `Conflict` that carries the ETag of now, bare as the domain has it.
pub const CURRENT_ETAG: &str = "currentEtag";

/// The ETag of a session as it is, with the marks of its exchanges.
pub(crate) fn etag_of(session: &Session, marks: &str) -> String {
    etag(&SessionEtag {
        name: &session.name,
        user_title: session.user_title.as_deref(),
        alias: session.alias.as_deref(),
        share_status: session.share_status,
        metadata: &session.metadata,
        blobs: session.blobs,
        exchanges: marks,
    })
}

/// Whether a session is still in the state that a caller has seen, or in one of several (tags separated by commas, as in
/// `If-Match`); asked inside the transaction that has it locked. Without an ETag every state will do.
pub(crate) fn expect(session: &Session, etag: Option<&str>) -> Result<()> {
    match etag {
        Some(etag) if !lists(etag, &session.etag) => {
            let message = "the session has changed since, read it again and repeat what is still wanted";
            Err(Error::new(ErrorKind::Conflict, message).with(CURRENT_ETAG, session.etag.as_str()).at("etag"))
        }
        _ => Ok(()),
    }
}

/// The same, where the session may be gone: no state is the one that was seen then.
pub(crate) fn expect_stored(session: Option<&Session>, etag: Option<&str>) -> Result<()> {
    match (session, etag) {
        (Some(session), etag) => expect(session, etag),
        (None, Some(_)) => {
            let message = "there is no such session any more, leave out the etag to store it anew";
            Err(Error::new(ErrorKind::Conflict, message).at("etag"))
        }
        (None, None) => Ok(()),
    }
}

/// Whether a `Conflict` is about an ETag, which trying again does not help.
pub fn is_about_etag(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict && error.input.as_deref().is_some_and(|path| path == ["etag"])
}

/// Whether one of these tags is the current one; `*` is whatever it is.
fn lists(etags: &str, current: &str) -> bool {
    etags.trim() == "*" || etags.split(',').any(|etag| bare(etag) == current)
}

/// An ETag as a header, a list or a person writes it: `W/"…"`, `"…"` or bare.
fn bare(etag: &str) -> &str {
    let etag = etag.trim();
    let etag = etag.strip_prefix("W/").unwrap_or(etag);
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_three_spellings() {
        for tag in ["abc", "\"abc\"", "W/\"abc\"", " W/\"abc\" "] {
            assert_eq!(bare(tag), "abc", "{tag}");
        }
        for list in ["abc", "x, W/\"abc\"", "\"abc\",\"y\"", " * "] {
            assert!(lists(list, "abc"), "{list}");
        }
        assert!(!lists("x, y", "abc") && !lists("", "abc"));
        for tag in ["\"abc", "w/\"abc\"", "W/abc\"", "*", ""] {
            assert_ne!(bare(tag), "abc", "{tag}");
        }
    }
}
