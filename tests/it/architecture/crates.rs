//! Which crate may depend on what, by `cargo metadata`; and what a member's manifest leaves to the workspace.

use std::collections::BTreeMap;

use super::{assert_clean, root};

/// The arrows of the architecture: a crate and the crates of the house that it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("sg-domain", &[]),
    ("sg-migrations", &[]),
    ("sg-formats", &["sg-domain"]),
    ("sg-store", &["sg-domain", "sg-migrations"]),
    ("sg-search", &["sg-domain"]),
    ("sg-app", &["sg-domain", "sg-formats", "sg-store", "sg-search"]),
    ("sg-schema", &["sg-domain", "sg-app"]),
    ("sg-rest", &["sg-domain", "sg-app"]),
    ("sg-web", &["sg-domain", "sg-app"]),
    // It constructs the store and the index, and asks formats only which files are sessions and where they lie.
    ("sg-server", &["sg-domain", "sg-formats", "sg-store", "sg-search", "sg-app", "sg-schema", "sg-rest", "sg-web"]),
];

/// Packages that nothing of the house may depend on, and that may use all of it.
const OUTSIDE: &[&str] = &["sg-tests", "sg-load"];

/// A heavy dependency (a prefix of its name) and the only rings that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("tantivy", &["sg-search"]),
    ("async-graphql", &["sg-schema"]),
    ("apollo-", &["sg-schema"]),
    ("sea-orm", &["sg-store", "sg-migrations"]),
    ("sqlx", &["sg-store"]),
    ("rusqlite", &["sg-store"]),
    ("object_store", &["sg-store"]),
    ("zstd", &["sg-store"]),
    ("axum", &["sg-rest", "sg-web", "sg-server"]),
    ("tower", &["sg-rest", "sg-web", "sg-server"]),
    ("hyper", &["sg-rest", "sg-server"]),
    ("http", &["sg-rest", "sg-schema", "sg-web", "sg-server"]),
    ("maud", &["sg-web"]),
    ("pulldown-cmark", &["sg-web"]),
    ("ammonia", &["sg-web"]),
    ("syntect", &["sg-web"]),
    ("openidconnect", &["sg-web"]),
    ("argon2", &["sg-app"]),
    ("utoipa", &["sg-rest"]),
    ("clap", &["sg-server"]),
    ("anyhow", &["sg-server"]),
    ("tikv-jemallocator", &["sg-server"]),
];

/// Rings that must stay free of input, output and frameworks.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("sg-domain", &["tokio", "futures", "async-trait", "tracing", "rand"]),
    ("sg-formats", &["tokio", "futures", "async-trait", "walkdir", "notify", "tempfile"]),
];

/// A package and the names of all that it depends on, at run time, build time and in its own tests.
type Graph = BTreeMap<String, Vec<String>>;

fn graph() -> Graph {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    let members = metadata.workspace_packages();
    let names = |p: &&cargo_metadata::Package| p.dependencies.iter().map(|d| d.name.clone()).collect();
    members.iter().map(|p| (p.name.to_string(), names(p))).collect()
}

fn wrong_arrows(graph: &Graph) -> Vec<String> {
    let mut complaints = Vec::new();
    for (package, uses) in graph {
        if OUTSIDE.contains(&package.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == package) else {
            complaints.push(format!("{package} has no place in the house: add it to ARROWS and to the design"));
            continue;
        };
        for used in uses.iter().filter(|name| name.starts_with("sg-") && !allowed.contains(&name.as_str())) {
            complaints.push(format!("{package} must not depend on {used}"));
        }
    }
    complaints
}

fn misplaced_dependencies(graph: &Graph) -> Vec<String> {
    let mut complaints = Vec::new();
    for (package, uses) in graph.iter().filter(|(name, _)| !OUTSIDE.contains(&name.as_str())) {
        for used in uses {
            for (prefix, rings) in ONLY_IN.iter().filter(|(prefix, _)| used.starts_with(prefix)) {
                if !rings.contains(&package.as_str()) {
                    complaints
                        .push(format!("{package} depends on {used}, but {prefix} belongs to {}", rings.join(", ")));
                }
            }
            let banned = FORBIDDEN.iter().filter(|(ring, _)| ring == package).flat_map(|(_, banned)| *banned);
            if banned.clone().any(|banned| used.starts_with(banned)) {
                complaints.push(format!("{package} must do without {used}"));
            }
        }
    }
    complaints
}

/// What a member's manifest says itself although the workspace says it for all.
fn own_settings(manifest: &str, path: &str) -> Vec<String> {
    let table: toml::Table = match manifest.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{path} is not TOML: {error}")],
    };
    let mut complaints = Vec::new();
    let from_workspace = |value: Option<&toml::Value>| {
        value.and_then(|v| v.get("workspace")).and_then(toml::Value::as_bool).unwrap_or(false)
    };
    if !from_workspace(table.get("lints")) {
        complaints.push(format!("{path} does not inherit the workspace's lints"));
    }
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !from_workspace(table.get("package").and_then(|p| p.get(key))) {
            complaints.push(format!("{path} does not inherit {key} from the workspace"));
        }
    }
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let places = targets.filter_map(toml::Value::as_table).chain([&table]);
    for place in places {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = place.get(kind).and_then(toml::Value::as_table) else { continue };
            for (name, value) in dependencies {
                if !from_workspace(Some(value)) || value.get("version").is_some() {
                    complaints.push(format!("{path} gives {name} a version or path of its own"));
                }
            }
        }
    }
    complaints
}

#[test]
fn crates_use_only_the_rings_inside_them() {
    let graph = graph();
    let missing = ARROWS.iter().map(|(name, _)| *name).chain(OUTSIDE.iter().copied());
    let missing: Vec<_> = missing.filter(|name| !graph.contains_key(*name)).map(|n| format!("{n} is gone")).collect();
    assert_clean(&missing);
    assert_clean(&wrong_arrows(&graph));
}

#[test]
fn heavy_dependencies_stay_in_their_ring() {
    assert_clean(&misplaced_dependencies(&graph()));
}

#[test]
fn manifests_leave_versions_and_lints_to_the_workspace() {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec();
    let metadata = metadata.expect("cargo metadata runs");
    for package in metadata.workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).expect("a member's manifest");
        let path = package.manifest_path.strip_prefix(&metadata.workspace_root).expect("inside the workspace");
        assert_clean(&own_settings(&text, path.as_str()));
    }
}

#[test]
fn crates_lie_in_a_folder_of_their_name() {
    for entry in std::fs::read_dir(root().join("crates")).expect("crates/") {
        let path = entry.expect("a folder").path();
        let text = std::fs::read_to_string(path.join("Cargo.toml")).expect("its manifest");
        let table: toml::Table = text.parse().expect("TOML");
        let folder = path.file_name().and_then(|n| n.to_str());
        assert_eq!(table["package"]["name"].as_str(), folder);
    }
}

fn example(package: &str, uses: &[&str]) -> Graph {
    Graph::from([(package.to_owned(), uses.iter().map(|s| (*s).to_owned()).collect())])
}

#[test]
fn a_wrong_arrow_is_seen() {
    assert_eq!(wrong_arrows(&example("sg-rest", &["sg-app", "sg-store"])), ["sg-rest must not depend on sg-store"]);
    assert_eq!(wrong_arrows(&example("sg-app", &["sg-tests"])), ["sg-app must not depend on sg-tests"]);
    assert_eq!(wrong_arrows(&example("sg-new", &[])).len(), 1);
    assert!(wrong_arrows(&example("sg-tests", &["sg-store"])).is_empty());
}

#[test]
fn a_misplaced_dependency_is_seen() {
    assert_eq!(
        misplaced_dependencies(&example("sg-app", &["axum", "serde"])),
        ["sg-app depends on axum, but axum belongs to sg-rest, sg-web, sg-server"]
    );
    assert_eq!(misplaced_dependencies(&example("sg-schema", &["sea-orm-migration"])).len(), 1);
    assert_eq!(misplaced_dependencies(&example("sg-domain", &["tokio"])), ["sg-domain must do without tokio"]);
    assert!(misplaced_dependencies(&example("sg-search", &["tantivy", "tokio"])).is_empty());
}

#[test]
fn a_manifest_of_its_own_mind_is_seen() {
    let inherited = "version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                     license.workspace = true\npublish.workspace = true\n";
    let good = format!("[package]\nname = \"x\"\n{inherited}[lints]\nworkspace = true\n");
    assert_eq!(own_settings(&format!("{good}[dependencies]\nserde.workspace = true\n"), "x"), [""; 0]);
    for bad in ["serde = \"1\"", "serde = { workspace = true, version = \"1\" }", "near = { path = \"../near\" }"] {
        assert_eq!(own_settings(&format!("{good}[dependencies]\n{bad}\n"), "x").len(), 1, "{bad}");
        assert_eq!(own_settings(&format!("{good}[target.'cfg(unix)'.dependencies]\n{bad}\n"), "x").len(), 1, "{bad}");
    }
    assert_eq!(own_settings("[package]\nname = \"x\"\nversion = \"1.0.0\"\n", "x").len(), 6);
    assert_eq!(own_settings("not toml", "x").len(), 1);
}
