//! Messages: lines of `messages.jsonl`, read one at a time so that a file of any size takes little memory.

use std::io::{self, BufRead};

use memchr::memchr;
use serde_json::{Map, Value};
use sg_domain::{Message, Role, TokenUsage};

use super::{known_model, lenient};
use crate::claude_code::{blocks, user_role};
use crate::field::{self, take_bool, take_name, take_object, take_string, take_time};

/// A longer line is not read: the largest picture that a model takes fits. The archive still has it.
const MAX_LINE_BYTES: usize = 8 * 1_024 * 1_024;

/// Reads a file of messages. Lines that are none are passed over.
pub struct MessageReader<R> {
    from: R,
    line: Vec<u8>,
    read: u64,
}

impl<R: BufRead> MessageReader<R> {
    /// Starts at the beginning.
    pub fn new(from: R) -> Self {
        Self { from, line: Vec::new(), read: 0 }
    }

    /// How many bytes have been read.
    pub fn read_bytes(&self) -> u64 {
        self.read
    }

    /// The next message; `None` at the end of the file.
    pub fn next_message(&mut self) -> io::Result<Option<Message>> {
        while let Some(is_whole) = self.next_line()? {
            if is_whole && let Some(record) = lenient::object(&self.line) {
                return Ok(Some(message(record)));
            }
        }
        Ok(None)
    }

    /// Reads a line, and whether it is all there; `None` at the end of the file.
    fn next_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let (mut is_whole, mut is_any) = (true, false);
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                return Ok(is_any.then_some(is_whole));
            }
            is_any = true;
            let end = memchr(b'\n', buffer);
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            if self.line.len() + piece.len() > MAX_LINE_BYTES {
                is_whole = false;
            } else if is_whole {
                self.line.extend_from_slice(piece);
            }
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.read += used as u64;
            self.from.consume(used);
            if end.is_some() {
                return Ok(Some(is_whole));
            }
        }
    }
}

/// A message as a line of the file has it.
pub(super) fn message(mut record: Map<String, Value>) -> Message {
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

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(file: &[u8]) -> Vec<String> {
        // A buffer smaller than a line.
        let mut reader = MessageReader::new(BufReader::with_capacity(7, file));
        let mut texts = Vec::new();
        while let Some(message) = reader.next_message().unwrap() {
            texts.push(format!("{}:{}", message.role.name(), message.blocks.len()));
        }
        assert_eq!(reader.read_bytes(), file.len() as u64);
        texts
    }

    #[test]
    fn bad_lines_cost_only_themselves() {
        let file = b"\xef\xbb\xbf{\"role\":\"user\",\"content\":\"a\"}\r\n\n{\"role\":\"user\"\n[1]\nnope\n\0\0\n\
            {\"role\":\"assistant\",\"content\":\"\xff\"}\n{\"role\":\"tool\",\"content\":\"half \\ud800\",\"n\":NaN}";
        assert_eq!(read(file), ["user:1", "assistant:1", "tool:1"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let mut file = b"{\"role\":\"user\",\"content\":\"".to_vec();
        file.resize(MAX_LINE_BYTES + 100, b'x');
        file.extend(b"\"}\n{\"role\":\"user\",\"content\":\"b\"}\n");
        let mut reader = MessageReader::new(file.as_slice());
        assert_eq!(reader.next_message().unwrap().map(|message| message.blocks.len()), Some(1));
        assert!(reader.next_message().unwrap().is_none() && reader.line.capacity() <= 2 * MAX_LINE_BYTES);
    }
}
