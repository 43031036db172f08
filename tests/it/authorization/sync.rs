//! Fields of what is synced by itself.

use super::Field;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[];
