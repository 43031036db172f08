//! Taking known members out of an agent's record; what is left is what survives in `raw`.

use serde_json::{Map, Value};
use sg_domain::Timestamp;

/// Ids and names are kept in columns and addresses; longer ones are cut.
const MAX_NAME_BYTES: usize = 255;

/// Takes a string member; other types stay.
pub(crate) fn take_string(map: &mut Map<String, Value>, key: &str) -> Option<String> {
    match map.get_mut(key)? {
        Value::String(text) => {
            let text = std::mem::take(text);
            map.remove(key);
            Some(text)
        }
        _ => None,
    }
}

/// Takes a string member that is an id or a name: no control characters, not empty, at most 255 bytes.
pub(crate) fn take_name(map: &mut Map<String, Value>, key: &str) -> Option<String> {
    take_string(map, key).and_then(|text| name(&text))
}

/// Makes a text an id or name: see `take_name`.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let text: String = if text.chars().any(char::is_control) {
        text.chars().filter(|c| !c.is_control()).collect()
    } else {
        text.to_owned()
    };
    let text = &text[..text.floor_char_boundary(MAX_NAME_BYTES)];
    (!text.is_empty()).then(|| text.to_owned())
}

/// Makes a text the id of a session: a name without slashes.
pub(crate) fn client_id(text: &str) -> Option<String> {
    name(text).map(|text| text.replace('/', "-"))
}

/// An id that is the same each time for the same name, in a UUID's form, for sources that carry none.
pub(crate) fn derived_id(parts: &[&str]) -> String {
    let hex = sg_domain::Digest::of_parts(parts.iter().map(|part| part.as_bytes())).to_string();
    // Version 8 ("custom") and the usual variant, so that it is a well-formed UUID.
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Whether a text has a UUID's form.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// The last UUID inside a text, such as a rollout's file name.
pub(crate) fn uuid_in(text: &str) -> Option<&str> {
    (0..text.len().saturating_sub(35)).rev().filter_map(|at| text.get(at..at + 36)).find(|part| is_uuid(part))
}

/// Takes an object member; other types stay.
pub(crate) fn take_object(map: &mut Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
    match map.get_mut(key)? {
        Value::Object(inner) => {
            let inner = std::mem::take(inner);
            map.remove(key);
            Some(inner)
        }
        _ => None,
    }
}

/// Takes a member if it is `true` or `false`.
pub(crate) fn take_bool(map: &mut Map<String, Value>, key: &str) -> Option<bool> {
    let found = map.get(key)?.as_bool()?;
    map.remove(key);
    Some(found)
}

/// Takes a count; negative and fractional ones are nothing.
pub(crate) fn take_count(map: &mut Map<String, Value>, key: &str) -> Option<u64> {
    let found = map.get(key)?.as_u64()?;
    map.remove(key);
    Some(found)
}

/// Takes a time: text, or a number of milliseconds or seconds since 1970.
pub(crate) fn take_time(map: &mut Map<String, Value>, key: &str) -> Option<Timestamp> {
    let found = time(map.get(key)?)?;
    map.remove(key);
    Some(found)
}

/// Reads a time, see `take_time`.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    /// Seconds stay below this until the year 5138, milliseconds are above it since March 1973.
    const MAX_SECS: i64 = 100_000_000_000;
    match value {
        Value::String(text) => Timestamp::parse(text),
        Value::Number(number) => {
            let number = number.as_i64().or_else(|| number.as_f64().map(|f| f as i64))?;
            (number > 0)
                .then(|| if number < MAX_SECS { Timestamp::from_secs(number) } else { Timestamp::from_millis(number) })
        }
        _ => None,
    }
}

/// Drops members that say nothing: `null`, and empty objects and arrays.
pub(crate) fn drop_empty(map: &mut Map<String, Value>) {
    map.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(inner) => !inner.is_empty(),
        _ => true,
    });
}

/// Replaces long strings by their length, for values that repeat what is kept elsewhere (a tool's own copy of its
/// result) or that nobody reads (inline pictures, encrypted reasoning). The agent's file still has them.
pub(crate) fn shed(value: &mut Value, max_bytes: usize) {
    match value {
        Value::String(text) if text.len() > max_bytes => *text = format!("({} bytes left out)", text.len()),
        Value::Array(list) => list.iter_mut().for_each(|inner| shed(inner, max_bytes)),
        Value::Object(map) => map.values_mut().for_each(|inner| shed(inner, max_bytes)),
        _ => {}
    }
}

/// No session has more branches or models than this; a file that claims so must not cost a search of them all each.
const MAX_UNIQUE: usize = 256;

/// Adds a value unless it is there, or there are too many.
pub(crate) fn push_unique(list: &mut Option<Vec<String>>, value: &str) {
    let list = list.get_or_insert_default();
    if list.len() < MAX_UNIQUE && list.last().is_none_or(|last| last != value) && !list.iter().any(|have| have == value)
    {
        list.push(value.to_owned());
    }
}

/// A git remote without a user's name and password.
pub(crate) fn remote_without_credentials(remote: &str) -> Option<String> {
    let remote = name(remote)?;
    let Some((scheme, rest)) = remote.split_once("://") else { return Some(remote) };
    let slash = rest.find('/').unwrap_or(rest.len());
    let host = rest[..slash].rfind('@').map_or(0, |at| at + 1);
    // The user of an ssh remote is part of its address, a password never is.
    match rest[..host.saturating_sub(1)].split_once(':') {
        None if scheme == "ssh" => Some(remote),
        Some((user, _)) if scheme == "ssh" => Some(format!("{scheme}://{user}@{}", &rest[host..])),
        _ => Some(format!("{scheme}://{}", &rest[host..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_columns_and_addresses() {
        assert_eq!(name(" a\0b\n ").as_deref(), Some("ab"));
        assert_eq!(name("\0"), None);
        assert_eq!(name(&"é".repeat(200)).map(|n| n.len()), Some(254));
        assert_eq!(client_id("../x").as_deref(), Some("..-x"));
        assert!(is_uuid(&derived_id(&["a", "b"])));
        assert_ne!(derived_id(&["a", "b"]), derived_id(&["ab", ""]));
        assert_eq!(
            uuid_in("rollout-2026-01-01T00-00-00-019c7bbe-080b-7841-a755-9771f4a0e3d6.jsonl"),
            Some("019c7bbe-080b-7841-a755-9771f4a0e3d6")
        );
        assert_eq!(uuid_in("日本語日本語日本語日本語日本語日本語日本語"), None);
    }

    #[test]
    fn remotes_lose_their_credentials() {
        for (remote, want) in [
            ("https://u:p@github.com/o/r.git", "https://github.com/o/r.git"),
            ("https://token@github.com/o/r", "https://github.com/o/r"),
            ("ssh://git@github.com/o/r", "ssh://git@github.com/o/r"),
            ("ssh://git:p@github.com/o/r", "ssh://git@github.com/o/r"),
            ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ] {
            assert_eq!(remote_without_credentials(remote).as_deref(), Some(want));
        }
    }

    #[test]
    fn times_come_in_seconds_and_milliseconds() {
        for value in [serde_json::json!(1_700_000_000), serde_json::json!(1_700_000_000_000_i64)] {
            assert_eq!(time(&value).map(|t| t.secs()), Some(1_700_000_000));
        }
        assert_eq!(time(&serde_json::json!(-5)), None);
    }
}
