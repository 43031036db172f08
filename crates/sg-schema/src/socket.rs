//! The protocol `graphql-transport-ws` as a machine over text: what a message asks for, and what a reply looks like. It
//! knows no socket, no clock and no account; `sg-server` does what its [`Step`]s say.

mod message;

use std::collections::HashMap;

use async_graphql::ServerError;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sg_domain::{Caller, Error, ErrorKind};

use crate::failure::{present, server_error};
use crate::graphql::Graphql;
use crate::http::params::Params;
use crate::operation::{Reply, Unready};
use crate::plain;
pub use message::Credential;
use message::Incoming;

/// The name of the subprotocol.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Why a socket is closed, as the client hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: u16,
    /// The reason, in words; at most 123 bytes.
    pub reason: String,
}

/// The longest reason of a close frame, in bytes.
const MAX_REASON_BYTES: usize = 123;

impl Close {
    /// A code with a reason, which is cut to what a close frame holds.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        Self { code, reason }
    }

    /// 4400: this is no message of the protocol.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::new(4400, reason)
    }

    /// 4401: an operation before the socket was acknowledged, or a credential that does not work (any more).
    pub fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// 4406: another subprotocol.
    pub fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable, offer graphql-transport-ws")
    }

    /// 4408: nobody said who they are.
    pub fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }
}

/// What a message asks for.
pub enum Step {
    /// Find out whose credential this is, then [`Socket::acknowledge`] or close.
    Identify(Credential),
    /// Send this.
    Send(String),
    /// Run this and hand what comes of it to [`Socket::deliver`].
    Start(Start),
    /// Stop what was started with this number.
    Stop(u64),
    /// Nothing.
    Rest,
}

/// An operation to run.
pub struct Start {
    /// What this socket counts it by; the client's own id may come again once it has ended.
    pub serial: u64,
    id: String,
    params: Params,
}

/// A message for the client about one of its operations.
#[derive(Debug)]
pub struct Message {
    serial: u64,
    id: String,
    text: String,
    is_last: bool,
}

/// What runs.
pub struct Running {
    /// Whether it waits for events rather than for its answer.
    pub is_subscription: bool,
    /// What there is to send; ends behind the last message.
    pub messages: BoxStream<'static, Message>,
}

enum Phase {
    New,
    Identifying,
    Ready,
}

/// One socket.
pub struct Socket {
    phase: Phase,
    live: HashMap<String, u64>,
    started: u64,
    max_operations: usize,
    request_id: String,
}

impl Socket {
    /// A socket that was just opened, named by the request that opened it.
    pub fn new(max_operations: usize, request_id: String) -> Self {
        Self { phase: Phase::New, live: HashMap::new(), started: 0, max_operations, request_id }
    }

    /// Whether the client was let in.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// How many operations run.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Takes a message.
    pub fn receive(&mut self, text: &str) -> Result<Step, Close> {
        match message::read(text).map_err(Close::invalid)? {
            Incoming::Init(credential) => match self.phase {
                Phase::New => {
                    self.phase = Phase::Identifying;
                    Ok(Step::Identify(credential))
                }
                _ => Err(Close::new(4429, "Too many initialisation requests")),
            },
            Incoming::Ping(payload) => Ok(Step::Send(written(&Bare { kind: "pong", payload }))),
            Incoming::Pong => Ok(Step::Rest),
            Incoming::Complete(id) => Ok(self.live.remove(&id).map_or(Step::Rest, Step::Stop)),
            Incoming::Subscribe { .. } if !self.is_ready() => Err(Close::unauthorized()),
            Incoming::Subscribe { id, .. } if self.live.contains_key(&id) => {
                Err(Close::new(4409, format!("Subscriber for {id} already exists")))
            }
            Incoming::Subscribe { id, .. } if self.live.len() >= self.max_operations => Ok(Step::Send(self.full(&id))),
            Incoming::Subscribe { id, params } => {
                self.started += 1;
                self.live.insert(id.clone(), self.started);
                Ok(Step::Start(Start { serial: self.started, id, params }))
            }
        }
    }

    /// Lets the client in; what to send.
    pub fn acknowledge(&mut self) -> String {
        self.phase = Phase::Ready;
        written(&Bare { kind: "connection_ack", payload: None })
    }

    /// Lets a message of an operation through, unless its client stopped it in the meantime. After the last one its id is
    /// free again.
    pub fn deliver(&mut self, message: Message) -> Option<String> {
        if self.live.get(&message.id) != Some(&message.serial) {
            return None;
        }
        if message.is_last {
            self.live.remove(&message.id);
        }
        Some(message.text)
    }

    fn full(&self, id: &str) -> String {
        let retry_after = std::time::Duration::from_secs(1);
        let text = format!("a socket runs at most {} operations at a time, complete some first", self.max_operations);
        let error = Error::new(ErrorKind::RateLimited { retry_after }, text);
        failed(id, &present(vec![server_error(error)], &self.request_id))
    }
}

impl Start {
    /// The only message of an operation that does not run.
    pub fn refused(&self, error: Error, request_id: &str) -> Message {
        self.last(failed(&self.id, &present(vec![server_error(error)], request_id)))
    }

    /// The same operation without what it would run, to word what becomes of it.
    pub fn name(&self) -> Self {
        Self { serial: self.serial, id: self.id.clone(), params: Params::default() }
    }

    fn last(&self, text: String) -> Message {
        Message { serial: self.serial, id: self.id.clone(), text, is_last: true }
    }
}

impl Message {
    /// The number of its operation.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether nothing of its operation follows.
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

impl Graphql {
    /// Whether a socket of this caller is let in.
    pub fn lets_in(&self, caller: &Caller) -> bool {
        self.admit(caller).is_ok()
    }

    /// Runs an operation of a socket.
    pub fn operate(&self, caller: Caller, start: Start) -> Running {
        let request_id = caller.request_id.clone();
        let name = start.name();
        let operation = match self.prepare(&caller, start.params, false) {
            Ok(operation) => operation,
            Err(unready) => {
                let errors = match unready {
                    Unready::Refused(refused) => refused.errors,
                    Unready::NotTrusted(error) => vec![error],
                    Unready::Malformed(error) | Unready::Unauthorized(error) => vec![server_error(error)],
                };
                let message = name.last(failed(&name.id, &present(errors, &request_id)));
                let messages = stream::once(std::future::ready(message)).boxed();
                return Running { is_subscription: false, messages };
            }
        };
        let is_subscription = operation.is_subscription();
        let messages = self.replies(caller, operation).map(move |reply| match reply {
            Reply::Next(response) => {
                // Raw, because the answer is written by other hands than serde's.
                let answer = plain::answer(&response).and_then(|json| serde_json::from_slice::<Box<RawValue>>(&json));
                let payload = answer.inspect_err(|error| tracing::error!(%error, "an answer cannot be written")).ok();
                let text = written(&About { id: &name.id, kind: "next", payload });
                Message { is_last: false, ..name.last(text) }
            }
            Reply::Refused(errors) => name.last(failed(&name.id, &errors)),
            Reply::Complete => name.last(written(&About::<()> { id: &name.id, kind: "complete", payload: None })),
        });
        Running { is_subscription, messages: messages.boxed() }
    }
}

/// A message about the socket.
#[derive(Serialize)]
struct Bare {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
}

/// A message about an operation.
#[derive(Serialize)]
struct About<'a, T> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<T>,
}

fn failed(id: &str, errors: &[ServerError]) -> String {
    written(&About { id, kind: "error", payload: Some(errors) })
}

fn written(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap_or_else(|error| {
        tracing::error!(%error, "a message cannot be written");
        r#"{"type":"pong"}"#.to_owned()
    })
}

#[cfg(test)]
mod tests;
