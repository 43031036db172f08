//! Running a subscription: the root field is resolved once to open its source, and then every event is executed as a
//! request of its own, with its own loaders, budget and timeout. Nothing is shared between two events of a subscription,
//! so nothing is stale, nothing adds up, and what goes wrong with one event ends with it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, FragmentDefinition, Selection};
use async_graphql::{Context, Name, Positioned, Request, Response};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use parking_lot::Mutex;
use sg_domain::change::SessionChange;
use sg_domain::{Caller, Job};

use crate::failure::{Outcome, present, server_error};
use crate::graphql::{Graphql, panicked};
use crate::guard::{Bound, Document};

/// What happened, for a subscription field to show.
#[derive(Clone)]
pub(crate) enum Event {
    /// Something happened to a session.
    Session(SessionChange),
    /// A job is as it is now.
    Job(Job),
}

/// Where the events of a subscription come from. It ends by itself or with one error.
pub(crate) type Source = BoxStream<'static, sg_domain::Result<Event>>;

/// What a subscription field yields in one execution: the event it was executed for, or nothing.
pub(crate) type Shown<T> = stream::Iter<std::option::IntoIter<T>>;

/// Why a subscription's root field is executed.
pub(crate) enum Occasion {
    /// To open its source, which is left here.
    Opening(Arc<Mutex<Option<Source>>>),
    /// To show an event.
    Happening(Event),
}

impl Occasion {
    /// The event that is to be shown; `None` when the source is to be opened.
    pub(crate) fn event(ctx: &Context<'_>) -> Option<Event> {
        match ctx.data_unchecked::<Self>() {
            Self::Opening(_) => None,
            Self::Happening(event) => Some(event.clone()),
        }
    }

    /// Leaves the source that was opened.
    pub(crate) fn open<T>(ctx: &Context<'_>, source: Source) -> Outcome<Shown<T>> {
        if let Self::Opening(place) = ctx.data_unchecked::<Self>() {
            *place.lock() = Some(source);
        }
        Ok(shown(None))
    }
}

/// The one thing that a field shows, or nothing.
pub(crate) fn shown<T>(event: Option<T>) -> Shown<T> {
    stream::iter(event)
}

impl Graphql {
    /// Runs a subscription of a checked document and gives its answers as they come. Errors come out with their codes. Nothing goes on when the stream is dropped.
    pub(crate) fn stream(
        &self,
        caller: Caller,
        document: Arc<Document>,
        operation_name: Option<String>,
        bound: Bound,
    ) -> impl Stream<Item = Told> + Send + 'static {
        let run = Run { graphql: self.clone(), caller, document, operation_name, bound, executable: None };
        stream::unfold((run, Stage::Begin), |(mut run, stage)| async move {
            let is_opening = matches!(stage, Stage::Begin);
            let (response, stage) = run.next(stage).await?;
            let is_refusal = is_opening && matches!(stage, Stage::Over);
            Some((Told { response, is_refusal }, (run, stage)))
        })
    }
}

/// One answer of an operation.
pub(crate) struct Told {
    /// The answer.
    pub(crate) response: Response,
    /// Whether it says that a subscription was not opened.
    pub(crate) is_refusal: bool,
}

/// One operation under way.
struct Run {
    graphql: Graphql,
    caller: Caller,
    document: Arc<Document>,
    operation_name: Option<String>,
    bound: Bound,
    /// The document with a field at its subscription's root; made when it is first needed.
    executable: Option<ExecutableDocument>,
}

enum Stage {
    Begin,
    Live(Source),
    Over,
}

impl Run {
    async fn next(&mut self, stage: Stage) -> Option<(Response, Stage)> {
        let mut source = match stage {
            Stage::Begin => match self.open().await {
                Ok(source) => source?,
                Err(answer) => return Some((answer, Stage::Over)),
            },
            Stage::Live(source) => source,
            Stage::Over => return None,
        };
        let request_id = &self.caller.request_id;
        match self.graphql.isolated(source.next(), request_id, &self.document).await {
            Some(Some(Ok(event))) => {
                let answer = match self.execute(Occasion::Happening(event)).await {
                    Some(answer) => answer?,
                    None => self.panicked(),
                };
                Some((answer, Stage::Live(source)))
            }
            Some(Some(Err(error))) => {
                let errors = present(vec![server_error(error)], request_id);
                Some((Response::from_errors(errors), Stage::Over))
            }
            Some(None) => None,
            None => Some((self.panicked(), Stage::Over)),
        }
    }

    /// Opens the source; `Err` is the answer that says why there is none.
    async fn open(&mut self) -> Result<Option<Source>, Response> {
        let place = Arc::new(Mutex::new(None));
        match self.execute(Occasion::Opening(place.clone())).await {
            Some(Some(answer)) => Err(answer),
            Some(None) => Ok(place.lock().take()),
            None => Err(self.panicked()),
        }
    }

    /// Executes the operation once. The outer `None` is for a panic, the inner one for an execution that shows nothing.
    async fn execute(&mut self, occasion: Occasion) -> Option<Option<Response>> {
        let name = self.operation_name.as_deref();
        let executable = self.executable.get_or_insert_with(|| with_root_field(self.document.executable.clone(), name));
        let mut request = Request::new(String::new()).variables(self.bound.values.clone()).data(occasion);
        request.operation_name = self.operation_name.clone();
        request.set_parsed_query(executable.clone());
        let running = |schema: &crate::schema::Schema, request| {
            let mut answers = schema.execute_stream(request);
            async move { answers.next().await }
        };
        self.graphql.attempt(self.caller.clone(), &self.document, request, running).await
    }

    fn panicked(&self) -> Response {
        Response::from_errors(panicked(&self.caller.request_id))
    }
}

/// Makes the root of a subscription what the library takes it to be: fields. It passes over fragments there, which the
/// specification allows.
fn with_root_field(mut document: ExecutableDocument, name: Option<&str>) -> ExecutableDocument {
    let fragments = document.fragments.clone();
    let operation = match &mut document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => match name {
            Some(name) => operations.get_mut(name),
            None => operations.values_mut().next(),
        },
    };
    if let Some(operation) = operation {
        let root = &mut operation.node.selection_set.node.items;
        let mut fields = Vec::new();
        collect(std::mem::take(root), &fragments, &mut fields);
        *root = fields;
    }
    document
}

/// Collects root fields through fragments. The guard has made sure that fragments neither spread themselves nor nest
/// deep, and validation that there is one field and no condition on the way to it.
fn collect(
    items: Vec<Positioned<Selection>>,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    fields: &mut Vec<Positioned<Selection>>,
) {
    for item in items {
        match item.node {
            Selection::Field(_) => fields.push(item),
            Selection::InlineFragment(inline) => collect(inline.node.selection_set.node.items, fragments, fields),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(fragment.node.selection_set.node.items.clone(), fragments, fields);
                }
            }
        }
    }
}
