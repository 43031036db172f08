//! Lines of JSON: splitting a file into records and saying what is wrong with the lines that are none.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sg_domain::transcript::Skipped;

/// How many bad lines are reported one by one; the rest are counted in one last entry, so that a file of noise does
/// not make a report larger than itself.
const MAX_REPORTED: usize = 100;

/// The object of each line, with its number from 1; lines that hold none are noted in `skipped`.
pub(crate) struct Records<'a, 's> {
    rest: &'a [u8],
    line: u64,
    skipped: &'s mut Vec<Skipped>,
    unreported: u64,
}

impl<'a, 's> Records<'a, 's> {
    pub(crate) fn new(bytes: &'a [u8], skipped: &'s mut Vec<Skipped>) -> Self {
        Self { rest: without_bom(bytes), line: 0, skipped, unreported: 0 }
    }

    fn skip(&mut self, line: u64, reason: impl Into<String>) {
        if self.skipped.len() < MAX_REPORTED {
            self.skipped.push(Skipped { line, reason: reason.into() });
        } else {
            self.unreported += 1;
        }
    }

    fn record(&mut self, text: &[u8], is_last: bool) -> Option<Map<String, Value>> {
        let number = self.line;
        let error = match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(map)) => return Some(map),
            Ok(other) => {
                self.skip(number, format!("a JSON {}, not an object", kind(&other)));
                return None;
            }
            Err(error) => error,
        };
        if let Err(utf8) = std::str::from_utf8(text)
            && let Ok(Value::Object(map)) = serde_json::from_str(&String::from_utf8_lossy(text))
        {
            let at = utf8.valid_up_to() + 1;
            self.skip(number, format!("bytes that are not UTF-8, the first at byte {at}, were replaced"));
            return Some(map);
        }
        let reason = if text.iter().all(|b| *b == 0) {
            "nothing but NUL bytes".to_owned()
        } else if is_last && error.is_eof() {
            "the last line is cut off".to_owned()
        } else {
            // serde_json counts lines of its own input; here there is one, so only the column says something.
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            format!("not JSON: {what} at column {}", error.column())
        };
        self.skip(number, reason);
        None
    }
}

impl Iterator for Records<'_, '_> {
    type Item = (u64, Map<String, Value>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (line, rest) = split_line(self.rest);
            let is_last = line.len() == self.rest.len();
            self.rest = rest;
            self.line += 1;
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if let Some(map) = self.record(text, is_last) {
                return Some((self.line, map));
            }
        }
        if self.unreported > 0 {
            let reason = format!("{} more lines could not be read", self.unreported);
            self.unreported = 0;
            self.skipped.push(Skipped { line: 0, reason });
        }
        None
    }
}

/// Reads a whole file as one JSON object; invalid UTF-8 is replaced and noted.
pub(crate) fn object(bytes: &[u8], skipped: &mut Vec<Skipped>) -> Result<Map<String, Value>, String> {
    let bytes = without_bom(bytes);
    match serde_json::from_slice(bytes) {
        Ok(map) => Ok(map),
        Err(_) if std::str::from_utf8(bytes).is_err() => {
            let map = serde_json::from_str(&String::from_utf8_lossy(bytes)).map_err(|error| error.to_string())?;
            skipped.push(Skipped { line: 0, reason: "bytes that are not UTF-8 were replaced".to_owned() });
            Ok(map)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The top-level members of the first records, unparsed: what a format looks at to know its own files.
pub(crate) fn probe(bytes: &[u8]) -> Vec<HashMap<Cow<'_, str>, &RawValue>> {
    const MAX_LINES: usize = 12;
    const MAX_BYTES: usize = 1 << 20;
    let mut rest = without_bom(bytes);
    let mut found = Vec::new();
    let mut seen = 0;
    for _ in 0..MAX_LINES {
        let (line, after) = split_line(rest);
        // One long line is still looked at, when it is the first: it may be the whole file.
        if line.is_empty() || (seen > 0 && seen + line.len() > MAX_BYTES) {
            break;
        }
        seen += line.len();
        rest = after;
        if let Ok(members) = serde_json::from_slice(line.trim_ascii()) {
            found.push(members);
        }
    }
    found
}

/// Whether a probed member is this string.
pub(crate) fn is(record: &HashMap<Cow<'_, str>, &RawValue>, key: &str, value: &str) -> bool {
    record.get(key).and_then(|raw| raw.get().strip_prefix('"')?.strip_suffix('"')).is_some_and(|have| have == value)
}

/// Drops a UTF-8 byte order mark.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The first line with its end, and the rest.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<u64>, Vec<(u64, String)>) {
        let mut skipped = Vec::new();
        let lines = Records::new(bytes, &mut skipped).map(|(line, _)| line).collect();
        (lines, skipped.into_iter().map(|s| (s.line, s.reason)).collect())
    }

    #[test]
    fn bad_lines_are_named_and_the_rest_is_read() {
        let (lines, skipped) = read(b"\xef\xbb\xbf{\"a\":1}\r\n\r\nnope\n[1]\n\0\0\0\n{\"b\":\"\xff\"}\n{\"c\":\"cut");
        assert_eq!(lines, [1, 6]);
        assert_eq!(
            skipped,
            [
                (3, "not JSON: expected ident at column 2".to_owned()),
                (4, "a JSON array, not an object".to_owned()),
                (5, "nothing but NUL bytes".to_owned()),
                (6, "bytes that are not UTF-8, the first at byte 7, were replaced".to_owned()),
                (7, "the last line is cut off".to_owned()),
            ]
        );
    }

    #[test]
    fn deep_nesting_is_a_bad_line_and_not_a_crash() {
        let deep = format!("{{\"a\":{}{}}}\n{{\"b\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        let (lines, skipped) = read(deep.as_bytes());
        assert_eq!(lines, [2]);
        assert!(skipped[0].1.contains("recursion limit"), "{skipped:?}");
    }

    #[test]
    fn a_file_of_noise_has_a_bounded_report() {
        let (_, skipped) = read("x\n".repeat(5_000).as_bytes());
        assert_eq!(skipped.len(), MAX_REPORTED + 1);
        assert_eq!(skipped[MAX_REPORTED].1, "4900 more lines could not be read");
    }
}
