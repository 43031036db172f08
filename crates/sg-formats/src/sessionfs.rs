//! SessionFS: a folder `<id>.sfs` of `manifest.json`, `messages.jsonl` and others, or a gzip'd tar of it
//! (`contracts/sessionfs.md` 2.1 to 2.4).

mod archive;
mod facts;
mod lines;

pub use archive::{Limits, Member, pack, unpack, unpack_from};
pub use facts::{facts, normalised_remote};
pub use lines::{LineState, MessageLines, read_member};

use serde_json::{Map, Value};
use sg_domain::transcript::Skipped;
use sg_domain::{Message, Role, SessionMetadata, TokenUsage, Transcript};

use crate::claude_code::{blocks, user_role};
use crate::field::{self, push_unique, take_bool, take_name, take_object, take_string, take_time};
use crate::jsonl::{self, Records};
use crate::{Confidence, Format, FormatError, Parsed, Source, title};

/// SessionFS's folders and archives.
pub struct SessionFs;

const NAME: &str = "sessionfs";

/// First bytes of a gzip stream.
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b];

/// A file of at most this many bytes whose facts are kept in the transcript's `raw`.
const MAX_KEPT_BYTES: usize = 64 * 1024;

impl Format for SessionFs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, source: &Source<'_>) -> Confidence {
        let base = source.base_name();
        if source.bytes.starts_with(GZIP) {
            let named = [".sfs", ".tar.gz", ".tgz", ".sfs.gz"].iter().any(|end| base.ends_with(end));
            return if named { Confidence::Sure } else { Confidence::Maybe };
        }
        let head = String::from_utf8_lossy(source.bytes.get(..1 << 16).unwrap_or(source.bytes));
        let manifest =
            head.trim_start_matches('\u{feff}').trim_start().starts_with('{') && head.contains("\"sfs_version\"");
        let in_folder = source.siblings.iter().any(|(name, _)| *name == "messages.jsonl");
        match (manifest, base == "manifest.json" || source.name.contains(".sfs")) {
            (true, _) if in_folder => Confidence::Sure,
            (true, true) => Confidence::Sure,
            _ if in_folder => Confidence::Maybe,
            _ => Confidence::No,
        }
    }

    fn parse(&self, source: &Source<'_>) -> Result<Parsed, FormatError> {
        let name = folder_name(source.name);
        if source.bytes.starts_with(GZIP) {
            return read_members(source.name, &unpack(source.bytes, &Limits::default())?);
        }
        let file = |wanted: &str| match wanted {
            "manifest.json" => Some(source.bytes),
            _ => source.siblings.iter().find(|(name, _)| *name == wanted).map(|(_, bytes)| *bytes),
        };
        read(name, file)
    }
}

/// Reads an archive that is unpacked already; `name` is that of the archive.
pub fn read_members(name: &str, members: &[Member]) -> Result<Parsed, FormatError> {
    let file = |wanted: &str| members.iter().find(|m| m.base_name() == wanted).map(|m| m.bytes.as_slice());
    read(folder_name(name), file)
}

/// The conversation of an archive that holds none.
pub fn empty(name: &str) -> Transcript {
    transcript(folder_name(name), Map::new(), Map::new(), Map::new(), Vec::new())
}

/// Reads a session's files, found by name.
fn read<'a>(name: &str, file: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Parsed, FormatError> {
    let mut skipped = Vec::new();
    let mut facts = |wanted: &str| -> Map<String, Value> {
        let Some(bytes) = file(wanted) else { return Map::new() };
        jsonl::object(bytes, &mut skipped).unwrap_or_else(|reason| {
            skipped.push(Skipped { line: 0, reason: format!("{wanted}: {reason}") });
            Map::new()
        })
    };
    let manifest = facts("manifest.json");
    let workspace = facts("workspace.json");
    let tools = facts("tools.json");
    let mut messages = Vec::new();
    if let Some(bytes) = file("messages.jsonl") {
        messages.extend(Records::new(bytes, &mut skipped).map(|(_, record)| message(record)));
    } else if manifest.is_empty() {
        return Err(FormatError::Empty { format: NAME, reason: "neither manifest.json nor messages.jsonl".to_owned() });
    }
    let size = |wanted: &str| file(wanted).map_or(0, <[u8]>::len);
    let mut kept = Map::new();
    for (wanted, facts) in [("workspace", workspace.clone()), ("tools", tools)] {
        if !facts.is_empty() && size(&format!("{wanted}.json")) <= MAX_KEPT_BYTES {
            kept.insert(wanted.to_owned(), Value::Object(facts));
        }
    }
    Ok(Parsed { transcripts: vec![transcript(name, manifest, workspace, kept, messages)], skipped })
}

fn transcript(
    name: &str,
    mut manifest: Map<String, Value>,
    mut workspace: Map<String, Value>,
    mut raw: Map<String, Value>,
    messages: Vec<Message>,
) -> Transcript {
    let mut metadata = SessionMetadata::default();
    let mut source = take_object(&mut manifest, "source").unwrap_or_default();
    metadata.agent_name = take_name(&mut source, "tool").map(|tool| display_name(&tool));
    metadata.agent_version = take_name(&mut source, "tool_version");
    let model = manifest.get("model").and_then(|model| model.get("model_id")?.as_str());
    for model in model.into_iter().chain(messages.iter().filter_map(|m| m.model.as_deref())).filter_map(known_model) {
        push_unique(&mut metadata.llm_models, model);
    }
    metadata.tags = tags(&mut manifest);
    let mut git = take_object(&mut workspace, "git").unwrap_or_default();
    if let Some(branch) = take_name(&mut git, "branch").filter(|branch| branch != "HEAD") {
        push_unique(&mut metadata.git_branches, &branch);
    }
    metadata.git_remote = take_string(&mut git, "remote_url").and_then(|url| field::remote_without_credentials(&url));
    let folder = take_string(&mut workspace, "root_path").or_else(|| take_string(&mut source, "original_path"));
    metadata.folder = folder.filter(|folder| !folder.is_empty());
    let given = take_string(&mut manifest, "title");
    metadata.title = given.as_deref().and_then(title::usable);
    let id = take_name(&mut manifest, "session_id").and_then(|id| field::client_id(&id));
    let client_id = id
        .or_else(|| field::client_id(name))
        .unwrap_or_else(|| field::derived_id(&[NAME, &title::choose(given.as_deref(), &messages)]));
    let parent =
        take_name(&mut manifest, "parent_session_id").or_else(|| take_name(&mut manifest, "_resume_parent_id"));
    let created = take_time(&mut manifest, "created_at");
    let updated = take_time(&mut manifest, "updated_at");
    let times = || messages.iter().filter_map(|m| m.at);
    if !source.is_empty() {
        manifest.insert("source".to_owned(), Value::Object(source));
    }
    raw.append(&mut manifest);
    Transcript {
        client_id,
        format: NAME,
        name: title::choose(given.as_deref(), &messages),
        parent_client_id: parent.and_then(|id| field::client_id(&id)),
        agent_id: None,
        metadata,
        started_at: times().min().or(created),
        ended_at: times().max().or(updated).or(created),
        messages,
        markdown: None,
        session_data: None,
        raw,
    }
}

fn message(mut record: Map<String, Value>) -> Message {
    let source_id = take_name(&mut record, "msg_id").or_else(|| take_name(&mut record, "id"));
    let parent_source_id = take_name(&mut record, "parent_msg_id");
    let blocks = blocks(record.remove("content").unwrap_or_default());
    let is_meta = record.get("is_meta").and_then(Value::as_bool).unwrap_or_default();
    let role = match take_string(&mut record, "role").unwrap_or_default().as_str() {
        "user" | "human" if is_meta => Role::System,
        "user" | "human" => user_role(&blocks),
        "assistant" | "model" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::System,
    };
    let model = take_name(&mut record, "model").filter(|model| known_model(model).is_some());
    let usage = take_object(&mut record, "usage").map(|mut usage| {
        let mut take = |key| field::take_count(&mut usage, key).unwrap_or_default();
        TokenUsage {
            input: take("input_tokens"),
            output: take("output_tokens"),
            cache_read: take("cache_read_tokens"),
            cache_write: take("cache_write_tokens"),
            reasoning: take("reasoning_tokens"),
        }
    });
    let at = take_time(&mut record, "timestamp");
    let is_sidechain = take_bool(&mut record, "is_sidechain").unwrap_or_default();
    let agent_id = take_name(&mut record, "agent_id");
    field::drop_empty(&mut record);
    if !is_meta {
        record.remove("is_meta");
    }
    Message { source_id, parent_source_id, role, blocks, model, usage, at, is_sidechain, agent_id, raw: record }
}

/// Tags, where they are a list of texts: anything else is nobody's tag (`contracts/sessionfs.md` 5.3, 18).
fn tags(manifest: &mut Map<String, Value>) -> Option<Vec<String>> {
    let list = manifest.get("tags")?.as_array()?;
    let tags: Vec<String> = list.iter().filter_map(|tag| tag.as_str().and_then(field::name)).take(100).collect();
    manifest.remove("tags");
    (!tags.is_empty()).then_some(tags)
}

fn known_model(model: &str) -> Option<&str> {
    (!matches!(model, "" | "synthetic" | "<synthetic>")).then_some(model)
}

/// A tool's name as people write it; others keep theirs.
fn display_name(tool: &str) -> String {
    let known = match tool {
        "claude-code" => "Claude Code",
        "codex" | "codex-cli" => "Codex CLI",
        "gemini" | "gemini-cli" => "Gemini CLI",
        "cursor" | "cursor-cli" => "Cursor CLI",
        "copilot" | "copilot-cli" => "Copilot CLI",
        "cline" => "Cline",
        "roo-code" => "Roo Code",
        "amp" => "Amp",
        other => other,
    };
    known.to_owned()
}

/// `ses_…` in `…/ses_….sfs/manifest.json`, `…/ses_…/session.sfs` and `ses_….tar.gz`.
fn folder_name(path: &str) -> &str {
    let mut parts = path.rsplit(['/', '\\']);
    let mut base = parts.next().unwrap_or_default();
    while matches!(base, "manifest.json" | "session.sfs" | "session.tar.gz") {
        let Some(above) = parts.next() else { break };
        base = above;
    }
    base.split_once('.').map_or(base, |(stem, _)| stem)
}
