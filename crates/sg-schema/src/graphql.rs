//! The whole of it: the schema, the guard, the limits, and running one operation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response, ServerError, Variables};
use futures_util::FutureExt as _;
use sg_app::App;
use sg_domain::{Caller, Error, ErrorKind};

use crate::failure::{present, server_error};
use crate::guard::{Document, Guard};
use crate::loader::Reach;
use crate::schema::{Schema, build_schema, sdl};

/// What one request may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphqlLimits {
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// Tokens in a document.
    pub max_tokens: usize,
    /// Brackets inside brackets, in a document and in variables.
    pub max_nesting: usize,
    /// Fields, fragments spread out.
    pub max_fields: u64,
    /// Fields inside fields.
    pub max_depth: u64,
    /// Aliases, fragments spread out.
    pub max_aliases: u64,
    /// Directives, fragments spread out.
    pub max_directives: u64,
    /// Variables.
    pub max_variables: u64,
    /// Values inside all variables.
    pub max_variable_values: usize,
    /// Objects that an answer can hold, estimated from the sizes of its pages.
    pub max_objects: u64,
    /// How long an operation may run.
    pub timeout: Duration,
    /// Memory for documents that were checked before, in bytes.
    pub document_cache_bytes: usize,
    /// Whether the schema may be read without signing in.
    pub anonymous_introspection: bool,
}

impl Default for GraphqlLimits {
    fn default() -> Self {
        Self {
            max_body_bytes: 256 * 1024,
            max_tokens: 4_000,
            max_nesting: 64,
            max_fields: 2_000,
            max_depth: 16,
            max_aliases: 64,
            max_directives: 64,
            max_variables: 100,
            max_variable_values: 10_000,
            max_objects: 1_000_000,
            timeout: Duration::from_secs(30),
            document_cache_bytes: 16 * 1024 * 1024,
            anonymous_introspection: false,
        }
    }
}

/// The GraphQL endpoint without its sockets. A cheap clone.
#[derive(Clone)]
pub struct Graphql {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    schema: Schema,
    guard: Guard,
    limits: GraphqlLimits,
}

impl Graphql {
    /// Puts it together. Fails only when the schema is not valid, which a test rules out.
    pub fn new(app: App, limits: GraphqlLimits) -> sg_domain::Result<Self> {
        let guard = Guard::new(&sdl(), limits.clone()).map_err(Error::internal)?;
        Ok(Self { inner: Arc::new(Inner { app, schema: build_schema(), guard, limits }) })
    }

    pub(crate) fn app(&self) -> &App {
        &self.inner.app
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    pub(crate) fn limits(&self) -> &GraphqlLimits {
        &self.inner.limits
    }

    /// Runs an operation of a checked document. Errors come out with their codes; `None` when it panicked.
    pub(crate) async fn run(
        &self,
        caller: Caller,
        document: &Document,
        operation_name: Option<String>,
        variables: Variables,
    ) -> Option<Response> {
        let request_id = caller.request_id.clone();
        let (reach, batches) = Reach::new(self.inner.app.clone(), caller, self.inner.limits.max_objects);
        let mut request = Request::new(String::new()).variables(variables).data(reach);
        request.operation_name = operation_name;
        request.set_parsed_query(document.executable.clone());
        let running = AssertUnwindSafe(batches.drive(self.inner.schema.execute(request))).catch_unwind();
        let mut response = match tokio::time::timeout(self.inner.limits.timeout, running).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                tracing::error!(request_id, document = %document.hash, "a resolver panicked");
                return None;
            }
            Err(_) => {
                let secs = self.inner.limits.timeout.as_secs_f32();
                tracing::warn!(request_id, document = %document.hash, secs, "an operation took too long");
                let error = Error::new(
                    ErrorKind::Unavailable,
                    format!("the operation took longer than {secs} seconds, ask for less at once"),
                );
                Response::from_errors(vec![server_error(error)])
            }
        };
        response.errors = present(std::mem::take(&mut response.errors), &request_id);
        Some(response)
    }
}

/// The answer to a panic: nothing of it is shown.
pub(crate) fn panicked(request_id: &str) -> Vec<ServerError> {
    present(vec![server_error(Error::new(ErrorKind::Internal, "panic"))], request_id)
}
