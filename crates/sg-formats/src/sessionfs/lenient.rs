//! JSON as careless programs write it: numbers that are none, half surrogate pairs, control characters, bytes that are
//! not UTF-8. One bad value must not cost the others (`contracts/sessionfs.md` 2.4).

use serde_json::{Map, Value};

use crate::jsonl::without_bom;

/// From here on values are counted before they are read: a small file can hold very many.
const COUNT_FROM_BYTES: usize = 256 * 1_024;
/// The most values of one object.
const MAX_VALUES: usize = 500_000;

/// Bytes as a JSON object; `None` when they are none.
pub(super) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let bytes = without_bom(bytes).trim_ascii();
    if bytes.first() != Some(&b'{') || has_too_many_values(bytes) {
        return None;
    }
    let value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(_) => serde_json::from_str(&repaired(&String::from_utf8_lossy(bytes))).ok()?,
    };
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn has_too_many_values(bytes: &[u8]) -> bool {
    if bytes.len() < COUNT_FROM_BYTES {
        return false;
    }
    let (mut is_text, mut is_escape, mut count) = (false, false, 0);
    for byte in bytes {
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' => is_escape = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => count += 1,
            _ => {}
        }
    }
    count > MAX_VALUES
}

/// The same JSON with what no reader takes replaced: numbers out of range by null, half pairs by U+FFFD.
fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => string(rest, &mut out),
            '-' | '0'..='9' | 'N' | 'I' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let is_number = rest[..end].parse::<f64>().is_ok_and(f64::is_finite);
                out.push_str(if is_number { &rest[..end] } else { "null" });
                end
            }
            other => {
                out.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Copies a string; how long it is.
fn string(text: &str, out: &mut String) -> usize {
    out.push('"');
    let mut at = 1;
    while let Some(next) = text[at..].chars().next() {
        match next {
            '"' => {
                out.push('"');
                return at + 1;
            }
            '\\' => at += escape(&text[at..], out),
            c if c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                at += 1;
            }
            c => {
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    at
}

/// Copies an escape; how long it is.
fn escape(text: &str, out: &mut String) -> usize {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
            out.push_str(&text[..12]);
            12
        }
        (Some(0xd800..=0xdfff), _) => {
            out.push_str("\\ufffd");
            6
        }
        _ => {
            let end = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&text[..end]);
            end
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_value_does_not_cost_the_others() {
        let text = r#"{"a":NaN,"b":[-Infinity,1e999,-1.5e3,7],"c":"\ud83d\ude00 \ud800 \udc00x \n","d":true,"e":{"f":"tab	"}}"#;
        let object = object(text.as_bytes()).unwrap();
        let want = r#"{"a":null,"b":[null,null,-1500.0,7],"c":"😀 � �x \n","d":true,"e":{"f":"tab\t"}}"#;
        assert_eq!(Value::Object(object), serde_json::from_str::<Value>(want).unwrap());
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in ["", "[1]", "{", "{\"a\":}", "{\"a\":\"\\", "null", "{\"a\" 1}", "{\"\\u12"] {
            assert_eq!(object(text.as_bytes()), None, "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(object(deep.as_bytes()), None);
        let many = format!("{{\"a\":[{}0]}}", "0,".repeat(MAX_VALUES));
        assert_eq!(object(many.as_bytes()), None);
    }
}
