//! Text in which lone surrogates may stand: what JSON can say (`"\ud800"`) and UTF-8 cannot.
//!
//! Content is stored as WTF-8: UTF-8, and a lone surrogate as the three bytes that the scheme would give it. Where text is
//! shown, each becomes one U+FFFD, which has three bytes as well: offsets and sizes hold in both.

use std::borrow::Cow;
use std::fmt::Write as _;

const REPLACEMENT: &str = "\u{fffd}";

/// Appends a code unit that is no half of a pair.
pub fn push_surrogate(unit: u16, out: &mut Vec<u8>) {
    let [low, high] = [unit & 0x3f, unit >> 6 & 0x3f].map(|bits| 0x80 | bits.to_le_bytes()[0]);
    out.extend([0xed, high, low]);
}

/// Stored bytes as text of the same length: each lone surrogate is one U+FFFD. What is no WTF-8 either (nothing that was
/// stored as text) is replaced as `String::from_utf8_lossy` does.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut decoder = Decoder::default();
            let mut text = String::with_capacity(bytes.len());
            decoder.push(bytes, &mut text);
            decoder.finish(&mut text);
            Cow::Owned(text)
        }
    }
}

/// Writes stored bytes as the inside of a JSON string: lone surrogates as the escapes that they came as.
pub fn escape_json(bytes: &[u8], out: &mut String) {
    let mut rest = bytes;
    loop {
        let (good, bad, bad_len) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..], 0),
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(good).unwrap_or_default(), bad, error.error_len().unwrap_or(bad.len()))
            }
        };
        escape_text(good, out);
        if bad.is_empty() {
            return;
        }
        match surrogate(bad) {
            Some(unit) => {
                let _ = write!(out, "\\u{unit:04x}");
                rest = &bad[3..];
            }
            None => {
                out.push_str(REPLACEMENT);
                rest = &bad[bad_len..];
            }
        }
    }
}

fn escape_text(text: &str, out: &mut String) {
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => _ = write!(out, "\\u{byte:04x}"),
        }
    }
    out.push_str(&text[plain_from..]);
}

/// The lone surrogate that bytes begin with.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
            Some(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f))
        }
        _ => None,
    }
}

/// [`lossy`] of bytes that come in pieces, cut anywhere.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a character whose rest has not come.
    held: Vec<u8>,
}

impl Decoder {
    /// Appends the text of the next bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        let joined;
        let mut rest = if self.held.is_empty() {
            bytes
        } else {
            joined = [self.held.as_slice(), bytes].concat();
            self.held.clear();
            &joined[..]
        };
        while !rest.is_empty() {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => return out.push_str(text),
                Err(error) => error,
            };
            let (good, bad) = rest.split_at(error.valid_up_to());
            out.push_str(std::str::from_utf8(good).unwrap_or_default());
            if surrogate(bad).is_some() {
                out.push_str(REPLACEMENT);
                rest = &bad[3..];
            } else if error.error_len().is_none()
                || (bad.len() == 2 && bad[0] == 0xed && (0xa0..=0xbf).contains(&bad[1]))
            {
                self.held.extend_from_slice(bad);
                return;
            } else {
                out.push_str(REPLACEMENT);
                rest = &bad[error.error_len().unwrap_or(bad.len())..];
            }
        }
    }

    /// Ends the text: what was held back will not be completed.
    pub fn finish(self, out: &mut String) {
        if !self.held.is_empty() {
            out.push_str(REPLACEMENT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut bytes = "a\0é🚀\"\\\n".as_bytes().to_vec();
        push_surrogate(0xd800, &mut bytes);
        bytes.extend("語".as_bytes());
        push_surrogate(0xdfff, &mut bytes);
        push_surrogate(0xdbff, &mut bytes);
        bytes
    }

    #[test]
    fn a_lone_surrogate_is_three_bytes_in_either_form() {
        let bytes = sample();
        let text = lossy(&bytes);
        assert_eq!(text, "a\0é🚀\"\\\n\u{fffd}語\u{fffd}\u{fffd}");
        assert_eq!(text.len(), bytes.len());
        assert!(matches!(lossy("plain 語".as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn pieces_give_the_same_text() {
        let bytes = sample();
        for size in 1..bytes.len() {
            let (mut decoder, mut text) = (Decoder::default(), String::new());
            bytes.chunks(size).for_each(|piece| decoder.push(piece, &mut text));
            decoder.finish(&mut text);
            assert_eq!(text, lossy(&bytes), "{size}");
        }
    }

    #[test]
    fn json_gets_its_escapes_back() {
        let mut json = String::new();
        escape_json(&sample(), &mut json);
        assert_eq!(json, "a\\u0000é🚀\\\"\\\\\\n\\ud800語\\udfff\\udbff");
        json.clear();
        escape_json(b"a\xffb\xed\xa0", &mut json);
        assert_eq!(json, "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_is_no_text_is_replaced_and_ends() {
        assert_eq!(lossy(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(lossy(b"a\xe8\xaa"), "a\u{fffd}");
        assert_eq!(lossy(b"a\xed\xa0"), "a\u{fffd}");
    }
}
