//! Clients that people use, against the real program: each runs a query, a mutation, errors and subscriptions.

use std::process::{Command, Stdio};

use crate::browser::node;
use crate::program::{Program, Said, Server, root, said};

/// A server with sample sessions, and a key. A client test asks more than an hour's worth.
fn world(program: &Program) -> (Server, String) {
    let server = program.serve_with(&["demo"], &[("SESSIONGRAPH_RATE_LIMIT__GRAPHQL_PER_HOUR", "0")]);
    let (_, key) = server.url.split_once("#key=").expect("an address with a key");
    let key = key.to_owned();
    (server, key)
}

fn assert_ok(ran: &Said) {
    assert!(ran.code == 0 && ran.out.trim_end().ends_with("ok"), "{}\n{}", ran.out, ran.err);
}

fn javascript(script: &str) {
    let program = Program::new();
    let (server, key) = world(&program);
    assert_ok(&node(script, &[server.base(), &key]));
    // Nothing of the client is left: the server has nothing to wait for.
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn graphql_ws() {
    javascript("graphql_ws.mjs");
}

#[test]
fn graphql_sse() {
    javascript("graphql_sse.mjs");
}

#[test]
fn apollo_client() {
    javascript("apollo.mjs");
}

#[test]
fn urql() {
    javascript("urql.mjs");
}

#[test]
fn python_gql() {
    let python = root().join("tests/.venv/bin/python");
    assert!(python.exists(), "run ./test, which installs it");
    let program = Program::new();
    let (server, key) = world(&program);
    let mut command = Command::new(python);
    command.arg("tests/python/gql_client.py").args([server.base(), &key]).current_dir(root()).stdin(Stdio::null());
    assert_ok(&said(command));
    assert_eq!(server.stop(), Some(0));
}
