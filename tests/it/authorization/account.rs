//! Fields of accounts.

use super::Field;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[];
