//! GraphQL over a WebSocket, frame by frame: every close code, every cap, and that nothing is left behind.

mod hostile;
mod wire;

use std::time::Duration;

use serde_json::{Value, json};
use sg_domain::{Caller, Scope};
use sg_server::config::Config;

use crate::harness::{Gateway, Sample};
use wire::Heard;
pub(super) use wire::Server;

const CHANGES: &str = "subscription { sessionChanged { kind } }";

/// Limits that a test does not have to wait for.
fn hasty() -> Config {
    let mut config = Config::default();
    (config.socket.init_timeout_secs, config.socket.ping_secs, config.socket.idle_secs) = (1, 1, 600);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_mutations_errors_and_subscriptions() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1")).await;
    let server = Server::start(&gateway, Config::default()).await;
    for path in ["/graphql", "/api/v1/graphql"] {
        let mut client = server.at(path).ready(&gateway.me.key).await;
        client
            .subscribe(
                "q",
                "query A { viewer { email } } query B { stats { totalSessions } }",
                json!({ "operationName": "B" }),
            )
            .await;
        assert_eq!(
            client.next().await,
            json!({ "id": "q", "type": "next", "payload": { "data": { "stats": { "totalSessions": 1 } } } })
        );
        assert_eq!(client.next().await, json!({ "id": "q", "type": "complete" }));
        // The id is free again.
        client
            .subscribe(
                "q",
                "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { secret } }",
                json!({ "variables": { "i": { "name": "made", "scopes": ["READ"] } } }),
            )
            .await;
        let made = client.next().await;
        assert!(made["payload"]["data"]["createApiKey"]["secret"].is_string(), "{made}");
        assert_eq!(client.next().await["type"], "complete");
        for (id, query, variables, want) in [
            ("syntax", "{", json!({}), "VALIDATION_ERROR"),
            ("field", "{ nope }", json!({}), "VALIDATION_ERROR"),
            ("variable", "query($id: String!) { session(id: $id) { id } }", json!({}), "VALIDATION_ERROR"),
            ("field", "subscription { nope }", json!({}), "VALIDATION_ERROR"),
        ] {
            client.subscribe(id, query, json!({ "variables": variables })).await;
            let error = client.next().await;
            assert_eq!((&error["id"], &error["type"]), (&json!(id), &json!("error")), "{error}");
            let extensions = &error["payload"][0]["extensions"];
            assert_eq!(extensions["code"], want, "{error}");
            assert!(extensions["requestId"].is_string(), "{error}");
        }
        // What goes wrong while it runs is a result.
        client.subscribe("gone", "{ session(id: \"nope\") { id } viewer { email } }", json!({})).await;
        let partial = client.next().await;
        assert_eq!(
            partial["payload"]["data"],
            json!({ "session": null, "viewer": { "email": "me@example.com" } }),
            "{partial}"
        );
        assert_eq!(partial["payload"]["errors"][0]["extensions"]["code"], "NOT_FOUND", "{partial}");
        assert_eq!(client.next().await["type"], "complete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_heard_until_the_client_has_heard_enough() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, Config::default()).await;
    let mut client = server.ready(&gateway.me.key).await;
    client.subscribe("s", CHANGES, json!({})).await;
    let changes = stir(&gateway);
    let heard = tokio::select! {
        heard = client.next() => heard,
        () = changes => unreachable!("it goes on"),
    };
    gateway.run_jobs().await;
    assert_eq!(
        heard,
        json!({ "id": "s", "type": "next", "payload": { "data": { "sessionChanged": { "kind": "CREATED" } } } })
    );
    client.send(&json!({ "type": "complete", "id": "s" })).await;
    // What was on its way may come first; behind the answer to this, nothing does.
    client.send(&json!({ "type": "ping", "payload": { "n": 7 } })).await;
    assert_eq!(client.next_of_type("pong").await, json!({ "type": "pong", "payload": { "n": 7 } }));
    gateway.seed(Sample::new("last")).await;
    client.subscribe("q", "{ stats { totalProjects } }", json!({})).await;
    assert_eq!(client.next().await["id"], "q");
}

/// Changes something again and again: a subscription hears only what happens once it is open.
pub(super) async fn stir(gateway: &Gateway) {
    for n in 0.. {
        gateway.put(&gateway.me, Sample::new(&format!("stirred-{n}"))).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_close_code() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, hasty()).await;
    let key = &gateway.me.key;
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": CHANGES } });

    for offered in [&[][..], &["graphql-ws"], &["mqtt", "soap"]] {
        assert_eq!(server.open(offered, Some(key)).await.closed().await, 4406, "{offered:?}");
    }
    let mut late = server.open(&["graphql-transport-ws"], Some(key)).await;
    assert_eq!(late.closed().await, 4408);
    let mut early = server.open(&["graphql-ws", "graphql-transport-ws"], Some(key)).await;
    early.send(&subscribe).await;
    assert_eq!(early.closed().await, 4401);
    let mut twice = server.ready(key).await;
    twice.send(&json!({ "type": "connection_init" })).await;
    assert_eq!(twice.closed().await, 4429);
    let mut same = server.ready(key).await;
    same.send(&subscribe).await;
    same.send(&subscribe).await;
    assert_eq!(same.closed().await, 4409);
    for text in ["nonsense", "{}", r#"{"type":"start","id":"1"}"#, r#"{"type":"subscribe","id":"1","payload":{}}"#] {
        let mut malformed = server.ready(key).await;
        malformed.send_text(text).await;
        assert_eq!(malformed.closed().await, 4400, "{text}");
    }
    server.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_comes_with_the_handshake_or_the_first_message() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, Config::default()).await;
    let key = gateway.me.key.as_str();
    for (header, payload, is_good) in [
        (Some(key), Value::Null, true),
        (None, json!({ "Authorization": format!("Bearer {key}") }), true),
        (None, json!({ "authorization": key }), true),
        (None, json!({ "headers": { "authorization": format!("Bearer {key}") } }), true),
        (None, json!({ "key": key }), true),
        (None, json!({ "token": key }), true),
        (Some(key), json!({ "unrelated": true }), true),
        (None, Value::Null, false),
        (None, json!({ "token": "sk_live_0000" }), false),
        (None, json!({ "authorization": format!("Basic {key}") }), false),
        // What is shown last counts.
        (Some(key), json!({ "token": "sk_live_0000" }), false),
        (None, json!({ "x-csrf-token": key }), false),
    ] {
        let mut client = server.open(&["graphql-transport-ws"], header).await;
        client.send(&json!({ "type": "connection_init", "payload": payload })).await;
        match client.hear().await {
            Heard::Message(ack) => assert!(is_good && ack == json!({ "type": "connection_ack" }), "{payload} {ack}"),
            Heard::Closed(code) => assert!(!is_good && code == 4401, "{payload} {code}"),
        }
    }
    // A key that does not work is refused before there is a socket.
    assert_eq!(server.refused(Some("sk_live_0000")).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_counts_as_a_request_and_needs_its_scope() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    config.rate_limit.graphql_per_hour = 2;
    let server = Server::start(&gateway, config).await;
    let read_only = gateway.key_with(&gateway.me, &[Scope::Read]).await;
    let mut client = server.ready(&read_only).await;
    client
        .subscribe("1", "mutation { createApiKey(input: { name: \"x\", scopes: [READ] }) { secret } }", json!({}))
        .await;
    assert_eq!(client.next().await["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(client.next().await["type"], "complete");
    client.subscribe("2", "{ __typename }", json!({})).await;
    assert_eq!(client.next().await["payload"]["data"]["__typename"], "Query");
    assert_eq!(client.next().await["type"], "complete");
    for query in ["{ __typename }", CHANGES] {
        client.subscribe("3", query, json!({})).await;
        let refused = client.next().await;
        assert_eq!(
            (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
            (&json!("error"), &json!("RATE_LIMITED"))
        );
        assert!(refused["payload"][0]["extensions"]["retryAfter"].as_u64().is_some_and(|secs| secs > 0), "{refused}");
    }
    // Requests come out of the same bucket, and opening a socket does not.
    let mut second = server.ready(&read_only).await;
    second.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(second.next().await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_keys_is_counted() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    config.rate_limit.unauthenticated_per_hour = 2;
    let server = Server::start(&gateway, config).await;
    let mut codes = Vec::new();
    for n in 0..3 {
        let mut client = server.open(&["graphql-transport-ws"], None).await;
        client.send(&json!({ "type": "connection_init", "payload": { "token": format!("sk_live_{n}") } })).await;
        codes.push(client.closed().await);
    }
    assert_eq!(codes, [4401, 4401, 1013]);
    // A key that works still gets in from there.
    server.ready(&gateway.me.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hundred_and_first_operation_is_refused_alone() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, Config::default()).await;
    let mut client = server.ready(&gateway.me.key).await;
    for n in 0..=100 {
        client
            .subscribe(&n.to_string(), "subscription { sessionChanged(projectId: \"none\") { kind } }", json!({}))
            .await;
    }
    let refused = client.next_of("100").await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("RATE_LIMITED"))
    );
    client.send(&json!({ "type": "complete", "id": "7" })).await;
    client.subscribe("100", "{ __typename }", json!({})).await;
    assert_eq!(client.next_of("100").await["payload"]["data"]["__typename"], "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_ends_what_it_began() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, hasty()).await;
    let key = gateway.key_with(&gateway.me, &[Scope::Read]).await;
    let (mut listens, mut asks) = (server.ready(&key).await, server.ready(&key).await);
    listens.subscribe("s", "subscription { sessionChanged(projectId: \"none\") { kind } }", json!({})).await;
    let keys = gateway.app.keys(&gateway.me.caller, false).await.unwrap();
    let id = keys.iter().find(|k| key.starts_with(&k.prefix) && k.scopes.names() == "read").unwrap().id;
    gateway.app.revoke_key(&Caller::local(gateway.me.user.id.clone()), id).await.unwrap();
    asks.subscribe("q", "{ viewer { email } }", json!({})).await;
    assert_eq!(asks.closed().await, 4401);
    assert_eq!(listens.closed().await, 4401);
    server.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_bounded_by_address_and_by_key() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    (config.socket.max_per_address, config.socket.max_per_caller) = (4, 2);
    let server = Server::start(&gateway, config).await;
    let (first, second) = (server.ready(&gateway.me.key).await, server.ready(&gateway.me.key).await);
    let mut third = server.open(&["graphql-transport-ws"], Some(&gateway.me.key)).await;
    third.send(&json!({ "type": "connection_init" })).await;
    assert_eq!(third.closed().await, 1013);
    drop(third);
    server.count_is(2).await;
    let other = gateway.other().await;
    let (_third, _fourth) = (server.ready(&other.key).await, server.ready(&other.key).await);
    assert_eq!(server.refused(None).await, 429);
    drop((first, second));
    server.count_is(2).await;
    server.ready(&gateway.me.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_with_nothing_to_do_is_closed_and_one_that_listens_is_not() {
    let gateway = Gateway::start().await;
    let mut config = hasty();
    config.socket.idle_secs = 2;
    let server = Server::start(&gateway, config).await;
    let mut listens = server.ready(&gateway.me.key).await;
    listens.subscribe("s", "subscription { sessionChanged(projectId: \"none\") { kind } }", json!({})).await;
    let mut idle = server.ready(&gateway.me.key).await;
    // Pongs to the server's pings keep the client alive, not the socket busy.
    let closed = tokio::select! {
        code = idle.closed() => code,
        heard = listens.next() => panic!("{heard}"),
    };
    assert_eq!(closed, 1000);
    listens.send(&json!({ "type": "ping" })).await;
    assert_eq!(listens.next_of_type("pong").await, json!({ "type": "pong" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_silent_is_let_go() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, hasty()).await;
    let client = server.ready(&gateway.me.key).await;
    server.count_is(1).await;
    // It never reads, so it never answers a ping.
    let kept = client;
    server.count_is(0).await;
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_tells_sockets_and_waits_for_them() {
    let gateway = Gateway::start().await;
    let server = Server::start(&gateway, Config::default()).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = server.ready(&gateway.me.key).await;
        client.subscribe("s", "subscription { sessionChanged(projectId: \"none\") { kind } }", json!({})).await;
        clients.push(client);
    }
    let begun = std::time::Instant::now();
    let stopping = server.stop();
    let heard = async {
        for client in &mut clients {
            assert_eq!(client.closed().await, 1001);
        }
    };
    tokio::join!(stopping, heard);
    assert!(begun.elapsed() < Duration::from_secs(15), "the grace is not used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_sockets_leave_nothing_behind() {
    let gateway = Gateway::start().await;
    let mut config = Config::default();
    (config.socket.max_per_address, config.socket.max_per_caller) = (500, 500);
    let server = Server::start(&gateway, config).await;
    let mut open = Vec::new();
    for n in 0..500 {
        let mut client = server.ready(&gateway.me.key).await;
        if n % 5 == 0 {
            client.subscribe("s", "subscription { sessionChanged(projectId: \"none\") { kind } }", json!({})).await;
        }
        open.push(client);
    }
    server.count_is(500).await;
    for (n, client) in open.into_iter().enumerate() {
        // Half say goodbye, half are just gone.
        if n % 2 == 0 { client.close().await } else { drop(client) }
    }
    server.is_empty().await;
    server.ready(&gateway.me.key).await;
}
