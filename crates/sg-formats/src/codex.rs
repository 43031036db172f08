//! Codex CLI: rollouts below `~/.codex/sessions/`. Newer ones wrap each record as `{timestamp, type, payload}`; older
//! ones begin with a bare line about the session and have the items themselves on the lines; the oldest are one
//! object `{session, items}`.

mod item;

use serde_json::{Map, Value};
use sg_domain::transcript::Skipped;
use sg_domain::{ContentBlock, Message, Role, SessionMetadata, Timestamp, TokenUsage, Transcript};

use crate::field::{self, push_unique, take_name, take_object, take_string, take_time};
use crate::jsonl::{self, Records};
use crate::{Confidence, Format, FormatError, Parsed, Source, title};

/// Codex CLI's rollouts.
pub struct Codex;

const NAME: &str = "codex";

/// Records of other kinds are kept in the transcript's `raw`, up to this many.
const MAX_KEPT_RECORDS: usize = 200;

/// Strings longer than this are left out of kept records.
const MAX_KEPT_BYTES: usize = 1024;

/// Events that repeat what response items say, or only drive the screen: counted, not kept.
const MACHINERY: &[&str] = &[
    "agent_message_delta",
    "agent_reasoning_delta",
    "agent_reasoning_section_break",
    "exec_command_begin",
    "exec_command_end",
    "exec_command_output_delta",
    "ghost_snapshot",
    "item_completed",
    "item_started",
    "mcp_tool_call_begin",
    "mcp_tool_call_end",
    "patch_apply_begin",
    "patch_apply_end",
    "raw_response_item",
    "session_configured",
    "task_complete",
    "task_started",
    "token_count",
    "turn_diff",
    "web_search_begin",
    "web_search_end",
    "world_state",
];

impl Format for Codex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, source: &Source<'_>) -> Confidence {
        let records = jsonl::probe(source.bytes);
        for record in &records {
            let is = |value| jsonl::is(record, "type", value);
            let wrapped = is("session_meta") || is("response_item") || is("event_msg") || is("turn_context");
            if record.contains_key("payload") && wrapped {
                return Confidence::Sure;
            }
            let object = |key: &str| record.get(key).is_some_and(|raw| raw.get().starts_with('{'));
            if object("session") && record.contains_key("items") {
                return Confidence::Sure;
            }
        }
        let Some(first) = records.first() else {
            let head = String::from_utf8_lossy(source.bytes.get(..4096).unwrap_or(source.bytes));
            let old = head.contains("\"session\"") && source.base_name().starts_with("rollout-");
            return if old { Confidence::Sure } else { Confidence::No };
        };
        let bare = first.contains_key("id") && first.contains_key("timestamp") && !first.contains_key("type");
        let named = source.base_name().starts_with("rollout-");
        match (bare && (first.contains_key("instructions") || first.contains_key("git")), named) {
            (true, _) => Confidence::Sure,
            (false, true) => Confidence::Maybe,
            (false, false) if bare && records.iter().skip(1).any(|r| r.contains_key("record_type")) => Confidence::Sure,
            (false, false) => Confidence::No,
        }
    }

    fn parse(&self, source: &Source<'_>) -> Result<Parsed, FormatError> {
        let mut skipped = Vec::new();
        let mut reader = Reader::default();
        if !reader.whole(source.bytes, &mut skipped) {
            for (_, record) in Records::new(source.bytes, &mut skipped) {
                reader.record(record);
            }
        }
        if reader.messages.is_empty() && reader.events.is_empty() && !reader.has_meta {
            let reason = match skipped.first() {
                Some(first) => format!("no message; line {}: {}", first.line, first.reason),
                None => "no message".to_owned(),
            };
            return Err(FormatError::Empty { format: NAME, reason });
        }
        Ok(Parsed { transcripts: vec![reader.finish(source)], skipped })
    }
}

/// What has been read of one rollout.
#[derive(Default)]
struct Reader {
    messages: Vec<Message>,
    /// Messages from events, with the place among `messages` at which they came: used where no item says the same.
    events: Vec<(usize, Message)>,
    metadata: SessionMetadata,
    id: Option<String>,
    parent: Option<String>,
    has_meta: bool,
    title: Option<String>,
    model: Option<String>,
    raw: Map<String, Value>,
    kept: Vec<Value>,
    counts: Map<String, Value>,
    tokens: Tokens,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Reader {
    /// Reads the oldest form, if the file is one object of it.
    fn whole(&mut self, bytes: &[u8], skipped: &mut Vec<Skipped>) -> bool {
        let head = jsonl::without_bom(bytes.get(..512).unwrap_or(bytes));
        // A first line that is a record of its own is the common case, and must not cost a read of the whole file.
        if !String::from_utf8_lossy(head).contains("\"session\"") {
            return false;
        }
        let Ok(mut file) = jsonl::object(bytes, skipped) else { return false };
        let Some(session) = take_object(&mut file, "session") else { return false };
        self.meta(session);
        if let Some(Value::Array(items)) = file.remove("items") {
            for item in items {
                match item {
                    Value::Object(item) => self.item(item, None),
                    _ => skipped.push(Skipped { line: 0, reason: "an item is not an object".to_owned() }),
                }
            }
        }
        self.raw.append(&mut file);
        true
    }

    fn record(&mut self, mut record: Map<String, Value>) {
        let Some(payload) = take_object(&mut record, "payload") else { return self.bare(record) };
        let at = take_time(&mut record, "timestamp");
        self.started_at = self.started_at.into_iter().chain(at).min();
        self.ended_at = self.ended_at.into_iter().chain(at).max();
        let kind = record.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "session_meta" => self.meta(payload),
            "response_item" => self.item(payload, at),
            "event_msg" => self.event(payload, at),
            "turn_context" => self.context(payload),
            "compacted" => self.compacted(payload, at),
            _ => {
                let kind = kind.to_owned();
                self.other(&kind, payload);
            }
        }
    }

    /// A line of an old rollout: the session's facts, a state marker, or an item.
    fn bare(&mut self, mut record: Map<String, Value>) {
        if record.contains_key("type") || record.contains_key("role") {
            let at = take_time(&mut record, "timestamp");
            return self.item(record, at);
        }
        match take_string(&mut record, "record_type") {
            Some(kind) => self.other(&kind, record),
            None if record.contains_key("id") => self.meta(record),
            None => self.other("unknown", record),
        }
    }

    fn meta(&mut self, mut meta: Map<String, Value>) {
        // A forked or resumed rollout goes on with a copy of the earlier one, its facts included: the first are its own.
        if self.has_meta {
            return self.other("session_meta", meta);
        }
        self.has_meta = true;
        let id = take_name(&mut meta, "id").or_else(|| take_name(&mut meta, "session_id"));
        self.id = id.and_then(|id| field::client_id(&id));
        let at = take_time(&mut meta, "timestamp");
        self.started_at = self.started_at.into_iter().chain(at).min();
        self.ended_at = self.ended_at.into_iter().chain(at).max();
        self.metadata.folder = take_string(&mut meta, "cwd").filter(|cwd| !cwd.is_empty());
        self.metadata.agent_version = take_name(&mut meta, "cli_version");
        if let Some(mut git) = take_object(&mut meta, "git") {
            if let Some(branch) = take_name(&mut git, "branch").filter(|branch| branch != "HEAD") {
                push_unique(&mut self.metadata.git_branches, &branch);
            }
            let remote = take_string(&mut git, "repository_url");
            self.metadata.git_remote = remote.and_then(|url| field::remote_without_credentials(&url));
            if !git.is_empty() {
                meta.insert("git".to_owned(), Value::Object(git));
            }
        }
        self.parent = ["/source/subagent/thread_spawn/parent_thread_id", "/parent_thread_id"]
            .iter()
            .find_map(|path| pointer(&meta, path)?.as_str().and_then(field::client_id));
        // The product's own prompt, the same in every session of a version.
        meta.remove("base_instructions");
        field::drop_empty(&mut meta);
        self.raw.append(&mut meta);
    }

    fn context(&mut self, mut context: Map<String, Value>) {
        if let Some(model) = take_name(&mut context, "model") {
            push_unique(&mut self.metadata.llm_models, &model);
            self.model = Some(model);
        }
        let cwd = take_string(&mut context, "cwd").filter(|cwd| !cwd.is_empty());
        if self.metadata.folder.is_none() {
            self.metadata.folder = cwd;
        }
        self.other("turn_context", context);
    }

    fn compacted(&mut self, mut payload: Map<String, Value>, at: Option<Timestamp>) {
        // The history that replaced the conversation repeats it.
        payload.remove("replacement_history");
        let Some(text) = take_string(&mut payload, "message").filter(|text| !text.is_empty()) else { return };
        payload.insert("type".to_owned(), Value::from("compacted"));
        self.messages.push(Message { at, raw: payload, ..Message::text(Role::System, text) });
    }

    fn item(&mut self, payload: Map<String, Value>, at: Option<Timestamp>) {
        match item::read(payload) {
            item::Item::Message(mut message) => {
                message.at = at;
                if self.metadata.folder.is_none() {
                    self.metadata.folder = item::folder(&message);
                }
                if message.role == Role::Assistant {
                    message.model.clone_from(&self.model);
                    self.tokens.answered(self.messages.len(), &mut message);
                }
                self.messages.push(*message);
            }
            item::Item::Other(kind, record) => self.other(&kind, record),
        }
    }

    fn event(&mut self, mut event: Map<String, Value>, at: Option<Timestamp>) {
        let kind = take_string(&mut event, "type").unwrap_or_default();
        let (role, key) = match kind.as_str() {
            "user_message" => (Role::User, "message"),
            "agent_message" => (Role::Assistant, "message"),
            "agent_reasoning" | "agent_reasoning_raw_content" => (Role::Assistant, "text"),
            "error" | "stream_error" | "warning" => (Role::System, "message"),
            "turn_aborted" => (Role::System, "reason"),
            "token_count" => {
                if let Some(info) = take_object(&mut event, "info") {
                    self.tokens.count(info, &mut self.messages);
                }
                return;
            }
            "thread_name_updated" => {
                self.title = take_string(&mut event, "thread_name").or(self.title.take());
                return;
            }
            _ => return self.other(&kind, event),
        };
        let Some(text) = take_string(&mut event, key).filter(|text| !text.trim().is_empty()) else { return };
        let text = if kind == "turn_aborted" { format!("Turn aborted: {text}") } else { text };
        let block = if key == "text" { ContentBlock::Thinking { text } } else { ContentBlock::Text { text } };
        field::drop_empty(&mut event);
        let mut raw = Value::Object(event);
        field::shed(&mut raw, MAX_KEPT_BYTES);
        let Value::Object(mut raw) = raw else { return };
        raw.insert("type".to_owned(), Value::String(kind));
        let model = self.model.clone().filter(|_| role == Role::Assistant);
        let message = Message { at, model, raw, blocks: vec![block], ..Message::text(role, "") };
        self.events.push((self.messages.len(), message));
    }

    /// Counts a record that says nothing in the conversation, and keeps it if it may say something about it.
    fn other(&mut self, kind: &str, mut record: Map<String, Value>) {
        let count = self.counts.get(kind).and_then(Value::as_u64).unwrap_or_default();
        self.counts.insert(kind.to_owned(), Value::from(count + 1));
        if MACHINERY.contains(&kind) || self.kept.len() >= MAX_KEPT_RECORDS || record.is_empty() {
            return;
        }
        record.insert("type".to_owned(), Value::from(kind));
        let mut record = Value::Object(record);
        field::shed(&mut record, MAX_KEPT_BYTES);
        // Each turn repeats its settings.
        if self.kept.last() != Some(&record) {
            self.kept.push(record);
        }
    }

    fn finish(mut self, source: &Source<'_>) -> Transcript {
        self.tokens.settle(&mut self.messages);
        let mut messages = merge(self.messages, self.events);
        // Usage may have nowhere to go in a rollout whose answers are only events.
        if let Some(usage) = self.tokens.pending.take()
            && let Some(message) = messages.iter_mut().rev().find(|m| m.role == Role::Assistant)
        {
            let mut sum = message.usage.unwrap_or_default();
            sum += usage;
            message.usage = Some(sum);
        }
        let mut raw = self.raw;
        if !self.kept.is_empty() {
            raw.insert("records".to_owned(), Value::Array(self.kept));
        }
        if !self.counts.is_empty() {
            raw.insert("recordCounts".to_owned(), Value::Object(self.counts));
        }
        let id = self.id.or_else(|| field::uuid_in(source.stem()).map(str::to_owned));
        let client_id = id
            .or_else(|| field::client_id(source.stem()))
            .unwrap_or_else(|| field::derived_id(&[NAME, &title::choose(None, &messages)]));
        self.metadata.agent_name = Some("Codex CLI".to_owned());
        self.metadata.title = self.title.as_deref().and_then(title::usable);
        Transcript {
            name: title::choose(self.title.as_deref(), &messages),
            format: NAME,
            agent_id: self.parent.as_ref().map(|_| client_id.clone()),
            client_id,
            parent_client_id: self.parent,
            metadata: self.metadata,
            messages,
            markdown: None,
            session_data: None,
            started_at: self.started_at,
            ended_at: self.ended_at,
            raw,
        }
    }
}

/// Puts event messages between the items, except those of a kind that the items already say.
fn merge(items: Vec<Message>, events: Vec<(usize, Message)>) -> Vec<Message> {
    let says = |role: Role, thinking: bool| {
        items.iter().any(|m| {
            m.role == role
                && m.blocks.iter().any(|block| match block {
                    ContentBlock::Thinking { text } => thinking && !text.is_empty(),
                    ContentBlock::Text { .. } | ContentBlock::Image { .. } => !thinking,
                    _ => false,
                })
        })
    };
    let (user, agent, reasoning) = (says(Role::User, false), says(Role::Assistant, false), says(Role::Assistant, true));
    let repeated = |message: &Message| match (message.role, message.blocks.first()) {
        (Role::User, _) => user,
        (Role::Assistant, Some(ContentBlock::Thinking { .. })) => reasoning,
        (Role::Assistant, _) => agent,
        _ => false,
    };
    let mut events = events.into_iter().filter(|(_, message)| !repeated(message)).peekable();
    let mut merged = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        while let Some((_, message)) = events.next_if(|(at, _)| *at <= place) {
            merged.push(message);
        }
        merged.push(item);
    }
    merged.extend(events.map(|(_, message)| message));
    merged
}

/// Tokens: the agent reports them after an answer, as the last call's and as the sum so far.
#[derive(Default)]
struct Tokens {
    /// The sum last reported; reports are repeated, and calls go unreported, so differences of sums are what counts.
    total: Option<TokenUsage>,
    /// The last answer, to which the next report belongs.
    answer: Option<usize>,
    /// Reported before there was an answer.
    pending: Option<TokenUsage>,
}

impl Tokens {
    fn answered(&mut self, place: usize, message: &mut Message) {
        self.answer = Some(place);
        if let Some(usage) = self.pending.take() {
            message.usage = Some(usage);
        }
    }

    fn count(&mut self, mut info: Map<String, Value>, messages: &mut [Message]) {
        let mut usage = |key| take_object(&mut info, key).map(take_usage);
        let (total, last) = (usage("total_token_usage"), usage("last_token_usage"));
        let spent = match (self.total, total, last) {
            (Some(before), Some(now), last) => difference(now, before).or(last),
            // The first report of a resumed session counts what the earlier one spent too.
            (None, now, last) => last.or(now),
            (Some(_), None, last) => last,
        };
        self.total = total.or(self.total);
        let Some(spent) = spent.filter(|usage| !usage.is_zero()) else { return };
        match self.answer.and_then(|at| messages.get_mut(at)) {
            Some(message) => {
                let mut sum = message.usage.unwrap_or_default();
                sum += spent;
                message.usage = Some(sum);
            }
            None => {
                let mut sum = self.pending.unwrap_or_default();
                sum += spent;
                self.pending = Some(sum);
            }
        }
    }

    /// Gives what is still pending to the last answer.
    fn settle(&mut self, messages: &mut [Message]) {
        if let Some(message) = self.answer.and_then(|at| messages.get_mut(at))
            && let Some(usage) = self.pending.take()
        {
            let mut sum = message.usage.unwrap_or_default();
            sum += usage;
            message.usage = Some(sum);
        }
    }
}

/// `now - before`; nothing when the sum went back, as it does when a session starts over.
fn difference(now: TokenUsage, before: TokenUsage) -> Option<TokenUsage> {
    Some(TokenUsage {
        // Sums of paid and of cached input may each shrink against a larger other; their total may not.
        input: (now.input + now.cache_read)
            .checked_sub(before.input + before.cache_read)?
            .saturating_sub(now.cache_read.saturating_sub(before.cache_read)),
        output: now.output.checked_sub(before.output)?,
        cache_read: now.cache_read.checked_sub(before.cache_read)?,
        cache_write: now.cache_write.checked_sub(before.cache_write)?,
        reasoning: now.reasoning.saturating_sub(before.reasoning),
    })
}

fn take_usage(mut usage: Map<String, Value>) -> TokenUsage {
    let mut take = |key| field::take_count(&mut usage, key);
    let cached = take("cached_input_tokens").unwrap_or_default();
    let written = take("cache_write_input_tokens").or_else(|| take("cache_write_tokens")).unwrap_or_default();
    TokenUsage {
        // Both are part of the input that is reported.
        input: take("input_tokens").unwrap_or_default().saturating_sub(cached).saturating_sub(written),
        output: take("output_tokens").unwrap_or_default(),
        cache_read: cached,
        cache_write: written,
        reasoning: take("reasoning_output_tokens").unwrap_or_default(),
    }
}

fn pointer<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('/').skip(1);
    let first = map.get(parts.next()?)?;
    parts.try_fold(first, |value, key| value.get(key))
}
