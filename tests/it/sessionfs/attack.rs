//! Archives and manifests that mean harm: each has its error, or is stored as far as it makes sense; none is a fault.

use std::io::Write as _;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use sg_domain::Digest;
use sg_formats::sessionfs::{Member, pack};

use super::world::World;

const ID: &str = "ses_0000000000000001";

/// A tar's header and content, as an attacker writes them.
fn entry(name: &[u8], kind: u8, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar  \0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = header.to_vec();
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// Attacks by name, with the status and the message of each.
fn attacks() -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let one = |name: &str, kind: u8| gzip(&entry(name.as_bytes(), kind, 0, b""));
    let zeros = gzip(&vec![0; 16 << 20]);
    let head = gzip(&entry(b"messages.jsonl", b'0', 48 << 20, b""));
    let bomb = [head, zeros.repeat(3)].concat().repeat(213);
    let members = gzip(&entry(b"f", b'0', 0, b"").repeat(2_000)).repeat(500);
    let mut cut = gzip(&entry(b"manifest.json", b'0', 9_000, &[b'x'; 9_000]));
    cut.truncate(cut.len() - 9);
    vec![
        ("traversal", one("../../etc/passwd", b'0'), 400, "Path traversal in tar member: ../../etc/passwd"),
        ("absolute", one("/etc/passwd", b'0'), 400, "Absolute path in tar member: /etc/passwd"),
        ("symlink", one("link", b'2'), 400, "Symlink in tar archive: link"),
        ("hard link", one("link", b'1'), 400, "Symlink in tar archive: link"),
        ("device", one("dev", b'3'), 400, "Not a regular file in tar archive: dev"),
        ("fifo", one("fifo", b'6'), 400, "Not a regular file in tar archive: fifo"),
        (
            "long name",
            gzip(&[entry(b"L", b'L', 5, b"../x\0"), entry(b"x", b'0', 0, b"")].concat()),
            400,
            "Path traversal in tar member: ../x",
        ),
        ("lying size", gzip(&entry(b"m", b'0', 7 << 30, b"")), 400, "Member too large: m (7168MB, limit 100MB)"),
        ("plain", b"plain text".to_vec(), 400, "Invalid tar.gz archive: not a gzip file"),
        ("nothing", Vec::new(), 400, "Invalid tar.gz archive: not a gzip file"),
        ("truncated", cut, 400, "Invalid tar.gz archive: "),
        ("ten gigabytes", bomb, 413, "Session archive unpacks to more than 300MB"),
        (
            "one gigabyte from one megabyte",
            zeros.repeat(64),
            413,
            "Session archive unpacks to more than 200 times its size",
        ),
        ("a million members", members, 413, "Session archive has more than 10000 files"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_has_its_error_and_leaves_nothing() {
    let world = World::start().await;
    for (name, archive, status, message) in attacks() {
        let answer = world.send_file("me", "PUT", &format!("/api/v1/sessions/{ID}/sync"), &archive).await;
        let error = &answer.json()["error"];
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert!(error["message"].as_str().unwrap().starts_with(message), "{name}: {error}");
        assert_eq!(error["code"], if status == 413 { "PAYLOAD_TOO_LARGE" } else { "400" }, "{name}");
    }
    assert_eq!(world.get("/api/v1/sessions").await.json()["total"], 0);
    assert_eq!(std::fs::read_dir(world.gateway.dir().join("spool")).map_or(0, Iterator::count), 0);
}

/// Names the folder of archives to the process of this binary that is measured: what it takes to make them does not count.
const MEASURED: &str = "SG_TEST_MEASURED";

/// The child: pushes one attack after the other, then a large session, and tells how much memory it ever took for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measured() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells this run that it is the child")]
    let Ok(folder) = std::env::var(MEASURED) else { return };
    let world = World::start().await;
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:").map(str::to_owned)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
    };
    let path = format!("/api/v1/sessions/{ID}/sync");
    assert_eq!(world.send_file("me", "PUT", &path, &pack(&[]).unwrap()).await.status, 201);
    let before = peak();
    for n in 0.. {
        let Ok(archive) = std::fs::read(format!("{folder}/{n}")) else { break };
        let status = world.send_file("me", "PUT", &path, &archive).await.status;
        assert!(matches!(status, 400 | 413), "{n}");
    }
    let attacked = peak();
    let large = std::fs::read(format!("{folder}/large")).unwrap();
    assert_eq!(world.send_file("me", "PUT", &path, &large).await.status, 200);
    println!("\ntook {} and {} MiB", attacked - before, peak() - before);
    world.gateway.run_jobs().await;
}

#[test]
fn attacks_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (n, (_, archive, ..)) in attacks().into_iter().enumerate() {
        std::fs::write(folder.path().join(n.to_string()), archive).unwrap();
    }
    let words = |n: u32| Digest::of(&n.to_le_bytes()).to_string().repeat(140);
    let file: String =
        (0..5_000).map(|n| format!("{{\"role\":\"user\",\"content\":\"{n} {}\"}}\n", words(n))).collect();
    let large = pack(&[Member { name: "messages.jsonl".to_owned(), bytes: file.into() }]).unwrap();
    std::fs::write(folder.path().join("large"), large).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sessionfs::attack::measured", "--nocapture", "--test-threads=1"])
        .env(MEASURED, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find_map(|line| line.strip_prefix("took ")).expect("a measurement");
    let numbers: Vec<u64> = line.trim_end_matches(" MiB").split(" and ").map(|n| n.parse().unwrap()).collect();
    // Of ten gigabytes, and of 45 MB of messages that are stored; the forms themselves, of up to 10 MB twice, are the
    // test's.
    assert!(numbers[0] < 64 && numbers[1] < 96, "{line}");
    println!("{line}");
}

/// Any JSON, with what breaks careless readers among it.
fn anything() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        Just("\0\u{1}<script>\u{202e}".to_owned()),
        Just("x".repeat(70_000)),
        Just("ses_0000000000000001".to_owned()),
        Just("2026-13-45T99:99:99Z".to_owned()),
        Just("https://user:hunter2@example.com/a/b.git".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// An object with some of the members that are looked at, each with anything in it.
fn object(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::collection::vec((proptest::sample::select(names), anything()), 0..6).prop_map(|pairs| {
        let mut object = Map::new();
        for (name, value) in pairs {
            // One step down, where the names say so.
            match name.split_once('.') {
                Some((outer, inner)) => {
                    let outer = object.entry(outer).or_insert_with(|| json!({}));
                    if let Some(outer) = outer.as_object_mut() {
                        outer.insert(inner.to_owned(), value);
                    }
                }
                None => drop(object.insert(name.to_owned(), value)),
            }
        }
        Value::Object(object)
    })
}

const MANIFEST: &[&str] = &[
    "title",
    "tags",
    "session_id",
    "created_at",
    "updated_at",
    "parent_session_id",
    "_resume_parent_id",
    "alias",
    "source",
    "source.tool",
    "source.tool_version",
    "source.original_session_id",
    "source.original_path",
    "model",
    "model.provider",
    "model.model_id",
    "stats",
    "stats.message_count",
    "stats.turn_count",
    "stats.tool_use_count",
    "stats.total_input_tokens",
    "stats.duration_ms",
];
const WORKSPACE: &[&str] = &["root_path", "git", "git.remote_url", "git.branch", "git.commit_sha", "files"];
const MESSAGE: &[&str] = &[
    "msg_id",
    "parent_msg_id",
    "role",
    "content",
    "timestamp",
    "model",
    "usage",
    "usage.input_tokens",
    "is_sidechain",
    "is_meta",
    "agent_id",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_manifest_is_a_fault() {
    let world = World::start().await;
    let mut runner = TestRunner::deterministic();
    let files = (object(MANIFEST), object(WORKSPACE), proptest::collection::vec(object(MESSAGE), 0..4));
    for round in 0..150 {
        let (manifest, workspace, messages) = files.new_tree(&mut runner).unwrap().current();
        let lines: Vec<String> = messages.iter().map(Value::to_string).collect();
        stored(&world, &manifest.to_string(), &workspace.to_string(), &lines.join("\n"), &format!("round {round}"))
            .await;
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hardly_json_costs_only_itself() {
    let world = World::start().await;
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let many: Vec<String> = (0..5_000).map(|n| format!("\"tag number {n}\"")).collect();
    for (name, manifest, title) in [
        (
            "half a pair",
            r#"{"title":"A fine title \ud800","tags":["\udc00"]}"#.to_owned(),
            Some("A fine title \u{fffd}"),
        ),
        (
            "no numbers",
            r#"{"title":"A fine title","stats":{"message_count":NaN,"turn_count":-Infinity,"tool_use_count":1e999}}"#
                .to_owned(),
            Some("A fine title"),
        ),
        ("deep", format!(r#"{{"title":"A fine title","metadata":{}}}"#, deep(100)), Some("A fine title")),
        ("deeper", format!(r#"{{"title":"A fine title","metadata":{}}}"#, deep(100_000)), None),
        ("many tags", format!(r#"{{"title":"A fine title","tags":[{}]}}"#, many.join(",")), Some("A fine title")),
        ("not closed", r#"{"title":"A fine title""#.to_owned(), None),
        ("a list", "[1,2]".to_owned(), None),
        ("nothing", String::new(), None),
        ("two megabytes", format!(r#"{{"title":"A fine title","x":"{}"}}"#, "y".repeat(2 << 20)), None),
    ] {
        let detail =
            stored(&world, &manifest, "{\"git\":7", "nope\n{\"role\":\"user\",\"content\":\"hi\"}\n{", name).await;
        assert_eq!(detail["title"].as_str(), title, "{name}");
        assert_eq!((detail["message_count"].as_u64(), detail["source_tool"].as_str()), (Some(0), Some("unknown")));
    }
    world.gateway.run_jobs().await;
}

/// Pushes a session, and reads it again in every way; its detail.
async fn stored(world: &World, manifest: &str, workspace: &str, messages: &str, name: &str) -> Value {
    let files = [("manifest.json", manifest), ("workspace.json", workspace), ("messages.jsonl", messages)];
    let members = files.map(|(name, text)| Member { name: name.to_owned(), bytes: text.into() });
    let path = format!("/api/v1/sessions/{ID}");
    let pushed = world.send_file("me", "PUT", &format!("{path}/sync"), &pack(&members).unwrap()).await;
    assert!(matches!(pushed.status, 200 | 201), "{name}: {} for {manifest}", pushed.text());
    for path in [&format!("{path}/sync"), &format!("{path}/messages"), "/api/v1/sessions", &path] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{name}: {path} {} for {manifest}", answer.text());
    }
    world.get(&path).await.json()
}
