//! The schema as tools see it: linters, the compilers of clients, and what was promised before.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::browser::node;
use crate::program::{Said, root};

fn schema() -> String {
    root().join("schema.graphql").display().to_string()
}

fn fixture(name: &str) -> String {
    root().join("tests/fixtures/graphql").join(name).display().to_string()
}

/// Example documents, as files.
fn operations() -> Vec<String> {
    let files = std::fs::read_dir(fixture("operations")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path().display().to_string()).collect();
    files.sort();
    assert!(files.len() >= 4);
    files
}

/// Where the compilers of clients have left what they made of the schema and the example documents, and what they said.
pub(super) fn compiled() -> (&'static Path, &'static Said) {
    static COMPILED: OnceLock<(PathBuf, Said)> = OnceLock::new();
    let (out, said) = COMPILED.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir_all(&out).unwrap();
        let paths = [schema(), fixture("operations"), fixture("relay"), out.display().to_string()];
        let said = node("compile.mjs", &paths.each_ref().map(String::as_str));
        (out, said)
    });
    (out, said)
}

#[test]
fn linters_have_nothing_to_say() {
    let (schema, operations) = (schema(), operations());
    let files: Vec<_> = [&schema].into_iter().chain(&operations).map(String::as_str).collect();
    let ran = node("lint.mjs", &files);
    assert!(ran.code == 0 && ran.out.trim_end().ends_with("0 complaints"), "{}\n{}", ran.out, ran.err);
}

#[test]
fn the_compilers_of_clients_read_the_schema_and_type_check() {
    let (_, ran) = compiled();
    assert!(ran.code == 0 && ran.out.trim_end().ends_with("compiled"), "{}\n{}", ran.out, ran.err);
}

#[test]
fn nothing_goes_that_was_not_deprecated_before() {
    let (schema, baseline) = (schema(), fixture("schema-baseline.graphql"));
    #[allow(clippy::disallowed_methods, reason = "a test's own switch")]
    let update = std::env::var("UPDATE_SCHEMA").is_ok();
    let mut arguments = vec![schema.as_str(), baseline.as_str()];
    arguments.extend(update.then_some("update"));
    let ran = node("shrink.mjs", &arguments);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}

#[test]
fn what_was_promised_is_missed_unless_it_was_deprecated() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let full =
        "enum E { A B } type Old { a: Int } input I { a: Int b: Int } type Query { a(x: Int, i: I): E b: Int c: Old }";
    for (before, now, is_kept) in [
        ("", "", true),
        ("", "b: Int => ", false),
        ("b: Int => b: Int @deprecated(reason: \"a\")", "b: Int => ", true),
        ("", "a: Int b: Int => a: Int", false),
        ("", "A B => A", false),
        ("A B => A B @deprecated(reason: \"a\")", "A B => A", true),
        ("", "(x: Int, => (", false),
        ("", "x: Int, => x: Int!,", false),
        ("", "c: Old => c: Int", false),
        ("c: Old => c: Old @deprecated(reason: \"a\")", "c: Old => ;type Old { a: Int } => ", true),
        ("", "c: Old => ;type Old { a: Int } => ", false),
    ] {
        let change = |changes: &str| {
            changes.split(';').filter(|change| !change.is_empty()).fold(full.to_owned(), |text, change| {
                let (from, to) = change.split_once(" => ").unwrap();
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            })
        };
        let (baseline, schema) = (file("before.graphql", &change(before)), file("now.graphql", &change(now)));
        let ran = node("shrink.mjs", &[&schema, &baseline, "update"]);
        assert_eq!(ran.code == 0, is_kept, "{before} {now}\n{}\n{}", ran.out, ran.err);
    }
}
