//! Bodies, connections and caches that want to hurt.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};
use sg_domain::Digest;

use super::siege::{Siege, document};
use crate::harness::{Gateway, Sample};
use crate::leak::assert_tight;

const MIB: usize = 1024 * 1024;

#[test]
fn a_body_of_20_mb_is_not_kept() {
    let siege = Siege::begin(&[]);
    let before = siege.server.peak();
    let large = document(&"x".repeat(20 * MIB));
    let mut refused = 0;
    siege.while_others_are_answered("a body of 20 MB", || {
        for _ in 0..8 {
            // The refusal may be lost when the connection is closed under the writer's hands.
            if let Some(reply) = siege.send(large.as_bytes()) {
                assert_tight(&reply.body);
                assert_eq!((reply.status, reply.code("20 MB").as_str()), (413, "PAYLOAD_TOO_LARGE"));
                refused += 1;
            }
        }
    });
    assert!(refused > 0, "nobody heard of it");
    let peak = siege.server.peak();
    assert!(peak < before + 64 * MIB, "{before} bytes before, {peak} at the most");
}

#[test]
fn slow_bodies_hold_up_nobody() {
    let siege = Siege::begin(&[]);
    let body = document("{ slow: __typename }");
    let mut streams: Vec<_> = (0..200).map(|_| siege.connect()).collect();
    for stream in &mut streams {
        stream.write_all(siege.head(body.len()).as_bytes()).unwrap();
    }
    for byte in body.as_bytes() {
        siege.while_others_are_answered("slow bodies", || ());
        for stream in &mut streams {
            stream.write_all(&[*byte]).unwrap();
        }
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("{\"slow\":\"Query\"}"), "{answer}");
    }
}

#[test]
fn a_body_that_stops_is_given_up() {
    let siege = Siege::begin(&[("SESSIONGRAPH_HTTP__BODY_TIMEOUT_SECS", "1")]);
    let mut streams: Vec<_> = (0..50).map(|_| siege.connect()).collect();
    for stream in &mut streams {
        stream.write_all(siege.head(100).as_bytes()).and_then(|()| stream.write_all(b"{\"query\":")).unwrap();
    }
    for stream in &mut streams {
        let mut answer = String::new();
        // Answered, and closed: it does not wait for ever.
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        assert_tight(body);
    }
}

fn persisted(query: Option<&str>, hash: &str) -> String {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    match query {
        Some(query) => json!({ "query": query, "extensions": extensions }).to_string(),
        None => json!({ "extensions": extensions }).to_string(),
    }
}

#[test]
fn persisted_queries_are_neither_poisoned_nor_flooded() {
    let siege = Siege::begin(&[]);
    let (mine, other) = ("{ mine: __typename }", "{ other: viewer { id } }");
    let hash = Digest::of(mine.as_bytes()).to_string();
    siege.refuses("another's hash", persisted(Some(other), &hash), "VALIDATION_ERROR");
    siege.refuses("a hash in capitals", persisted(Some(other), &hash.to_uppercase()), "VALIDATION_ERROR");
    siege.refuses("a hash of nothing known", persisted(None, &hash), "PERSISTED_QUERY_NOT_FOUND");
    let wrong = "{ nope }";
    siege.refuses(
        "a wrong document",
        persisted(Some(wrong), &Digest::of(wrong.as_bytes()).to_string()),
        "VALIDATION_ERROR",
    );
    let wrong = Digest::of(wrong.as_bytes()).to_string();
    siege.refuses("a wrong document by its hash", persisted(None, &wrong), "PERSISTED_QUERY_NOT_FOUND");
    for hash in ["", "x", &"0".repeat(100_000), "../../etc/passwd", "__proto__"] {
        let code = siege.ask(persisted(None, hash)).code(hash);
        assert!(["VALIDATION_ERROR", "PERSISTED_QUERY_NOT_FOUND"].contains(&code.as_str()), "{hash}: {code}");
    }
    assert_eq!(siege.ask(persisted(Some(mine), &hash)).json()["data"], json!({ "mine": "Query" }));
    let before = siege.server.peak();
    // Each weighs about a quarter of a megabyte: all of them would be 150.
    for n in 0..600 {
        let text = format!("{{ a{n}: viewer {{ {} }} }}", "id email createdAt ".repeat(220));
        let reply = siege.ask(persisted(Some(&text), &Digest::of(text.as_bytes()).to_string()));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let peak = siege.server.peak();
    assert!(peak < before + 100 * MIB, "{before} bytes before, {peak} at the most");
}

/// Cursors of every kind that there is, and what is not one.
#[tokio::test(flavor = "multi_thread")]
async fn cursors_of_others_are_refused() {
    let gateway = Gateway::start().await;
    for n in 0..3 {
        gateway.seed(Sample::new(&format!("s{n}"))).await;
    }
    let data = gateway
        .graphql(
            "{ created: sessions(first: 1) { pageInfo { endCursor } }
               named: sessions(first: 1, orderBy: \"name\", orderDirection: \"asc\") { pageInfo { endCursor } nodes { messages(first: 1) { pageInfo { endCursor } } } }
               found: searchSessions(query: \"login\", first: 1) { pageInfo { endCursor } } }",
            json!({}),
        )
        .await;
    let created = data["created"]["pageInfo"]["endCursor"].as_str().unwrap();
    let named = data["named"]["pageInfo"]["endCursor"].as_str().unwrap();
    let message = data["named"]["nodes"][0]["messages"]["pageInfo"]["endCursor"].as_str().unwrap();
    let found = data["found"]["pageInfo"]["endCursor"].as_str().unwrap();
    let flipped: String = created.chars().rev().collect();
    let long = "A".repeat(200 * 1024);
    let nonsense = ["x", "====", "bnVsbA==", "e30=", "\u{0}", "\u{1F600}", &created[1..], &flipped, &long];
    let sessions = "query($a: String) { sessions(first: 2, after: $a) { nodes { id } } }";
    let messages =
        "query($a: String) { sessions(first: 1) { nodes { messages(first: 2, after: $a) { nodes { id } } } } }";
    let search = "query($a: String) { searchSessions(query: \"login\", first: 2, after: $a) { results { id } } }";
    for (query, own, foreign) in [
        (sessions, created, [named, message, found]),
        (messages, message, [named, created, found]),
        (search, found, [named, message, created]),
    ] {
        gateway.graphql(query, json!({ "a": own })).await;
        for cursor in foreign.iter().chain(&nonsense) {
            let answer = gateway.graphql_as(&gateway.me.key, query, json!({ "a": cursor })).await;
            let code = &answer.json()["errors"][0]["extensions"]["code"];
            assert_eq!(*code, "VALIDATION_ERROR", "{query} {:.60}: {:.500}", cursor, answer.text());
            assert!(answer.body.len() < 2_000, "{:.500}", answer.text());
        }
    }
    let megabyte = "A".repeat(MIB);
    assert_eq!(gateway.graphql_as(&gateway.me.key, sessions, json!({ "a": megabyte })).await.status, 413);
    let _: Value = gateway.graphql("{ viewer { id } }", json!({})).await;
}
