//! Claude Code: one JSON object a line, below `~/.claude/projects/`. A session's subagents have files of their own
//! (`agent-<id>.jsonl`) in newer versions and side conversations inside the session's file in older ones.

mod content;

pub(crate) use content::{blocks, output_text, picture_at, user_role};

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use sg_domain::{Message, Role, SessionMetadata, Timestamp, TokenUsage, Transcript};

use crate::field::{self, push_unique, take_bool, take_name, take_object, take_string, take_time};
use crate::jsonl::{self, Records};
use crate::{Confidence, Format, FormatError, Parsed, Source, title};

/// Claude Code's session files.
pub struct ClaudeCode;

/// What `model` says of messages that no model wrote.
const SYNTHETIC: &str = "<synthetic>";

/// Records of other kinds are kept in the transcript's `raw`, up to this many.
const MAX_KEPT_RECORDS: usize = 200;

/// Strings longer than this are left out of kept records and of a tool's own copy of its result.
const MAX_KEPT_BYTES: usize = 1024;

/// Kinds of record that only serve the agent itself (undo, progress bars, its prompt queue): counted, not kept.
const MACHINERY: &[&str] =
    &["file-history-snapshot", "progress", "queue-operation", "last-prompt", "permission-mode", "mode"];

/// Members that every record repeats. The first value goes to the transcript; a record keeps its own only where it
/// changes.
const AMBIENT: &[&str] = &["cwd", "gitBranch", "version", "userType", "entrypoint", "slug", "sessionId"];

impl Format for ClaudeCode {
    fn name(&self) -> &'static str {
        "claude-code"
    }

    fn sniff(&self, source: &Source<'_>) -> Confidence {
        let mut confidence = Confidence::No;
        for record in jsonl::probe(source.bytes) {
            let has = |key: &str| record.contains_key(key);
            if has("payload") || has("projectHash") || has("$set") || has("msg_id") {
                return Confidence::No;
            }
            if has("parentUuid") || has("leafUuid") || (has("sessionId") && has("type")) {
                return Confidence::Sure;
            }
            let spoken = jsonl::is(&record, "type", "user") || jsonl::is(&record, "type", "assistant");
            if spoken && has("message") && has("timestamp") {
                return Confidence::Sure;
            }
            if (spoken && has("message")) || jsonl::is(&record, "type", "file-history-snapshot") {
                confidence = Confidence::Maybe;
            }
        }
        confidence
    }

    fn parse(&self, source: &Source<'_>) -> Result<Parsed, FormatError> {
        let mut skipped = Vec::new();
        let mut reader = Reader::default();
        for (_, record) in Records::new(source.bytes, &mut skipped) {
            reader.record(record);
        }
        if reader.messages.is_empty() && reader.titles.is_empty() {
            let reason = match skipped.first() {
                Some(first) => format!("no message; line {}: {}", first.line, first.reason),
                None => "no message".to_owned(),
            };
            return Err(FormatError::Empty { format: "claude-code", reason });
        }
        Ok(Parsed { transcripts: vec![reader.finish(source)], skipped })
    }
}

/// What has been read of one file.
#[derive(Default)]
struct Reader {
    messages: Vec<Message>,
    metadata: SessionMetadata,
    /// Session ids in order of first appearance.
    sessions: Vec<String>,
    agents: Vec<String>,
    /// The last value of each member in [`AMBIENT`].
    ambient: HashMap<&'static str, Value>,
    raw: Map<String, Value>,
    kept: Vec<Value>,
    counts: Map<String, Value>,
    titles: Titles,
    /// Record ids seen, with the time written in them: a record that a resumed session copied counts once.
    seen: HashMap<String, Option<Timestamp>>,
    /// The message that now carries the usage of an answer.
    usage_of: HashMap<(String, String), usize>,
    all_side: bool,
    any: bool,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

/// Titles by who gave them.
#[derive(Default)]
struct Titles {
    custom: Option<String>,
    ai: Option<String>,
    /// Summaries with the record they summarise; those of other sessions are listed too.
    summaries: Vec<(String, Option<String>)>,
}

impl Titles {
    fn is_empty(&self) -> bool {
        self.custom.is_none() && self.ai.is_none() && self.summaries.is_empty()
    }
}

impl Reader {
    fn record(&mut self, mut record: Map<String, Value>) {
        let kind = take_string(&mut record, "type").unwrap_or_default();
        if let Some(session) = record.get("sessionId").and_then(Value::as_str).and_then(field::client_id) {
            note(&mut self.sessions, session);
        }
        match kind.as_str() {
            "user" | "assistant" | "system" => self.message(&kind, record),
            "attachment" if content::queued_prompt(&record).is_some() => self.message(&kind, record),
            "summary" => {
                let leaf = take_string(&mut record, "leafUuid");
                if let Some(summary) = take_string(&mut record, "summary") {
                    self.titles.summaries.push((summary, leaf));
                }
            }
            "ai-title" => self.titles.ai = take_string(&mut record, "aiTitle").or(self.titles.ai.take()),
            "custom-title" => {
                self.titles.custom = take_string(&mut record, "customTitle").or(self.titles.custom.take())
            }
            _ => self.other(kind, record),
        }
    }

    /// Counts a record that says nothing in the conversation, and keeps it if it may say something about it.
    fn other(&mut self, kind: String, mut record: Map<String, Value>) {
        let count = self.counts.get(&kind).and_then(Value::as_u64).unwrap_or_default();
        self.counts.insert(kind.clone(), Value::from(count + 1));
        if MACHINERY.contains(&kind.as_str()) || self.kept.len() >= MAX_KEPT_RECORDS {
            return;
        }
        record.remove("sessionId");
        record.insert("type".to_owned(), Value::String(kind));
        let mut record = Value::Object(record);
        field::shed(&mut record, MAX_KEPT_BYTES);
        self.kept.push(record);
    }

    fn message(&mut self, kind: &str, mut record: Map<String, Value>) {
        let at = take_time(&mut record, "timestamp");
        let source_id = take_name(&mut record, "uuid");
        if let Some(id) = &source_id {
            match self.seen.get(id) {
                Some(have) if *have == at => return,
                _ => _ = self.seen.insert(id.clone(), at),
            }
        }
        let is_sidechain = take_bool(&mut record, "isSidechain").unwrap_or_default();
        self.all_side = is_sidechain && (self.all_side || !self.any);
        self.any = true;
        let agent_id = take_name(&mut record, "agentId");
        if let Some(agent) = &agent_id {
            note(&mut self.agents, agent.clone());
        }
        self.ambient(&mut record);
        let request = take_string(&mut record, "requestId");
        let is_meta = take_bool(&mut record, "isMeta").unwrap_or_default();
        let is_summary = take_bool(&mut record, "isCompactSummary").unwrap_or_default();
        let parent_source_id =
            take_name(&mut record, "parentUuid").or_else(|| take_name(&mut record, "logicalParentUuid"));

        let mut inner = take_object(&mut record, "message").unwrap_or_default();
        let blocks = match kind {
            "attachment" => content::blocks(content::take_queued_prompt(&mut record).unwrap_or_default()),
            "system" => content::blocks(record.remove("content").unwrap_or_default()),
            // A message that is only a text has no place for anything else.
            _ => match take_string(&mut record, "message") {
                Some(text) => content::blocks(Value::String(text)),
                None => content::blocks(inner.remove("content").unwrap_or_default()),
            },
        };
        let role = match kind {
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ if is_meta || is_summary => Role::System,
            _ => content::user_role(&blocks),
        };
        let model = take_name(&mut inner, "model").filter(|model| model != SYNTHETIC);
        if let Some(model) = &model {
            push_unique(&mut self.metadata.llm_models, model);
        }
        let usage = take_object(&mut inner, "usage").and_then(|mut usage| {
            let counted = take_usage(&mut usage);
            field::drop_empty(&mut usage);
            if !usage.is_empty() {
                inner.insert("usage".to_owned(), Value::Object(usage));
            }
            counted
        });
        let answer = take_string(&mut inner, "id");
        self.count_once(usage.is_some(), answer.as_deref(), request.as_deref());

        if let Some(result) = record.get_mut("toolUseResult") {
            field::shed(result, MAX_KEPT_BYTES);
        }
        for key in ["type", "role"] {
            inner.remove(key);
        }
        field::drop_empty(&mut inner);
        if let Some(id) = answer {
            inner.insert("id".to_owned(), Value::String(id));
        }
        if !inner.is_empty() {
            record.insert("message".to_owned(), Value::Object(inner));
        }
        for (key, set) in [("isMeta", is_meta), ("isCompactSummary", is_summary)] {
            if set {
                record.insert(key.to_owned(), Value::Bool(true));
            }
        }
        if let Some(request) = request {
            record.insert("requestId".to_owned(), Value::String(request));
        }
        field::drop_empty(&mut record);
        self.started_at = self.started_at.into_iter().chain(at).min();
        self.ended_at = self.ended_at.into_iter().chain(at).max();
        self.messages.push(Message {
            source_id,
            parent_source_id,
            role,
            blocks,
            model,
            usage,
            at,
            is_sidechain,
            agent_id,
            raw: record,
        });
    }

    /// An answer written as several lines repeats its usage, complete only on the last: that one keeps it.
    fn count_once(&mut self, counted: bool, answer: Option<&str>, request: Option<&str>) {
        if let (true, Some(answer)) = (counted, answer) {
            let key = (answer.to_owned(), request.unwrap_or_default().to_owned());
            if let Some(earlier) = self.usage_of.insert(key, self.messages.len())
                && let Some(message) = self.messages.get_mut(earlier)
            {
                message.usage = None;
            }
        }
    }

    /// Notes folder, branch and version, and leaves in the record only what has changed since the one before.
    fn ambient(&mut self, record: &mut Map<String, Value>) {
        if let Some(branch) = record.get("gitBranch").and_then(Value::as_str).and_then(field::name)
            && branch != "HEAD"
        {
            push_unique(&mut self.metadata.git_branches, &branch);
        }
        if let Some(version) = record.get("version").and_then(Value::as_str).and_then(field::name) {
            self.metadata.agent_version = Some(version);
        }
        if self.metadata.folder.is_none() {
            self.metadata.folder =
                record.get("cwd").and_then(Value::as_str).filter(|cwd| !cwd.is_empty()).map(str::to_owned);
        }
        for key in AMBIENT {
            let Some(value) = record.get(*key) else { continue };
            match self.ambient.get(key) {
                None => {
                    if matches!(*key, "userType" | "entrypoint" | "slug") {
                        self.raw.insert((*key).to_owned(), value.clone());
                    }
                    self.ambient.insert(key, value.clone());
                    record.remove(*key);
                }
                Some(have) if have == value => _ = record.remove(*key),
                Some(_) => _ = self.ambient.insert(key, value.clone()),
            }
        }
    }

    fn finish(mut self, source: &Source<'_>) -> Transcript {
        let Identity { client_id, parent_client_id, agent_id } = self.identity(source);
        if agent_id.is_some() {
            // In its own file a subagent's conversation is the main one.
            self.messages.iter_mut().for_each(|message| message.is_sidechain = false);
        }
        let own: HashSet<&str> = self.messages.iter().filter_map(|m| m.source_id.as_deref()).collect();
        let mut summary = None;
        let mut elsewhere = Vec::new();
        for (text, leaf) in std::mem::take(&mut self.titles.summaries) {
            match leaf {
                // A file without messages is nothing but its summaries.
                Some(leaf) if !own.contains(leaf.as_str()) && !self.messages.is_empty() => {
                    elsewhere.push(Value::from(text))
                }
                _ => summary = Some(text),
            }
        }
        let given = self.titles.custom.take().or(self.titles.ai.take()).or(summary);
        let given = given.or_else(|| sibling_description(source, agent_id.as_deref()));
        let mut raw = self.raw;
        for (key, list) in [("otherSummaries", elsewhere), ("records", self.kept)] {
            if !list.is_empty() {
                raw.insert(key.to_owned(), Value::Array(list));
            }
        }
        if !self.counts.is_empty() {
            raw.insert("recordCounts".to_owned(), Value::Object(self.counts));
        }
        let others: Vec<_> =
            self.sessions.into_iter().filter(|id| *id != client_id && Some(id) != parent_client_id.as_ref()).collect();
        if !others.is_empty() {
            raw.insert("copiedFromSessions".to_owned(), Value::from(others));
        }
        self.metadata.agent_name = Some("Claude Code".to_owned());
        self.metadata.title = given.as_deref().and_then(title::usable);
        Transcript {
            client_id,
            format: "claude-code",
            name: title::choose(given.as_deref(), &self.messages),
            parent_client_id,
            agent_id,
            metadata: self.metadata,
            messages: self.messages,
            markdown: None,
            session_data: None,
            started_at: self.started_at,
            ended_at: self.ended_at,
            raw,
        }
    }

    /// Whose file it is. A session that was resumed or forked begins with lines of the earlier one, under the earlier
    /// one's id in some versions, so the file's name decides.
    fn identity(&self, source: &Source<'_>) -> Identity {
        let stem = source.stem();
        let last = || self.sessions.last().cloned();
        if let Some(agent) = stem.strip_prefix("agent-").and_then(field::client_id) {
            let folder = session_folder(source.name);
            if let Some(parent) = folder.or_else(last).or_else(|| self.sessions.first().cloned()) {
                let client_id = format!("{}-agent-{agent}", &parent[..parent.floor_char_boundary(180)]);
                let client_id = field::client_id(&client_id).unwrap_or(client_id);
                return Identity { client_id, parent_client_id: Some(parent), agent_id: Some(agent) };
            }
        }
        let own = field::is_uuid(stem) || self.sessions.iter().any(|id| id == stem);
        let client_id = own.then(|| stem.to_owned()).or_else(last).or_else(|| field::client_id(stem));
        let client_id = client_id.unwrap_or_else(|| {
            let first = self.messages.iter().find_map(|m| m.source_id.as_deref()).unwrap_or_default();
            field::derived_id(&["claude-code", first])
        });
        // A subagent's file under another name: everything in it is a side conversation of one agent.
        let agent_id = (self.all_side && self.agents.len() == 1).then(|| self.agents[0].clone());
        match agent_id {
            Some(agent) if !own => {
                let parent = client_id;
                let client_id = format!("{}-agent-{agent}", &parent[..parent.floor_char_boundary(180)]);
                Identity { client_id, parent_client_id: Some(parent), agent_id: Some(agent) }
            }
            _ => Identity { client_id, parent_client_id: None, agent_id: None },
        }
    }
}

/// Adds an id that is new. A file of more than a few sessions or agents is nobody's: the list stays short.
fn note(list: &mut Vec<String>, id: String) {
    const MAX_IDS: usize = 64;
    if list.last() != Some(&id) && list.len() < MAX_IDS && !list.contains(&id) {
        list.push(id);
    }
}

struct Identity {
    client_id: String,
    parent_client_id: Option<String>,
    agent_id: Option<String>,
}

/// The session's folder in `<session>/subagents/…/agent-<id>.jsonl`.
fn session_folder(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let at = parts.iter().rposition(|part| *part == "subagents")?;
    at.checked_sub(1).and_then(|at| field::client_id(parts[at]))
}

/// The task a subagent was given, from the `.meta.json` beside its file.
fn sibling_description(source: &Source<'_>, agent_id: Option<&str>) -> Option<String> {
    let wanted = format!("agent-{}.meta.json", agent_id?);
    let (_, bytes) = source.siblings.iter().find(|(name, _)| *name == wanted)?;
    let mut meta = jsonl::object(bytes, &mut Vec::new()).ok()?;
    take_string(&mut meta, "description").or_else(|| take_string(&mut meta, "agentType"))
}

/// Takes the counts the domain knows; the rest (service tier, server tools) stays.
fn take_usage(usage: &mut Map<String, Value>) -> Option<TokenUsage> {
    let mut take = |key| field::take_count(usage, key);
    let (input, output) = (take("input_tokens"), take("output_tokens"));
    let (read, write) = (take("cache_read_input_tokens"), take("cache_creation_input_tokens"));
    [input, output, read, write].iter().any(Option::is_some).then(|| TokenUsage {
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        cache_read: read.unwrap_or_default(),
        cache_write: write.unwrap_or_default(),
        reasoning: 0,
    })
}
