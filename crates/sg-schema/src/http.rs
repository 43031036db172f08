//! GraphQL over HTTP: parameters in, one answer out, as the specification and SpecStory's clients want it.
//!
//! What the two media types promise differs. Under `application/graphql-response+json` an answer without data has a 4xx
//! status; under `application/json` every well-formed request is a 200 and only malformed parameters are a 400. `errors`
//! stands first, and an answer to a request that did not run has no `data` key.

mod accept;
mod params;

use async_graphql::{Response as Answer, ServerError};
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use sg_domain::{Caller, Digest, Error, ErrorKind};

use crate::failure::{present, server_error};
use crate::graphql::{Graphql, panicked};
use crate::guard::{Guard, Refused};
use crate::idempotency::{Slot, keyed, slot};
use accept::{MediaType, negotiate};
use params::{Malformed, Params};

impl Graphql {
    /// Answers one GraphQL request. It never fails and never panics; whatever goes wrong is an answer.
    pub async fn handle(&self, caller: Caller, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = caller.request_id.clone();
        let accept = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept: Vec<_> = accept.collect();
        let Some(media) = negotiate(&accept.join(",")) else {
            let error = Error::new(
                ErrorKind::Unsupported,
                "no acceptable media type, accept application/graphql-response+json or application/json",
            );
            return Reply { media: MediaType::Json, request_id }.error(StatusCode::NOT_ACCEPTABLE, error);
        };
        let reply = Reply { media, request_id };
        match self.answer(caller, &request, &reply).await {
            Ok(response) | Err(response) => response,
        }
    }

    async fn answer(
        &self,
        caller: Caller,
        request: &Request<Bytes>,
        reply: &Reply,
    ) -> Result<Response<Bytes>, Response<Bytes>> {
        let limits = self.limits();
        if !matches!(*request.method(), Method::GET | Method::POST) {
            let error = Error::invalid("use POST, or GET for queries");
            return Err(allow(reply.error(StatusCode::METHOD_NOT_ALLOWED, error), "GET, POST"));
        }
        // What a key may do is asked by each operation: a mutation needs another scope than a query.
        let signed_in = caller.known().map(|_| ());
        if let Err(error) = &signed_in
            && !(error.kind == ErrorKind::Unauthenticated && limits.anonymous_introspection)
        {
            return Err(reply.unauthorized(signed_in.err()));
        }
        let max = limits.max_body_bytes;
        if request.body().len() > max || request.uri().query().is_some_and(|query| query.len() > max) {
            let error = Error::new(ErrorKind::TooLarge, format!("the request is larger than {max} bytes, shorten it"));
            return Err(reply.error(StatusCode::PAYLOAD_TOO_LARGE, error));
        }
        let params = Params::read(request).map_err(|malformed| match malformed {
            Malformed::MediaType(error) => reply.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, error),
            Malformed::Params(error) => reply.malformed(error),
        })?;
        let is_get = request.method() == Method::GET;
        let document = match (&params.query, &params.persisted) {
            (Some(query), hash) => {
                if hash.is_some_and(|hash| hash != Digest::of(query.as_bytes())) {
                    return Err(reply.malformed(Error::invalid("sha256Hash is not the hash of the query")));
                }
                self.guard().document(query)
            }
            (None, Some(hash)) => self.guard().known(hash).ok_or_else(|| not_persisted().into()),
            (None, None) => return Err(reply.malformed(Error::invalid("the query is missing, send a string"))),
        };
        let document = document.map_err(|refused| reply.refused(refused, is_get))?;
        let name = params.operation_name.as_deref();
        let operation = self.guard().operation(&document, name).map_err(|refused| reply.refused(refused, is_get))?;
        if is_get && operation.is_mutation() {
            return Err(reply.refused(Refused { errors: Vec::new(), is_mutation: true }, is_get));
        }
        if signed_in.is_err() && !Guard::is_introspection(&document, operation) {
            return Err(reply.unauthorized(signed_in.err()));
        }
        let keyed = keyed(request.headers(), &document, operation, &params.variables);
        let keyed = keyed.map_err(|error| reply.error(StatusCode::BAD_REQUEST, error))?;
        let variables = self.guard().variables(&document, operation, params.variables);
        let variables = variables.map_err(|refused| reply.refused(refused, is_get))?;
        let slot = match slot(self.app(), &caller, keyed).await {
            Ok(Slot::Replay(response)) => return Ok(response),
            Ok(slot) => slot,
            Err(error) => return Err(reply.refused(error.into(), is_get)),
        };
        match self.run(caller, &document, params.operation_name, variables).await {
            Some(answer) => {
                let response = reply.answer(&answer);
                slot.keep(self.app(), &answer, &response).await;
                Ok(response)
            }
            None => Err(reply.body(StatusCode::INTERNAL_SERVER_ERROR, &panicked(&reply.request_id), None)),
        }
    }
}

fn not_persisted() -> ServerError {
    // Both spellings are what clients look for.
    let mut error = ServerError::new("PersistedQueryNotFound", None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", "PERSISTED_QUERY_NOT_FOUND");
    error.extensions = Some(extensions);
    error
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self { errors: vec![error], is_mutation: false }
    }
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
        let json = serde_json::to_vec(answer);
        match json {
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

    fn error(&self, status: StatusCode, error: Error) -> Response<Bytes> {
        self.body(status, &present(vec![server_error(error)], &self.request_id), None)
    }

    fn malformed(&self, error: Error) -> Response<Bytes> {
        let errors = present(vec![server_error(error)], &self.request_id);
        self.body(StatusCode::BAD_REQUEST, &errors, Some(MALFORMED))
    }

    fn unauthorized(&self, error: Option<Error>) -> Response<Bytes> {
        let error = error.unwrap_or_else(Error::unauthenticated);
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

    fn bytes(&self, status: StatusCode, json: Vec<u8>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(json));
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
