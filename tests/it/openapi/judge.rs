//! Programs of others that judge the description, and the server by it: two validators, Schemathesis, a browser.

use std::process::{Command, Stdio};

use super::python;
use crate::program::{Program, root, said};

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
    let program = Program::with_user();
    let samples = root().join("examples/sessions");
    program.ok(&["import", samples.to_str().unwrap()]);
    let key = program.key();
    let limits = ["REST", "UNAUTHENTICATED", "OPEN"].map(|of| format!("SESSIONGRAPH_RATE_LIMIT__{of}_PER_HOUR"));
    let limits: Vec<_> = limits.iter().map(|name| (name.as_str(), MANY)).collect();
    let server = program.serve_with(&["serve"], &limits);
    let mut command = python("schemathesis");
    let config = root().join("tests/openapi/schemathesis.toml");
    command.arg("--config-file").arg(config).args(["run", &format!("{}/api/openapi.json", server.base())]);
    command.args(["--header", &format!("Authorization: Bearer {key}"), "--checks", "all", "--no-color"]);
    command.current_dir(program.home());
    let said = said(command);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let counted = said.out.lines().rev().find(|line| line.contains(" generated, ")).unwrap_or_default();
    let count = counted.trim().split(' ').next().and_then(|count| count.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count > 1_000), "it hardly looked: {counted}");
    // It made and revoked keys of the account; had it revoked this one, the rest of the run would have judged 401s.
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(&key), "").0, 200);
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
