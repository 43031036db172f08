//! Signing in through a provider that we did not write: `oidc-provider`, certified, run by node, against the real program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::program::{Program, root};

fn sign_in(algorithm: &str, authentication: &str) {
    let folder = root().join("tests/js");
    assert!(folder.join("node_modules/oidc-provider").is_dir(), "run `npm ci` in tests/js, or ./test, which does");
    let mut command = Command::new("node");
    command.args(["oidc.mjs", algorithm, authentication]).current_dir(folder);
    let mut provider = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(provider.stdout.take().unwrap());
    let mut issuer = String::new();
    out.read_line(&mut issuer).unwrap();

    let program = Program::new();
    let settings = program.home().join("settings.toml");
    let text = format!(
        "[http]\npublic_url = 'http://sessions.test'\n[oidc]\nissuer = '{}'\nclient_id = 'sessiongraph'\n\
         client_secret = 'secret:with/odd+letters'\nname = 'Example'\nallow_sign_up = true\n",
        issuer.trim()
    );
    std::fs::write(&settings, text).unwrap();
    let server = program.serve(&["serve", "--config", settings.to_str().unwrap()]);
    writeln!(provider.stdin.take().unwrap(), "{}", server.base()).unwrap();
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    let mut err = String::new();
    provider.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(provider.wait().unwrap().success() && said.contains("signed in"), "{issuer}{said}\n{err}");
    assert!(program.ok(&["user", "list"]).contains("ann@example.com"));
}

#[test]
fn a_certified_provider_signs_a_person_in() {
    sign_in("RS256", "client_secret_basic");
}

#[test]
fn so_it_does_with_another_algorithm_and_the_secret_in_the_body() {
    sign_in("ES256", "client_secret_post");
}
