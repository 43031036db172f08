//! Times as this API writes them.

use sg_domain::Timestamp;

/// RFC 3339 in UTC with microseconds and `Z`: what typed answers have.
pub(super) fn stamp(at: Timestamp) -> String {
    at.to_iso_micros()
}

/// The same with `+00:00`: what `/auth/me`, summaries and lists of audits have.
pub(super) fn offset_stamp(at: Timestamp) -> String {
    let stamp = at.to_iso_micros();
    format!("{}+00:00", stamp.trim_end_matches('Z'))
}
