//! GraphQL as event streams: what is asked for, what is refused, and what ends a stream.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use axum::http::Method;
use serde_json::{Value, json};
use sg_domain::{Caller, Scope};
use sg_server::config::Config;

use super::socket::{Server, stir};
use crate::harness::{Gateway, without_cost};
use crate::program::PATIENCE;

const PATH: &str = "/api/v1/graphql";
const EVENTS: &str = "text/event-stream";
const QUIET: &str = "subscription { sessionChanged(projectId: \"none\") { kind } }";

/// The events of a whole stream, as pairs of name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
    let read = |block: &str| {
        let (name, data) = block.split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").unwrap();
        let data = if data.is_empty() { Value::Null } else { without_cost(serde_json::from_str(data).unwrap()) };
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    };
    blocks.map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_what_goes_wrong_before_they_run() {
    let gateway = Gateway::start().await;
    let ask = |query: &str| {
        let call = gateway.call(Method::POST, PATH).key(&gateway.me.key).header("accept", EVENTS);
        call.header("accept-encoding", "gzip").json(&json!({ "query": query })).send()
    };
    let answer = ask("{ viewer { email } }").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream; charset=utf-8"));
    assert_eq!((answer.header("x-accel-buffering"), answer.header("content-encoding")), ("no", ""));
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let want = [
        ("next".to_owned(), json!({ "data": { "viewer": { "email": "me@example.com" } } })),
        ("complete".to_owned(), Value::Null),
    ];
    assert_eq!(events(&answer.text()), want);
    for query in ["{", "{ nope }", "subscription { nope }", "query($id: String!) { session(id: $id) { id } }"] {
        let answer = ask(query).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/event-stream; charset=utf-8"),
            "{query}"
        );
        let events = events(&answer.text());
        assert_eq!((events.len(), events[0].0.as_str(), events[1].0.as_str()), (2, "next", "complete"), "{query}");
        assert_eq!(events[0].1["errors"][0]["extensions"]["code"], "VALIDATION_ERROR");
        assert!(events[0].1.get("data").is_none());
    }
    let over_get = format!("{PATH}?query=%7B__typename%7D");
    assert_eq!(
        events(&gateway.get(&over_get).header("accept", EVENTS).send().await.text())[0].1,
        json!({ "data": { "__typename": "Query" } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_without_a_stream() {
    let gateway = Gateway::start().await;
    let post = || gateway.call(Method::POST, PATH).header("accept", EVENTS);
    let none = post().json(&json!({ "query": QUIET })).send().await;
    assert_eq!((none.status, none.json()["errors"][0]["extensions"]["code"].as_str()), (401, Some("UNAUTHENTICATED")));
    let malformed = post().key(&gateway.me.key).json(&json!([])).send().await;
    assert_eq!(
        (malformed.status, malformed.json()["errors"][0]["extensions"]["code"].as_str()),
        (400, Some("VALIDATION_ERROR"))
    );
    let form = post().key(&gateway.me.key).json(&json!({})).header("content-type", "text/plain").send().await;
    assert_eq!(form.status, 415);
    let mutation = gateway.get(&format!("{PATH}?query=mutation%7B__typename%7D")).header("accept", EVENTS).send().await;
    assert_eq!((mutation.status, mutation.header("allow")), (405, "POST"));
    // The other mode of the protocol.
    let reserve = gateway.call(Method::PUT, PATH).key(&gateway.me.key).send().await;
    assert_eq!((reserve.status, reserve.header("allow")), (405, "GET, POST"));
    assert!(reserve.text().contains("singleConnection: false"), "{}", reserve.text());
    let single = post()
        .key(&gateway.me.key)
        .header("x-graphql-event-stream-token", "t")
        .json(&json!({ "query": QUIET }))
        .send()
        .await;
    assert!(single.status == 400 && single.text().contains("singleConnection: false"), "{}", single.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_without_a_stream_is_told_what_it_needs() {
    let gateway = Gateway::start().await;
    for (accept, status) in [("application/json", 200), ("*/*", 200), ("application/graphql-response+json", 400)] {
        let call = gateway.call(Method::POST, PATH).key(&gateway.me.key).header("accept", accept);
        let answer = call.json(&json!({ "query": QUIET })).send().await;
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["errors"][0]["extensions"]["code"]),
            (status, &json!("UNSUPPORTED_FORMAT")),
            "{accept}"
        );
        assert!(
            body["errors"][0]["message"].as_str().unwrap().contains("text/event-stream") && body.get("data").is_none()
        );
    }
}

/// A stream being read from a real socket.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &Server, key: &str, query: &str) -> Result<Self, u16> {
        let body = json!({ "query": query }).to_string();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST {PATH} HTTP/1.1\r\nHost: test\r\nAccept: {EVENTS}\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut stream = Self(BufReader::new(stream));
        let status: u16 = stream.line().unwrap()[9..12].parse().unwrap();
        while stream.line().is_some_and(|line| !line.is_empty()) {}
        if status == 200 { Ok(stream) } else { Err(status) }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).unwrap_or(0) > 0).then(|| line.trim_end().to_owned())
    }

    /// The next line that begins so; `None` when the stream ends first.
    fn until(&mut self, start: &str) -> Option<String> {
        loop {
            let line = self.line()?;
            if let Some(rest) = line.strip_prefix(start) {
                return Some(rest.to_owned());
            }
        }
    }

    /// Everything up to the end.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        let _ = self.0.read_to_string(&mut rest);
        rest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_changes_and_that_it_is_alive_until_its_client_goes() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    (config.socket.ping_secs, config.http.request_timeout_secs) = (1, 2);
    let server = Server::start(&gateway, config).await;
    let key = &gateway.me.key;
    let mut quiet = Stream::open(&server, key, QUIET).unwrap();
    // It outlives the time that a request may take.
    for _ in 0..5 {
        assert!(quiet.until(":").is_some());
    }
    let mut stream = Stream::open(&server, key, "subscription { sessionChanged { kind } }").unwrap();
    assert!(stream.until(":").is_some());
    let heard = tokio::task::spawn_blocking(move || {
        assert_eq!(stream.until("event: ").as_deref(), Some("next"));
        assert_eq!(stream.until("data: ").as_deref(), Some(r#"{"data":{"sessionChanged":{"kind":"CREATED"}}}"#));
        stream
    });
    let stream = tokio::select! {
        stream = heard => stream.unwrap(),
        () = stir(&gateway) => unreachable!("it goes on"),
    };
    gateway.run_jobs().await;
    assert_eq!(server.live()["streams"], 2);
    drop((quiet, stream));
    let begun = std::time::Instant::now();
    while server.live()["streams"] != 0 {
        assert!(begun.elapsed() < PATIENCE, "{}", server.live());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_their_key_and_with_the_server_and_are_bounded() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    (config.socket.ping_secs, config.socket.max_per_caller) = (1, 2);
    let server = Server::start(&gateway, config).await;
    let key = gateway.key_with(&gateway.me, &[Scope::Read]).await;
    let first = Stream::open(&server, &key, QUIET).unwrap();
    let second = Stream::open(&server, &key, QUIET).unwrap();
    assert_eq!(Stream::open(&server, &key, QUIET).err(), Some(429));
    let kept = Stream::open(&server, &gateway.me.key, QUIET).unwrap();
    let keys = gateway.app.keys(&gateway.me.caller, false).await.unwrap();
    let id = keys.iter().find(|k| k.scopes.names() == "read").unwrap().id;
    gateway.app.revoke_key(&Caller::local(gateway.me.user.id.clone()), id).await.unwrap();
    for stream in [first, second] {
        let rest = tokio::task::block_in_place(|| stream.rest());
        assert!(rest.contains("UNAUTHENTICATED") && rest.contains("event: complete"), "{rest}");
    }
    let reading = tokio::task::spawn_blocking(move || kept.rest());
    server.stop().await;
    assert!(!reading.await.unwrap().contains("event: complete"), "it has not ended, it was cut off");
}
