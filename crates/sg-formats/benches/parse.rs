//! How fast each format is read and secrets are found, in bytes a second, on text made here.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use sg_formats::redact::Redactor;
use sg_formats::{Source, parse, specstory};

/// Turns of the session; about 2 MB in each format.
const TURNS: usize = 400;

fn prose(turn: usize) -> String {
    let line = "The harvest job reads `schedule.rs`, drops Mondays, and writes \"tokens\" to /var/log/orchard.log.\n";
    format!("Turn {turn}: fix it.\n{}", line.repeat(8))
}

fn output(turn: usize) -> String {
    let lines = (0..40)
        .map(|n| format!("{n:>6}\u{2192}    let tree_{turn} = orchard.find(\"pear\", {n})?; // keep the order\n"));
    lines.collect()
}

fn claude_code() -> String {
    let mut out = String::new();
    for turn in 0..TURNS {
        let at = format!("2026-02-03T09:{:02}:{:02}.000Z", turn / 60 % 60, turn % 60);
        let mut line = |kind: &str, step: usize, message: serde_json::Value| {
            let record = json!({"parentUuid": format!("{turn}-{step}"), "isSidechain": false, "userType": "external", "cwd": "/home/ada/orchard",
                "sessionId": "0b7e5c1e-6f0a-4d7e-9a53-1c2f4d5e6a70", "version": "2.1.4", "gitBranch": "main", "type": kind,
                "uuid": format!("{turn}-{}", step + 1), "timestamp": at, "message": message});
            out.push_str(&format!("{record}\n"));
        };
        let id = format!("t{turn}");
        line("user", 0, json!({"role": "user", "content": prose(turn)}));
        line(
            "assistant",
            1,
            json!({"role": "assistant", "id": format!("m{turn}"), "model": "claude-opus-4-6", "usage": {"input_tokens": 5, "output_tokens": 9},
            "content": [{"type": "text", "text": prose(turn)}, {"type": "tool_use", "id": id, "name": "Read", "input": {"file_path": "/a.rs"}}]}),
        );
        line(
            "user",
            2,
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": output(turn)}]}),
        );
    }
    out
}

fn codex() -> String {
    let mut out = format!(
        "{}\n",
        json!({"timestamp": "2026-02-03T10:00:00Z", "type": "session_meta", "payload": {"id": "x", "cwd": "/x"}})
    );
    for turn in 0..TURNS {
        let mut line = |payload: serde_json::Value| {
            out.push_str(&format!(
                "{}\n",
                json!({"timestamp": "2026-02-03T10:00:00Z", "type": "response_item", "payload": payload})
            ));
        };
        line(json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": prose(turn)}]}));
        line(
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": prose(turn)}]}),
        );
        line(
            json!({"type": "function_call", "name": "exec_command", "arguments": "{\"cmd\":\"cat a.rs\"}", "call_id": turn.to_string()}),
        );
        line(json!({"type": "function_call_output", "call_id": turn.to_string(), "output": output(turn)}));
    }
    out
}

fn gemini_cli() -> String {
    let messages: Vec<_> = (0..TURNS)
        .flat_map(|turn| {
            [
                json!({"id": format!("u{turn}"), "type": "user", "content": prose(turn)}),
                json!({"id": format!("g{turn}"), "type": "gemini", "content": prose(turn), "toolCalls": [{"id": "t", "name": "read_file", "args": {},
                    "status": "success", "result": [{"functionResponse": {"response": {"output": output(turn)}}}]}]}),
            ]
        })
        .collect();
    json!({"sessionId": "s", "projectHash": "p", "messages": messages}).to_string()
}

fn benches(c: &mut Criterion) {
    let claude = claude_code();
    let read = parse(&Source::file("s.jsonl", claude.as_bytes())).map(|parsed| parsed.transcripts).unwrap_or_default();
    let markdown = read.first().map(specstory::write).unwrap_or_default();
    let files =
        [("s.jsonl", claude), ("rollout-x.jsonl", codex()), ("session-x.json", gemini_cli()), ("x.md", markdown)];

    let mut group = c.benchmark_group("parse");
    for (name, text) in &files {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), text, |b, text| {
            b.iter(|| black_box(parse(&Source::file(name, text.as_bytes()))));
        });
    }
    group.finish();

    let mut group = c.benchmark_group("specstory");
    if let Some(transcript) = read.first() {
        group.throughput(Throughput::Bytes(files[3].1.len() as u64));
        group.bench_function("write", |b| b.iter(|| black_box(specstory::write(transcript))));
    }
    group.bench_function("exchanges", |b| b.iter(|| black_box(specstory::exchanges(&files[3].1))));
    group.finish();

    let mut group = c.benchmark_group("redact");
    let redactor = Redactor::new();
    let secrets = files[0].1.replace("keep the order", "password=hunter2hunter2");
    for (name, text) in [("clean", &files[0].1), ("secret-in-every-line", &secrets)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| black_box(redactor.redact(text.as_bytes()))));
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(10);
    targets = benches
}
criterion_main!(all);
