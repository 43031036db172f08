//! What no error may show: paths, SQL, debug text, the names of what the program is made of.

use serde_json::Value;

/// In any case of letters.
const NEVER: &[&str] = &[
    // Where it was built, where it runs.
    "/home/",
    "/root",
    "/work",
    "/tmp",
    "crates/",
    ".rs:",
    "target/",
    "sessiongraph.db",
    "document.graphql",
    "schema.graphql",
    // Its database and its index.
    "select ",
    "insert into",
    "delete from",
    "sqlite",
    "postgres",
    "constraint",
    "no such table",
    "sqlx",
    "sea_orm",
    "sea-orm",
    "rusqlite",
    "tantivy",
    "zstd",
    // Its libraries.
    "apollo",
    "async_graphql",
    "async-graphql",
    "serde",
    "tokio",
    "axum",
    "hyper",
    // Debug text.
    "some(",
    "none,",
    "error {",
    "dberr",
    "panicked",
    "unwrap",
    "stack backtrace",
    " --> ",
];

/// What stands in a text that no caller may see.
pub fn leaks(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    NEVER.iter().copied().filter(|word| text.contains(word)).collect()
}

/// Fails on an answer whose errors show what they must not. Data is the caller's own: it may hold any of it.
pub fn assert_tight(body: &str) {
    let told = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(mut body)) => {
            let is_coded = |error: &Value| error["extensions"]["code"].is_string() && error["message"].is_string();
            let errors = body.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            assert!(errors.iter().all(is_coded), "an error without a code: {errors:?}");
            body.remove("data");
            Value::Object(body).to_string()
        }
        _ => body.to_owned(),
    };
    let leaks = leaks(&told);
    assert!(leaks.is_empty(), "an answer shows {leaks:?}: {told}");
}

#[test]
fn the_check_finds_what_it_looks_for() {
    for bad in [
        r#"{"errors":[{"message":"no such table: session","extensions":{"code":"X"}}]}"#,
        r#"{"errors":[{"message":"a","extensions":{"code":"X","at":"/home/me/x"}}]}"#,
        r#"{"errors":[{"message":"without a code"}]}"#,
        "thread 'main' panicked at crates/x.rs:1",
    ] {
        assert!(std::panic::catch_unwind(|| assert_tight(bad)).is_err(), "{bad}");
    }
    assert_tight(r#"{"data":{"a":"/home/me SELECT * FROM x"},"extensions":{"cost":{}}}"#);
}
