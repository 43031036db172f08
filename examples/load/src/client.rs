//! A load generator that costs little itself: one task and one kept-alive connection per sender, requests rendered
//! once, answers scanned for their length and not looked at otherwise.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request, rendered.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: String,
    body: Vec<u8>,
}

impl Request {
    /// A `GET`.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: String::new(), body: Vec::new() }
    }

    /// A `POST` of JSON.
    pub(crate) fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        let headers = "content-type: application/json\r\n".to_owned();
        Self { method: "POST", path: path.into(), headers, body: body.to_string().into_bytes() }
    }

    /// A `PUT` of bytes.
    pub(crate) fn put(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { method: "PUT", path: path.into(), headers: String::new(), body }
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// The same to another path.
    pub(crate) fn to(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    fn render(&self) -> Vec<u8> {
        let Self { method, path, headers, body } = self;
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: load\r\n{headers}content-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }
}

/// An answer.
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// The start of the body, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }
}

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// Where an answer's head and body end in the buffer.
struct Frame {
    status: u16,
    head: usize,
    end: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server does not accept connections")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024], filled: 0 })
    }

    /// Sends and reads the whole answer.
    pub(crate) async fn send(&mut self, request: &Request) -> anyhow::Result<Response> {
        let frame = self.exchange(&request.render()).await?;
        let head = String::from_utf8_lossy(&self.buffer[..frame.head]).into_owned();
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let response = Response { status: frame.status, headers, body: self.buffer[frame.head..frame.end].to_vec() };
        self.consume(frame.end);
        Ok(response)
    }

    fn consume(&mut self, end: usize) {
        self.buffer.copy_within(end..self.filled, 0);
        self.filled -= end;
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Frame> {
        self.stream.write_all(request).await?;
        loop {
            if let Some(frame) = frame(&self.buffer[..self.filled])? {
                return Ok(frame);
            }
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            self.filled += read;
        }
    }
}

/// The answer at the start of the bytes, when it is complete.
fn frame(bytes: &[u8]) -> anyhow::Result<Option<Frame>> {
    let Some(head) = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..head]).context("the head of an answer is not text")?;
    let status: u16 = text.get(9..12).and_then(|s| s.parse().ok()).context("an answer without a status")?;
    let mut length = None;
    for line in text.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().context("a content-length that is no number")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("the server answers in chunks, the load generator needs a content-length");
        }
    }
    let body = if status == 304 || status == 204 { 0 } else { length.unwrap_or(0) };
    let end = head + body;
    Ok((bytes.len() >= end).then_some(Frame { status, head, end }))
}

/// How long requests took.
#[derive(Default)]
pub(crate) struct Measured {
    /// Microseconds, ascending.
    micros: Vec<u32>,
    elapsed: Duration,
}

impl Measured {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The time within which this share of the answers came, in milliseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = ((self.micros.len() as f64 * share) as usize).min(self.micros.len().saturating_sub(1));
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
    }
}

/// Sends so many requests, these in turn, over one connection; every answer must be a success.
pub(crate) async fn send_all(address: SocketAddr, requests: &[Request], count: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    for request in requests.iter().cycle().take(count) {
        let answer = connection.send(request).await?;
        if answer.status != 200 {
            bail!("expected 200: {} {}", answer.status, answer.text());
        }
    }
    Ok(())
}

/// Sends these requests in turn over some connections for some time; every answer must have this status.
pub(crate) async fn drive(
    address: SocketAddr,
    requests: &[Request],
    status: u16,
    connections: u32,
    time: Duration,
) -> anyhow::Result<Measured> {
    let rendered: Arc<Vec<Vec<u8>>> = Arc::new(requests.iter().map(Request::render).collect());
    let mut senders = JoinSet::new();
    let started = Instant::now();
    for sender in 0..connections as usize {
        let rendered = Arc::clone(&rendered);
        senders.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut micros = Vec::new();
            // Each sender starts elsewhere, so that they do not ask for the same thing soon after each other.
            let turns = rendered.iter().cycle().skip(rendered.len() * sender / connections.max(1) as usize);
            for request in turns {
                let sent = Instant::now();
                if sent.duration_since(started) >= time {
                    break;
                }
                let frame = connection.exchange(request).await?;
                if frame.status != status {
                    let text = String::from_utf8_lossy(&connection.buffer[..frame.end.min(2_000)]).into_owned();
                    bail!("expected {status}: {text}");
                }
                connection.consume(frame.end);
                micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            anyhow::Ok(micros)
        });
    }
    let mut measured = Measured::default();
    while let Some(sender) = senders.join_next().await {
        measured.micros.extend(sender??);
    }
    measured.elapsed = started.elapsed();
    measured.micros.sort_unstable();
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_framed_by_their_length() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellorest";
        let found = frame(whole).unwrap().unwrap();
        assert_eq!((found.status, &whole[found.head..found.end]), (200, &b"hello"[..]));
        assert!(frame(&whole[..40]).unwrap().is_none());
        assert!(frame(b"HTTP/1.1 200 OK\r\nContent-").unwrap().is_none());
    }

    #[test]
    fn an_answer_that_was_not_modified_has_no_body() {
        let found = frame(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n").unwrap().unwrap();
        assert_eq!(found.end, found.head);
    }

    #[test]
    fn chunks_are_refused_rather_than_miscounted() {
        assert!(frame(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let measured = Measured { micros: (1..=100).map(|n| n * 1_000).collect(), elapsed: Duration::from_secs(2) };
        assert_eq!((measured.percentile(0.5), measured.percentile(0.99)), (51.0, 100.0));
        assert_eq!(measured.rate(), 50.0);
        assert_eq!(Measured::default().percentile(0.5), 0.0);
    }
}
