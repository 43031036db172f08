//! Between a request's text and the library: every document that gets past here is valid and bounded.
//!
//! async-graphql alone has holes that no setting closes: a small nested list overflows the stack and aborts the process,
//! a small chain of fragments holds a thread for seconds, `__typename` is free. So, in order: a scan of the tokens that
//! does not recurse, parsing under limits, one pass over what the document costs, and only then validation, by
//! apollo-compiler, which agrees with the specification more often. Valid documents are kept by their SHA-256.

pub(crate) mod cache;
pub(crate) mod cost;
pub(crate) mod scan;

use std::collections::HashSet;
use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::Parser;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{GraphQLError, JsonMap};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node, Schema, name};
use async_graphql::{Pos, ServerError, Variables};
use serde_json::{Map, Value};
use sg_domain::{Digest, Error};

use crate::failure::server_error;
use crate::graphql::GraphqlLimits;
use cache::Cache;

/// A document that is valid and bounded.
pub(crate) struct Document {
    /// The SHA-256 of its text.
    pub(crate) hash: Digest,
    /// As the library reads it; cloned for every execution.
    pub(crate) executable: async_graphql::parser::types::ExecutableDocument,
    valid: Valid<ExecutableDocument>,
    tree: ast::Document,
    id_variables: HashSet<String>,
    /// Objects it can ask for when every variable is as large as it may be.
    worst_objects: u64,
    text_bytes: usize,
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
    schema: Valid<Schema>,
    limits: GraphqlLimits,
    cache: Cache,
}

/// The nesting that parsers are allowed: above what the scan lets through, below what a stack holds.
const PARSER_RECURSION_LIMIT: usize = 500;

impl Guard {
    /// A guard for the schema with this SDL. Fails only when the schema itself is not valid.
    pub(crate) fn new(sdl: &str, limits: GraphqlLimits) -> Result<Self, String> {
        let mut tree = ast::Document::parse(sdl, "schema.graphql").map_err(|e| e.errors.to_string())?;
        ids_as_strings(&mut tree);
        let mut schema = tree.to_schema().map_err(|e| e.errors.to_string())?;
        know_one_of(&mut schema);
        let schema = schema.validate().map_err(|e| e.errors.to_string())?;
        let cache = Cache::new(limits.document_cache_bytes);
        Ok(Self { schema, limits, cache })
    }

    /// The document that was sent before and has this SHA-256.
    pub(crate) fn known(&self, hash: &Digest) -> Option<Arc<Document>> {
        self.cache.get(hash)
    }

    /// Checks a document, or finds that it was checked before.
    pub(crate) fn document(&self, text: &str) -> Result<Arc<Document>, Refused> {
        let hash = Digest::of(text.as_bytes());
        if let Some(known) = self.cache.get(&hash) {
            return Ok(known);
        }
        scan::document(text, self.limits.max_tokens, self.limits.max_nesting)?;
        let mut tree = Parser::new()
            .token_limit(self.limits.max_tokens.saturating_mul(4))
            .recursion_limit(PARSER_RECURSION_LIMIT)
            .parse_ast(text, "document.graphql")
            .map_err(|e| refused(&e.errors, false))?;
        let is_mutation = has_mutation(&tree);
        let worst = cost::measure(&tree, None);
        worst.check(&tree, &self.limits).map_err(|error| Refused { is_mutation, ..Refused::from(error) })?;
        let id_variables = id_variables_as_strings(&mut tree);
        let valid =
            tree.to_executable_validate(&self.schema).map_err(|invalid| refused(&invalid.errors, is_mutation))?;
        let executable =
            async_graphql::parser::parse_query(text).map_err(|e| Refused { errors: vec![e.into()], is_mutation })?;
        let document = Arc::new(Document {
            hash,
            executable,
            valid,
            tree,
            id_variables,
            worst_objects: worst.objects,
            text_bytes: text.len(),
        });
        self.cache.put(document.clone());
        Ok(document)
    }

    /// The operation that will run.
    pub(crate) fn operation<'d>(
        &self,
        document: &'d Document,
        name: Option<&str>,
    ) -> Result<&'d Node<Operation>, Refused> {
        let found = document.valid.operations.get(name);
        found.map_err(|e| Error::invalid(lower(&e.message().to_string())).into())
    }

    /// Checks and completes the variables of an operation: required ones, types, defaults; then what the document asks
    /// for with these values.
    pub(crate) fn variables(
        &self,
        document: &Document,
        operation: &Operation,
        mut values: Map<String, Value>,
    ) -> Result<Variables, Refused> {
        scan::variables(&values, self.limits.max_nesting, self.limits.max_variable_values)?;
        // `ID` takes numbers too; the schema validated against knows only strings.
        for (name, value) in &mut values {
            if document.id_variables.contains(name) {
                numbers_as_text(value);
            }
        }
        let internal = |e: serde_json::Error| Refused::from(Error::internal(e));
        let json: JsonMap = serde_json::from_value(Value::Object(values)).map_err(internal)?;
        let coerced = coerce_variable_values(&self.schema, operation, &json).map_err(|e| {
            let error = json_error(e.to_graphql_error(&document.valid.sources));
            Refused { errors: vec![error], is_mutation: false }
        })?;
        let coerced = serde_json::to_value(&*coerced).map_err(internal)?;
        if document.worst_objects > self.limits.max_objects {
            cost::measure(&document.tree, coerced.as_object()).check_objects(&self.limits)?;
        }
        Ok(Variables::from_json(coerced))
    }

    /// Whether an operation asks only about the schema.
    pub(crate) fn is_introspection(document: &Document, operation: &Operation) -> bool {
        operation.is_introspection(&document.valid)
    }
}

/// Turns `ID` into `String` wherever a value goes in, so that documents may declare their variables as either: clients
/// in the wild declare the same argument both ways.
fn ids_as_strings(schema: &mut ast::Document) {
    for definition in &mut schema.definitions {
        match definition {
            ast::Definition::ObjectTypeDefinition(object) => {
                for field in &mut object.make_mut().fields {
                    for argument in &mut field.make_mut().arguments {
                        id_as_string(argument.make_mut().ty.make_mut());
                    }
                }
            }
            ast::Definition::InputObjectTypeDefinition(input) => {
                for field in &mut input.make_mut().fields {
                    id_as_string(field.make_mut().ty.make_mut());
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

/// The same for a document's variables; returns the names of those that were declared as `ID`.
fn id_variables_as_strings(document: &mut ast::Document) -> HashSet<String> {
    let mut names = HashSet::new();
    for definition in &mut document.definitions {
        if let ast::Definition::OperationDefinition(operation) = definition
            && operation.variables.iter().any(|variable| variable.ty.inner_named_type() == "ID")
        {
            for variable in &mut operation.make_mut().variables {
                if variable.ty.inner_named_type() == "ID" {
                    names.insert(variable.name.to_string());
                    id_as_string(variable.make_mut().ty.make_mut());
                }
            }
        }
    }
    names
}

fn id_as_string(ty: &mut ast::Type) {
    match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => {
            if name == "ID" {
                *name = name!("String");
            }
        }
        ast::Type::List(inner) | ast::Type::NonNullList(inner) => id_as_string(inner),
    }
}

fn numbers_as_text(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => *value = Value::String(number.to_string()),
        Value::Array(values) => values.iter_mut().for_each(numbers_as_text),
        _ => {}
    }
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

fn json_error(error: GraphQLError) -> ServerError {
    let mut made = ServerError::new(error.message, None);
    made.locations = error.locations.into_iter().map(|at| Pos { line: at.line, column: at.column }).collect();
    made
}

/// Our messages begin in lower case.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
