//! Where signing in leads back to: a page of this server, never another one.

/// The sign-in page that leads back to a page.
pub(crate) fn login(wanted: &str) -> String {
    format!("/login?next={}", encoded(wanted))
}

/// Text as a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The longest address that is led back to, in bytes.
const MAX_BYTES: usize = 2_000;

/// The page that a `next` names, if it is one of this server's: a path that no browser takes for another host. `//x`
/// and `/\x` name one, and control characters are dropped before a browser looks.
pub(crate) fn local(given: Option<&str>) -> &str {
    let is_local = |path: &&str| {
        path.len() <= MAX_BYTES
            && path.starts_with('/')
            && !path[1..].starts_with(['/', '\\'])
            && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    };
    given.filter(is_local).filter(|path| *path != "/login").unwrap_or("/projects")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_led_back_to() {
        for good in ["/", "/projects", "/projects/a?x=y&z=%2F", "/cli-login", "/a//b"] {
            assert_eq!(local(Some(good)), good);
        }
        let long = format!("/{}", "x".repeat(MAX_BYTES));
        for bad in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/a\\b",
            "/ü",
            " /x",
            "/x y",
            "/login",
            &long,
        ] {
            assert_eq!(local(Some(bad)), "/projects", "{bad:?}");
        }
        assert_eq!(local(None), "/projects");
    }

    #[test]
    fn a_page_is_named_whole() {
        assert_eq!(login("/a b?c=d&e=#ü"), "/login?next=/a%20b%3Fc%3Dd%26e%3D%23%C3%BC");
    }
}
