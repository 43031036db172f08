//! Frames that mean harm: too large, too deep, not text, in pieces; and a client that does not read.

use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::json;
use sg_server::config::Config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::wire::{Client, Server};
use crate::harness::{Gateway, Sample};

async fn world() -> (Gateway, Server) {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, Config::default()).await;
    (gateway, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_a_message_close_the_socket() {
    let (gateway, server) = world().await;
    let deep = format!(r#"{{"type":"ping","payload":{}{}}}"#, r#"{"a":"#.repeat(40_000), "}".repeat(40_000));
    let frame =
        |data: &[u8], opcode, is_final| Message::Frame(Frame::message(data.to_vec(), OpCode::Data(opcode), is_final));
    for (what, frames, want) in [
        ("binary", vec![Message::binary(vec![0; 10])], 4400),
        ("deep JSON", vec![Message::text(deep)], 4400),
        ("a large message", vec![Message::text("x".repeat(256 * 1024 + 1))], 1009),
        ("a huge message", vec![Message::text("x".repeat(20_000_000))], 1009),
        ("text that is none", vec![frame(&[0xff, 0xfe], Data::Text, true)], 1007),
        ("a continuation of nothing", vec![frame(b"x", Data::Continue, true)], 1002),
        (
            "many pieces that are large together",
            std::iter::once(frame(b"x", Data::Text, false))
                .chain((0..300).map(|_| frame(&[b'x'; 1_024], Data::Continue, false)))
                .collect(),
            1009,
        ),
    ] {
        let mut client = server.ready(&gateway.me.key).await;
        for frame in frames {
            // The server may close before it has taken all of them.
            if client.stream.send(frame).await.is_err() {
                break;
            }
        }
        let code = client.closed().await;
        // A client that is still writing when the connection ends may not get to read why.
        assert!(code == want || (what == "a huge message" && code == 1006), "{what}: {code}");
    }
    // A message in pieces is a message.
    let mut client = server.ready(&gateway.me.key).await;
    for (n, piece) in [r#"{"type":"#, r#""pi"#, r#"ng"}"#].iter().enumerate() {
        let opcode = if n == 0 { Data::Text } else { Data::Continue };
        client.stream.send(frame(piece.as_bytes(), opcode, n == 2)).await.unwrap();
    }
    assert_eq!(client.next().await, json!({ "type": "pong" }));
    drop(client);
    server.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_alone_and_others_do_not_notice() {
    let (gateway, server) = world().await;
    let mut client = server.ready(&gateway.me.key).await;
    let list = "[".repeat(60_000);
    let bomb: String = (0..30).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }}", n + 1)).collect();
    let documents = [
        format!("{{ session(id: {list}) {{ id }} }}"),
        format!("{{ ...f0 }} {bomb} fragment f30 on Query {{ __typename }}"),
        (0..12_000).map(|n| format!("a{n}:__typename ")).fold("{".to_owned(), |all, one| all + &one),
        "subscription { a: __typename b: sessionChanged { kind } }".to_owned(),
        "subscription { sessionChanged { kind } other: sessionChanged { kind } }".to_owned(),
    ];
    for (n, document) in documents.iter().enumerate() {
        let begun = Instant::now();
        client.subscribe(&n.to_string(), document, json!({})).await;
        let error = client.next().await;
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!(n.to_string())), "{error}");
        assert!(error["payload"][0]["extensions"]["code"].is_string(), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "document {n} took {:?}", begun.elapsed());
    }
    client.settle().await;
}

/// Whoever asks and asks and reads nothing is let go, and until then holds little.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_let_go() {
    let gateway = Gateway::start().await;
    for n in 0..5 {
        let mut sample = Sample::new(&format!("s{n}"));
        for _ in 0..100 {
            sample = sample.user(&"x".repeat(2_000));
        }
        gateway.put(&gateway.me, sample).await;
    }
    gateway.run_jobs().await;
    let mut config = Config::default();
    (config.http.write_timeout_secs, config.rate_limit.graphql_per_hour) = (1, 0);
    let server = Server::start(&gateway, config).await;
    let mut client = server.ready(&gateway.me.key).await;
    let query = "{ sessions { nodes { messages(first: 100) { nodes { text } } } } }";
    let flood = async {
        for n in 0..2_000 {
            let message = json!({ "type": "subscribe", "id": n.to_string(), "payload": { "query": query } });
            if client.stream.send(Message::text(message.to_string())).await.is_err() {
                return;
            }
        }
    };
    let gone = async {
        // Another client of the same key is served all the while.
        let mut other = server.ready(&gateway.me.key).await;
        while server.live()["sockets"] != 1 {
            other.settle().await;
        }
    };
    let patience = tokio::time::timeout(crate::program::PATIENCE, async { tokio::join!(flood, gone) });
    patience.await.expect("it is let go");
    let _: &Client = &client;
}
