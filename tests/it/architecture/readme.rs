//! What the README promises of itself: its length, its crate table, and that what it points at exists.

use std::collections::BTreeSet;

use super::{assert_clean, root};

/// The most lines of the README.
const MAX_LINES: usize = 250;

/// The first cells of the tables under a heading that name a package.
fn table_of_crates(readme: &str) -> BTreeSet<String> {
    let rows = readme.lines().filter_map(|line| line.strip_prefix('|')).filter_map(|row| row.split('|').next());
    let names =
        rows.filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`')).filter(|n| n.starts_with("sg-"));
    names.map(str::to_owned).collect()
}

/// Files and folders that the README links to.
fn links(readme: &str) -> Vec<String> {
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|t| !t.contains("://") && !t.starts_with('#'))
        .map(|t| t.split('#').next().unwrap_or(t).to_owned())
        .collect()
}

fn differences(readme: &BTreeSet<String>, workspace: &BTreeSet<String>) -> Vec<String> {
    let missing = workspace.difference(readme).map(|name| format!("the README's crate table lacks {name}"));
    let extra =
        readme.difference(workspace).map(|name| format!("the README's crate table lists {name}, which is gone"));
    missing.chain(extra).collect()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

#[test]
fn the_crate_table_lists_every_crate() {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    let metadata = metadata.expect("cargo metadata runs");
    let workspace = metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    assert_clean(&differences(&table_of_crates(&readme()), &workspace));
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let readme = readme();
    let lines = readme.lines().count();
    assert!(lines < MAX_LINES, "README.md has {lines} lines, it must stay under {MAX_LINES}");
    let links = links(&readme);
    assert!(!links.is_empty(), "the README links to nothing");
    let dead = links.iter().filter(|link| !root().join(link).exists());
    assert_clean(&dead.map(|link| format!("README.md links to {link}, which is not there")).collect::<Vec<_>>());
}

#[test]
fn a_wrong_crate_table_is_seen() {
    let table = table_of_crates("| crate | what |\n|---|---|\n| `sg-a` | x |\n| `sg-gone` | y |\nsee `sg-b`\n");
    let workspace = ["sg-a", "sg-b"].map(str::to_owned).into();
    assert_eq!(
        differences(&table, &workspace),
        ["the README's crate table lacks sg-b", "the README's crate table lists sg-gone, which is gone"]
    );
    assert_eq!(links("[a](docs/a.md#x) [b](https://e.org) ![c](c.png) [d](#d)"), ["docs/a.md", "c.png"]);
}
