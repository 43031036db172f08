//! GraphQL over a WebSocket: the handshake, the frames, the clocks, and the tasks that operations run in. What messages mean
//! is `sg_schema::socket`'s.
//!
//! An operation runs in a task of its own and hands over one message at a time, so none is held in the middle of its work
//! by a client that does not read; queries and mutations at most [`SLOTS`] at a time, so that a socket's memory is that many
//! answers, the queue, and one event of each subscription. A client that takes nothing for `http.write_timeout_secs` loses
//! its connection, without a close frame, which could not reach it either.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, header};
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, ClientAddress, Error, ErrorKind};
use sg_schema::Graphql;
use sg_schema::socket::{Close, Credential, Message, SUBPROTOCOL, Socket, Start, Step};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::failure::failure;
use super::graphql_stream::{BELIEF, refused};
use super::identify::Proof;
use super::live::{Kind, Place};
use super::request::{self, RequestId};
use super::server::Held;

/// Queries and mutations of one socket that run at a time; more wait.
const SLOTS: usize = 8;
/// Messages that wait for a client to take them.
const QUEUE: usize = 16;
/// How long a client may take to say that it heard the socket close.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether a request wants to become a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers a handshake and goes on as a socket.
pub(crate) async fn upgrade(state: &super::State, graphql: &Graphql, caller: Caller, request: Request) -> Response {
    let id = request::id(&request);
    let (mut parts, _) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if let Err(error) = caller.known()
        && !matches!(caller.identity, Err(Anonymous::Missing))
    {
        return failure(&path, &id, error.kind, &error.message);
    }
    let address = parts.extensions.get().copied();
    let address = address.unwrap_or_else(|| ClientAddress::new(std::net::Ipv4Addr::UNSPECIFIED.into()));
    let place = match state.live.enter(Kind::Socket, address) {
        Ok(place) => place,
        Err(full) => return refused(&path, &id, full),
    };
    let mut upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let rejection = rejection.into_response();
            let mut response =
                failure(&path, &id, ErrorKind::Invalid, "this is not a WebSocket handshake of version 13");
            *response.status_mut() = rejection.status();
            return response;
        }
    };
    let offered: Vec<_> = upgrade.requested_protocols().cloned().collect();
    let is_ours = offered.iter().any(|offered| offered == SUBPROTOCOL);
    // What is not spoken is agreed to as well, for as long as it takes to say so: without an agreement clients fail before
    // they hear the code.
    let agreed = if is_ours { Some(HeaderValue::from_static(SUBPROTOCOL)) } else { offered.into_iter().next() };
    if let Some(agreed) = agreed {
        upgrade.set_selected_protocol(agreed);
    }
    let max_bytes = state.config.socket.max_message_bytes;
    let (outgoing, messages) = mpsc::channel(QUEUE);
    let protocol = Socket::new(state.config.socket.max_operations, id.as_str().to_owned());
    let session = Session {
        proof: Proof::of(&parts.headers, &path, &state.config.http.public_url),
        state: state.clone(),
        graphql: graphql.clone(),
        protocol,
        headers: parts.headers,
        address,
        place,
        held: parts.extensions.get().cloned(),
        id,
        tasks: JoinSet::new(),
        running: HashMap::new(),
        outgoing,
        slots: Arc::new(Semaphore::new(SLOTS)),
        checked_at: Instant::now(),
    };
    upgrade
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .on_failed_upgrade(|error| tracing::debug!(%error, "a socket did not come about"))
        .on_upgrade(move |socket| session.run(socket, messages, is_ours))
}

/// What a task has to say.
enum Outcome {
    /// A message about its operation.
    Message(Message),
    /// The credential does not work any more.
    Revoked,
}

/// One open socket.
struct Session {
    state: super::State,
    graphql: Graphql,
    protocol: Socket,
    proof: Proof,
    headers: HeaderMap,
    address: ClientAddress,
    place: Place,
    held: Option<Held>,
    id: RequestId,
    tasks: JoinSet<()>,
    running: HashMap<u64, AbortHandle>,
    outgoing: mpsc::Sender<Outcome>,
    slots: Arc<Semaphore>,
    checked_at: Instant,
}

impl Session {
    async fn run(mut self, mut socket: WebSocket, messages: mpsc::Receiver<Outcome>, is_ours: bool) {
        let begun = Instant::now();
        let close = if is_ours { self.talk(&mut socket, messages).await } else { Some(Close::subprotocol()) };
        self.tasks.abort_all();
        let code = close.as_ref().map(|close| close.code);
        tracing::info!(id = self.id.as_str(), code, millis = begun.elapsed().as_millis(), "socket closed");
        match close {
            Some(close) => goodbye(&mut socket, close).await,
            // Whoever closed it waits for an answer, which is sent while reading on.
            None => {
                let _ = tokio::time::timeout(GOODBYE, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    /// Talks until there is a reason to close, or nobody left to tell one.
    async fn talk(&mut self, socket: &mut WebSocket, mut messages: mpsc::Receiver<Outcome>) -> Option<Close> {
        let section = self.state.config.socket.clone();
        let init = tokio::time::sleep(Duration::from_secs(section.init_timeout_secs));
        let mut init = std::pin::pin!(init);
        let period = Duration::from_secs(section.ping_secs.max(1));
        let mut pings = tokio::time::interval_at(Instant::now() + period, period);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let held = self.held.clone();
        let stopped = async {
            match held {
                Some(held) => held.stopped().await,
                None => std::future::pending().await,
            }
        };
        let mut stopped = std::pin::pin!(stopped);
        let (mut heard_at, mut busy_at) = (Instant::now(), Instant::now());
        loop {
            if self.protocol.live() > 0 {
                busy_at = Instant::now();
            }
            let send = tokio::select! {
                frame = socket.recv() => {
                    heard_at = Instant::now();
                    match frame {
                        None | Some(Ok(Frame::Close(_))) => return None,
                        Some(Err(error)) => return fault(error),
                        Some(Ok(Frame::Binary(_))) => return Some(Close::invalid("Invalid message: it is not text")),
                        Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => None,
                        Some(Ok(Frame::Text(text))) => {
                            busy_at = heard_at;
                            match self.take(&text).await {
                                Ok(send) => send.map(|text| Frame::Text(text.into())),
                                Err(close) => return Some(close),
                            }
                        }
                    }
                }
                Some(outcome) = messages.recv() => match outcome {
                    Outcome::Revoked => return Some(Close::unauthorized()),
                    Outcome::Message(message) => {
                        if self.checked_at.elapsed() >= BELIEF && !self.is_still_known().await {
                            return Some(Close::unauthorized());
                        }
                        if message.is_last() {
                            self.running.remove(&message.serial());
                        }
                        self.protocol.deliver(message).map(|text| Frame::Text(text.into()))
                    }
                },
                // Takes finished tasks out of the set.
                Some(_) = self.tasks.join_next() => None,
                () = &mut init, if !self.protocol.is_ready() => return Some(Close::init_timeout()),
                () = &mut stopped => return Some(Close::new(1001, "The server is stopping")),
                _ = pings.tick() => {
                    if heard_at.elapsed() >= 2 * period {
                        return None;
                    }
                    if self.protocol.is_ready() {
                        if !self.is_still_known().await {
                            return Some(Close::unauthorized());
                        }
                        if busy_at.elapsed() >= Duration::from_secs(section.idle_secs) {
                            return Some(Close::new(1000, "Nothing ran on this socket for too long"));
                        }
                    }
                    Some(Frame::Ping(axum::body::Bytes::new()))
                }
            };
            if let Some(frame) = send
                && let Err(error) = socket.send(frame).await
            {
                tracing::debug!(%error, "a socket's client is gone");
                return None;
            }
        }
    }

    /// Does what a message asks for; what to send at once.
    async fn take(&mut self, text: &str) -> Result<Option<String>, Close> {
        match self.protocol.receive(text)? {
            Step::Identify(credential) => self.identify(credential).await.map(Some),
            Step::Send(text) => Ok(Some(text)),
            Step::Start(start) => {
                self.start(start);
                Ok(None)
            }
            Step::Stop(serial) => {
                if let Some(task) = self.running.remove(&serial) {
                    task.abort();
                }
                Ok(None)
            }
            Step::Rest => Ok(None),
        }
    }

    /// Finds out who this is. What the first message shows wins over what the handshake showed.
    async fn identify(&mut self, credential: Credential) -> Result<String, Close> {
        match credential {
            Credential::Missing => {}
            Credential::Bearer(secret) => self.proof = Proof::Bearer(secret),
            Credential::Page(token) => {
                self.proof = Proof::of_page(&self.headers, &token, &self.state.config.http.public_url);
            }
        }
        let caller = self.state.caller(&self.proof, self.id.as_str()).await;
        let mut caller = caller.map_err(|_| Close::new(1013, "The database does not answer, try again"))?;
        if caller.identity.is_err() {
            // Whoever tries keys here is counted like whoever tries them elsewhere.
            self.state.rate_limits.count_operation(self.address, &mut caller);
        }
        if let Err(Anonymous::Limited { .. }) = caller.identity {
            return Err(Close::new(1013, "Too many attempts from this address, try again later"));
        }
        if !self.graphql.lets_in(&caller) || (caller.identity.is_err() && self.proof != Proof::Missing) {
            return Err(Close::unauthorized());
        }
        self.place.belongs_to(&caller).map_err(|full| Close::new(1013, full))?;
        self.checked_at = Instant::now();
        Ok(self.protocol.acknowledge())
    }

    /// Whether the credential still works. A database that does not answer takes nothing away.
    async fn is_still_known(&mut self) -> bool {
        self.checked_at = Instant::now();
        if self.proof == Proof::Missing {
            return true;
        }
        self.state.caller(&self.proof, self.id.as_str()).await.map_or(true, |caller| caller.identity.is_ok())
    }

    fn start(&mut self, start: Start) {
        let serial = start.serial;
        let task = Task {
            state: self.state.clone(),
            graphql: self.graphql.clone(),
            proof: self.proof.clone(),
            address: self.address,
            request_id: format!("{}.{serial}", self.id.as_str()),
            outgoing: self.outgoing.clone(),
            slots: Arc::clone(&self.slots),
        };
        self.running.insert(serial, self.tasks.spawn(task.run(start)));
    }
}

/// One operation of a socket.
struct Task {
    state: super::State,
    graphql: Graphql,
    proof: Proof,
    address: ClientAddress,
    request_id: String,
    outgoing: mpsc::Sender<Outcome>,
    slots: Arc<Semaphore>,
}

impl Task {
    async fn run(self, start: Start) {
        let name = start.name();
        if AssertUnwindSafe(self.operate(start)).catch_unwind().await.is_err() {
            tracing::error!(id = self.request_id, "an operation of a socket panicked");
            let error = Error::new(ErrorKind::Internal, "panic");
            let _ = self.outgoing.send(Outcome::Message(name.refused(error, &self.request_id))).await;
        }
    }

    async fn operate(&self, start: Start) {
        let mut caller = match self.state.caller(&self.proof, &self.request_id).await {
            Ok(caller) => caller,
            Err(error) => {
                tracing::error!(error = ?error, "caller could not be identified");
                let error = Error::new(ErrorKind::Unavailable, "the database does not answer, try again");
                let _ = self.outgoing.send(Outcome::Message(start.refused(error, &self.request_id))).await;
                return;
            }
        };
        if caller.identity.is_err() && self.proof != Proof::Missing {
            let _ = self.outgoing.send(Outcome::Revoked).await;
            return;
        }
        self.state.rate_limits.count_operation(self.address, &mut caller);
        let mut running = self.graphql.operate(caller, start);
        // Kept until the socket has taken the answer.
        let slot = if running.is_subscription { None } else { self.slots.acquire().await.ok() };
        while let Some(message) = running.messages.next().await {
            if self.outgoing.send(Outcome::Message(message)).await.is_err() {
                return;
            }
        }
        drop(slot);
    }
}

/// What to say about a frame that could not be read. RFC 6455 has a code for each, and clients that know GraphQL's codes
/// take these for final as well.
fn fault(error: axum::Error) -> Option<Close> {
    use tungstenite::Error as Fault;
    let fault = error.into_inner().downcast::<Fault>().ok()?;
    match *fault {
        Fault::Capacity(_) => Some(Close::new(1009, "Message too large")),
        Fault::Utf8(_) => Some(Close::new(1007, "Text that is not UTF-8")),
        Fault::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => None,
        Fault::Protocol(_) => Some(Close::new(1002, "Not the WebSocket protocol")),
        _ => None,
    }
}

/// Closes, and reads until the client has heard it: a socket that is dropped with something unread resets its connection,
/// and the code is lost. Behind a frame that could not be read nothing can be, so there only time is given.
async fn goodbye(socket: &mut WebSocket, close: Close) {
    let farewell = async {
        let frame = CloseFrame { code: close.code, reason: close.reason.into() };
        if socket.send(Frame::Close(Some(frame))).await.is_err() {
            return;
        }
        loop {
            match socket.recv().await {
                Some(Ok(Frame::Close(_))) => return,
                Some(Ok(_)) => {}
                None | Some(Err(_)) => break,
            }
        }
        tokio::time::sleep(GOODBYE / 4).await;
    };
    let _ = tokio::time::timeout(GOODBYE, farewell).await;
}
