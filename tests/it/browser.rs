//! Clients in JavaScript: the playground and the pages in a real browser, and the GraphQL-over-HTTP audits.

mod pages;

use std::process::{Command, Stdio};

use crate::program::{Program, Said, root, said};

/// Runs a script of `tests/js`; `./test` installs what it needs.
pub fn node(script: &str, arguments: &[&str]) -> Said {
    let folder = root().join("tests/js");
    assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/js, or ./test, which does");
    let mut command = Command::new("node");
    command.arg(script).args(arguments).current_dir(folder).stdin(Stdio::null());
    said(command)
}

#[test]
fn the_playground_opens_signed_in_and_answers_on_the_users_data() {
    let program = Program::new();
    let server = program.serve_with(&["demo"], &[("SESSIONGRAPH_RATE_LIMIT__GRAPHQL_PER_HOUR", "0")]);
    let email = "demo@sessiongraph.local";
    let told = program.ok(&["user", "password", email, "--generate-password"]);
    let password = told.split(": ").nth(1).and_then(|told| told.split(' ').next()).expect("a password");
    let ran = node("playground.mjs", &[&server.url, email, password]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}

#[test]
fn every_graphql_over_http_audit_is_passed() {
    let program = Program::with_user();
    let key = program.key();
    let server = program.serve(&["serve"]);
    let ran = node("audit.mjs", &[&format!("{}/api/v1/graphql", server.base()), &key]);
    assert!(ran.code == 0 && ran.out.trim_end().ends_with("61 of 61"), "{}\n{}", ran.out, ran.err);
}
