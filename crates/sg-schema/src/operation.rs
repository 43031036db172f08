//! One operation from its parameters to its replies: the road that requests, event streams and sockets share.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::{Response, ServerError};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, Request};
use sg_domain::{Caller, Error, ErrorKind, RateStanding, Result};

use crate::failure::{present, server_error};
use crate::graphql::{Graphql, Ran, panicked};
use crate::guard::{Bound, Document, Guard, Missing, Refused};
use crate::http::params::Params;
use crate::idempotency::{Keyed, Root, keyed};
use crate::kept::Wanted;
use crate::plain;
use crate::stream::Told;

/// An operation that may run.
pub(crate) struct Operation {
    document: Arc<Document>,
    name: Option<String>,
    bound: Bound,
    is_subscription: bool,
    /// The root fields of a mutation.
    changes: Option<Arc<[Root]>>,
}

impl Operation {
    /// Whether it is answered by a stream.
    pub(crate) fn is_subscription(&self) -> bool {
        self.is_subscription
    }

    /// The idempotency key of a mutation, if one came with it. Queries change nothing: theirs is not looked at.
    pub(crate) fn keyed(&self, headers: &HeaderMap) -> Result<Option<Keyed>> {
        let Some(changes) = &self.changes else { return Ok(None) };
        let name = self.name.as_deref().unwrap_or_default();
        keyed(headers, &self.document.hash, name, &self.bound.values, changes.clone())
    }

    /// What it asks for, if its answer may be kept.
    pub(crate) async fn wanted(&self, graphql: &Graphql, caller: &Caller, request: &Request<Bytes>) -> Option<Wanted> {
        if !self.document.is_kept {
            return None;
        }
        let (hash, name) = (&self.document.hash, self.name.as_deref());
        Wanted::new(graphql, caller, request, hash, name, &self.bound.values).await
    }
}

/// Why an operation does not run.
pub(crate) enum Unready {
    /// The parameters do not say what to run.
    Malformed(Error),
    /// Nobody is signed in, or whoever is asks too much.
    Unauthorized(Error),
    /// The document or its variables do not get through.
    Refused(Refused),
    /// Only trusted documents run, and it is none.
    NotTrusted(ServerError),
}

/// One thing that a client hears of its operation.
pub(crate) enum Reply {
    /// A result; more may follow.
    Next(Box<Response>),
    /// It did not run, or cannot go on. Nothing follows.
    Refused(Vec<ServerError>),
    /// It has ended. Nothing follows.
    Complete,
}

impl Graphql {
    /// Lets in who is signed in, and with `anonymous_introspection` everyone, as far as [`Graphql::prepare`].
    pub(crate) fn admit(&self, caller: &Caller) -> Result<()> {
        match caller.known() {
            Err(error) if error.kind == ErrorKind::Unauthenticated && self.limits().anonymous_introspection => Ok(()),
            known => known.map(drop),
        }
    }

    /// Checks what was asked for. With `reads_only` a mutation is refused, by [`Refused::is_mutation`].
    pub(crate) fn prepare(
        &self,
        caller: &Caller,
        params: Params,
        reads_only: bool,
    ) -> std::result::Result<Operation, Unready> {
        self.admit(caller).map_err(Unready::Unauthorized)?;
        let document = self.guard().requested(params.query.as_deref(), params.document_id.as_deref());
        let document = document.map_err(|missing| match missing {
            Missing::Malformed(error) => Unready::Malformed(error),
            Missing::Refused(refused) => Unready::Refused(refused),
            Missing::NotTrusted(error) => Unready::NotTrusted(error),
        })?;
        let name = params.operation_name.as_deref();
        let operation = self.guard().operation(&document, name).map_err(Unready::Refused)?;
        if reads_only && operation.is_mutation() {
            return Err(Unready::Refused(Refused { errors: Vec::new(), is_mutation: true }));
        }
        if let Err(error) = caller.known()
            && !Guard::is_introspection(&document, operation)
        {
            return Err(Unready::Unauthorized(error));
        }
        let is_subscription = operation.is_subscription();
        let changes =
            operation.is_mutation().then(|| document.root_fields(operation).into_iter().map(Root::from).collect());
        let bound = self.guard().variables(&document, operation, params.variables).map_err(Unready::Refused)?;
        Ok(Operation { name: params.operation_name, bound, is_subscription, changes, document })
    }

    /// Runs a query or a mutation, for a caller that stands so with its limit; `None` when it panicked.
    pub(crate) async fn execute(
        &self,
        caller: Caller,
        operation: Operation,
        rate: Option<RateStanding>,
    ) -> Option<Ran> {
        self.run(caller, &operation.document, operation.name, operation.bound, rate).await
    }

    /// Runs any operation. Nothing happens until the stream is read, and dropping the stream stops it.
    pub(crate) fn replies(&self, caller: Caller, operation: Operation) -> BoxStream<'static, Reply> {
        let request_id = caller.request_id.clone();
        if operation.is_subscription {
            let Operation { document, name, bound, .. } = operation;
            return subscribed(self.stream(caller, document, name, bound).boxed(), request_id);
        }
        let graphql = self.clone();
        let result = async move {
            match graphql.execute(caller, operation, None).await {
                Some(ran) => [Some(Reply::Next(Box::new(ran.response))), Some(Reply::Complete)],
                None => [Some(Reply::Refused(panicked(&request_id))), None],
            }
        };
        stream::once(result).flat_map(|replies| stream::iter(replies.into_iter().flatten())).boxed()
    }

    /// The answers of an operation from its text, without a transport: each as JSON.
    pub fn follow(
        &self,
        caller: Caller,
        query: &str,
        variables: serde_json::Map<String, serde_json::Value>,
    ) -> BoxStream<'static, serde_json::Value> {
        let request_id = caller.request_id.clone();
        let params = Params { query: Some(query.to_owned()), variables, ..Params::default() };
        let replies = match self.prepare(&caller, params, false) {
            Ok(operation) => self.replies(caller, operation),
            Err(unready) => {
                let errors = match unready {
                    Unready::Malformed(error) | Unready::Unauthorized(error) => vec![server_error(error)],
                    Unready::NotTrusted(error) => vec![error],
                    Unready::Refused(refused) => refused.errors,
                };
                stream::iter([Reply::Refused(present(errors, &request_id))]).boxed()
            }
        };
        let json = |answer: &Response| {
            let written = plain::answer(answer).unwrap_or_default();
            serde_json::from_slice(&written).unwrap_or_default()
        };
        let answers = replies.filter_map(move |reply| {
            std::future::ready(match reply {
                Reply::Next(response) => Some(json(&response)),
                Reply::Refused(errors) => Some(json(&Response::from_errors(errors))),
                Reply::Complete => None,
            })
        });
        answers.boxed()
    }
}

/// The replies of a subscription.
fn subscribed(responses: BoxStream<'static, Told>, request_id: String) -> BoxStream<'static, Reply> {
    let responses = AssertUnwindSafe(responses).catch_unwind();
    let replies = stream::unfold(Some(responses), move |state| {
        let request_id = request_id.clone();
        async move {
            let mut responses = state?;
            match responses.next().await {
                Some(Ok(told)) if told.is_refusal => Some((Reply::Refused(told.response.errors), None)),
                Some(Ok(told)) => Some((Reply::Next(Box::new(told.response)), Some(responses))),
                Some(Err(_)) => {
                    tracing::error!(request_id, "a resolver of a subscription panicked");
                    Some((Reply::Refused(panicked(&request_id)), None))
                }
                None => Some((Reply::Complete, None)),
            }
        }
    });
    replies.boxed()
}
