//! What holds of files: their length, their first line, their names, and what none of them may mention.

use std::path::Path;

use super::{assert_clean, root};

/// The most lines of a source file. About 300 is the aim.
const MAX_LINES: usize = 600;
/// From here on a file is listed, so that somebody thinks about it.
const LONG_LINES: usize = 400;
/// Folders that hold what was built or fetched, not what was written.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "dist", ".data", ".venv", ".venv-sfs", ".venv-sfs-old"];

/// A file of the repository: its path from the root, and its text when it is text.
struct File {
    path: String,
    text: String,
}

/// All text files, in the order of their paths.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), &root(), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.iter().any(|f| f.path == "tests/it/architecture/files.rs"), "the walk finds itself");
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let kind = entry.file_type().expect("its type");
        if kind.is_dir() && !NOT_OURS.iter().any(|skip| name == *skip) {
            walk(root, &entry.path(), found);
        } else if kind.is_file() && name != ".git" {
            let bytes = std::fs::read(entry.path()).expect("a readable file");
            let path = entry.path().strip_prefix(root).expect("inside the root").to_string_lossy().replace('\\', "/");
            if let Ok(text) = String::from_utf8(bytes) {
                found.push(File { path, text });
            }
        }
    }
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs")
}

fn source_complaints(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        complaints.push(format!("{} has {lines} lines, split it: {MAX_LINES} is the most", file.path));
    }
    if !file.text.starts_with("//!") {
        complaints.push(format!("{} does not begin with //! and what belongs in it", file.path));
    } else if file.text.lines().next().is_some_and(|first| first.trim_start_matches("//!").trim().is_empty()) {
        complaints.push(format!("{} begins with a //! that says nothing", file.path));
    }
    if file.path == "mod.rs" || file.path.ends_with("/mod.rs") {
        complaints.push(format!("{} should be named after its folder, beside it", file.path));
    }
    complaints
}

/// Paths that exist only on a machine the project was written on.
fn machine_paths() -> [String; 6] {
    // Put together here, so that this file does not mention them.
    ["/work/", "/root/", "/tmp/w/", "/tmp/t/", "/tmp/plan/", "/home/runner/"].map(str::to_owned)
}

fn mentions_machine(text: &str) -> Option<String> {
    machine_paths().into_iter().find(|path| {
        text.match_indices(path.as_str()).any(|(at, _)| {
            // `/home/ana/work/` is somebody's folder in an example; only an absolute path counts.
            let before = text[..at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | '}' | '*' | '~' | '/' | '$'))
        })
    })
}

#[test]
fn sources_are_short_and_say_what_belongs_in_them() {
    let sources: Vec<_> = files().into_iter().filter(|f| is_source(&f.path)).collect();
    for file in &sources {
        let lines = file.text.lines().count();
        if lines > LONG_LINES {
            println!("{}: {lines} lines, think about it", file.path);
        }
    }
    assert_clean(&sources.iter().flat_map(source_complaints).collect::<Vec<_>>());
}

#[test]
fn no_file_mentions_the_machine_it_was_written_on() {
    let own = "tests/it/architecture/files.rs";
    let found = files().into_iter().filter(|f| f.path != own).filter_map(|f| {
        let path = mentions_machine(&f.text)?;
        Some(format!("{} mentions {path}", f.path))
    });
    assert_clean(&found.collect::<Vec<_>>());
}

#[test]
fn formats_are_asked_by_the_server_only_what_a_file_is_and_where_it_lies() {
    let server = files().into_iter().filter(|f| f.path.starts_with("crates/sg-server/src/"));
    let complaints = server.flat_map(|f| beyond_finding(&f)).collect::<Vec<_>>();
    assert_clean(&complaints);
}

/// Uses of sg-formats beyond finding files to import: reading them is an operation of sg-app.
fn beyond_finding(file: &File) -> Vec<String> {
    let finds = file.path.starts_with("crates/sg-server/src/import/");
    let reads = ["sg_formats::parse", "sg_formats::redact", "sg_formats::specstory", "sg_formats::*"];
    let lines = file.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let uses = lines.filter(|(_, line)| line.contains("sg_formats"));
    let wrong = uses.filter(|(_, line)| !finds || reads.iter().any(|read| line.contains(read)));
    wrong.map(|(at, _)| format!("{}:{} uses sg_formats for more than finding files", file.path, at + 1)).collect()
}

fn file(path: &str, text: impl Into<String>) -> File {
    File { path: path.to_owned(), text: text.into() }
}

#[test]
fn a_bad_source_is_seen() {
    assert!(source_complaints(&file("a.rs", "//! Something that belongs here.\n")).is_empty());
    let long = format!("//! Something that belongs here.\n{}", "\n".repeat(MAX_LINES));
    assert_eq!(source_complaints(&file("a.rs", long)).len(), 1);
    assert_eq!(source_complaints(&file("a.rs", "use std::fmt;\n")).len(), 1);
    assert_eq!(source_complaints(&file("a.rs", "//!\nuse std::fmt;\n")).len(), 1);
    assert_eq!(source_complaints(&file("a/mod.rs", "//! Something that belongs here.\n")).len(), 1);
}

#[test]
fn a_path_of_a_machine_is_seen() {
    for bad in ["see /work/main", "\"/root/x\"", "/tmp/w/a", "(/work/x)", "=/root/y"] {
        assert!(mentions_machine(bad).is_some(), "{bad}");
    }
    for good in ["/home/ana/work/shop", "../work/x", "~/work/", "/tmp/workspace", "/roots/", "$HOME/work/x"] {
        assert_eq!(mentions_machine(good), None, "{good}");
    }
}

#[test]
fn a_use_of_formats_in_the_server_is_seen() {
    let text = "use sg_formats::parse;\n// sg_formats::parse is fine here\nlet p = sg_formats::locate::PLACES;\n";
    let inside = beyond_finding(&file("crates/sg-server/src/import/x.rs", text));
    assert_eq!(inside, ["crates/sg-server/src/import/x.rs:1 uses sg_formats for more than finding files"]);
    assert_eq!(beyond_finding(&file("crates/sg-server/src/http.rs", text)).len(), 2);
}
