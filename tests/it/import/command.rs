//! `sessiongraph import`: what is found, that again changes nothing, that a change updates only itself, that secrets stay out.

use std::path::Path;

use crate::program::{Program, eventually, root};

/// The row of a summary table: found, new, updated, unchanged.
fn row(summary: &str, name: &str) -> [u64; 4] {
    let line = summary.lines().find(|line| line.split_whitespace().next() == Some(name));
    let cells = line.unwrap_or_else(|| panic!("no row {name} in\n{summary}")).split_whitespace().skip(1);
    cells.map(|cell| cell.parse().unwrap()).collect::<Vec<_>>().try_into().unwrap()
}

fn claude(home: &Path, session: &str, lines: &[(&str, &str)]) -> std::path::PathBuf {
    let folder = home.join(".claude/projects/-home-ada-thing");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{session}.jsonl"));
    let lines = lines.iter().enumerate().map(|(i, (role, text))| {
        let message = serde_json::json!({ "role": role, "content": [{ "type": "text", "text": text }] });
        let record = serde_json::json!({
            "type": role, "sessionId": session, "uuid": format!("{session}-{i}"), "cwd": "/home/ana/thing",
            "timestamp": format!("2026-01-02T03:04:{i:02}Z"), "message": message,
        });
        format!("{record}\n")
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    path
}

const FIRST: &str = "0a0a0a0a-0000-4000-8000-000000000001";
const SECOND: &str = "0a0a0a0a-0000-4000-8000-000000000002";

#[test]
fn importing_twice_changes_nothing_and_a_change_updates_only_itself() {
    let program = Program::with_user();
    claude(&program.home(), FIRST, &[("user", "why does the turbine stall"), ("assistant", "look at the valve")]);
    claude(&program.home(), SECOND, &[("user", "rename the flange"), ("assistant", "done")]);
    assert_eq!(row(&program.ok(&["import"]), "claude-code"), [2, 2, 0, 0]);
    assert_eq!(row(&program.ok(&["import"]), "claude-code"), [2, 0, 0, 2]);
    claude(
        &program.home(),
        FIRST,
        &[("user", "why does the turbine stall"), ("assistant", "it is the valve"), ("user", "ok")],
    );
    assert_eq!(row(&program.ok(&["import"]), "claude-code"), [2, 0, 1, 1]);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let program = Program::with_user();
    claude(&program.home(), FIRST, &[("user", "why does the turbine stall"), ("assistant", "look at the valve")]);
    for _ in 0..2 {
        let said = program.ok(&["import", "--dry-run"]);
        assert_eq!(row(&said, "claude-code"), [1, 1, 0, 0]);
        assert!(said.contains("dry run") && said.lines().next().unwrap().starts_with("new"), "{said}");
    }
}

#[test]
fn secrets_stay_out_unless_asked_for() {
    let secret = ["ghp_", "a8Kd93jfLqPz7Xv2Tn5Rw1Yb6Uc4Ms0HeGiJ"].concat();
    let text = format!("my token is {secret} and the gasket leaks");
    let markdown = |arguments: &[&str]| {
        let program = Program::with_user();
        claude(&program.home(), FIRST, &[("user", &text), ("assistant", "revoke it")]);
        let summary = program.ok(arguments);
        let key = program.key();
        let server = program.serve(&["serve"]);
        let data = server.graphql(&key, "{ sessions(first: 1) { nodes { markdownContent } } }");
        (summary, data.to_string())
    };
    let (summary, stored) = markdown(&["import"]);
    assert!(summary.contains("Secrets taken out: "), "{summary}");
    assert!(!stored.contains(&secret) && stored.contains("gasket"), "{stored}");
    let (summary, stored) = markdown(&["import", "--no-redact"]);
    assert!(!summary.contains("Secrets taken out") && stored.contains(&secret), "{summary}\n{stored}");
}

#[test]
fn what_is_no_session_is_skipped_with_its_reason() {
    let program = Program::with_user();
    let file = program.home().join("notes.md");
    std::fs::write(&file, [0xff, 0xfe, 0x00, 0x01]).unwrap();
    let said = program.run(&["import", file.to_str().unwrap(), "/nowhere/at/all"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("Skipped: 1 files") && said.out.contains("notes.md: "), "{}", said.out);
    assert!(said.out.contains("Failed: 1 files") && said.out.contains("/nowhere/at/all"), "{}", said.out);
    // Beside sessions, other files are passed over in silence.
    claude(&program.home(), FIRST, &[("user", "hello there"), ("assistant", "hi")]);
    std::fs::write(program.home().join(".claude/projects/-home-ada-thing/todo.json"), "{}").unwrap();
    let said = program.ok(&["import", program.home().to_str().unwrap()]);
    assert!(!said.contains("Skipped"), "{said}");
    assert_eq!(row(&said, "claude-code"), [1, 1, 0, 0]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_end() {
    let program = Program::with_user();
    claude(&program.home(), FIRST, &[("user", "hello there"), ("assistant", "hi")]);
    let projects = program.home().join(".claude/projects");
    std::os::unix::fs::symlink(&projects, projects.join("-home-ada-thing/again")).unwrap();
    std::os::unix::fs::symlink(projects.join("-home-ada-thing"), projects.join("-work-alias")).unwrap();
    let said = program.ok(&["import", program.home().to_str().unwrap()]);
    assert_eq!(row(&said, "claude-code"), [1, 1, 0, 0]);
}

#[test]
fn the_samples_are_found_by_walking_a_tree() {
    let program = Program::with_user();
    let samples = root().join("examples/sessions");
    let said = program.ok(&["import", samples.to_str().unwrap()]);
    let [found, new, ..] = row(&said, "all");
    assert!(found >= 13 && found == new, "{said}");
    for format in ["claude-code", "codex", "gemini-cli", "sessionfs", "specstory"] {
        assert!(row(&said, format)[0] > 0, "{said}");
    }
    assert!(said.contains("Secrets taken out: "), "{said}");
}

#[test]
fn watching_imports_what_changes() {
    let program = Program::with_user();
    let key = program.key();
    let server = program.serve(&["serve"]);
    let mut watching = program.command(&["import", "--watch"]).spawn().unwrap();
    // The folder does not exist yet: the agent makes it on its first use.
    claude(&program.home(), FIRST, &[("user", "the camshaft is bent"), ("assistant", "straighten it")]);
    let found = |word: &str| {
        let query = format!(r#"{{ searchSessions(query: "{word}") {{ total }} }}"#);
        server.graphql(&key, &query)["searchSessions"]["total"].as_u64() == Some(1)
    };
    eventually("the first import", || found("camshaft"));
    claude(
        &program.home(),
        FIRST,
        &[("user", "the camshaft is bent"), ("assistant", "straighten it"), ("user", "it snapped")],
    );
    eventually("the change", || found("snapped"));
    watching.kill().unwrap();
    watching.wait().unwrap();
}

/// The marker by which serde_json knows JSON inside JSON starts its count of levels anew, so a small file can nest deeper
/// than any limit of one parse.
#[test]
fn a_file_that_nests_deeper_than_a_usual_stack_stops_nothing() {
    let program = Program::with_user();
    claude(&program.home(), FIRST, &[("user", "why does the turbine stall"), ("assistant", "look at the valve")]);
    let around = |inner: &str| format!("{}{inner}{}", "[".repeat(110), "]".repeat(110));
    let mut nested = around("1");
    for _ in 0..14 {
        let text = serde_json::Value::from(nested.as_str());
        nested = around(&format!("{{\"$serde_json::private::RawValue\":{text}}}"));
    }
    let record = format!(
        "{{\"type\":\"assistant\",\"sessionId\":\"{SECOND}\",\"uuid\":\"u\",\"cwd\":\"/home/ana/thing\",\"timestamp\":\"2026-01-02T03:04:05Z\",\
         \"message\":{{\"role\":\"assistant\",\"content\":[{{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"X\",\"input\":{{\"a\":{nested}}}}}]}}}}\n"
    );
    assert!(record.len() < 4 * 1_024 * 1_024, "{} bytes", record.len());
    std::fs::write(program.home().join(".claude/projects/-home-ada-thing").join(format!("{SECOND}.jsonl")), record)
        .unwrap();
    let [found, new, ..] = row(&program.ok(&["import"]), "claude-code");
    assert!(found >= 1 && new >= 1, "the good file is in");
}
