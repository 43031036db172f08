//! The real program under attack, over a socket, while somebody else goes on asking it small things.
//!
//! Nothing is timed. An attack is repeated until the other client has had its answers: a server that an attack holds up
//! never gets there.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::leak::assert_tight;
use crate::program::{PATIENCE, Program, Server};

/// Small questions that the other client gets answered during each attack.
const ANSWERS: usize = 3;

/// A server and a client that only wants to be answered.
pub(super) struct Siege {
    pub(super) server: Arc<Server>,
    pub(super) key: String,
    _program: Program,
    answered: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    bystander: Option<JoinHandle<()>>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Reply {
    fn of(answer: &[u8]) -> Option<Self> {
        let answer = String::from_utf8_lossy(answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some(Self { status: head.get(9..12)?.parse().ok()?, body: body.to_owned() })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }

    /// The code of its first error.
    pub(super) fn code(&self, what: &str) -> String {
        let body = self.json();
        let code = body["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("{what} has no coded error: {body}")).to_owned()
    }
}

impl Siege {
    pub(super) fn begin(variables: &[(&str, &str)]) -> Self {
        let program = Program::with_user();
        let key = program.key();
        let unlimited = [("SESSIONGRAPH_RATE_LIMIT__GRAPHQL_PER_HOUR", "0")];
        let server = Arc::new(program.serve_with(&["serve"], &[&unlimited, variables].concat()));
        let (answered, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let bystander = {
            let (server, key, answered, over) = (server.clone(), key.clone(), answered.clone(), over.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    assert!(server.graphql(&key, "{ viewer { id } }")["viewer"]["id"].is_string());
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        Self { server, key, _program: program, answered, over, bystander: Some(bystander) }
    }

    /// Does something again and again until the other client has been answered meanwhile.
    pub(super) fn while_others_are_answered(&self, what: &str, mut attack: impl FnMut()) {
        let before = self.answered.load(Ordering::SeqCst);
        let begun = std::time::Instant::now();
        while self.answered.load(Ordering::SeqCst) < before + ANSWERS {
            assert!(
                self.bystander.as_ref().is_some_and(|thread| !thread.is_finished()),
                "{what}: others are not answered"
            );
            assert!(begun.elapsed() < 2 * PATIENCE, "{what}: others are held up");
            attack();
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.server.base()["http://".len()..]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(super) fn head(&self, length: usize) -> String {
        format!(
            "POST /api/v1/graphql HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nContent-Length: {length}\r\n\r\n",
            self.key
        )
    }

    /// Sends a body as it is. A server that has refused may close before all of it is sent.
    pub(super) fn send(&self, body: &[u8]) -> Option<Reply> {
        let mut stream = self.connect();
        let mut rest = stream.try_clone().unwrap();
        let head = self.head(body.len());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = rest.write_all(head.as_bytes()).and_then(|()| rest.write_all(body));
            });
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let _ = stream.shutdown(Shutdown::Both);
            Reply::of(&answer)
        })
    }

    /// Sends a body that is answered, and looks at the answer for what it must not show.
    pub(super) fn ask(&self, body: impl AsRef<[u8]>) -> Reply {
        let reply = self.send(body.as_ref()).expect("an answer");
        assert_tight(&reply.body);
        reply
    }

    /// A document that must be refused with this code, whatever else it does.
    pub(super) fn refuses(&self, what: &str, body: impl AsRef<[u8]>, code: &str) {
        self.while_others_are_answered(what, || {
            let reply = self.ask(&body);
            assert_eq!(reply.code(what), code, "{what}: {}", reply.body);
            assert!(reply.status < 500 && reply.body.len() < 20_000, "{what}: {} {}", reply.status, reply.body);
        });
    }

    /// A document that may run or not, and is answered.
    pub(super) fn answers(&self, what: &str, body: impl AsRef<[u8]>) {
        self.while_others_are_answered(what, || {
            let reply = self.ask(&body);
            assert!(reply.status < 500 && reply.json().is_object(), "{what}: {} {}", reply.status, reply.body);
        });
    }
}

impl Drop for Siege {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let bystander = self.bystander.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            bystander.unwrap().unwrap();
            // The same process, to the end.
            assert!(self.server.graphql(&self.key, "{ viewer { id } }")["viewer"]["id"].is_string());
        }
    }
}

/// A request's body.
pub(super) fn document(text: &str) -> String {
    json!({ "query": text }).to_string()
}

/// A request's body whose variables are JSON as it is written: no value in memory nests so deep.
pub(super) fn with_variables(text: &str, variables: &str) -> String {
    format!("{{\"query\":{},\"variables\":{variables}}}", json!(text))
}

/// Something inside itself.
pub(super) fn deep(open: &str, middle: &str, close: &str, times: usize) -> String {
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}
