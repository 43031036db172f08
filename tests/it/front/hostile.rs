//! Paths, queries and bodies that nobody would send in earnest, on every route of the SessionFS dialect: none is our
//! fault, and each is told in the one form of errors.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sg_rest::route::Route;

use super::is_envelope;
use crate::harness::{Answer, Stack};
use crate::scenario::FORM;
use crate::sessionfs::full::Full;

/// What may stand in the place of a name in a path, percent-encoded.
const NAMES: &[&str] = &[
    "%00",
    "..",
    "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
    "ses_",
    "ses_ffffffffffffffff",
    "SES_FFFFFFFFFFFFFFFF",
    "hnd_ffffffffffffffff",
    "aud_ffffffffffffffff",
    "up_ffffffffffffffffffffffff",
    "%F0%9F%92%A9",
    "%FF%FE",
    "%",
    "%zz",
    "'%3B%20DROP%20TABLE%20session--",
    "-1",
    "0",
    "99999999999999999999999999",
    "00000000-0000-0000-0000-000000000000",
    "%7Bid%7D",
    "a%20b",
    "%250a",
    "%0d%0aX-Evil:1",
    "null",
];

const QUERIES: &[&str] = &[
    "?",
    "?&&==&",
    "?page=0",
    "?page=-1&page_size=0",
    "?page=9223372036854775807&page_size=100",
    "?page=99999999999999999999",
    "?page=1e3&page_size=NaN",
    "?page=&page_size=&q=&days=&deleted=",
    "?page=%00&q=%00&tag=%00&model=%00&source_tool=%00",
    "?%FF=%FF&q=%FF%FE",
    "?q=%27%22%25_%5C*()%5B%5D%7B%7D%3A%21%7E%5E",
    "?q=AND%20OR%20NOT%20%2B-%22",
    "?deleted=maybe",
    "?days=0&around=-1&order=sideways&sort=nothing",
    "?days=366&around=99999999999&limit=-5",
    "?tag=%25&tag=a&tag=%5B%5D",
    "?model=a&model=&model=unknown",
    "?scope=nowhere",
    "?source_tool=%3Cscript%3E&title=%00&tags=%7B%7D",
    "?source_tool=a&tags=%5B1%2C2%5D",
    "?base_url=http://169.254.169.254/latest&api_key=%00",
    "?base_url=file:///etc/passwd",
    "?token=a.b.c",
    "?token=eyJhbGciOiJub25lIn0.eyJlbWFpbCI6Im1lIn0.",
];

const BODIES: &[&[u8]] = &[
    b"null",
    b"[]",
    b"\"text\"",
    b"0",
    b"{",
    b"{}x",
    b"{\"a\":1,\"a\":2}",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    br#"{"email":null,"name":null,"title":null,"alias":null,"tags":null,"mode":null,"trigger":null}"#,
    br#"{"email":{},"name":[],"title":1,"alias":true,"tags":"x","mode":3,"trigger":[],"content":{},"reason":[]}"#,
    br#"{"email":"a\u0000@b.c","name":"\u0000","title":"\u0000","alias":"a\u0000bc","tags":["\u0000"],"content":"\u0000"}"#,
    br#"{"expires_in_hours":1e308,"password":1,"debounce_seconds":-9223372036854775808,"mode":"all"}"#,
    br#"{"expires_in_hours":-1,"password":"","finding_index":-1,"dismissed":"maybe"}"#,
    br#"{"expires_in_hours":9223372036854775807,"finding_index":9223372036854775807,"total_size":-1}"#,
    br#"{"total_size":18446744073709551615,"sha256":"zz"}"#,
    br#"{"total_size":0,"sha256":""}"#,
    br#"{"session_id":"../../etc","recipient_email":"","message":1}"#,
    br#"{"session_id":"ses_00000000000000aa","recipient_email":"a@b","recipient_user_id":"x"}"#,
    br#"{"session_id":"ses_00000000000000aa","recipient_email":"x@example.com","attachments":[{"kind":1}]}"#,
    br#"{"provider":"\u0000","model":{},"api_key":[],"base_url":"http://127.0.0.1:1/"}"#,
    br#"{"provider":"openai","model":"m","base_url":"not an address"}"#,
    br#"{"watchers":"x"}"#,
    br#"{"watchers":[1,null,{"name":{}}]}"#,
    br#"{"tier":{},"seats":-1,"scope":"x","org_id":{}}"#,
    b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n",
    b"--scenario-boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nnot gzip\r\n--scenario-boundary--\r\n",
    b"--scenario-boundary\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--scenario-boundary--\r\n",
    b"--scenario-boundary--\r\n",
];

const TYPES: &[&str] =
    &["application/json", FORM, "multipart/form-data", "text/plain", "application/json; charset=utf-16", "\u{1}"];

/// A stack that refuses nobody for asking often.
fn stack(full: &Full) -> Stack {
    let mut config = sg_server::config::Config::default();
    config.http.spool_dir = full.world.gateway.dir().join("spool");
    config.rate_limit.rest_per_hour = 0;
    config.rate_limit.open_per_hour = 0;
    full.world.gateway.with_config(&config)
}

async fn send(full: &Full, stack: &Stack, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Answer {
    full.world.gateway.clock.advance(std::time::Duration::from_secs(1));
    let method = method.parse().expect("a method");
    let mut call = stack.call(method, path).key(full.world.key("me").expect("a key")).body(body);
    if axum::http::HeaderValue::from_str(kind).is_ok() {
        call = call.header("content-type", kind);
    }
    call.send().await
}

fn check(at: &str, method: &str, answer: &Answer) {
    let is_ours = answer.status >= 500 && answer.status != 501;
    assert!(!is_ours, "{at}: {} {}", answer.status, answer.text());
    let is_page = answer.header("content-type").starts_with("text/html");
    if answer.status >= 400 && method != "HEAD" && !is_page {
        let body = answer.json();
        assert!(is_envelope(&body), "{at}: {} {body}", answer.status);
    }
}

/// A route's path with one name in the place of all that vary.
fn with_names(path: &str, name: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { name } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn long(path: &str) -> String {
    with_names(path, &"a".repeat(3000))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_asked_is_our_fault() {
    let full = Full::start().await;
    let stack = stack(&full);
    for route in sg_rest::sessionfs::routes() {
        for method in route.methods {
            for name in NAMES.iter().filter(|_| route.path.contains('{')) {
                let path = with_names(route.path, name);
                if path.parse::<axum::http::Uri>().is_err() {
                    continue;
                }
                let answer = send(&full, &stack, method, &path, "application/json", b"{}".to_vec()).await;
                check(&format!("{method} {path}"), method, &answer);
            }
            let answer = send(&full, &stack, method, &long(route.path), "application/json", b"{}".to_vec()).await;
            check(&format!("{method} {} with a long name", route.path), method, &answer);
            if *method == "GET" || route.name == "delete session" || route.name == "upload" {
                for query in QUERIES {
                    let path = full.path(route) + query;
                    let answer = send(&full, &stack, method, &path, "", Vec::new()).await;
                    check(&format!("{method} {path}"), method, &answer);
                }
            }
        }
    }
    full.world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_is_our_fault() {
    let full = Full::start().await;
    let stack = stack(&full);
    let deep = [b"{\"title\":".to_vec(), b"[".repeat(200_000)].concat();
    for route in sg_rest::sessionfs::routes() {
        for method in route.methods.iter().filter(|method| !matches!(**method, "GET" | "HEAD")) {
            let path = full.path(route);
            for body in BODIES.iter().map(|body| body.to_vec()).chain([deep.clone(), Vec::new()]) {
                let kind = if body.starts_with(b"--") { FORM } else { "application/json" };
                let at = format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(200)]));
                let answer = send(&full, &stack, method, &path, kind, body).await;
                check(&at, method, &answer);
            }
            for kind in TYPES {
                let answer = send(&full, &stack, method, &path, kind, b"{\"x\":1}".to_vec()).await;
                check(&format!("{method} {path} as {kind}"), method, &answer);
            }
        }
    }
    full.world.gateway.run_jobs().await;
}

/// Anything at all, on any route.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_random_is_our_fault() {
    let full = Full::start().await;
    let stack = stack(&full);
    let routes: Vec<&Route<_>> = sg_rest::sessionfs::routes().collect();
    let field = "(email|name|title|alias|tags|mode|reason|content|password|session_id|trigger|page|q|scope|tag)";
    let pair = (field, any::<String>());
    let json = proptest::arbitrary::any::<Vec<u8>>();
    let asked = (0..routes.len(), "[a-zA-Z0-9%_.~ -]{0,40}", vec(pair, 0..4), json, any::<u8>());
    let mut runner = TestRunner::deterministic();
    for _ in 0..600 {
        let (route, name, pairs, bytes, shape) = asked.new_tree(&mut runner).expect("a value").current();
        let route = routes[route];
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let name = if shape % 3 == 0 { full.ids.alias.to_owned() } else { escaped(&name) };
        let path = format!("{}?{}", with_names(route.path, &name), query.join("&"));
        let object =
            || serde_json::Map::from_iter(pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())));
        let body = if shape % 2 == 0 { bytes } else { serde_json::to_vec(&object()).expect("JSON") };
        let method = route.methods[usize::from(shape) % route.methods.len()];
        let kind = TYPES[usize::from(shape) % 2];
        let answer = send(&full, &stack, method, &path, kind, body).await;
        check(&format!("{method} {path}"), method, &answer);
    }
    full.world.gateway.run_jobs().await;
}
