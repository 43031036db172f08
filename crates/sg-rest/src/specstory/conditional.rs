//! Conditional requests: `If-None-Match` and `If-Match` against a session's ETag (RFC 9110, 13.1). Both compare weakly: one
//! tag stands for all three representations, so there is no strong one to compare.

use http::header::{IF_MATCH, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use sg_domain::Error;

/// The one user agent that does not survive a 304.
///
/// `sessions.read()` of the Python SDK 0.1.0 remembers ETags by default, sends the tag at its second read of a session,
/// and then parses the empty body of the 304 as JSON, which raises. Its documented examples do just that, so its `GET`s
/// are answered in full. Its `HEAD`s read no body and are answered as everyone's.
const CRASHES_ON_304: &str = "specstory-sdk-python/0.1.0";

/// A session's tag as headers and lists show it, the same in both to the byte: `W/"<etag>"`. Weak, because one tag
/// stands for all three representations.
pub(super) fn tag(etag: &str) -> String {
    format!("W/\"{etag}\"")
}

/// [`tag`] as a header value.
pub(super) fn tag_header(etag: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(tag(etag)).map_err(Error::internal)
}

/// What [`tag_header`] was made from.
pub(super) fn etag(header: &HeaderValue) -> Option<&str> {
    header.to_str().ok()?.strip_prefix("W/\"")?.strip_suffix('"')
}

/// The tags of which a session must have one for this change to be made; `None` makes it whatever the state. No client of
/// the hosted service sends any, so that those who do mean it.
pub(super) fn expected(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(IF_MATCH).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.map(std::borrow::Cow::into_owned).reduce(|all, more| format!("{all},{more}"))
}

/// Whether this request is to be answered 304, given the current tag.
pub(super) fn is_not_modified(method: &Method, headers: &HeaderMap, etag: &str) -> bool {
    matches(headers, etag) && !(method == Method::GET && crashes_on_304(headers))
}

fn matches(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|value| lists(value.as_bytes(), etag.as_bytes()))
}

/// Whether a list of entity tags holds this one or is `*`. Reading stops at the first thing that is no tag: what came
/// before it counts, what comes after cannot be told apart.
fn lists(mut list: &[u8], etag: &[u8]) -> bool {
    if list.trim_ascii() == b"*" {
        return true;
    }
    loop {
        list = list.trim_ascii_start();
        // Empty elements are allowed in a list (RFC 9110, 5.6.1).
        if let Some(rest) = list.strip_prefix(b",") {
            list = rest;
            continue;
        }
        let opaque = list.strip_prefix(b"W/").unwrap_or(list);
        let Some(opaque) = opaque.strip_prefix(b"\"") else { return false };
        let Some(end) = opaque.iter().position(|b| *b == b'"') else { return false };
        if &opaque[..end] == etag {
            return true;
        }
        list = opaque[end + 1..].trim_ascii_start();
        match list.strip_prefix(b",") {
            Some(rest) => list = rest,
            None => return false,
        }
    }
}

fn crashes_on_304(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.split_ascii_whitespace().any(|product| product == CRASHES_ON_304)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn compares_weakly_through_lists() {
        for value in [
            "W/\"abc\"",
            "\"abc\"",
            "*",
            " * ",
            "\"x\", W/\"abc\"",
            "\"x\",\"y\" , \"abc\",\"z\"",
            ", ,W/\"abc\"",
            "\"a,b\", \"abc\"",
            "W/\"x\"  ,  \"abc\"  ",
        ] {
            assert!(matches(&headers(&[(IF_NONE_MATCH, value)]), "abc"), "{value}");
        }
    }

    #[test]
    fn what_is_no_such_tag_does_not_match() {
        for value in [
            "",
            "abc",
            "\"abcd\"",
            "\"ab\"",
            "W/abc",
            "w/\"abc\"",
            "\"abc",
            "**",
            "\"*\"",
            "\"x\" \"abc\"",
            "\"x, \"abc\"",
            "'abc'",
            "W/\"ABC\"",
        ] {
            assert!(!matches(&headers(&[(IF_NONE_MATCH, value)]), "abc"), "{value}");
        }
        assert!(!matches(&HeaderMap::new(), "abc"));
    }

    #[test]
    fn several_header_lines_are_one_list() {
        let mut map = headers(&[(IF_NONE_MATCH, "\"x\"")]);
        map.append(IF_NONE_MATCH, HeaderValue::from_static("W/\"abc\""));
        assert!(matches(&map, "abc"));
    }

    #[test]
    fn only_gets_of_the_one_python_sdk_are_spared() {
        let asks = |agent: &str| headers(&[(IF_NONE_MATCH, "W/\"abc\""), (USER_AGENT, agent)]);
        assert!(!is_not_modified(&Method::GET, &asks("specstory-sdk-python/0.1.0"), "abc"));
        assert!(is_not_modified(&Method::HEAD, &asks("specstory-sdk-python/0.1.0"), "abc"));
        for agent in ["specstory-sdk-python/0.1.01", "specstory-sdk-python/0.2.0", "specstory-sdk-typescript/0.1.0"] {
            assert!(is_not_modified(&Method::GET, &asks(agent), "abc"), "{agent}");
        }
    }
}
