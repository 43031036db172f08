//! Tests of the whole live in `it/`; this library is empty.
