//! Programs of others that judge the description, and the server by it: two validators, Schemathesis, a browser.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::python;
use crate::program::{Program, Server, root, said};

const DESCRIPTION: &str = "docs/openapi/specstory.json";
/// More requests an hour than any test makes; the headers that tell so are part of what is judged.
const MANY: &str = "1000000000";

#[test]
fn openapi_spec_validator_finds_nothing() {
    let mut command = python("openapi-spec-validator");
    command.args(["--schema", "3.1", "--errors", "all", DESCRIPTION]).current_dir(root());
    let said = said(command);
    assert!(said.code == 0 && said.out.trim_end().ends_with("OK"), "{}\n{}", said.out, said.err);
}

#[test]
fn redocly_finds_nothing() {
    let mut command = Command::new("node");
    command.arg(root().join("tests/js/node_modules/@redocly/cli/bin/cli.js"));
    command.args(["lint", "--config", "redocly.yaml", "--format", "json"]).arg(root().join(DESCRIPTION));
    command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true").env("CI", "true");
    command.current_dir(root().join("tests/openapi")).stdin(Stdio::null());
    let said = said(command);
    let found = said.out.find('{').map(|at| &said.out[at..]).unwrap_or_default();
    let found: serde_json::Value =
        serde_json::from_str(found).unwrap_or_else(|e| panic!("{e}: {}\n{}", said.out, said.err));
    let totals = &found["totals"];
    assert_eq!((said.code, &totals["errors"], &totals["warnings"]), (0, &0.into(), &0.into()), "{found:#}");
}

#[test]
fn schemathesis_finds_nothing() {
    // It makes and revokes keys of the account, and finds the one it asks with among them: a run in which it revoked that
    // one has judged 401s from then on, so it counts for nothing.
    let is_whole = |seed: &u32| {
        let judged = Judged::start();
        judged.run("schemathesis.toml", &["--seed", &seed.to_string()], &[]);
        judged.server.ask("GET", "/api/v1/projects", Some(&judged.key), "").0 == 200
    };
    assert!((1..8).any(|seed| is_whole(&seed)), "it revoked its own key each time");
}

#[test]
fn schemathesis_finds_nothing_about_what_is_there() {
    let judged = Judged::start();
    let markdown = "_**User (2026-01-16T16:40:00Z)**_\n\nwhy\n\n_**Agent (2026-01-16T16:41:00Z)**_\n\nbecause\n";
    let upload = json!({
        "projectName": "known", "name": "known", "markdown": markdown, "rawData": "{}", "sessionData": "{}",
    });
    let ask = |method: &str, path: &str, body: &Value| {
        let (status, answer) = judged.server.ask(method, path, Some(&judged.key), &body.to_string());
        assert!(status < 300, "{method} {path}: {status} {answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["data"].take()
    };
    for session in ["s1", "s2"] {
        ask("PUT", &format!("/api/v1/projects/p1/sessions/{session}"), &upload);
    }
    ask("PATCH", "/api/v1/projects/p1/sessions/s1", &json!({ "shareStatus": "unlisted" }));
    let other = ask("PATCH", "/api/v1/projects/p1/sessions/s2", &json!({ "userTitle": "other" }));
    let exchange = other["session"]["exchanges"][0]["id"].as_str().unwrap();
    let known =
        [("KNOWN_PROJECT", "p1"), ("KNOWN_SESSION", "s1"), ("OTHER_SESSION", "s2"), ("OTHER_EXCHANGE", exchange)];
    let said = judged.run("known.toml", &["--exclude-method", "DELETE"], &known);
    // All of it was found, but for what this server never has.
    let missing =
        said.lines().filter(|line| line.trim_start().starts_with("- ") && line.contains("{")).collect::<Vec<_>>();
    assert!(missing.iter().all(|line| line.contains("/lore/")), "not found: {missing:#?}");
}

/// A server with a key and some sessions.
struct Judged {
    program: Program,
    server: Server,
    key: String,
}

impl Judged {
    fn start() -> Self {
        let program = Program::with_user();
        program.ok(&["import", root().join("examples/sessions").to_str().unwrap()]);
        let key = program.key();
        let limits = ["REST", "UNAUTHENTICATED", "OPEN"].map(|of| format!("SESSIONGRAPH_RATE_LIMIT__{of}_PER_HOUR"));
        let limits: Vec<_> = limits.iter().map(|name| (name.as_str(), MANY)).collect();
        let server = program.serve_with(&["serve"], &limits);
        Self { program, server, key }
    }

    /// Has Schemathesis run every check, and returns what it said.
    fn run(&self, config: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut command = python("schemathesis");
        command.arg("--config-file").arg(root().join("tests/openapi").join(config)).arg("--no-color");
        command.args(["run", &format!("{}/api/openapi.json", self.server.base()), "--checks", "all"]);
        command.args(["--header", &format!("Authorization: Bearer {}", self.key)]).args(arguments);
        command.envs(variables.iter().copied()).current_dir(self.program.home());
        let said = said(command);
        assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
        let counted = said.out.lines().rev().find(|line| line.contains(" generated, ")).unwrap_or_default();
        let count = counted.trim().split(' ').next().and_then(|count| count.parse::<u32>().ok());
        assert!(count.is_some_and(|count| count > 500), "it hardly looked: {counted}");
        said.out
    }
}

#[test]
fn the_documents_work_in_a_browser() {
    let program = Program::with_user();
    program.ok(&["import", root().join("examples/sessions").to_str().unwrap()]);
    let key = program.key();
    let server = program.serve(&["serve"]);
    let ran = crate::browser::node("docs.mjs", &[server.base(), &key]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}
