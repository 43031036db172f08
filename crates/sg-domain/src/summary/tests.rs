//! Transcripts by hand, and what is told of them.

use serde_json::{Value, json};

use super::*;
use crate::Role;

/// A transcript by hand.
#[derive(Default)]
struct Transcript(Vec<Message>);

impl Transcript {
    fn say(mut self, secs: i64) -> Self {
        let at = Some(Timestamp::from_secs(1_000_000 + secs));
        self.0.push(Message { at, ..Message::text(Role::Assistant, "…") });
        self
    }

    fn block(mut self, role: Role, block: ContentBlock) -> Self {
        self.0.push(Message { blocks: vec![block], ..Message::text(role, "") });
        self
    }

    fn call(self, id: &str, name: &str, input: Value) -> Self {
        let id = (!id.is_empty()).then(|| id.to_owned());
        self.block(Role::Assistant, ContentBlock::ToolUse { id, name: name.to_owned(), input })
    }

    fn answer(self, id: &str, output: &str) -> Self {
        self.answer_of(id, output, false)
    }

    fn answer_of(self, id: &str, output: &str, is_error: bool) -> Self {
        let tool_use_id = (!id.is_empty()).then(|| id.to_owned());
        self.block(Role::Tool, ContentBlock::ToolResult { tool_use_id, output: output.to_owned(), is_error })
    }

    /// A command with its output.
    fn run(self, command: &str, output: &str) -> Self {
        let id = format!("run-{}", self.0.len());
        self.call(&id, "Bash", json!({ "command": command })).answer(&id, output)
    }

    fn facts(self) -> SummaryFacts {
        let mut summarizer = Summarizer::default();
        self.0.iter().for_each(|message| summarizer.add(message));
        summarizer.finish()
    }
}

fn start() -> Transcript {
    Transcript::default()
}

#[test]
fn files_are_listed_in_the_order_in_which_they_first_came() {
    let facts = start()
        .call("1", "Read", json!({ "file_path": "/b.rs" }))
        .call("2", "Write", json!({ "file_path": "/z.rs", "content": "x" }))
        .call("3", "Edit", json!({ "path": "/a.rs" }))
        .call("4", "Edit", json!({ "filename": "/z.rs" }))
        .call("5", "Grep", json!({ "pattern": "TODO", "path": "src/lib" }))
        .call("6", "Glob", json!({ "pattern": "src/**/*.rs", "path": "src" }))
        .call("7", "Read", json!({ "file_path": "/a.rs" }))
        .call("8", "Read", json!({ "file_path": "README.md" }))
        .call("9", "WebFetch", json!({ "path": "/no/file" }))
        .facts();
    assert_eq!(facts.files_modified, ["/z.rs", "/a.rs"]);
    assert_eq!(facts.files_read, ["/b.rs", "src/lib", "src/**/*.rs"]);
    assert_eq!(facts.tool_calls, 9);
}

#[test]
fn other_agents_names_for_the_same_tools_count() {
    let patch = "*** Begin Patch\n*** Update File: src/a.rs\n*** Move to: src/c.rs\n@@\n-x\n+y\n*** Add File: b.rs\n+z\n*** End Patch";
    let facts = start()
        .call("1", "apply_patch", json!({ "input": patch }))
        .call("2", "read_file", json!({ "absolute_path": "/home/me/x.py" }))
        .call("3", "write_file", json!({ "file_path": "C:\\work\\y.py" }))
        .call("4", "shell", json!({ "command": ["bash", "-lc", "pip install flask"] }))
        .call("5", "exec_command", json!({ "cmd": "ls" }))
        .call("6", "Bash", json!("List files\n\n`ls -la`"))
        .call("7", "Read", json!("`/home/me/z.py`"))
        .call("8", "Bash", json!({ "command": "  " }))
        .call("9", "str_replace_based_edit_tool", json!({ "command": "view", "path": "/v.rs" }))
        .facts();
    assert_eq!(facts.files_modified, ["src/a.rs", "src/c.rs", "b.rs", "C:\\work\\y.py"]);
    assert_eq!(facts.files_read, ["/home/me/x.py", "/home/me/z.py", "/v.rs"]);
    assert_eq!((facts.commands, facts.packages), (3, vec!["flask".to_owned()]));
}

#[test]
fn nothing_counts_twice() {
    let facts = start()
        .call("1", "Bash", json!({ "command": "pytest" }))
        .call("1", "Bash", json!({ "command": "pytest" }))
        .answer("1", "== 2 passed in 0.1s ==")
        .answer("1", "== 2 passed in 0.1s ==")
        .answer("unknown", "== 7 passed in 0.1s ==")
        .facts();
    assert_eq!((facts.tool_calls, facts.commands, facts.tests_passed), (1, 1, 2));
}

#[test]
fn an_answer_belongs_to_the_call_whose_id_it_has() {
    let facts = start()
        .call("1", "Bash", json!({ "command": "pytest" }))
        .call("2", "Read", json!({ "file_path": "/notes.txt" }))
        .answer("2", "it said 40 passed, 2 failed\nError: this is only a text in a file")
        .answer("1", "3 passed, 1 failed in 0.1s")
        // Without ids an answer is the last call's.
        .call("", "Bash", json!({ "command": "go test ./..." }))
        .answer("", "ok  \texample.com/a\t0.01s")
        .answer("", "ok  \texample.com/a\t0.01s")
        .facts();
    assert_eq!((facts.tests_passed, facts.tests_failed, facts.tests()), (4, 1, 5));
    assert!(facts.errors.is_empty(), "{:?}", facts.errors);
}

#[test]
fn every_runner_is_read() {
    for (output, wanted) in [
        ("Test Suites: 1 failed, 2 passed, 3 total\nTests:       2 failed, 1 skipped, 5 passed, 8 total", (5, 2)),
        ("\u{1b}[1mTests:\u{1b}[22m \u{1b}[32m4 passed\u{1b}[39m, 4 total", (4, 0)),
        (" Test Files  1 passed (1)\n      Tests  2 failed | 3 passed (5)", (3, 2)),
        ("collected 4 items\n\n==== 1 failed, 3 passed in 0.12s ====", (3, 1)),
        ("4 passed", (4, 0)),
        ("2 failed", (0, 2)),
        ("1 passed in 0.1s\n2 passed, 1 failed in 1.5s", (3, 1)),
        ("ok  \texample.com/a\t0.01s\nFAIL\texample.com/b\t0.02s\nFAIL\nok  \tplain\t(cached)", (2, 1)),
        ("ok example.com/a\n--- FAIL: TestX (0.00s)\nFAIL example.com/b [build failed]", (1, 1)),
        (
            "test result: ok. 12 passed; 0 failed; 1 ignored\ntest result: FAILED. 3 passed; 2 failed; 0 ignored",
            (15, 2),
        ),
        ("ok 1 - first\nnot ok 2 - second", (0, 0)),
        ("everything passed", (0, 0)),
        ("99999999999999999999 passed", (0, 0)),
        ("", (0, 0)),
    ] {
        let facts = start().run("run the tests", output).facts();
        assert_eq!((facts.tests_passed, facts.tests_failed), wanted, "{output}");
    }
}

#[test]
fn packages_are_what_is_installed_and_nothing_else() {
    let facts = start()
        .run("cd app && pip install -r requirements.txt requests>=2 'flask[async]' && npm i -g typescript @types/node -D", "")
        .run("python3 -m pip install --upgrade . ./local -e ../lib requests>=2 2>&1 | tail -3", "")
        .run("npm install; npm run build; yarn add left-pad", "")
        .run("echo \"pip install nothing\" # pip", "")
        .run("sudo /usr/bin/pip3 install \"numpy==1.26\" \\\n  scipy > /dev/null && ls", "")
        .facts();
    let wanted = ["requests>=2", "flask[async]", "typescript", "@types/node", "left-pad", "numpy==1.26", "scipy"];
    assert_eq!(facts.packages, wanted);
    assert_eq!(facts.commands, 5);
}

#[test]
fn errors_are_sorted_unique_and_five() {
    let long = format!("Error: {}", "x".repeat(200));
    let output = format!(
        "{long}\nError: short\nZError: the last of all of them\nTypeError: x is not a function\n  TypeError: x is not a function\n\
         FAILED tests/test_a.py::test_x\nTraceback (most recent call last):\n\u{1b}[31mException: it went wrong\u{1b}[0m\n\
         AssertionError: 1 is not 2\nno such thing here at all",
    );
    let facts = start()
        .run("x", &output)
        .call("r", "Read", json!({ "file_path": "/missing" }))
        .answer_of("r", "Error: ENOENT: no such file", true)
        .facts();
    let wanted = [
        "AssertionError: 1 is not 2",
        "Error: ENOENT: no such file",
        "Exception: it went wrong",
        "FAILED tests/test_a.py::test_x",
        "Traceback (most recent call last):",
    ];
    assert_eq!(facts.errors, wanted);
}

#[test]
fn the_duration_is_in_whole_minutes_and_one_at_least() {
    let minutes = |stamps: &[i64]| stamps.iter().fold(start(), |t, at| t.say(*at)).facts().duration_minutes;
    assert_eq!(minutes(&[]), 0);
    assert_eq!(minutes(&[5]), 0);
    assert_eq!(minutes(&[5, 5]), 1);
    assert_eq!(minutes(&[0, 119]), 1);
    assert_eq!(minutes(&[600, 0, 60]), 10);
}

#[test]
fn a_huge_answer_is_read_at_both_ends() {
    let output = format!("Error: at the very front\n{}\n5 passed in 9.0s", "é".repeat(4 << 20));
    let facts = start().run("pytest", &output).facts();
    assert_eq!((facts.tests_passed, facts.errors.len()), (5, 1));
}

#[test]
fn lists_are_bounded() {
    let facts = (0..3_000).fold(start(), |t, n| t.call("", "Write", json!({ "path": format!("/f{n}") }))).facts();
    assert_eq!((facts.files_modified.len(), facts.tool_calls), (MAX_LISTED, 3_000));
}
