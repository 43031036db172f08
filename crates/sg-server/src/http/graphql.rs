//! The GraphQL endpoint: reads the body within its cap and hands the request to the handler of `sg-schema`. A browser
//! that opens the endpoint gets the playground instead.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::response::Response;
use axum::routing::any;
use axum::{Router, middleware};
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sg_app::App;
use sg_domain::{Caller, ErrorKind};
use sg_schema::{Graphql, GraphqlLimits};

use super::failure::{failure, json_response};
use super::graphql_stream::Watch;
use super::{graphql_socket, graphql_stream, page, request};
use crate::config::Config;

/// The endpoint as it is set. Fails when its manifest of trusted documents cannot be used.
pub(crate) fn graphql(app: &App, config: &Config) -> anyhow::Result<Graphql> {
    let limits = GraphqlLimits {
        max_body_bytes: config.http.max_graphql_body_bytes,
        answer_cache_bytes: config.http.answer_cache_bytes(),
        timeout: Duration::from_secs(config.http.graphql_timeout_secs),
        anonymous_introspection: config.http.anonymous_introspection,
        ..GraphqlLimits::default()
    };
    let graphql = match config.graphql.manifest()? {
        Some(manifest) => Graphql::trusting(app.clone(), limits, manifest)
            .with_context(|| format!("in {}", config.graphql.trusted_documents.display()))?,
        // Only a schema that contradicts itself can fail here, which the schema's tests rule out.
        None => Graphql::new(app.clone(), limits)?,
    };
    Ok(graphql)
}

pub(crate) fn router(state: &super::State) -> Router {
    let max_body_bytes = state.config.http.max_graphql_body_bytes;
    // A server that starts has tried it before; without it, nothing runs rather than everything.
    let graphql =
        graphql(&state.app, &state.config).inspect_err(|error| tracing::error!(%error, "GraphQL is not served")).ok();
    let endpoint = Arc::new(Endpoint { graphql, max_body_bytes, state: state.clone() });
    let answer = move |Extension(caller): Extension<Caller>, request: Request| {
        let endpoint = Arc::clone(&endpoint);
        async move { endpoint.answer(caller, request).await }
    };
    Router::new()
        .route("/graphql", any(answer.clone()))
        .route("/api/v1/graphql", any(answer))
        .layer(middleware::map_response(private))
}

struct Endpoint {
    graphql: Option<Graphql>,
    max_body_bytes: usize,
    state: super::State,
}

impl Endpoint {
    async fn answer(&self, caller: Caller, request: Request) -> Response {
        if request.method() == Method::OPTIONS {
            return preflight();
        }
        if is_browser(&request) {
            return page::playground(request.headers());
        }
        let (path, id) = (request.uri().path().to_owned(), request::id(&request));
        let Some(graphql) = &self.graphql else {
            return failure(&path, &id, ErrorKind::Unavailable, "GraphQL is not served, see the log");
        };
        if graphql_socket::is_upgrade(request.headers()) {
            return graphql_socket::upgrade(&self.state, graphql, caller, request).await;
        }
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, self.max_body_bytes).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let message = format!("request body is larger than {} bytes", self.max_body_bytes);
                return failure(&path, &id, ErrorKind::TooLarge, &message);
            }
            Err(error) => {
                tracing::info!(%error, "request body could not be read");
                return failure(&path, &id, ErrorKind::Invalid, "request body could not be read");
            }
        };
        let watch = Watch::new(&self.state, &parts, &caller);
        let response = graphql.handle(caller, http::Request::from_parts(parts, body)).await;
        let (parts, body) = response.into_parts();
        match body {
            sg_schema::Body::Whole(bytes) => Response::from_parts(parts, Body::from(bytes)),
            sg_schema::Body::Events(events) => graphql_stream::answer(parts, events, watch, &path),
        }
    }
}

/// A person who opened the endpoint: a GET that wants a page and asks nothing.
pub(crate) fn is_browser(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asks = |pair: &str| pair == "query" || pair.starts_with("query=") || pair.starts_with("extensions=");
    cfg!(feature = "ui")
        && request.method() == Method::GET
        && accepts.contains("text/html")
        && !request.uri().query().unwrap_or_default().split('&').any(asks)
}

/// What clients send; the SDKs add their names and an idempotency key.
const ALLOWED_HEADERS: &str =
    "Content-Type, Authorization, If-None-Match, Idempotency-Key, X-SDK-Version, X-SDK-Language, X-Request-Id";

/// What the hosted service answers to any preflight. Credentials travel in `Authorization`, never in cookies, so an
/// origin that was not given a key gains nothing.
fn preflight() -> Response {
    let mut response = json_response(StatusCode::OK, r#"{"success":true}"#.to_owned());
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST, PUT, DELETE, PATCH, OPTIONS");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    response
}

/// Answers are one caller's own: no shared cache may keep them. A page of another origin may read what its key opens.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static(
        "Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}
