//! The protocol without a socket: every message in every phase, and what becomes of ids.

use super::*;

fn ready() -> Socket {
    let mut socket = Socket::new(2, "r1".to_owned());
    assert!(matches!(socket.receive(r#"{"type":"connection_init"}"#), Ok(Step::Identify(Credential::Missing))));
    assert_eq!(socket.acknowledge(), r#"{"type":"connection_ack"}"#);
    socket
}

fn code(socket: &mut Socket, text: &str) -> u16 {
    socket.receive(text).err().unwrap_or_else(|| panic!("{text} is taken")).code
}

fn start(socket: &mut Socket, id: &str) -> Start {
    let text = serde_json::json!({ "type": "subscribe", "id": id, "payload": { "query": "{ a }" } }).to_string();
    match socket.receive(&text) {
        Ok(Step::Start(start)) => start,
        _ => panic!("{id} does not start"),
    }
}

#[test]
fn whatever_the_protocol_does_not_know_closes_the_socket() {
    let deep = format!(r#"{{"type":"ping","payload":{}{}}}"#, r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for text in [
        "",
        "ping",
        "[]",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"start"}"#,
        r#"{"type":"connection_ack"}"#,
        r#"{"type":"next","id":"1"}"#,
        r#"{"type":"connection_init","payload":"key"}"#,
        r#"{"type":"ping","payload":[]}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        r#"{"type":"complete"}"#,
        &deep,
        &"[".repeat(200_000),
        &format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(257)),
    ] {
        assert_eq!(code(&mut ready(), text), 4400, "{}", &text[..text.len().min(80)]);
    }
}

#[test]
fn a_reason_fits_into_a_close_frame() {
    let id = "ü".repeat(128);
    let mut socket = ready();
    start(&mut socket, &id);
    let text = serde_json::json!({ "type": "subscribe", "id": id, "payload": { "query": "{a}" } }).to_string();
    let close = socket.receive(&text).err().unwrap();
    assert!(
        close.code == 4409 && close.reason.len() <= MAX_REASON_BYTES && close.reason.starts_with("Subscriber for ü")
    );
    let kind = format!(r#"{{"type":"{}"}}"#, "ü".repeat(1_000));
    assert!(socket.receive(&kind).err().unwrap().reason.len() <= MAX_REASON_BYTES);
}

#[test]
fn the_order_of_things() {
    let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#;
    let init = r#"{"type":"connection_init"}"#;
    assert_eq!(code(&mut Socket::new(2, String::new()), subscribe), 4401);
    let mut waiting = Socket::new(2, String::new());
    assert!(waiting.receive(init).is_ok() && !waiting.is_ready());
    assert_eq!(code(&mut waiting, subscribe), 4401);
    assert_eq!(code(&mut waiting, init), 4429);
    assert_eq!(code(&mut ready(), init), 4429);
    let mut new = Socket::new(2, String::new());
    assert!(matches!(new.receive(r#"{"type":"ping"}"#), Ok(Step::Send(text)) if text == r#"{"type":"pong"}"#));
    assert!(matches!(new.receive(r#"{"type":"pong","payload":{"a":1}}"#), Ok(Step::Rest)));
    assert!(matches!(new.receive(r#"{"type":"complete","id":"1"}"#), Ok(Step::Rest)));
    let echoed = new.receive(r#"{"type":"ping","payload":{"a":1}}"#);
    assert!(matches!(echoed, Ok(Step::Send(text)) if text == r#"{"type":"pong","payload":{"a":1}}"#));
}

#[test]
fn an_id_is_free_again_once_its_operation_has_ended() {
    let mut socket = ready();
    let first = start(&mut socket, "1");
    let next = |start: &Start| Message { is_last: false, ..start.last("next".to_owned()) };
    assert_eq!(socket.deliver(next(&first)).as_deref(), Some("next"));
    assert_eq!(code(&mut socket, r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#), 4409);
    assert_eq!(socket.deliver(first.last("complete".to_owned())).as_deref(), Some("complete"));
    assert_eq!(socket.live(), 0);
    let second = start(&mut socket, "1");
    assert!(
        matches!(socket.receive(r#"{"type":"complete","id":"1"}"#), Ok(Step::Stop(serial)) if serial == second.serial)
    );
    // What the first, or the stopped one, still had to say is not the third one's.
    let third = start(&mut socket, "1");
    for late in [&first, &second] {
        assert!(socket.deliver(next(late)).is_none() && socket.deliver(late.last(String::new())).is_none());
    }
    assert_eq!((socket.live(), socket.deliver(next(&third)).as_deref()), (1, Some("next")));
}

#[test]
fn one_operation_too_many_is_refused_alone() {
    let mut socket = ready();
    start(&mut socket, "1");
    start(&mut socket, "2");
    let text = r#"{"type":"subscribe","id":"3","payload":{"query":"{a}"}}"#;
    let Ok(Step::Send(refused)) = socket.receive(text) else { panic!("a third runs") };
    let refused: Value = serde_json::from_str(&refused).unwrap();
    assert_eq!((&refused["id"], &refused["type"]), (&"3".into(), &"error".into()));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    assert_eq!(socket.live(), 2);
    assert!(matches!(socket.receive(r#"{"type":"complete","id":"2"}"#), Ok(Step::Stop(_))));
    start(&mut socket, "3");
}
