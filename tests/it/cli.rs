//! The command line, as a person and a script use it: the real program, its output, its exit codes.

use serde_json::json;

use crate::program::{Program, eventually, root, said};

#[test]
fn an_account_and_its_keys_are_made_listed_and_revoked() {
    let program = Program::new();
    let user = program.json(&["user", "create", "  Me@Example.com ", "--json"]);
    assert_eq!(user["email"], "me@example.com");
    let key = program.json(&["key", "create", "--scopes", "read", "--name", "ci", "--expires", "30d", "--json"]);
    assert_eq!((&key["scopes"], &key["name"]), (&json!(["read"]), &json!("ci")));
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with("sk_live_") && secret.starts_with(key["prefix"].as_str().unwrap()));
    let sessionfs = program.json(&["key", "create", "--user", "me@example.com", "--dialect", "sessionfs", "--json"]);
    assert!(sessionfs["secret"].as_str().unwrap().starts_with("sk_sfs_"));

    let listed = program.ok(&["key", "list"]);
    assert!(listed.contains("until ") && listed.contains("never") && !listed.contains(secret), "{listed}");
    program.ok(&["key", "revoke", key["id"].as_str().unwrap()]);
    let keys = program.json(&["key", "list", "--json"]);
    assert!(keys[0]["revokedAt"].is_string() && keys[1]["revokedAt"].is_null(), "{keys:#}");
    assert!(program.ok(&["user", "list"]).contains("me@example.com"));
}

#[test]
fn people_are_invited_and_accounts_are_turned_off() {
    let program = Program::with_user();
    program.ok(&["user", "invite", "Ana@Example.com", "--days", "3"]);
    assert!(program.ok(&["user", "invites"]).contains("ana@example.com"));
    program.ok(&["user", "uninvite", "ana@example.com"]);
    assert!(!program.ok(&["user", "invites"]).contains("ana@example.com"));
    assert_eq!(program.run(&["user", "uninvite", "ana@example.com"]).code, 1);
    assert_eq!(program.run(&["user", "invite", "ana@example.com", "--days", "0"]).code, 1);
    let email = "ben@example.com";
    program.ok(&["user", "create", email]);
    assert!(program.ok(&["user", "tier", email, "free"]).contains("free"));
    assert!(program.ok(&["user", "tier", email]).contains("everyone"));
    assert!(program.run(&["user", "tier", email, "gold"]).err.contains("a tier is free"));
    program.ok(&["user", "disable", email]);
    program.ok(&["user", "enable", email]);
    assert_eq!(program.run(&["user", "disable", "nobody@example.com"]).code, 1);
}

#[test]
fn a_plain_key_is_all_that_standard_output_holds() {
    let program = Program::with_user();
    let said = program.run(&["key", "create"]);
    assert!(said.out.starts_with("sk_live_") && said.out.trim_end().lines().count() == 1, "{}", said.out);
    assert!(said.err.contains("not shown again"), "{}", said.err);
}

#[test]
fn a_failure_is_one_line_that_says_what_to_do() {
    let program = Program::new();
    let fails = |arguments: &[&str], with: &str| {
        let said = program.run(arguments);
        let lines: Vec<_> = said.err.lines().collect();
        assert_eq!((said.code, lines.len()), (1, 1), "{arguments:?}: {}", said.err);
        assert!(lines[0].starts_with("error: ") && lines[0].contains(with), "{}", said.err);
    };
    fails(&["key", "create"], "sessiongraph user create");
    fails(&["import", "."], "sessiongraph user create");
    fails(&["user", "create", "nobody"], "not a mail address");
    program.ok(&["user", "create", "me@example.com"]);
    fails(&["user", "create", "ME@example.com"], "");
    fails(&["key", "create", "--user", "you@example.com"], "user create you@example.com");
    fails(&["key", "create", "--scopes", "fly"], "use read, write or admin");
    fails(&["key", "revoke", "x"], "key list");
    fails(&["config", "--config", "/nowhere.toml"], "/nowhere.toml");
    program.ok(&["user", "create", "second@example.com"]);
    fails(&["key", "create"], "--user");
}

#[test]
fn prices_of_a_file_stand_in_the_place_of_the_built_in_ones() {
    let program = Program::with_user();
    let file = program.home().join("prices.toml");
    let price = "as_of = 2026-11-01\n[[price]]\nmodels = ['m']\ninput = 3\noutput = 1\n";
    std::fs::write(&file, price).unwrap();
    let key = program.key();
    let variable = [("SESSIONGRAPH_PRICES__FILE", file.to_str().unwrap())];
    let server = program.serve_with(&["serve"], &variable);
    let answer = server.graphql(&key, "{ prices { asOf isBuiltIn models { model input cacheRead } } }");
    let wanted = json!({ "asOf": "2026-11-01", "isBuiltIn": false,
        "models": [{ "model": "m", "input": "3.00", "cacheRead": "3.00" }] });
    assert_eq!(answer["prices"], wanted, "{answer:#}");
    assert_eq!(server.stop(), Some(0));

    std::fs::write(&file, price.replace("input = 3", "input = 'much'")).unwrap();
    let mut command = program.command(&["serve"]);
    command.envs(variable);
    let failed = said(command);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("prices.toml, line 4: ") && failed.err.contains("much"), "{}", failed.err);
    assert_eq!(failed.err.lines().count(), 1, "{}", failed.err);
    std::fs::remove_file(&file).unwrap();
    let mut command = program.command(&["serve"]);
    command.envs(variable);
    assert!(said(command).err.contains("cannot read the prices in"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    let program = Program::new();
    for arguments in [&["fly"][..], &["key", "create", "--dialect", "latin"], &["serve", "--listen", "here"]] {
        assert_eq!(program.run(arguments).code, 2, "{arguments:?}");
    }
    assert!(program.ok(&["completions", "bash"]).contains("sessiongraph"));
    assert!(program.ok(&["import", "--help"]).contains("Importing again"));
}

#[test]
fn settings_are_shown_without_their_secrets() {
    let program = Program::new();
    let mut command = program.command(&["config", "--database-url", "postgres://sg:hunter2@127.0.0.1/sg"]);
    command.env("SESSIONGRAPH_HTTP__MAX_CONNECTIONS", "77").env("AWS_SECRET_ACCESS_KEY", "hunter2");
    let said = crate::program::said(command);
    assert!(said.out.contains("max_connections = 77") && !said.out.contains("hunter2"), "{}", said.out);
}

#[test]
fn the_printed_schema_is_the_one_that_is_checked_in() {
    let checked_in = std::fs::read_to_string(root().join("schema.graphql")).unwrap();
    let is_same = Program::new().ok(&["schema"]).trim_end() == checked_in.trim_end();
    assert!(is_same, "run `cargo run -- schema > schema.graphql`");
}

#[test]
fn commands_work_while_the_server_runs_on_the_same_data() {
    let program = Program::new();
    let server = program.serve(&["serve"]);
    eventually("readiness", || server.ask("GET", "/readyz", None, "").0 == 200);
    program.ok(&["user", "create", "me@example.com"]);
    let key = program.key();
    assert_eq!(server.graphql(&key, "{ viewer { email } }")["viewer"]["email"], "me@example.com");

    let samples = root().join("examples/sessions");
    let imported = program.ok(&["import", samples.to_str().unwrap()]);
    assert!(imported.contains("The server indexes them."), "{imported}");
    let total = || {
        server.graphql(&key, r#"{ searchSessions(query: "deadlock") { total } }"#)["searchSessions"]["total"].clone()
    };
    eventually("indexing by the server", || total().as_u64() > Some(0));

    let said = program.ok(&["reindex"]);
    assert!(said.contains("by the running server"), "{said}");
    assert!(total().as_u64() > Some(0));
    assert!(program.ok(&["doctor"]).contains("Healthy."));
    let second = program.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(second.code == 1 && second.err.contains("another sessiongraph"), "{}", second.err);

    let revoked = program.json(&["key", "list", "--json"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["key", "revoke", &revoked]);
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(&key), "").0, 401);
    assert_eq!(server.stop(), Some(0));
    assert!(program.ok(&["reindex"]).starts_with("Indexed "));
}

#[test]
fn a_lost_index_is_made_again_at_start() {
    let program = Program::with_user();
    program.ok(&["import", root().join("examples/sessions").to_str().unwrap()]);
    let data = program.home().parent().unwrap().join("data");
    std::fs::remove_dir_all(data.join("index")).unwrap();
    let key = program.key();
    let server = program.serve(&["serve"]);
    eventually("readiness", || server.ask("GET", "/readyz", None, "").0 == 200);
    let found = server.graphql(&key, r#"{ searchSessions(query: "deadlock") { total } }"#);
    assert!(found["searchSessions"]["total"].as_u64() > Some(0), "{found:#}");
}

#[test]
fn doctor_finds_and_repairs_what_the_index_lost() {
    let program = Program::with_user();
    program.ok(&["import", root().join("examples/sessions").to_str().unwrap()]);
    let data = program.home().parent().unwrap().join("data");
    std::fs::remove_dir_all(data.join("index")).unwrap();
    let sick = program.run(&["doctor"]);
    assert!(sick.code == 1 && sick.out.contains("doctor --fix"), "{}", sick.out);
    assert!(program.ok(&["doctor", "--fix"]).contains("Healthy."));
    assert!(program.ok(&["doctor"]).contains("Healthy."));
}

#[test]
fn demo_on_an_empty_machine_shows_samples_and_signs_in() {
    let program = Program::new();
    let server = program.serve(&["demo"]);
    assert!(server.printed.contains("these are samples"), "{}", server.printed);
    let key = server.url.split_once("/#key=").unwrap().1.to_owned();
    let found = server.graphql(&key, r#"{ searchSessions(query: "deadlock") { total } projects { name } }"#);
    assert!(found["searchSessions"]["total"].as_u64() > Some(0), "{found:#}");
    assert_eq!(found["projects"].as_array().unwrap().len(), 4, "{found:#}");
    assert_eq!(server.stop(), Some(0));

    // What follows the address tells how to sign in on the pages.
    let again = program.serve(&["demo"]);
    assert_eq!(again.ask("GET", "/api/v1/projects", Some(&key), "").0, 401, "the first key still works");
}

#[test]
fn clients_that_stall_are_let_go() {
    use std::io::{Read as _, Write as _};
    let program = Program::new();
    let settings = program.home().join("settings.toml");
    std::fs::write(&settings, "[http]\nheader_timeout_secs = 1\nbody_timeout_secs = 1\n").unwrap();
    let server = program.serve(&["serve", "--config", settings.to_str().unwrap()]);
    let body =
        "POST /api/v1/graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    for sent in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n", body] {
        let mut stream = std::net::TcpStream::connect(&server.base()["http://".len()..]).unwrap();
        stream.set_read_timeout(Some(crate::program::PATIENCE)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{sent:?}: {answer}");
    }
}

/// Runs the program with text on its standard input.
fn with_input(program: &Program, arguments: &[&str], input: &str) -> crate::program::Said {
    use std::io::Write as _;
    let mut command = program.command(arguments);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    crate::program::Said {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

#[test]
fn passwords_are_read_made_up_and_changed() {
    let program = Program::new();
    let said = with_input(&program, &["user", "create", "me@example.com", "--password-stdin"], "short\n");
    assert!(said.code == 1 && said.err.contains("at least 10 characters"), "{}", said.err);
    assert_eq!(program.ok(&["user", "list", "--json"]).trim(), "[]", "no account is left without a password");
    let said =
        with_input(&program, &["user", "create", "me@example.com", "--password-stdin"], "correct horse battery\r\n");
    assert!(said.code == 0 && !said.out.contains("horse"), "{}{}", said.out, said.err);
    let made = program.json(&["user", "create", "you@example.com", "--json"]);
    let generated = made["password"].as_str().unwrap();
    assert_eq!(generated.len(), 23, "{generated}");

    let server = program.serve(&["serve"]);
    let sign_in = |email: &str, password: &str| {
        let body = format!("email={email}&password={password}");
        server.form("/login", &body).0
    };
    assert_eq!(sign_in("me@example.com", "correct+horse+battery"), 303);
    assert_eq!(sign_in("you@example.com", generated), 303);
    assert_eq!(sign_in("you@example.com", "correct+horse+battery"), 401);
    let said = program.ok(&["user", "password", "you@example.com", "--generate-password"]);
    assert!(said.contains("not shown again"), "{said}");
    assert_eq!(sign_in("you@example.com", generated), 401);
    let said = with_input(&program, &["user", "password", "nobody@example.com", "--password-stdin"], "x");
    assert!(said.code == 1 && said.err.contains("there is no user"), "{}", said.err);
    let both = ["user", "password", "you@example.com", "--generate-password", "--password-stdin"];
    assert_eq!(program.run(&both).code, 2);
}

#[test]
fn a_device_is_signed_in_listed_and_revoked() {
    let program = Program::with_user();
    let said = program.run(&["device", "token"]);
    assert!(said.out.starts_with("sgr_") && said.out.trim_end().lines().count() == 1, "{}", said.out);
    assert!(said.err.contains("not shown again"), "{}", said.err);
    let refresh = said.out.trim_end().to_owned();
    let server = program.serve(&["serve"]);
    let (status, body) = server.ask("POST", "/api/v1/device-refresh", Some(&refresh), "");
    assert_eq!(status, 200, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let access = body["accessToken"].as_str().unwrap();
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(access), "").0, 200);

    let devices = program.json(&["device", "list", "--json"]);
    assert_eq!((&devices[0]["hostname"], &devices[0]["revokedAt"]), (&json!("command line"), &json!(null)));
    let listed = program.ok(&["device", "list"]);
    assert!(listed.contains("me@example.com") && listed.contains("until 20") && !listed.contains(&refresh), "{listed}");
    program.ok(&["device", "revoke", devices[0]["id"].as_str().unwrap()]);
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(access), "").0, 401);
    assert_eq!(server.ask("POST", "/api/v1/device-refresh", Some(&refresh), "").0, 401);
    let said = program.run(&["device", "revoke", "x"]);
    assert!(said.code == 1 && said.err.contains("device list"), "{}", said.err);
}
