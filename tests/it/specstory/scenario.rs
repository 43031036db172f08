//! Runs the files in `tests/scenarios/specstory`: requests and what must come back, in order, each file
//! against a server of its own.
//!
//! A file is TOML. `[[step]]` has `name`, `request` (a method and a path), `as` (`me`, `other`, `write-only`, `nobody`,
//! `read-only`, `stranger`; `me` when left out), `headers`, `body` (text), and `expect` with `status`, `headers` (whole values; `""` for one that
//! must not be there, `~text` for one that must hold the text), `json` (text: a part of the body; objects may hold more,
//! lists may not) or `body` (the whole body). `save` names parts of the answer (`header etag`, `json data.total`) for
//! later steps, which write `${name}`. Before its request a step may give `me` a `device_code` and let `wait_secs` pass. In `json`, these strings stand for whatever is so: `<any>`, `<string>`, `<int>`,
//! `<time>`, `<absent>`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sg_domain::Timestamp;

use super::world::{Who, World};
use crate::harness::Answer;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/specstory");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("scenarios are checked in")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "scenarios are missing from {}", folder.display());
    let mut failures = Vec::new();
    for file in &files {
        // A world of its own: what one file changes, no other one sees.
        let world = World::start().await;
        let text = std::fs::read_to_string(file).expect("a scenario");
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let scenario: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        failures.extend(run(&world, &scenario).await.into_iter().map(|failure| format!("{name}: {failure}")));
        world.gateway.run_jobs().await;
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn a_scenario_can_fail() {
    let body = serde_json::json!({ "n": 1.0, "list": [1, 2], "text": "x" });
    for wrong in [
        r#"{"n": 1}"#,
        r#"{"n": "<int>"}"#,
        r#"{"list": [1]}"#,
        r#"{"text": "y"}"#,
        r#"{"text": "<absent>"}"#,
        r#"{"text": "<time>"}"#,
        r#"{"gone": 1}"#,
        r#"{"gone": "<any>"}"#,
    ] {
        let want = serde_json::from_str(wrong).unwrap();
        assert!(!differences("", &want, Some(&body)).is_empty(), "{wrong}");
    }
}

async fn run(world: &World, scenario: &toml::Table) -> Vec<String> {
    let steps = scenario["step"].as_array().expect("steps");
    let mut saved = HashMap::new();
    let mut failures = Vec::new();
    for step in steps {
        let name = text(&step["name"]);
        prepare(world, step).await;
        let (method, path) = text(&step["request"]).split_once(' ').expect("a method and a path");
        let headers: Vec<_> = pairs(step.get("headers"), &saved);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = step.get("body").map(|body| filled(text(body), &saved)).unwrap_or_default();
        let answer = world.send(who(step), method, &filled(path, &saved), &headers, body.into()).await;
        failures.extend(check(&step["expect"], &answer, &saved).into_iter().map(|f| format!("{name}: {f}")));
        for (name, part) in step.get("save").and_then(toml::Value::as_table).into_iter().flatten() {
            saved.insert(name.clone(), part_of(&answer, text(part)));
        }
    }
    failures
}

/// What happens before a step's request.
async fn prepare(world: &World, step: &toml::Value) {
    if let Some(code) = step.get("device_code") {
        world.gateway.ids.will_be_device_code(text(code));
        let made = world.gateway.app.create_device_code(world.caller(Who::Me), None).await.expect("a device code");
        assert_eq!(made.code, text(code));
    }
    if let Some(secs) = step.get("wait_secs").and_then(toml::Value::as_integer) {
        world.gateway.clock.advance(std::time::Duration::from_secs(secs.unsigned_abs()));
    }
}

fn check(expect: &toml::Value, answer: &Answer, saved: &HashMap<String, String>) -> Vec<String> {
    let mut failures = Vec::new();
    if expect["status"].as_integer() != Some(answer.status.into()) {
        failures.push(format!("status {} with {}", answer.status, answer.text()));
    }
    for (name, want) in pairs(expect.get("headers"), saved) {
        let have = answer.header(&name);
        let good = match want.strip_prefix('~') {
            Some(part) => have.contains(part),
            None => have == want,
        };
        if !good {
            failures.push(format!("header {name} is {have:?}, not {want:?}"));
        }
    }
    if let Some(want) = expect.get("json") {
        let want = serde_json::from_str(&filled(text(want), saved)).expect("expected JSON");
        failures.extend(differences("body", &want, Some(&answer.json())));
    }
    if let Some(want) = expect.get("body")
        && filled(text(want), saved) != answer.text()
    {
        failures.push(format!("body is {:?}", answer.text()));
    }
    failures
}

/// Where a value is not as wanted.
fn differences(at: &str, want: &Value, have: Option<&Value>) -> Vec<String> {
    let wrong = || vec![format!("{at} is {}, not {want}", have.map_or("absent".to_owned(), Value::to_string))];
    let holds = |good: bool| if good { Vec::new() } else { wrong() };
    match (want, have) {
        (Value::String(want), _) if want == "<absent>" => holds(have.is_none()),
        (Value::String(want), Some(have)) => holds(match want.as_str() {
            "<any>" => true,
            "<string>" => have.is_string(),
            "<int>" => have.is_u64() || have.is_i64(),
            "<time>" => have.as_str().is_some_and(is_time),
            _ => have == want,
        }),
        (Value::Object(want), Some(Value::Object(have))) => {
            want.iter().flat_map(|(key, want)| differences(&format!("{at}.{key}"), want, have.get(key))).collect()
        }
        (Value::Array(want), Some(Value::Array(have))) if want.len() == have.len() => {
            let pairs = want.iter().zip(have).enumerate();
            pairs.flat_map(|(i, (want, have))| differences(&format!("{at}.{i}"), want, Some(have))).collect()
        }
        (_, Some(have)) => holds(want == have),
        (_, None) => wrong(),
    }
}

/// What JavaScript's `toISOString` writes: the one form that all clients read.
pub(super) fn is_time(text: &str) -> bool {
    text.len() == 24 && Timestamp::parse(text).is_some_and(|time| time.to_iso_millis() == text)
}

fn who(step: &toml::Value) -> Who {
    match step.get("as").map(text) {
        None | Some("me") => Who::Me,
        Some("other") => Who::Other,
        Some("write-only") => Who::WriteOnly,
        Some("read-only") => Who::ReadOnly,
        Some("nobody") => Who::Nobody,
        Some("stranger") => Who::Stranger,
        Some(other) => panic!("nobody is called {other}"),
    }
}

fn part_of(answer: &Answer, part: &str) -> String {
    match part.split_once(' ') {
        Some(("header", name)) => answer.header(name).to_owned(),
        Some(("json", path)) => {
            let value = answer.json().pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or_default();
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        }
        _ => panic!("cannot save {part}"),
    }
}

fn pairs(table: Option<&toml::Value>, saved: &HashMap<String, String>) -> Vec<(String, String)> {
    let table = table.and_then(toml::Value::as_table).into_iter().flatten();
    table.map(|(name, value)| (name.clone(), filled(text(value), saved))).collect()
}

fn filled(text: &str, saved: &HashMap<String, String>) -> String {
    saved.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

fn text(value: &toml::Value) -> &str {
    value.as_str().expect("a string")
}
