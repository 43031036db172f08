//! Documents that want to hurt: each is answered, soon, and the server lives.

mod document;
mod siege;
mod transport;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Gateway, Sample};

fn bomb(width: usize, height: usize) -> String {
    let mut text = "{ ...f0 }".to_owned();
    for level in 0..height {
        text += &format!(" fragment f{level} on Query {{ {} }}", format!("...f{} ", level + 1).repeat(width));
    }
    text + &format!(" fragment f{height} on Query {{ __typename }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_document_hurts() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    let mut nested = json!({});
    for _ in 0..100 {
        nested = json!({ "not": nested });
    }
    let attacks = [
        (format!("{{ nodes(ids: {}) {{ id }} }}", deep("[", "]", 100_000)), Value::Null),
        (deep("{ a ", "}", 40_000), Value::Null),
        (bomb(60, 4), Value::Null),
        (bomb(2, 30), Value::Null),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(), Value::Null),
        (format!("{{ {} }}", (0..20_000).map(|n| format!("a{n}:viewer{{id}} ")).collect::<String>()), Value::Null),
        ("{ sessions(first: -1000000) { nodes { messages(first: -1000000) { total } } } }".to_owned(), Value::Null),
        ("{ projects { sessions(first: 100) { nodes { messages(first: 100) { nodes { session { messages { total } } } } } } } }".to_owned(), Value::Null),
        ("query($f: SessionFilters) { sessions(filters: $f) { total } }".to_owned(), json!({ "f": nested })),
        ("query($f: SessionFilters) { sessions(filters: $f) { total } }".to_owned(), json!({ "f": { "tags": (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>() } })),
        ("{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }".to_owned(), Value::Null),
        ("\u{feff}{".to_owned(), Value::Null),
        ("\"".to_owned(), Value::Null),
    ];
    for (query, variables) in attacks {
        let began = Instant::now();
        let answer = gateway.graphql_as(&gateway.me.key, &query, variables).await;
        let shown: String = query.chars().take(80).collect();
        assert!(began.elapsed() < Duration::from_secs(10), "{shown} took {:?}", began.elapsed());
        let body = answer.json();
        assert!(body["errors"][0]["message"].is_string(), "{shown}: {body}");
        let code = &body["errors"][0]["extensions"]["code"];
        assert!(code == "VALIDATION_ERROR" || answer.status == 413, "{shown}: {body}");
    }
    let large = format!("{{ viewer {{ id }} }} # {}", "x".repeat(300 * 1024));
    assert_eq!(gateway.graphql_as(&gateway.me.key, &large, Value::Null).await.status, 413);
    assert!(gateway.graphql("{ viewer { id } }", json!({})).await["viewer"]["id"].is_string());
}
