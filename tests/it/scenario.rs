//! Runs the files in `tests/scenarios/<dialect>`: requests and what must come back, in order, each file against a server
//! of its own.
//!
//! A file is TOML. `[[step]]` has `name`, `request` (a method and a path), `as` (somebody that the stage knows; `me` when
//! left out), `headers`, `body` (text) or `archive` (names and texts of files, sent as a tar.gz in the field `file` of a
//! form), and `expect` with `status`, `headers` (whole values; `""` for one that
//! must not be there, `~text` for one that must hold the text), `json` (text: a part of the body; objects may hold more,
//! lists may not) or `body` (the whole body). `save` names parts of the answer (`header etag`, `json data.total`) for
//! later steps, which write `${name}`. Before its request a step lets `wait_secs` pass and `run_jobs`, and what else its stage knows. In `json`, these
//! strings stand for whatever is so: `<any>`, `<string>`, `<int>`, `<time>`, `<absent>`, `<null>`, `<~text>` for one that
//! holds the text.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sg_domain::Timestamp;

use crate::harness::{Answer, Gateway};

/// Where a scenario plays: a server with a dialect's people and data.
#[async_trait::async_trait]
pub(crate) trait Stage: Sync + Sized {
    /// A server of its own.
    async fn start() -> Self;

    /// The gateway under it.
    fn gateway(&self) -> &Gateway;

    /// What happens before a step's request, beside the waiting.
    async fn prepare(&self, _step: &toml::Value) {}

    /// Sends a request as somebody.
    async fn send(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer;
}

/// Runs every file of a dialect.
pub(crate) async fn every_scenario_holds<S: Stage>(dialect: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(dialect);
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
        let stage = S::start().await;
        let text = std::fs::read_to_string(file).expect("a scenario");
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let scenario: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        failures.extend(run(&stage, &scenario).await.into_iter().map(|failure| format!("{name}: {failure}")));
        stage.gateway().run_jobs().await;
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn a_scenario_can_fail() {
    let body = serde_json::json!({ "n": 1.0, "list": [1, 2], "text": "x" });
    for wrong in [
        r#"{"n": 1}"#,
        r#"{"n": "<int>"}"#,
        r#"{"n": "<null>"}"#,
        r#"{"list": [1]}"#,
        r#"{"text": "y"}"#,
        r#"{"text": "<~y>"}"#,
        r#"{"text": "<absent>"}"#,
        r#"{"text": "<time>"}"#,
        r#"{"gone": 1}"#,
        r#"{"gone": "<any>"}"#,
    ] {
        let want = serde_json::from_str(wrong).unwrap();
        assert!(!differences("", &want, Some(&body)).is_empty(), "{wrong}");
    }
}

async fn run<S: Stage>(stage: &S, scenario: &toml::Table) -> Vec<String> {
    let steps = scenario["step"].as_array().expect("steps");
    let mut saved = HashMap::new();
    let mut failures = Vec::new();
    for step in steps {
        let name = text(&step["name"]);
        prepare(stage, step).await;
        let (method, path) = text(&step["request"]).split_once(' ').expect("a method and a path");
        let mut headers: Vec<_> = pairs(step.get("headers"), &saved);
        let body = match step.get("archive") {
            Some(files) => {
                headers.push(("content-type".to_owned(), FORM.to_owned()));
                form(&archive(&pairs(Some(files), &saved)))
            }
            None => step.get("body").map(|body| filled(text(body), &saved)).unwrap_or_default().into_bytes(),
        };
        let who = step.get("as").map_or("me", text);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = stage.send(who, method, &filled(path, &saved), &headers, body).await;
        failures.extend(check(&step["expect"], &answer, &saved).into_iter().map(|f| format!("{name}: {f}")));
        for (name, part) in step.get("save").and_then(toml::Value::as_table).into_iter().flatten() {
            saved.insert(name.clone(), part_of(&answer, text(part)));
        }
    }
    failures
}

/// What happens before a step's request.
async fn prepare<S: Stage>(stage: &S, step: &toml::Value) {
    stage.prepare(step).await;
    if let Some(secs) = step.get("wait_secs").and_then(toml::Value::as_integer) {
        stage.gateway().clock.advance(std::time::Duration::from_secs(secs.unsigned_abs()));
    }
    if step.get("run_jobs").and_then(toml::Value::as_bool) == Some(true) {
        stage.gateway().run_jobs().await;
    }
}

/// The type of a form as [`form`] makes it.
pub(crate) const FORM: &str = "multipart/form-data; boundary=scenario-boundary";

/// A form with one file, as SessionFS's client sends an archive.
pub(crate) fn form(file: &[u8]) -> Vec<u8> {
    let head = "--scenario-boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"session.tar.gz\"\r\n\
        Content-Type: application/gzip\r\n\r\n";
    [head.as_bytes(), file, b"\r\n--scenario-boundary--\r\n"].concat()
}

/// Files as a tar.gz; the same files give the same bytes.
pub(crate) fn archive(files: &[(String, String)]) -> Vec<u8> {
    let member = |(name, text): &(String, String)| sg_formats::sessionfs::Member {
        name: name.clone(),
        bytes: text.clone().into_bytes(),
    };
    sg_formats::sessionfs::pack(&files.iter().map(member).collect::<Vec<_>>()).expect("an archive")
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
        (Value::String(want), Some(have)) if want == "<null>" => holds(have.is_null()),
        (Value::String(want), Some(have)) if want.starts_with("<~") && want.ends_with('>') => {
            holds(have.as_str().is_some_and(|have| have.contains(&want[2..want.len() - 1])))
        }
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

/// RFC 3339 in UTC to the millisecond or the microsecond, spelled in the one way in which we write it.
fn is_time(text: &str) -> bool {
    let spelled = text.strip_suffix("+00:00").map_or_else(|| text.to_owned(), |text| format!("{text}Z"));
    Timestamp::parse(text).is_some_and(|time| time.to_iso_millis() == spelled || time.to_iso_micros() == spelled)
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
