//! The same over a real socket: what a framework does to `HEAD`, to 304 and to lengths shows only there.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::{FULL, MINE, SHARED, Who, World, full_markdown};

/// Sends a request and returns the head of the answer in lower case, and the bytes behind it until the server closes.
async fn exchange(world: &World, url: &str, request: &str) -> (String, Vec<u8>) {
    let key = world.key(Who::Me).expect("a key");
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("connects");
    let request = format!("{request}\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("reads");
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).expect("a head of text").to_lowercase(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn head_keeps_its_headers_and_has_no_body() {
    let world = World::start().await;
    let server = world.gateway.listen().await;
    let path = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let (get, body) = exchange(&world, &server.url, &format!("GET {path} HTTP/1.1")).await;
    assert!(get.starts_with("http/1.1 200"), "{get}");
    let (head, nothing) =
        exchange(&world, &server.url, &format!("HEAD {path} HTTP/1.1\r\nAccept-Encoding: gzip")).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(nothing.is_empty());
    for line in [
        format!("content-length: {}", body.len()),
        format!("x-markdown-size: {}", full_markdown(MINE).len()),
        "content-type: application/json".to_owned(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is not in {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmodified_session_has_no_body() {
    let world = World::start().await;
    let server = world.gateway.listen().await;
    let path = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let (head, body) = exchange(&world, &server.url, &format!("GET {path} HTTP/1.1\r\nIf-None-Match: *")).await;
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert!(body.is_empty());
    assert!(head.contains("\r\netag: w/\""), "{head}");
}
