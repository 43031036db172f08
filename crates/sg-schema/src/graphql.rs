//! The whole of it: the schema, the guard, the limits, and running one operation.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response, ServerError};
use futures_util::FutureExt as _;
use sg_app::App;
use sg_domain::{Caller, Digest, Error, ErrorKind, RateStanding};

use crate::failure::{present, server_error};
use crate::guard::{Bound, Document, Guard};
use crate::kept::Answers;
use crate::loader::Reach;
use crate::rate_limit::dry_run;
use crate::schema::{Schema, build_schema, sdl};
use crate::trusted::Manifest;

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
    /// Memory for answers that are given again while the data stays as it is, in bytes.
    pub answer_cache_bytes: usize,
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
            answer_cache_bytes: 16 * 1024 * 1024,
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
    answers: Answers,
    /// Names what answers depend on beside the data: the program, its schema, its prices.
    epoch: Digest,
}

impl Graphql {
    /// Puts it together. Fails only when the schema is not valid, which a test rules out.
    pub fn new(app: App, limits: GraphqlLimits) -> sg_domain::Result<Self> {
        Self::of(app, limits, None)
    }

    /// The same, and nothing runs but the documents of a manifest. Fails when one of them is not valid, and says which.
    pub fn trusting(app: App, limits: GraphqlLimits, manifest: Manifest) -> sg_domain::Result<Self> {
        Self::of(app, limits, Some(manifest))
    }

    fn of(app: App, limits: GraphqlLimits, manifest: Option<Manifest>) -> sg_domain::Result<Self> {
        let sdl = sdl();
        let mut guard = Guard::new(&sdl, limits.clone()).map_err(Error::internal)?;
        if let Some(manifest) = manifest {
            guard.trust(manifest)?;
        }
        let answers = Answers::new(limits.answer_cache_bytes);
        let prices = format!("{:?}", app.price_table());
        let epoch = Digest::of_parts([env!("CARGO_PKG_VERSION").as_bytes(), sdl.as_bytes(), prices.as_bytes()]);
        Ok(Self { inner: Arc::new(Inner { app, schema: build_schema(), guard, limits, answers, epoch }) })
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    pub(crate) fn app(&self) -> &App {
        &self.inner.app
    }

    pub(crate) fn epoch(&self) -> &Digest {
        &self.inner.epoch
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.inner.answers
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
        Bound { values, cost }: Bound,
        rate: Option<RateStanding>,
    ) -> Option<Ran> {
        let dry_run =
            document.may_be_dry_run.then(|| dry_run(&document.executable, operation_name.as_deref(), &values));
        let dry_run = dry_run.flatten();
        let is_counted = dry_run.is_none();
        let mut request = Request::new(String::new()).variables(values);
        if let Some(rate) = rate {
            request = request.data(if is_counted { rate } else { rate.given_back() });
        }
        request.operation_name = operation_name;
        request.set_parsed_query(dry_run.unwrap_or_else(|| document.executable.clone()));
        let running = |schema: &Schema, request| {
            let schema = schema.clone();
            async move { Some(schema.execute(request).await) }
        };
        let mut response = self.attempt(caller, document, request, running).await.flatten()?;
        response.extensions.insert("cost".to_owned(), cost.shown(&self.inner.limits));
        Some(Ran { response, is_counted })
    }

    /// Executes a request once, with loaders, a budget and a timeout of its own. The outer `None` is for a panic, the inner
    /// one for an execution that has no answer.
    pub(crate) async fn attempt<F>(
        &self,
        caller: Caller,
        document: &Document,
        request: Request,
        running: impl FnOnce(&Schema, Request) -> F,
    ) -> Option<Option<Response>>
    where
        F: Future<Output = Option<Response>>,
    {
        let request_id = caller.request_id.clone();
        let (reach, batches) = Reach::new(self.inner.app.clone(), caller, self.inner.limits.max_objects);
        let running = batches.drive(running(&self.inner.schema, request.data(reach)));
        let running = self.isolated(running, &request_id, document);
        let mut response = match tokio::time::timeout(self.inner.limits.timeout, running).await {
            Ok(answer) => match answer? {
                Some(response) => response,
                None => return Some(None),
            },
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
        if document.is_adapted {
            response.errors.iter_mut().for_each(|error| error.locations.clear());
        }
        response.errors = present(std::mem::take(&mut response.errors), &request_id);
        Some(Some(response))
    }

    /// What comes of a future; `None` when it panicked.
    pub(crate) async fn isolated<T>(
        &self,
        running: impl Future<Output = T>,
        request_id: &str,
        document: &Document,
    ) -> Option<T> {
        let answer = AssertUnwindSafe(running).catch_unwind().await;
        if answer.is_err() {
            tracing::error!(request_id, document = %document.hash, "a resolver panicked");
        }
        answer.ok()
    }
}

/// What came of an operation that ran.
pub(crate) struct Ran {
    /// The answer.
    pub(crate) response: Response,
    /// Whether the request counts against its caller's limit: a dry run does not.
    pub(crate) is_counted: bool,
}

/// The answer to a panic: nothing of it is shown.
pub(crate) fn panicked(request_id: &str) -> Vec<ServerError> {
    present(vec![server_error(Error::new(ErrorKind::Internal, "panic"))], request_id)
}
