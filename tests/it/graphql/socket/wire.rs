//! A server on a real socket, and a client of it that speaks frames.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderValue, Request};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sg_server::config::Config;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::{Gateway, without_cost};
use crate::program::PATIENCE;

/// The whole server over a gateway's app.
pub struct Server {
    address: SocketAddr,
    path: &'static str,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Server {
    pub async fn start(gateway: &Gateway, config: Config) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = sg_server::http::router(gateway.app.clone(), &config);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = async move {
            let stopped = async { drop(stopped.await) };
            sg_server::http::server::serve(listener, router, &config.http, stopped).await;
        };
        #[allow(clippy::disallowed_methods, reason = "the test is the server here")]
        let served = tokio::spawn(served);
        Self { address, path: "/api/v1/graphql", stop: Some(stop), served: Some(served) }
    }

    /// The same server at another path.
    pub fn at(&self, path: &'static str) -> Self {
        Self { address: self.address, path, stop: None, served: None }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A socket that offers these subprotocols.
    pub async fn open(&self, offered: &[&str], key: Option<&str>) -> Client {
        self.try_open(offered, key, &[]).await.unwrap()
    }

    /// The same with further headers; the status it is refused with.
    pub async fn try_open(
        &self,
        offered: &[&str],
        key: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, u16> {
        let mut request = format!("ws://{}{}", self.address, self.path).into_client_request().unwrap();
        if !offered.is_empty() {
            let offered = HeaderValue::from_str(&offered.join(", ")).unwrap();
            request.headers_mut().insert("sec-websocket-protocol", offered);
        }
        if let Some(key) = key {
            request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.handshake(request).await
    }

    async fn handshake(&self, request: Request<()>) -> Result<Client, u16> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Client { stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The status of a handshake that is refused.
    pub async fn refused(&self, key: Option<&str>) -> u16 {
        self.try_open(&["graphql-transport-ws"], key, &[]).await.err().expect("it is refused")
    }

    /// A socket that was let in.
    pub async fn ready(&self, key: &str) -> Client {
        let mut client = self.open(&["graphql-transport-ws"], None).await;
        client
            .send(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {key}") } }))
            .await;
        assert_eq!(client.next().await, json!({ "type": "connection_ack" }));
        client
    }

    /// Waits until so many sockets are open.
    pub async fn count_is(&self, count: u64) {
        let begun = std::time::Instant::now();
        loop {
            let now = self.live()["sockets"].as_u64().unwrap();
            if now == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{now} sockets are open, not {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn is_empty(&self) {
        self.count_is(0).await;
    }

    /// What the server says is open.
    pub fn live(&self) -> Value {
        tokio::task::block_in_place(|| {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(self.address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            write!(stream, "GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let mut body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
            body["live"].take()
        })
    }

    /// Stops it and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(served) = &self.served {
            served.abort();
        }
    }
}

/// What a client hears.
#[derive(Debug)]
pub enum Heard {
    Message(Value),
    /// The code; 1005 for none, 1006 when the connection was just gone.
    Closed(u16),
}

/// One socket.
pub struct Client {
    pub stream: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, rest: Value) {
        let mut payload = rest;
        payload["query"] = query.into();
        self.send(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// Waits until the server has read everything that was sent, and begun what it asks for.
    pub async fn settle(&mut self) {
        self.subscribe("settle", "{ __typename }", json!({})).await;
        while self.next_of("settle").await["type"] != "complete" {}
    }

    pub async fn hear(&mut self) -> Heard {
        let heard = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Heard::Message(without_cost(serde_json::from_str(&text).unwrap()));
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Heard::Closed(1006),
                }
            }
        });
        heard.await.expect("something is heard")
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The next message about an operation.
    pub async fn next_of(&mut self, id: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    /// The next message of a type.
    pub async fn next_of_type(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The code that the socket is closed with, past whatever comes before.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }

    pub async fn close(mut self) {
        self.stream.close(None).await.unwrap();
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}
