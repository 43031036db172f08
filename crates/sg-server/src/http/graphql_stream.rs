//! Event streams on the wire: comments that keep them open, and everything that ends them: the client going, the server
//! stopping, the credential being taken back. Nothing is queued: an event is made when the client has taken the one before.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::request::Parts;
use http::{HeaderValue, header};
use sg_domain::{Caller, ClientAddress, Error, ErrorKind};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::failure::failure;
use super::identify::Proof;
use super::live::{Kind, Place};
use super::request::RequestId;
use super::server::Held;

/// How long a credential that worked is believed to work still, when there is something to send.
pub(crate) const BELIEF: Duration = Duration::from_secs(1);
/// A comment: nothing to a client, life to every proxy between.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Whose a stream is, and how long it may go on.
pub(crate) struct Watch {
    state: super::State,
    caller: Caller,
    proof: Proof,
    address: Option<ClientAddress>,
    held: Option<Held>,
    request_id: RequestId,
}

impl Watch {
    /// Over the request that asks for the stream.
    pub(crate) fn new(state: &super::State, parts: &Parts, caller: &Caller) -> Self {
        let proof = Proof::of(&parts.headers, parts.uri.path(), &state.config.http.public_url);
        Self {
            state: state.clone(),
            caller: caller.clone(),
            proof,
            address: parts.extensions.get().copied(),
            held: parts.extensions.get().cloned(),
            request_id: super::request::id_of(&parts.extensions),
        }
    }
}

/// A stream under way.
struct Streaming {
    events: BoxStream<'static, Bytes>,
    watch: Watch,
    ticks: Interval,
    checked_at: Instant,
    _place: Place,
}

/// The answer that carries events, or says that there are too many streams.
pub(crate) fn answer(
    parts: http::response::Parts,
    events: BoxStream<'static, Bytes>,
    watch: Watch,
    path: &str,
) -> Response {
    let address = watch.address.unwrap_or_else(|| ClientAddress::new(std::net::Ipv4Addr::UNSPECIFIED.into()));
    let place = watch.state.live.enter(Kind::Stream, address);
    let place = place.and_then(|mut place| place.belongs_to(&watch.caller).map(|()| place));
    let place = match place {
        Ok(place) => place,
        Err(full) => return refused(path, &watch.request_id, full),
    };
    let mut ticks = tokio::time::interval(Duration::from_secs(watch.state.config.socket.ping_secs.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let streaming = Streaming { events, watch, ticks, checked_at: Instant::now(), _place: place };
    let body = stream::unfold(Some(streaming), next).map(Ok::<_, Infallible>);
    Response::from_parts(parts, Body::from_stream(body))
}

/// Too many are open.
pub(crate) fn refused(path: &str, id: &RequestId, full: &str) -> Response {
    let kind = ErrorKind::RateLimited { retry_after: Duration::from_secs(5) };
    let mut response = failure(path, id, kind, full);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

async fn next(streaming: Option<Streaming>) -> Option<(Bytes, Option<Streaming>)> {
    let mut streaming = streaming?;
    let held = streaming.watch.held.clone();
    let stopped = async {
        match held {
            Some(held) => held.stopped().await,
            None => std::future::pending().await,
        }
    };
    let bytes = tokio::select! {
        // A result that is there is not kept back because the server stops.
        biased;
        event = streaming.events.next() => event?,
        () = stopped => return None,
        // The first comes at once and opens the stream at the client.
        _ = streaming.ticks.tick() => COMMENT,
    };
    let is_due = streaming.checked_at.elapsed() >= BELIEF;
    if is_due && streaming.watch.caller.identity.is_ok() {
        streaming.checked_at = Instant::now();
        let watch = &streaming.watch;
        let again = watch.state.caller(&watch.proof, watch.request_id.as_str()).await;
        if again.is_ok_and(|caller| caller.identity.is_err()) {
            let last = sg_schema::refused_events(Error::unauthenticated(), watch.request_id.as_str());
            return Some((last, None));
        }
    }
    Some((bytes, Some(streaming)))
}
