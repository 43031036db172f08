//! Each folder `fixtures/formats/<format>/<case>/` is a source (`input.*`, its siblings, and in `name` the path it
//! pretends to have) and what is read out of it (`expected.json`). `UPDATE_FIXTURES=1` writes what is read now.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sg_formats::{Parsed, Source};

/// A case's files.
struct Case {
    folder: PathBuf,
    format: String,
    name: String,
    input: Vec<u8>,
    siblings: Vec<(String, Vec<u8>)>,
}

impl Case {
    fn read(folder: PathBuf, format: &str) -> Self {
        let mut case =
            Self { format: format.to_owned(), name: String::new(), input: Vec::new(), siblings: Vec::new(), folder };
        let mut pretended = None;
        for entry in fs::read_dir(&case.folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            match name.as_str() {
                "expected.json" => {}
                "name" => pretended = Some(String::from_utf8(bytes).unwrap().trim().to_owned()),
                _ if name.starts_with("input.") => (case.name, case.input) = (name, bytes),
                _ => case.siblings.push((name, bytes)),
            }
        }
        assert!(!case.name.is_empty(), "{} has no input", case.folder.display());
        case.name = pretended.unwrap_or(case.name);
        case.siblings.sort();
        case
    }

    fn parse(&self) -> Result<Parsed, sg_formats::FormatError> {
        let siblings: Vec<_> = self.siblings.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        sg_formats::parse(&Source { name: &self.name, bytes: &self.input, siblings: &siblings })
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let folders = |path: &Path| {
        let mut found: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.is_dir());
        found.sort();
        found
    };
    let mut all = Vec::new();
    for format in folders(&root) {
        let name = format.file_name().unwrap().to_str().unwrap().to_owned();
        all.extend(folders(&format).into_iter().map(|folder| Case::read(folder, &name)));
    }
    all
}

fn shown(parsed: &Result<Parsed, sg_formats::FormatError>) -> Value {
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let transcripts: Vec<Value> = parsed
        .transcripts
        .iter()
        .map(|t| {
            let exchanges = t.markdown.as_deref().map(|markdown| {
                let all = sg_formats::specstory::exchanges(markdown);
                all.iter().map(|x| json!([x.start, x.end, x.started_at, x.ended_at])).collect::<Vec<_>>()
            });
            json!({
                "client_id": t.client_id, "format": t.format, "name": t.name, "parent_client_id": t.parent_client_id,
                "agent_id": t.agent_id, "metadata": t.metadata, "messages": t.messages, "usage": t.usage(),
                "started_at": t.started_at, "ended_at": t.ended_at, "raw": t.raw, "exchanges": exchanges,
            })
        })
        .collect();
    let skipped: Vec<Value> = parsed.skipped.iter().map(|s| json!([s.line, s.reason])).collect();
    json!({ "transcripts": transcripts, "skipped": skipped })
}

fn is_updating() -> bool {
    // The configuration is the server's; this one is a switch of the test itself.
    #[allow(clippy::disallowed_methods)]
    let set = std::env::var("UPDATE_FIXTURES");
    set.is_ok_and(|value| value == "1")
}

#[test]
fn fixtures_are_read_as_expected() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found = shown(&case.parse());
        let path = case.folder.join("expected.json");
        if is_updating() {
            fs::write(&path, format!("{:#}\n", found)).unwrap();
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let expected: Value = serde_json::from_str(&text).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\nfound {found:#}", case.folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{} differ; UPDATE_FIXTURES=1 rewrites them\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_format_has_its_fixtures_and_knows_its_own_files() {
    let cases = cases();
    for format in sg_formats::FORMATS {
        assert!(cases.iter().filter(|case| case.format == format.name()).count() >= 4, "{}", format.name());
    }
    for case in &cases {
        for transcript in case.parse().map(|parsed| parsed.transcripts).unwrap_or_default() {
            assert_eq!(transcript.format, case.format, "{}", case.folder.display());
        }
    }
}

#[test]
fn what_is_read_can_be_written_as_markdown_and_loses_no_text() {
    for case in cases() {
        for transcript in case.parse().map(|parsed| parsed.transcripts).unwrap_or_default() {
            let back = sg_formats::specstory::read("x", &sg_formats::specstory::write(&transcript));
            let said = |messages: &[sg_domain::Message]| {
                let mut words: Vec<String> = Vec::new();
                for block in messages.iter().flat_map(|m| &m.blocks) {
                    let text = match block {
                        sg_domain::ContentBlock::Text { text } | sg_domain::ContentBlock::Thinking { text } => text,
                        sg_domain::ContentBlock::ToolResult { output, .. } => output,
                        sg_domain::ContentBlock::ToolUse { name, .. } => name,
                        _ => continue,
                    };
                    words.extend(text.split_whitespace().map(str::to_owned));
                }
                words.sort();
                words
            };
            let (before, after) = (said(&transcript.messages), said(&back.messages));
            let lost: Vec<_> = before.iter().filter(|word| after.binary_search(word).is_err()).collect();
            assert!(lost.is_empty(), "{} lost {lost:?}", case.folder.display());
            assert_eq!(back.client_id, transcript.client_id);
        }
    }
}

#[test]
fn an_archive_is_read_as_its_folder_is() {
    for case in cases().into_iter().filter(|case| case.format == "sessionfs" && !case.siblings.is_empty()) {
        let manifest = ("manifest.json".to_owned(), case.input.clone());
        let files = std::iter::once(manifest).chain(case.siblings.clone());
        let members: Vec<_> =
            files.map(|(name, bytes)| sg_formats::sessionfs::Member { name: format!("x.sfs/{name}"), bytes }).collect();
        let archive = sg_formats::sessionfs::pack(&members).unwrap();
        let name = format!("{}.tar.gz", case.name.split(".sfs").next().unwrap());
        assert_eq!(
            shown(&sg_formats::parse(&Source::file(&name, &archive))),
            shown(&case.parse()),
            "{}",
            case.folder.display()
        );
    }
}
