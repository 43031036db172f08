//! The rules of the house that a program can check: which crate may use which, how long a file is, what its first line
//! says, and what the manifests and the README promise. Each check is a function from what it reads to a list of
//! complaints, and each is also shown something bad, so that none of them can pass by seeing nothing.

mod crates;
mod files;
mod readme;

use std::path::{Path, PathBuf};

/// The folder with the workspace's manifest.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests folder lies in the workspace").to_owned()
}

fn assert_clean(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}
