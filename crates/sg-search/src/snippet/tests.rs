//! Tests of snippet.
