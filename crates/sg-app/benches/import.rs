//! Importing: 32 Claude Code files of about 250 KB through redaction, parsing, store and index, until they can be found.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sg_app::import::{ImportFile, ImportOptions, Workspace};
use sg_app::{App, Parts, RandomIds, SystemClock};
use sg_domain::{Caller, Timestamp, UserId};
use sg_search::{TantivyConfig, TantivyIndex};
use sg_store::{Store, StoreConfig};

const FILES: usize = 32;
const TURNS: usize = 120;
const WORDS: [&str; 24] = [
    "the",
    "index",
    "writer",
    "commits",
    "parse_config",
    "src/store/session.rs",
    "because",
    "lock",
    "timeout",
    "retry",
    "migration",
    "returns",
    "HttpClient",
    "error",
    "E0308",
    "when",
    "cursor",
    "page",
    "after",
    "blob",
    "digest",
    "test",
    "fails",
    "branch",
];

/// A file as Claude Code writes it: prompts, answers with tools, tool results.
fn file(n: usize) -> ImportFile {
    let mut seed = n as u64 + 1;
    let mut prose = |words: usize| {
        let mut text = String::new();
        for _ in 0..words {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let _ = write!(text, "{} ", WORDS[(seed >> 33) as usize % WORDS.len()]);
        }
        text
    };
    let mut lines = String::new();
    for turn in 0..TURNS {
        let at = format!("2026-10-{:02}T10:{:02}:{:02}.000Z", 1 + n % 28, turn / 60, turn % 60);
        let common = format!(
            r#""sessionId":"bench-{n}","cwd":"/home/ada/project-{}","gitBranch":"main","version":"2.1.0","timestamp":"{at}""#,
            n % 4
        );
        let (ask, say, out) = (prose(40), prose(90), prose(130));
        let _ = writeln!(
            lines,
            r#"{{"type":"user","uuid":"u{turn}","parentUuid":null,{common},"message":{{"role":"user","content":"{ask}"}}}}"#
        );
        let _ = writeln!(
            lines,
            r#"{{"type":"assistant","uuid":"a{turn}","parentUuid":"u{turn}",{common},"message":{{"id":"m{turn}","role":"assistant","model":"claude-opus-4-6","content":[{{"type":"text","text":"{say}"}},{{"type":"tool_use","id":"t{turn}","name":"Bash","input":{{"command":"cargo test {turn}"}}}}],"usage":{{"input_tokens":900,"output_tokens":120}}}}}}"#
        );
        let _ = writeln!(
            lines,
            r#"{{"type":"user","uuid":"r{turn}","parentUuid":"a{turn}",{common},"message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{turn}","content":"{out}"}}]}}}}"#
        );
    }
    ImportFile {
        path: format!("/home/ada/.claude/projects/-home-ada-project/bench-{n}.jsonl"),
        bytes: Bytes::from(lines),
        siblings: Vec::new(),
        modified_at: Timestamp::from_secs(1_790_000_000),
        folder: "/home/ada/project".to_owned(),
    }
}

async fn app(dir: &std::path::Path) -> (App, Caller) {
    let store = Store::open(&StoreConfig {
        database_url: format!("sqlite://{}/sessiongraph.db", dir.display()),
        blob_url: format!("file://{}/blobs", dir.display()),
        blob_options: Vec::new(),
        max_connections: 4,
    })
    .await
    .unwrap();
    let search = Arc::new(TantivyIndex::open(TantivyConfig::new(dir.join("index"))).unwrap());
    let app = App::new(Parts::new(store, search, Arc::new(SystemClock), Arc::new(RandomIds)));
    let user = app.create_user(&Caller::local(UserId("operator".to_owned())), "bench@example.com").await.unwrap();
    (app, Caller::local(user.id))
}

fn import(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let files: Vec<_> = (0..FILES).map(file).collect();
    let bytes: usize = files.iter().map(|f| f.bytes.len()).sum();
    let mut group = c.benchmark_group("import");
    group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("claude_code_until_found", |b| {
        b.iter_batched(
            || {
                let dir = tempfile::tempdir().unwrap();
                let (app, caller) = runtime.block_on(app(dir.path()));
                (dir, app, caller, files.clone())
            },
            |(dir, app, caller, files)| {
                runtime.block_on(async {
                    let options = ImportOptions { redact: true, dry_run: false };
                    let importer = app.importer(&caller, options, None).await.unwrap();
                    for file in files {
                        let read = importer.read(file);
                        assert_eq!(importer.store(read, |_| Workspace::default()).await.unwrap().sessions.len(), 1);
                    }
                    while app.run_jobs().await.unwrap().done > 0 {}
                });
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, import);
criterion_main!(benches);
