//! Fields of share links.

use super::Field;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[];
