//! Between a request's text and the library: every document that gets past here is valid and bounded.
//!
//! async-graphql alone has holes that no setting closes: a small nested list overflows the stack and aborts the process,
//! a small chain of fragments holds a thread for seconds, `__typename` is free. So, in order: a scan of the tokens that
//! does not recurse, parsing under limits, one pass over what the document costs, and only then validation, by
//! apollo-compiler, which agrees with the specification more often. Valid documents are kept by their SHA-256.

mod adapt;
pub(crate) mod cache;
mod coerce;
pub(crate) mod cost;
mod escape;
mod rules;
pub(crate) mod scan;

use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::Parser;
use apollo_compiler::parser::SourceMap;
use apollo_compiler::response::GraphQLError;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node, Schema, name};
use async_graphql::{Pos, ServerError, Variables};
use serde_json::{Map, Value};
use sg_domain::error::quote;
use sg_domain::{Digest, Error};

use crate::failure::{coded_error, server_error};
use crate::graphql::GraphqlLimits;
use crate::kept;
use crate::trusted::{self, Manifest, Trusted};
use cache::Cache;
use cost::Cost;
use rules::Broken;

/// A document that is valid and bounded.
pub(crate) struct Document {
    /// The SHA-256 of its text.
    pub(crate) hash: Digest,
    /// As the library reads it; cloned for every execution.
    pub(crate) executable: async_graphql::parser::types::ExecutableDocument,
    valid: Valid<ExecutableDocument>,
    tree: ast::Document,
    /// What it costs when every variable is as large as it may be.
    cost: Cost,
    /// Whether it is worth looking for an argument of that name.
    pub(crate) may_be_dry_run: bool,
    text_bytes: usize,
    /// Whether its answers may be kept.
    pub(crate) is_kept: bool,
    /// Whether what runs is not the text as it was sent, so that places in it mean nothing to the client.
    pub(crate) is_adapted: bool,
}

/// What an operation runs with.
#[derive(Clone)]
pub(crate) struct Bound {
    /// Its variables, completed.
    pub(crate) values: Variables,
    /// What its document costs with them.
    pub(crate) cost: Cost,
}

impl Document {
    /// The root fields of an operation, fragments spread out: their names in the schema and in the answer.
    pub(crate) fn root_fields(&self, operation: &Operation) -> Vec<(String, String)> {
        let fields = operation.root_fields(&self.valid);
        fields.map(|field| (field.name.to_string(), field.response_key().to_string())).collect()
    }
}

/// Why a document or its variables do not get through. Nothing was executed.
pub(crate) struct Refused {
    /// What is wrong.
    pub(crate) errors: Vec<ServerError>,
    /// Whether the document asks for a change: over GET that is refused in another way.
    pub(crate) is_mutation: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { errors: vec![server_error(error)], is_mutation: false }
    }
}

/// The guard: the schema it validates against, its limits, the documents it knows.
pub(crate) struct Guard {
    /// As it is: what a document is told about.
    schema: Valid<Schema>,
    /// The second lock, in which `ID` and `String` are one.
    lenient: Valid<Schema>,
    limits: GraphqlLimits,
    cache: Cache,
    /// When there are any, nothing else runs.
    trusted: Option<Trusted>,
}

/// Why there is no document to run.
pub(crate) enum Missing {
    /// The request does not say which, or contradicts itself.
    Malformed(Error),
    /// It says which, and that one does not get through.
    Refused(Refused),
    /// Only trusted documents run, and it is none.
    NotTrusted(ServerError),
}

impl From<Refused> for Missing {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The nesting that parsers are allowed: above what the scan lets through, below what a stack holds.
const PARSER_RECURSION_LIMIT: usize = 500;

impl Guard {
    /// A guard for the schema with this SDL. Fails only when the schema itself is not valid.
    pub(crate) fn new(sdl: &str, limits: GraphqlLimits) -> Result<Self, String> {
        let parse = || ast::Document::parse(sdl, "schema.graphql").map_err(|e| e.errors.to_string());
        let valid = |tree: ast::Document| {
            let mut schema = tree.to_schema().map_err(|e| e.errors.to_string())?;
            know_one_of(&mut schema);
            schema.validate().map_err(|e| e.errors.to_string())
        };
        let schema = valid(parse()?)?;
        let mut tree = parse()?;
        strings_as_ids(&mut tree);
        let lenient = valid(tree)?;
        let cache = Cache::new(limits.document_cache_bytes);
        Ok(Self { schema, lenient, limits, cache, trusted: None })
    }

    /// From now on, only what is in the manifest runs. Fails when one of its documents is not valid.
    pub(crate) fn trust(&mut self, manifest: Manifest) -> sg_domain::Result<()> {
        self.trusted = Some(Trusted::check(manifest, self)?);
        Ok(())
    }

    /// The document that a request asks for: by its text, by an id of one that is known, or by both, which must agree.
    pub(crate) fn requested(&self, query: Option<&str>, id: Option<&str>) -> Result<Arc<Document>, Missing> {
        if let Some(trusted) = &self.trusted {
            let found = match (query, id) {
                (Some(query), id) => trusted.by_text(query).filter(|document| {
                    id.is_none_or(|id| trusted.by_id(id).is_some_and(|other| other.hash == document.hash))
                }),
                (None, Some(id)) => trusted.by_id(id),
                (None, None) => return Err(missing()),
            };
            return found.ok_or_else(|| Missing::NotTrusted(not_trusted()));
        }
        match (query, id) {
            (Some(query), id) => {
                if id.is_some_and(|id| trusted::digest(id) != Some(Digest::of(query.as_bytes()))) {
                    let error = Error::invalid("the id of the document is not the SHA-256 of its text, send only one");
                    return Err(Missing::Malformed(error));
                }
                Ok(self.document(query)?)
            }
            (None, Some(id)) => {
                let known = trusted::digest(id).and_then(|hash| self.known(&hash));
                // Both spellings are what clients look for.
                let error = || coded_error("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND");
                known.ok_or_else(|| Missing::Refused(error().into()))
            }
            (None, None) => Err(missing()),
        }
    }

    /// The document that was sent before and has this SHA-256.
    pub(crate) fn known(&self, hash: &Digest) -> Option<Arc<Document>> {
        self.cache.get(hash)
    }

    /// Checks a document, or finds that it was checked before.
    pub(crate) fn document(&self, text: &str) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.cache.get(&Digest::of(text.as_bytes())) {
            return Ok(known);
        }
        let document = Arc::new(self.checked(text)?);
        self.cache.put(document.clone());
        Ok(document)
    }

    /// Checks a document.
    pub(crate) fn checked(&self, text: &str) -> Result<Document, Refused> {
        scan::document(text, self.limits.max_tokens, self.limits.max_nesting)?;
        let mut tree = Parser::new()
            .token_limit(self.limits.max_tokens.saturating_mul(4))
            .recursion_limit(PARSER_RECURSION_LIMIT)
            .parse_ast(text, "document.graphql")
            .map_err(|e| unreadable(&e.errors))?;
        let is_mutation = has_mutation(&tree);
        let mut cost = self.measured(&tree, text, is_mutation)?;
        let mut adapted = None;
        let valid = match self.validated(&tree, text, is_mutation) {
            Ok(valid) => valid,
            Err(refused) => {
                let Some(other) = adapt::adapt(&tree, &self.schema) else { return Err(refused) };
                // What runs is what is measured. Places are still those of the text that was sent.
                cost = self.measured(&other, text, is_mutation)?;
                // What is wrong with it either way is told once; of two lists the shorter one says more.
                let valid = self
                    .validated(&other, text, is_mutation)
                    .map_err(|still| if still.errors.len() <= refused.errors.len() { still } else { refused })?;
                adapted = Some(other.to_string());
                tree = other;
                valid
            }
        };
        let runs = adapted.as_deref().unwrap_or(text);
        let executable = async_graphql::parser::parse_query(escape::plain(runs))
            .map_err(|e| Refused { errors: vec![e.into()], is_mutation })?;
        Ok(Document {
            hash: Digest::of(text.as_bytes()),
            executable,
            valid,
            cost,
            may_be_dry_run: text.contains("dryRun"),
            is_kept: kept::qualifies(&tree),
            tree,
            text_bytes: text.len().max(runs.len()),
            is_adapted: adapted.is_some(),
        })
    }

    /// What a document costs at worst, if that is within the limits.
    fn measured(&self, tree: &ast::Document, text: &str, is_mutation: bool) -> Result<Cost, Refused> {
        let worst = cost::measure(tree, None);
        match worst.check(tree, &self.limits) {
            Ok(()) => Ok(worst),
            Err(error) => Err(match rules::cycles(&self.schema, tree, text) {
                cycles if cycles.is_empty() => Refused { is_mutation, ..Refused::from(error) },
                cycles => broken(cycles, tree, is_mutation),
            }),
        }
    }

    /// A document by every rule there is.
    fn validated(
        &self,
        tree: &ast::Document,
        text: &str,
        is_mutation: bool,
    ) -> Result<Valid<ExecutableDocument>, Refused> {
        let mut wrong = rules::check(&self.schema, tree, text);
        match self.locked(tree) {
            Ok(valid) if wrong.is_empty() => Ok(valid),
            Ok(_) => Err(broken(wrong, tree, is_mutation)),
            Err(errors) => {
                let is_conflict = errors.iter().any(|diagnostic| {
                    diagnostic.error.unstable_error_name().is_some_and(|name| name.starts_with("Conflicting"))
                });
                if is_conflict {
                    wrong.extend(rules::merge::conflicts(&self.schema, tree).unwrap_or_default());
                }
                Err(match wrong.is_empty() {
                    true => refused(&errors, is_mutation),
                    false => broken(wrong, tree, is_mutation),
                })
            }
        }
    }

    /// The second lock: valid as it stands, or with `ID` and `String` as one.
    fn locked(&self, tree: &ast::Document) -> Result<Valid<ExecutableDocument>, DiagnosticList> {
        let strict = tree.to_executable_validate(&self.schema).map_err(|invalid| invalid.errors);
        strict.or_else(|errors| {
            let mut lenient = tree.clone();
            variables_as_ids(&mut lenient);
            lenient.to_executable_validate(&self.lenient).map_err(|_| errors)
        })
    }

    /// The operation that will run.
    pub(crate) fn operation<'d>(
        &self,
        document: &'d Document,
        name: Option<&str>,
    ) -> Result<&'d Node<Operation>, Refused> {
        document.valid.operations.get(name).map_err(|_| {
            let message = match name {
                Some(name) => format!("the document has no operation {}, name one that it has", quote(name)),
                None => "the document has no operation that stands alone, name the one to run".to_owned(),
            };
            Error::invalid(message).into()
        })
    }

    /// Checks and completes the variables of an operation: required ones, types, defaults; then what the document asks
    /// for with these values.
    pub(crate) fn variables(
        &self,
        document: &Document,
        operation: &Operation,
        values: Map<String, Value>,
    ) -> Result<Bound, Refused> {
        scan::variables(&values, self.limits.max_nesting, self.limits.max_variable_values)?;
        let tree = document.tree.definitions.iter().filter_map(ast::Definition::as_operation_definition);
        let declared = tree.into_iter().find(|tree| tree.name == operation.name);
        let declared = declared.map(|tree| tree.variables.as_slice()).unwrap_or_default();
        let coerced = coerce::variables(&self.schema, declared, values).map_err(|broken| Refused {
            errors: broken.into_iter().map(|broken| told(broken, &document.tree.sources)).collect(),
            is_mutation: false,
        })?;
        let cost = match document.cost.depends_on_variables() {
            true => cost::measure(&document.tree, Some(&coerced)),
            false => document.cost,
        };
        cost.check_objects(&self.limits)?;
        Ok(Bound { values: Variables::from_json(Value::Object(coerced)), cost })
    }

    /// Whether an operation asks only about the schema.
    pub(crate) fn is_introspection(document: &Document, operation: &Operation) -> bool {
        operation.is_introspection(&document.valid)
    }
}

/// Turns `String` into `ID` wherever a value goes in, so that documents may declare their variables as either: clients
/// in the wild declare the same argument both ways.
fn strings_as_ids(schema: &mut ast::Document) {
    for definition in &mut schema.definitions {
        match definition {
            ast::Definition::ObjectTypeDefinition(object) => {
                for field in &mut object.make_mut().fields {
                    for argument in &mut field.make_mut().arguments {
                        string_as_id(argument.make_mut().ty.make_mut());
                    }
                }
            }
            ast::Definition::InputObjectTypeDefinition(input) => {
                for field in &mut input.make_mut().fields {
                    string_as_id(field.make_mut().ty.make_mut());
                }
            }
            _ => {}
        }
    }
}

/// Adds `__Type.isOneOf`, which the library answers and new introspection queries ask for, but which the built-in types
/// of apollo-compiler do not have yet.
fn know_one_of(schema: &mut Schema) {
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = ast::FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ast::Type::Named(name!("Boolean")),
            directives: ast::DirectiveList::default(),
        };
        ty.make_mut().fields.entry(name!("isOneOf")).or_insert_with(|| field.into());
    }
}

/// The same for a document's variables.
fn variables_as_ids(document: &mut ast::Document) {
    for definition in &mut document.definitions {
        if let ast::Definition::OperationDefinition(operation) = definition
            && operation.variables.iter().any(|variable| variable.ty.inner_named_type() == "String")
        {
            for variable in &mut operation.make_mut().variables {
                string_as_id(variable.make_mut().ty.make_mut());
            }
        }
    }
}

fn string_as_id(ty: &mut ast::Type) {
    match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => {
            if name == "String" {
                *name = name!("ID");
            }
        }
        ast::Type::List(inner) | ast::Type::NonNullList(inner) => string_as_id(inner),
    }
}

fn missing() -> Missing {
    Missing::Malformed(Error::invalid("the query is missing, send a string"))
}

fn not_trusted() -> ServerError {
    coded_error("only trusted documents run here, and this one is not in the manifest", "DOCUMENT_NOT_TRUSTED")
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self { errors: vec![error], is_mutation: false }
    }
}

fn broken(broken: Vec<Broken>, tree: &ast::Document, is_mutation: bool) -> Refused {
    Refused { errors: broken.into_iter().map(|broken| told(broken, &tree.sources)).collect(), is_mutation }
}

fn has_mutation(document: &ast::Document) -> bool {
    document.definitions.iter().any(|definition| {
        definition.as_operation_definition().is_some_and(|o| o.operation_type == ast::OperationType::Mutation)
    })
}

fn refused(errors: &DiagnosticList, is_mutation: bool) -> Refused {
    let shown = errors.iter().map(|diagnostic| json_error(diagnostic.unstable_to_json_compat()));
    Refused { errors: shown.collect(), is_mutation }
}

/// Text that does not parse has one error: what follows the first is guesswork.
fn unreadable(errors: &DiagnosticList) -> Refused {
    let mut refused = refused(errors, false);
    refused.errors.truncate(1);
    refused
}

fn told(broken: Broken, sources: &SourceMap) -> ServerError {
    let mut made = ServerError::new(broken.message, None);
    let place = |at: usize| sources.values().find_map(|source| source.get_line_column(at));
    let places = broken.at.into_iter().filter_map(place);
    made.locations = places.map(|at| Pos { line: at.line, column: at.column }).collect();
    made
}

fn json_error(error: GraphQLError) -> ServerError {
    let mut made = ServerError::new(error.message, None);
    made.locations = error.locations.into_iter().map(|at| Pos { line: at.line, column: at.column }).collect();
    made
}

#[cfg(test)]
mod tests;
