//! GraphQL over HTTP: parameters in, one answer out, as the specification and SpecStory's clients want it.
//!
//! What the two media types promise differs. Under `application/graphql-response+json` an answer without data has a 4xx
//! status; under `application/json` every well-formed request is a 200 and only malformed parameters are a 400. `errors`
//! stands first, and an answer to a request that did not run has no `data` key. Subscriptions, and whatever else is asked for
//! as `text/event-stream`, are answered in the "distinct connections mode" of graphql-sse.

mod accept;
mod event_stream;
mod known;
pub(crate) mod params;

use async_graphql::{Response as Answer, ServerError};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use sg_domain::{Caller, Error, ErrorKind, NotCounted, RateStanding};

use crate::failure::{present, server_error};
use crate::graphql::{Graphql, panicked};
use crate::guard::Refused;
use crate::idempotency::{Slot, slot};
use crate::operation::Unready;
use crate::plain;
use accept::{Accepted, MediaType};
pub use event_stream::refused_events;
use params::{Malformed, Params};

/// What stands in an answer.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// Events as they come, until the operation ends.
    Events(BoxStream<'static, Bytes>),
}

impl Graphql {
    /// Answers one GraphQL request. It never fails and never panics; whatever goes wrong is an answer.
    pub async fn handle(&self, caller: Caller, request: Request<Bytes>) -> Response<Body> {
        let request_id = caller.request_id.clone();
        let accept = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept: Vec<_> = accept.collect();
        let accepted = Accepted::of(&accept.join(","));
        let reply = Reply { media: accepted.json.unwrap_or(MediaType::Json), request_id };
        if accepted.is_nothing() {
            let error = Error::new(
                ErrorKind::Unsupported,
                "no acceptable media type, accept application/graphql-response+json, application/json or text/event-stream",
            );
            return reply.error(StatusCode::NOT_ACCEPTABLE, error).map(Body::Whole);
        }
        match self.answer(caller, &request, accepted, &reply).await {
            Ok(response) => response,
            Err(response) => response.map(Body::Whole),
        }
    }

    async fn answer(
        &self,
        caller: Caller,
        request: &Request<Bytes>,
        accepted: Accepted,
        reply: &Reply,
    ) -> Result<Response<Body>, Response<Bytes>> {
        if is_single_connection(request) {
            let error = Error::invalid(SINGLE_CONNECTION);
            return Err(match *request.method() {
                Method::GET | Method::POST => reply.error(StatusCode::BAD_REQUEST, error),
                _ => allow(reply.error(StatusCode::METHOD_NOT_ALLOWED, error), "GET, POST"),
            });
        }
        if !matches!(*request.method(), Method::GET | Method::POST) {
            let error = Error::invalid("use POST, or GET for queries");
            return Err(allow(reply.error(StatusCode::METHOD_NOT_ALLOWED, error), "GET, POST"));
        }
        // What a key may do is asked by each operation: a mutation needs another scope than a query.
        self.admit(&caller).map_err(|error| reply.unauthorized(error))?;
        let max = self.limits().max_body_bytes;
        if request.body().len() > max || request.uri().query().is_some_and(|query| query.len() > max) {
            let error = Error::new(ErrorKind::TooLarge, format!("the request is larger than {max} bytes, shorten it"));
            return Err(reply.error(StatusCode::PAYLOAD_TOO_LARGE, error));
        }
        let params = Params::read(request).map_err(|malformed| match malformed {
            Malformed::MediaType(error) => reply.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, error),
            Malformed::Params(error) => reply.malformed(error),
        })?;
        let is_get = request.method() == Method::GET;
        let operation = match self.prepare(&caller, params, is_get) {
            Ok(operation) => operation,
            // The protocol wants them where the client of a stream looks.
            Err(Unready::Refused(refused)) if accepted.wants_events(false) && !(is_get && refused.is_mutation) => {
                let refused = present(refused.errors, &reply.request_id);
                return Ok(reply.events(event_stream::refused(refused)));
            }
            Err(Unready::NotTrusted(error)) if accepted.wants_events(false) => {
                return Ok(reply.events(event_stream::refused(present(vec![error], &reply.request_id))));
            }
            Err(Unready::Refused(refused)) => return Err(reply.refused(refused, is_get)),
            Err(Unready::NotTrusted(error)) => return Err(reply.not_trusted(error)),
            Err(Unready::Malformed(error)) => return Err(reply.malformed(error)),
            Err(Unready::Unauthorized(error)) => return Err(reply.unauthorized(error)),
        };
        let keyed = operation.keyed(request.headers());
        let keyed = keyed.map_err(|error| reply.error(StatusCode::BAD_REQUEST, error))?;
        if accepted.wants_events(operation.is_subscription()) {
            if keyed.is_some() {
                let error = Error::invalid("Idempotency-Key does not go with an event stream, accept application/json");
                return Err(reply.error(StatusCode::BAD_REQUEST, error));
            }
            return Ok(reply.events(event_stream::events(self.replies(caller, operation))));
        }
        if operation.is_subscription() {
            let error = Error::new(
                ErrorKind::Unsupported,
                "a subscription is answered as a stream, accept text/event-stream or open a WebSocket with graphql-transport-ws",
            );
            return Err(reply.refused(error.into(), is_get));
        }
        let wanted = operation.wanted(self, &caller, request).await;
        if let Some(known) = wanted.as_ref().and_then(|wanted| reply.known(request, wanted, self.answers())) {
            return Ok(known.map(Body::Whole));
        }
        let slot = match slot(self.app(), &caller, keyed).await {
            Ok(Slot::Replay(response)) => return Ok(response.map(Body::Whole)),
            Ok(slot) => slot,
            Err(error) => return Err(reply.refused(error.into(), is_get)),
        };
        let rate = request.extensions().get::<RateStanding>().copied();
        match self.execute(caller, operation, rate).await {
            Some(ran) => {
                let response = reply.answer(&ran.response);
                slot.keep(self.app(), &ran.response, &response).await;
                let wanted = wanted.filter(|_| ran.response.errors.is_empty());
                let mut response = reply.kept(request, wanted, response, self.answers()).map(Body::Whole);
                if !ran.is_counted {
                    response.extensions_mut().insert(NotCounted);
                }
                Ok(response)
            }
            None => {
                slot.lose(self.app()).await;
                Err(reply.body(StatusCode::INTERNAL_SERVER_ERROR, &panicked(&reply.request_id), None))
            }
        }
    }
}

/// What whoever tries the other mode of graphql-sse is told.
const SINGLE_CONNECTION: &str = "the single connection mode of graphql-sse is not served, send each operation as a request \
    of its own (singleConnection: false)";
/// The header that the single connection mode is known by.
const STREAM_TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");

/// Whether a request belongs to the single connection mode: a reservation by `PUT`, or whatever carries its token.
fn is_single_connection(request: &Request<Bytes>) -> bool {
    request.method() == Method::PUT || request.headers().contains_key(STREAM_TOKEN)
}

/// Writes answers in the media type that was agreed on.
struct Reply {
    media: MediaType,
    request_id: String,
}

/// SpecStory's words for a request that is not well formed.
const MALFORMED: &str = "Invalid GraphQL query or variables";

/// The keys that SpecStory's REST errors have, before the GraphQL ones.
#[derive(serde::Serialize)]
struct Envelope<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    errors: &'a [ServerError],
}

impl Reply {
    /// The answer of an operation that ran.
    fn answer(&self, answer: &Answer) -> Response<Bytes> {
        match plain::answer(answer) {
            Ok(json) => self.bytes(StatusCode::OK, json),
            Err(error) => self.error(StatusCode::INTERNAL_SERVER_ERROR, Error::internal(error)),
        }
    }

    /// A well-formed request whose document or variables do not get through.
    fn refused(&self, refused: Refused, is_get: bool) -> Response<Bytes> {
        if is_get && refused.is_mutation {
            let error = Error::invalid("GET only runs queries, use POST");
            return allow(self.error(StatusCode::METHOD_NOT_ALLOWED, error), "POST");
        }
        let status = match self.media {
            MediaType::Json => StatusCode::OK,
            MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        };
        self.body(status, &present(refused.errors, &self.request_id), None)
    }

    /// Whatever the media type: the document was not looked at.
    fn not_trusted(&self, error: ServerError) -> Response<Bytes> {
        self.body(StatusCode::FORBIDDEN, &present(vec![error], &self.request_id), None)
    }

    fn error(&self, status: StatusCode, error: Error) -> Response<Bytes> {
        self.body(status, &present(vec![server_error(error)], &self.request_id), None)
    }

    fn malformed(&self, error: Error) -> Response<Bytes> {
        let errors = present(vec![server_error(error)], &self.request_id);
        self.body(StatusCode::BAD_REQUEST, &errors, Some(MALFORMED))
    }

    fn unauthorized(&self, error: Error) -> Response<Bytes> {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let rest =
            if error.kind == ErrorKind::Unauthenticated { "Unauthorized".to_owned() } else { error.message.clone() };
        let errors = present(vec![server_error(error)], &self.request_id);
        let mut response = self.body(status, &errors, Some(&rest));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// An answer without data.
    fn body(&self, status: StatusCode, errors: &[ServerError], rest: Option<&str>) -> Response<Bytes> {
        let envelope = Envelope { success: rest.map(|_| false), error: rest, errors };
        let json = serde_json::to_vec(&envelope)
            .unwrap_or_else(|_| b"{\"errors\":[{\"message\":\"internal error\"}]}".to_vec());
        self.bytes(status, json)
    }

    /// Events, past every cache and every proxy that would hold them back.
    fn events(&self, events: BoxStream<'static, Bytes>) -> Response<Body> {
        let mut response = Response::new(Body::Events(events));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(VARY, HeaderValue::from_static("Accept, Authorization"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }

    fn bytes(&self, status: StatusCode, json: impl Into<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(json.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media.name()));
        headers.insert(VARY, HeaderValue::from_static("Accept, Authorization"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}

fn allow(mut response: Response<Bytes>, methods: &'static str) -> Response<Bytes> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}
