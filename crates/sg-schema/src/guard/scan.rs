//! Counting tokens and nesting before anything recurses over them.

use serde_json::{Map, Value};
use sg_domain::{Error, Result};

/// Counts a document's tokens and the depth of its brackets. Knows comments and strings, nothing else: text that is not
/// GraphQL passes here and fails in the parser.
pub(crate) fn document(text: &str, max_tokens: usize, max_nesting: usize) -> Result<()> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at = end_of_comment(bytes, at);
                continue;
            }
            b'"' => end_of_string(bytes, at),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                if nesting > max_nesting {
                    return Err(Error::invalid(format!("the document nests deeper than {max_nesting}, flatten it")));
                }
                at + 1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                at + 1
            }
            b'.' if bytes[at..].starts_with(b"...") => at + 3,
            byte if is_word(byte) => at + bytes[at..].iter().take_while(|b| is_word(**b)).count(),
            _ => at + 1,
        };
        tokens += 1;
        if tokens > max_tokens {
            return Err(Error::invalid(format!("the document has more than {max_tokens} tokens, split it")));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn end_of_comment(bytes: &[u8], at: usize) -> usize {
    let rest = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r'));
    rest.map_or(bytes.len(), |length| at + length)
}

fn end_of_string(bytes: &[u8], at: usize) -> usize {
    if bytes[at..].starts_with(b"\"\"\"") {
        let mut at = at + 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\\\"\"\"") {
                at += 4;
            } else if bytes[at..].starts_with(b"\"\"\"") {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return at;
    }
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            // A string ends with its line at the latest; what follows must be counted.
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Bounds the nesting and the number of values in a request's variables.
pub(crate) fn variables(values: &Map<String, Value>, max_nesting: usize, max_values: usize) -> Result<()> {
    let mut open: Vec<(usize, &Value)> = values.values().map(|value| (1, value)).collect();
    let mut seen = 0_usize;
    while let Some((depth, value)) = open.pop() {
        seen += 1;
        if depth > max_nesting {
            return Err(Error::invalid(format!("the variables nest deeper than {max_nesting}, flatten them")));
        }
        if seen > max_values {
            return Err(Error::invalid(format!("the variables hold more than {max_values} values")));
        }
        match value {
            Value::Array(values) => open.extend(values.iter().map(|value| (depth + 1, value))),
            Value::Object(values) => open.extend(values.values().map(|value| (depth + 1, value))),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tokens_not_bytes() {
        let text = "query Q($a: Int = 1) { f(s: \"{[(\", b: \"\"\"}} \\\"\"\" {{\"\"\") # {{{\n }";
        // query Q ( $ a : Int = 1 ) { f ( s : str , b : block ) }
        assert!(document(text, 21, 2).is_ok());
        assert!(document(text, 18, 2).is_err());
        assert!(document(text, 100, 1).is_err());
    }

    #[test]
    fn nothing_hides_in_broken_strings() {
        assert!(document(&format!("\"\n{}", "[".repeat(100)), 4_000, 64).is_err());
        assert!(document("\"\\", 4, 4).is_ok());
        assert!(document("\"\"\"", 4, 4).is_ok());
        assert!(document("\"\"\"\\\"", 4, 4).is_ok());
        assert!(document(&"é{".repeat(65), 4_000, 64).is_err());
        assert!(document(&"[".repeat(100_000), 4_000, 64).is_err());
    }

    #[test]
    fn variables_are_bounded() {
        let mut deep = Value::Null;
        for _ in 0..100 {
            deep = Value::Array(vec![deep]);
        }
        let map = |value| Map::from_iter([("v".to_owned(), value)]);
        assert!(variables(&map(deep), 64, 10_000).is_err());
        assert!(variables(&map(Value::Array(vec![Value::Null; 10_000])), 64, 10_000).is_err());
        assert!(variables(&map(Value::Array(vec![Value::Null; 100])), 64, 10_000).is_ok());
    }
}
