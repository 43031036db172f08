//! The `sessiongraph` program.

fn main() {}
