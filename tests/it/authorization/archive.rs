//! Fields of sessions that came as archives.

use super::Field;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[];
