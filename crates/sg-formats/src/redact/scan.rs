//! Looking at what stands around an anchor.

use std::ops::Range;

use super::rules::{Rule, Set, Shape};

/// No secret but a private key is longer, and no look-ahead goes further: every anchor costs a bounded time.
const MAX_SECRET_BYTES: usize = 4096;

/// The longest private key block.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// The secret at an anchor, and its kind.
pub(super) fn secret(bytes: &[u8], start: usize, end: usize, rule: &Rule) -> Option<(&'static str, Range<usize>)> {
    match rule.shape {
        Shape::Token { kind, of, min, max } => {
            // Before looking ahead: in a run of anchors each would look over all that follow.
            if !starts_word(bytes, start) {
                return None;
            }
            let stop = run(bytes, end, of, max + 1);
            let fits = (min..=max).contains(&(stop - end)) && ends_word(bytes, stop);
            (fits && (kind == "aws-key" || is_mixed(&bytes[end..stop]))).then_some((kind, start..stop))
        }
        Shape::After { kind, of, min, max } => {
            let stop = run(bytes, end, of, max + 1);
            ((min..=max).contains(&(stop - end))).then_some((kind, end..stop))
        }
        Shape::Pem => pem(bytes, end).map(|range| ("private-key", range)),
        Shape::Address => address(bytes, end).map(|range| ("url-password", range)),
        Shape::Jwt => jwt(bytes, start).map(|range| ("jwt", range)),
        Shape::Assignment { kind, is_password } => assignment(bytes, end, is_password).map(|range| (kind, range)),
        Shape::Scheme => scheme(bytes, start, end).map(|range| ("authorization", range)),
    }
}

/// The end of the characters of a set from a place, at most `max` of them.
fn run(bytes: &[u8], from: usize, of: Set, max: usize) -> usize {
    let window = &bytes[from..bytes.len().min(from + max)];
    from + window.iter().position(|b| !of.has(*b)).unwrap_or(window.len())
}

/// Whether a word can begin here. In JSON text the letter before may belong to an escape (`\n`, `\u001b`), and in
/// terminal output to a colour (`ESC [ 3 2 m`).
fn starts_word(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    let Some(last) = before.last().copied() else { return true };
    if !last.is_ascii_alphanumeric() && !matches!(last, b'_' | b'-') {
        return true;
    }
    if matches!(last, b'n' | b'r' | b't' | b'b' | b'f') && before.len() > 1 && before[before.len() - 2] == b'\\' {
        return true;
    }
    if before.len() >= 6 && before[before.len() - 6..].starts_with(b"\\u") {
        return before[before.len() - 4..].iter().all(u8::is_ascii_hexdigit);
    }
    let digits =
        before[..before.len() - 1].iter().rev().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    last == b'm' && before.len() > digits + 1 && before[before.len() - 2 - digits] == b'['
}

fn ends_word(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Whether a token could be random: names in code (`sk-some-component-name`) have no digits.
fn is_mixed(token: &[u8]) -> bool {
    let digits = token.iter().filter(|b| b.is_ascii_digit()).count();
    let distinct = token.iter().fold([false; 256], |mut seen, b| {
        seen[usize::from(*b)] = true;
        seen
    });
    digits > 0 && digits < token.len() && distinct.iter().filter(|seen| **seen).count() >= 6
}

/// The body of a private key, between its head and its end; without an end, as far as it looks like one.
fn pem(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let head = &bytes[from..bytes.len().min(from + 64)];
    let dashes = memchr::memmem::find(head, b"-----")?;
    let label = &head[..dashes];
    let is_key = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    if !is_key || !label.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ') {
        return None;
    }
    let body = from + dashes + 5;
    let window = &bytes[body..bytes.len().min(body + MAX_PEM_BYTES)];
    // A quote that is not escaped ends the string that the key is in, and with it what may be replaced.
    let end = memchr::memmem::find(window, b"-----END ").filter(|end| !has_bare_quote(&window[..*end]));
    let end = end.unwrap_or_else(|| {
        let is_body = |b: &u8| Set::Base64.has(*b) || b.is_ascii_whitespace() || matches!(b, b'\\' | b':' | b',');
        let end = window.iter().position(|b| !is_body(b)).unwrap_or(window.len());
        // A `\` at the end of what is replaced would leave the character it escapes.
        end - window[..end].iter().rev().take_while(|b| **b == b'\\').count()
    });
    let material = window[..end].iter().filter(|b| b.is_ascii_alphanumeric()).count();
    (material >= 40 && !is_redacted(&window[..end])).then_some(body..body + end)
}

fn has_bare_quote(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'"', bytes).any(|at| bytes[..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0)
}

fn is_redacted(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"[REDACTED:")
}

/// The password in `user:password@host`.
fn address(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let user = run(bytes, from, Set::Base64, 128);
    if bytes.get(user) != Some(&b':') || bytes[from..user].contains(&b'/') {
        return None;
    }
    let start = user + 1;
    let window = &bytes[start..bytes.len().min(start + 512)];
    // A password may hold an `@`: the last before the path ends it.
    let stop = window.iter().position(|b| {
        b.is_ascii_whitespace()
            || b.is_ascii_control()
            || matches!(b, b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b',' | b')')
    });
    let window = &window[..stop.unwrap_or(window.len())];
    let end = window.iter().rposition(|b| *b == b'@')?;
    let host = window.get(end + 1)?;
    let value = &window[..end];
    (host.is_ascii_alphanumeric() || matches!(host, b'[' | b'$' | b'{')).then_some(())?;
    (!value.is_empty() && !is_placeholder(value)).then_some(start..start + end)
}

/// `header.payload.signature`, each base64url; header and payload are JSON objects.
fn jwt(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    if !starts_word(bytes, start) {
        return None;
    }
    let header = run(bytes, start, Set::Word, 1024);
    let payload = bytes
        .get(header..)
        .filter(|rest| rest.starts_with(b".eyJ"))
        .map(|_| run(bytes, header + 1, Set::Word, MAX_SECRET_BYTES))?;
    if bytes.get(payload) != Some(&b'.') || header - start < 12 || payload - header < 10 {
        return None;
    }
    let end = run(bytes, payload + 1, Set::Word, 2048);
    (end - payload > 16).then_some(start..end)
}

/// The credential after `Bearer`, and after `Basic` in an authorization header.
fn scheme(bytes: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let stop = run(bytes, end, Set::Base64, MAX_SECRET_BYTES);
    let value = &bytes[end..stop];
    if value.len() < 16 || !is_mixed(value) || is_placeholder(value) || !starts_word(bytes, start) {
        return None;
    }
    if bytes[start].eq_ignore_ascii_case(&b'b') && bytes[start + 1] == b'a' {
        let before = bytes[start.saturating_sub(24)..start].to_ascii_lowercase();
        memchr::memmem::find(&before, b"authorization")?;
    }
    Some(end..stop)
}

/// The value in `password = "…"`, `"api_key": "…"`, `SECRET_KEY=…`, from the end of the name's anchor.
fn assignment(bytes: &[u8], from: usize, is_password: bool) -> Option<Range<usize>> {
    let name = run(bytes, from, Set::Word, 48);
    let more = bytes[from..name].to_ascii_lowercase();
    if !more.is_empty() && !goes_on(&more) {
        return None;
    }
    let (at, closed) = quote(bytes, name);
    let mut at = skip_spaces(bytes, at);
    match bytes.get(at)? {
        b'=' | b':' => at += 1,
        _ => return None,
    }
    // `:=` and `=>` assign, `==` and `::` do not.
    match bytes.get(at) {
        Some(b'>') => at += 1,
        Some(b'=') if bytes[at - 1] == b':' => at += 1,
        Some(b'=' | b':') => return None,
        _ => {}
    }
    let tight = bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace());
    let (start, opened) = quote(bytes, skip_spaces(bytes, at));
    // A quoted name is a JSON member: its value is a string, or no secret, and a bare value must stay JSON.
    if closed.is_some() && closed != opened {
        return None;
    }
    let window = &bytes[start..bytes.len().min(start + 512)];
    let stop = window.iter().position(|b| {
        b.is_ascii_whitespace()
            || b.is_ascii_control()
            || matches!(b, b'"' | b'\'' | b'`' | b'\\')
            || (opened.is_none() && matches!(b, b',' | b';' | b')' | b'(' | b'<' | b'>' | b'{' | b'}' | b'[' | b']'))
            // In a query string, what follows is the next parameter.
            || (opened.is_none() && tight && matches!(b, b'&' | b'|'))
    });
    let value = &window[..stop.unwrap_or(window.len())];
    if is_redacted(window) || is_placeholder(value) || !is_secret(value, is_password, opened.is_some(), tight) {
        return None;
    }
    Some(start..start + value.len())
}

/// Whether a longer name still names a secret: `password_hash`, `token_count` and `secretName` do not.
fn goes_on(more: &[u8]) -> bool {
    let word = more.trim_ascii_start();
    let word = word.strip_prefix(b"_").or_else(|| word.strip_prefix(b"-")).unwrap_or(word);
    const SECRETS: &[&[u8]] = &[
        b"key",
        b"value",
        b"access_key",
        b"accesskey",
        b"access-key",
        b"token",
        b"secret",
        b"password",
        b"base",
        b"key_base",
        b"prod",
        b"production",
        b"dev",
        b"staging",
        b"test",
        b"1",
        b"2",
        b"live",
        b"default",
        b"api_key",
        b"id_secret",
    ];
    SECRETS.contains(&word)
}

/// Skips a quote with the backslashes before it; what kind it was, so that two can be compared.
fn quote(bytes: &[u8], at: usize) -> (usize, Option<(usize, u8)>) {
    let slashes = bytes[at.min(bytes.len())..].iter().take(16).take_while(|b| **b == b'\\').count();
    match bytes.get(at + slashes) {
        Some(mark @ (b'"' | b'\'' | b'`')) => (at + slashes + 1, Some((slashes, *mark))),
        _ => (at, None),
    }
}

fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    at + bytes[at.min(bytes.len())..].iter().take(8).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Whether a value is one rather than code, a name or prose.
fn is_secret(value: &[u8], is_password: bool, is_quoted: bool, is_tight: bool) -> bool {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let (digit, letter) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
    let looks_like_code = value.iter().any(|b| matches!(b, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'<' | b'>'))
        || (!is_quoted && value.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1] == b'.'));
    if looks_like_code || !letter {
        return false;
    }
    if is_password {
        // `password: string` and `password = other` are code; `PASSWORD=hunter2` and `password: "hunter2"` are not.
        let special = has(|b| b"!@#$%^&*+?".contains(b));
        let bare = is_quoted || is_tight || (digit && value.len() >= 8);
        return value.len() >= 6 && (digit || special) && bare;
    }
    if value.len() < 16 || !digit || is_uuid(value) || !value.iter().all(|b| Set::Base64.has(*b) || *b == b':') {
        return false;
    }
    let is_path =
        value.iter().filter(|b| **b == b'/').count() > 2 || value.starts_with(b"http") || value.starts_with(b"/");
    !is_path && entropy(value) >= 3.0
}

fn is_uuid(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(crate::field::is_uuid)
}

/// Bits per character.
fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|b| counts[usize::from(*b)] += 1);
    let len = value.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / len).map(|p| -p * p.log2()).sum()
}

/// Whether a value only stands for one: `<password>`, `$TOKEN`, `your-key-here`, `xxxx`.
fn is_placeholder(value: &[u8]) -> bool {
    let Some(first) = value.first() else { return true };
    if matches!(first, b'$' | b'{' | b'<' | b'[' | b'*' | b'.')
        || (*first == b'%' && value.get(1).is_some_and(|b| !b.is_ascii_hexdigit()))
    {
        return true;
    }
    if value.iter().all(|b| b.eq_ignore_ascii_case(first)) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    const WORDS: &[&[u8]] = &[
        b"your",
        b"example",
        b"changeme",
        b"change-me",
        b"change_me",
        b"placeholder",
        b"redacted",
        b"xxxx",
        b"process.env",
        b"os.environ",
        b"env.",
        b"dummy",
        b"<",
        b"...",
    ];
    WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
        || matches!(lower.as_slice(), b"password" | b"pass" | b"passwd" | b"pwd" | b"secret" | b"token")
}
