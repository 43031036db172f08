//! Gemini CLI: one JSON object a session (`session-*.json`), in newer versions one record a line (`.jsonl`) in which
//! later records replace earlier ones of the same id, `$set` changes the session's facts and `$rewindTo` takes
//! messages back.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sg_domain::transcript::Skipped;
use sg_domain::{ContentBlock, Message, Role, SessionMetadata, Timestamp, TokenUsage, Transcript};

use crate::claude_code::picture_at;
use crate::field::{self, push_unique, take_name, take_object, take_string, take_time};
use crate::jsonl::{self, Records};
use crate::{Confidence, Format, FormatError, Parsed, Source, title};

/// Gemini CLI's session files.
pub struct GeminiCli;

const NAME: &str = "gemini-cli";

/// A JSON object.
type Record = Map<String, Value>;

/// Strings longer than this are left out of what is kept in `raw`: a tool call carries its result three times.
const MAX_KEPT_BYTES: usize = 1024;

impl Format for GeminiCli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sniff(&self, source: &Source<'_>) -> Confidence {
        // Pretty-printed, its first line is a lone brace.
        let head = source.bytes.get(..4096).unwrap_or(source.bytes);
        let head = jsonl::without_bom(head).trim_ascii_start();
        if !head.starts_with(b"{") {
            return Confidence::No;
        }
        let Some(first) = jsonl::probe(source.bytes).into_iter().next() else {
            let text = String::from_utf8_lossy(source.bytes.get(..1 << 16).unwrap_or(source.bytes));
            let tail = String::from_utf8_lossy(&source.bytes[source.bytes.len().saturating_sub(1 << 12)..]);
            let has = |key: &str| text.contains(key) || tail.contains(key);
            return match (has("\"projectHash\""), has("\"sessionId\"")) {
                (true, true) => Confidence::Sure,
                _ if has("\"sessionId\"") && has("\"messages\"") && has("\"type\": \"gemini\"") => Confidence::Maybe,
                _ => Confidence::No,
            };
        };
        let has = |key: &str| first.contains_key(key);
        if has("sessionId") && has("projectHash") {
            Confidence::Sure
        } else if jsonl::is(&first, "type", "gemini") || (has("sessionId") && has("messages")) {
            Confidence::Maybe
        } else {
            Confidence::No
        }
    }

    fn parse(&self, source: &Source<'_>) -> Result<Parsed, FormatError> {
        let mut skipped = Vec::new();
        let (session, records) = read(source, &mut skipped)?;
        if records.is_empty() && !session.contains_key("sessionId") {
            return Err(FormatError::Empty { format: NAME, reason: "no message".to_owned() });
        }
        Ok(Parsed { transcripts: vec![transcript(source, session, records)], skipped })
    }
}

/// The session's facts and its message records, from either form of the file.
fn read(source: &Source<'_>, skipped: &mut Vec<Skipped>) -> Result<(Record, Vec<Record>), FormatError> {
    let whole = jsonl::object(source.bytes, skipped);
    let error = match whole {
        Ok(mut session) if !is_line(&session) => {
            let records = take_messages(&mut session, skipped);
            return Ok((session, records));
        }
        Ok(_) => String::new(),
        Err(error) => error,
    };
    let mut session = Map::new();
    let mut records: IndexMap<String, Map<String, Value>> = IndexMap::new();
    let mut lines = 0;
    let mut anonymous = 0_u64;
    let mut bad = Vec::new();
    for (_, mut record) in Records::new(source.bytes, &mut bad) {
        lines += 1;
        if let Some(target) = take_string(&mut record, "$rewindTo") {
            // The agent's own rule: an unknown id takes everything back.
            records.truncate(records.get_index_of(&target).unwrap_or_default());
        } else if let Some(mut change) = take_object(&mut record, "$set") {
            let replaced = take_messages(&mut change, skipped);
            if !replaced.is_empty() {
                records = replaced.into_iter().enumerate().map(|(at, r)| (id_of(&r, at), r)).collect();
            }
            session.append(&mut change);
        } else if record.get("id").is_some_and(Value::is_string) || record.contains_key("content") {
            let id = record.get("id").and_then(Value::as_str).map(str::to_owned).unwrap_or_else(|| {
                anonymous += 1;
                format!("\0{anonymous}")
            });
            records.insert(id, record);
        } else {
            session.append(&mut record);
        }
    }
    if lines == 0 {
        return Err(FormatError::Broken { format: NAME, reason: error });
    }
    skipped.append(&mut bad);
    let mut records: Vec<_> = records.into_values().collect();
    if records.is_empty() {
        records = take_messages(&mut session, skipped);
    }
    Ok((session, records))
}

/// Whether the only object of a file is a record of the line form.
fn is_line(session: &Map<String, Value>) -> bool {
    !session.contains_key("messages")
        && (session.contains_key("$set") || session.contains_key("id") || session.contains_key("projectHash"))
}

fn id_of(record: &Map<String, Value>, at: usize) -> String {
    record.get("id").and_then(Value::as_str).map_or_else(|| format!("\0{at}"), str::to_owned)
}

fn take_messages(session: &mut Map<String, Value>, skipped: &mut Vec<Skipped>) -> Vec<Map<String, Value>> {
    let Some(Value::Array(list)) = session.get_mut("messages") else { return Vec::new() };
    let list = std::mem::take(list);
    session.remove("messages");
    let mut records = Vec::with_capacity(list.len());
    let mut bad = 0_u64;
    for item in list {
        match item {
            Value::Object(record) => records.push(record),
            _ => bad += 1,
        }
    }
    if bad > 0 {
        skipped.push(Skipped { line: 0, reason: format!("{bad} messages are not objects") });
    }
    records
}

fn transcript(source: &Source<'_>, mut session: Map<String, Value>, records: Vec<Map<String, Value>>) -> Transcript {
    let mut metadata = SessionMetadata { agent_name: Some("Gemini CLI".to_owned()), ..SessionMetadata::default() };
    let mut messages = Vec::with_capacity(records.len());
    for record in records {
        message(record, &mut messages);
    }
    for model in messages.iter().filter_map(|m| m.model.as_deref()) {
        push_unique(&mut metadata.llm_models, model);
    }
    let started = take_time(&mut session, "startTime");
    let ended = take_time(&mut session, "lastUpdated");
    let times = || messages.iter().filter_map(|m| m.at);
    let given = take_string(&mut session, "summary");
    metadata.title = given.as_deref().and_then(title::usable);
    metadata.folder = session.get("directories").and_then(|list| list.get(0)?.as_str().map(str::to_owned));
    let id = take_name(&mut session, "sessionId").and_then(|id| field::client_id(&id));
    let client_id = id
        .or_else(|| field::client_id(source.stem()))
        .unwrap_or_else(|| field::derived_id(&[NAME, &title::choose(None, &messages)]));
    let is_subagent = session.get("kind").and_then(Value::as_str) == Some("subagent");
    let parent_client_id = if is_subagent { parent_folder(source.name) } else { None };
    Transcript {
        name: title::choose(given.as_deref(), &messages),
        format: NAME,
        agent_id: is_subagent.then(|| client_id.clone()),
        client_id,
        parent_client_id,
        metadata,
        started_at: started.or_else(|| times().min()),
        ended_at: ended.into_iter().chain(times()).max(),
        messages,
        markdown: None,
        session_data: None,
        raw: session,
    }
}

/// `<parent>` in `chats/<parent>/<session>.jsonl`, where a subagent's file lies.
fn parent_folder(path: &str) -> Option<String> {
    let mut parts = path.rsplit(['/', '\\']).skip(1);
    let (folder, above) = (parts.next()?, parts.next()?);
    (above == "chats").then(|| field::client_id(folder)).flatten()
}

fn message(mut record: Map<String, Value>, out: &mut Vec<Message>) {
    let source_id = take_name(&mut record, "id");
    let at = take_time(&mut record, "timestamp");
    let model = take_name(&mut record, "model");
    let kind = record.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let role = match kind.as_str() {
        "user" => Role::User,
        "gemini" | "model" | "assistant" => Role::Assistant,
        _ => Role::System,
    };
    // Information, errors and warnings are all the system's: their kind stays in `raw`.
    if role != Role::System {
        record.remove("type");
    }
    let mut blocks = Vec::new();
    thoughts(&mut record, &mut blocks);
    let mut results = Vec::new();
    parts(record.remove("content").unwrap_or_default(), &mut blocks, &mut results);
    if let Some(Value::Array(calls)) = record.get_mut("toolCalls") {
        let calls = std::mem::take(calls);
        record.remove("toolCalls");
        let mut rest = Vec::new();
        for call in calls {
            tool_call(call, at, &mut blocks, &mut results, &mut rest);
        }
        if rest.iter().any(|left| left.as_object().is_some_and(|map| !map.is_empty())) {
            record.insert("toolCalls".to_owned(), Value::Array(rest));
        }
    }
    let usage = take_object(&mut record, "tokens").map(|mut tokens| {
        let mut take = |key| field::take_count(&mut tokens, key).unwrap_or_default();
        let (input, cached, thoughts) = (take("input"), take("cached"), take("thoughts"));
        TokenUsage {
            // What the cache served is counted in `input` too; what tools put into the prompt is not.
            input: input.saturating_sub(cached).saturating_add(take("tool")),
            output: take("output").saturating_add(thoughts),
            cache_read: cached,
            cache_write: 0,
            reasoning: thoughts,
        }
    });
    field::drop_empty(&mut record);
    let only_results = blocks.is_empty() && !results.is_empty();
    let base = Message { source_id, model, usage, at, raw: record, blocks, ..Message::text(role, "") };
    if only_results {
        out.push(Message { role: Role::Tool, blocks: results, ..base });
        return;
    }
    let answered = base.source_id.clone();
    out.push(base);
    if !results.is_empty() {
        let answer = Message { parent_source_id: answered, at, blocks: results, ..Message::text(Role::Tool, "") };
        out.push(answer);
    }
}

fn thoughts(record: &mut Map<String, Value>, blocks: &mut Vec<ContentBlock>) {
    let Some(Value::Array(list)) = record.get_mut("thoughts") else { return };
    for thought in std::mem::take(list) {
        let part = |key: &str| thought.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = match (part("subject"), part("description"), thought.as_str()) {
            (Some(subject), Some(description), _) => format!("**{subject}**\n\n{description}"),
            (Some(text), None, _) | (None, Some(text), _) | (None, None, Some(text)) => text.to_owned(),
            (None, None, None) => continue,
        };
        blocks.push(ContentBlock::Thinking { text });
    }
    record.remove("thoughts");
}

/// Reads a message's content: a text, a part, or a list of them.
fn parts(content: Value, blocks: &mut Vec<ContentBlock>, results: &mut Vec<ContentBlock>) {
    match content {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => blocks.push(ContentBlock::Text { text }),
        Value::Array(list) => list.into_iter().for_each(|item| parts(item, blocks, results)),
        Value::Object(map) => part(map, blocks, results),
        other => blocks.push(ContentBlock::text(other.to_string())),
    }
}

fn part(mut map: Map<String, Value>, blocks: &mut Vec<ContentBlock>, results: &mut Vec<ContentBlock>) {
    if let Some(text) = take_string(&mut map, "text") {
        let is_thought = map.get("thought").and_then(Value::as_bool).unwrap_or_default();
        blocks.push(if is_thought { ContentBlock::Thinking { text } } else { ContentBlock::Text { text } });
    } else if let Some(mut call) = take_object(&mut map, "functionCall") {
        let name = take_string(&mut call, "name").unwrap_or_default();
        let input = call.remove("args").unwrap_or_default();
        blocks.push(ContentBlock::ToolUse { id: take_string(&mut call, "id"), name, input });
    } else if let Some(response) = take_object(&mut map, "functionResponse") {
        results.push(function_response(response));
    } else if let Some(mut inline) = take_object(&mut map, "inlineData") {
        blocks.push(ContentBlock::Image { media_type: take_string(&mut inline, "mimeType"), source: None });
    } else if let Some(mut file) = take_object(&mut map, "fileData") {
        let media_type = take_string(&mut file, "mimeType");
        let ContentBlock::Image { source, .. } = picture_at(file.get("fileUri").and_then(Value::as_str)) else {
            return;
        };
        blocks.push(ContentBlock::Image { media_type, source });
    } else if !map.is_empty() {
        let mut value = Value::Object(map);
        field::shed(&mut value, 64 * 1024);
        if let Value::Object(value) = value {
            blocks.push(ContentBlock::Other { kind: "part".to_owned(), value });
        }
    }
}

fn tool_call(
    call: Value,
    at: Option<Timestamp>,
    blocks: &mut Vec<ContentBlock>,
    results: &mut Vec<ContentBlock>,
    rest: &mut Vec<Value>,
) {
    let Value::Object(mut call) = call else { return };
    let id = take_string(&mut call, "id");
    let name = take_string(&mut call, "name").unwrap_or_default();
    blocks.push(ContentBlock::ToolUse { id: id.clone(), name, input: call.remove("args").unwrap_or_default() });
    let status = call.get("status").and_then(Value::as_str).map(str::to_owned);
    let status = status.as_deref();
    let mut is_error = matches!(status, Some("error" | "cancelled"));
    let mut answers = Vec::new();
    let mut texts = Vec::new();
    parts(call.remove("result").unwrap_or_default(), &mut texts, &mut answers);
    let display = match call.get("resultDisplay") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(other @ Value::Object(_)) => other.get("fileDiff").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let mut output: Vec<String> = Vec::new();
    for answer in answers {
        if let ContentBlock::ToolResult { output: text, is_error: failed, .. } = answer {
            output.push(text);
            is_error |= failed;
        }
    }
    let mut others = Vec::new();
    for block in texts {
        match block {
            ContentBlock::Text { text } => output.push(text),
            other => others.push(other),
        }
    }
    output.retain(|text| !text.is_empty());
    if output.is_empty() {
        output.extend(display);
    }
    if !output.is_empty() || status.is_some_and(|s| matches!(s, "success" | "error" | "cancelled")) {
        results.push(ContentBlock::ToolResult { tool_use_id: id, output: output.join("\n"), is_error });
    }
    results.append(&mut others);
    if field::time(call.get("timestamp").unwrap_or(&Value::Null)) == at {
        call.remove("timestamp");
    }
    if status == Some("success") {
        call.remove("status");
    }
    field::drop_empty(&mut call);
    let mut left = Value::Object(call);
    field::shed(&mut left, MAX_KEPT_BYTES);
    rest.push(left);
}

/// The text of a function's response: `output` or `error`, else the response as JSON.
fn function_response(mut response: Map<String, Value>) -> ContentBlock {
    let tool_use_id = take_string(&mut response, "id");
    let mut failed = false;
    let output = match response.remove("response") {
        Some(Value::Object(mut inner)) => match take_string(&mut inner, "output") {
            Some(output) => output,
            None => match take_string(&mut inner, "error") {
                Some(error) => {
                    failed = true;
                    error
                }
                None if inner.is_empty() => String::new(),
                None => serde_json::to_string_pretty(&inner).unwrap_or_default(),
            },
        },
        Some(Value::String(text)) => text,
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    ContentBlock::ToolResult { tool_use_id, output, is_error: failed }
}
