//! Fields of summaries.

use super::Field;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[];
