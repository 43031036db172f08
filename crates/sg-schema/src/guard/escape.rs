//! Escapes of characters past U+FFFF, which the library's parser does not read: written out, or as it reads them.

use std::borrow::Cow;

/// A document that is known to parse, without `\u{…}` and without surrogate pairs in its strings.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '#']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with('#') {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else if rest.starts_with("\"\"\"") {
            end_of_block(rest)
        } else {
            end_of_string(rest)
        };
        let (token, after) = rest.split_at(end);
        if token.starts_with('"') && !token.starts_with("\"\"\"") {
            string(token, &mut plain);
        } else {
            plain.push_str(token);
        }
        rest = after;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn end_of_block(text: &str) -> usize {
    let mut from = 3;
    while let Some(at) = text[from..].find("\"\"\"").map(|at| from + at) {
        if !text[..at].ends_with('\\') {
            return at + 3;
        }
        from = at + 3;
    }
    text.len()
}

fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn string(token: &str, plain: &mut String) {
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (read, char) = escaped(rest);
        match char {
            Some(char) if u32::from(char) > 0xFFFF => plain.push(char),
            Some(char) => plain.push_str(&format!("\\u{:04X}", u32::from(char))),
            None => plain.push_str(&rest[..read]),
        }
        rest = &rest[read..];
    }
    plain.push_str(rest);
}

/// How long the escape is that a text begins with, and its character if it is one that has to be written anew.
fn escaped(text: &str) -> (usize, Option<char>) {
    if let Some(braced) = text.strip_prefix("\\u{")
        && let Some(end) = braced.find('}')
    {
        return (end + 4, u32::from_str_radix(&braced[..end], 16).ok().and_then(char::from_u32));
    }
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
            (12, char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)))
        }
        // Any other is two characters at least, and the second may not be looked at again.
        _ => (text.chars().take(2).map(char::len_utf8).sum(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_library_cannot_read_changes() {
        for (text, want) in [
            (r#"{ a(b: "\uD83D\uDE00") }"#, "{ a(b: \"😀\") }"),
            (r#"{ a(b: "x\u{1F600}y\u{22}\u{5c}") }"#, "{ a(b: \"x😀y\\u0022\\u005C\") }"),
            (r#"{ a(b: "\\uD83D\\uDE00 \" \u00e9") }"#, r#"{ a(b: "\\uD83D\\uDE00 \" \u00e9") }"#),
            (
                r##"{ a(b: """\u{1F600} \""" " """) } # "\u{1F600}""##,
                r##"{ a(b: """\u{1F600} \""" " """) } # "\u{1F600}""##,
            ),
            (r#"{ a(b: "" c: "\u{1F600}") }"#, "{ a(b: \"\" c: \"😀\") }"),
        ] {
            assert_eq!(plain(text), want, "{text}");
        }
    }
}
