//! What is wrong with a document, in the words and at the places of graphql-js: every rule of the specification.
//!
//! apollo-compiler validates too, after this, as a second lock. Alone it would do neither: it lets a field of an input
//! object stand twice, variables inside input objects have any type, and it reports one mistake as several. Tools and
//! people know graphql-js's errors; `tests/it/graphql/differ.rs` holds both against each other.

mod fragment;
mod literal;
pub(super) mod merge;
mod operation;
mod variable;

use std::collections::HashMap;

use apollo_compiler::ast::{self, Definition, DirectiveLocation, InputValueDefinition, Selection, Type};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

/// An error and where it is: positions of bytes in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) message: String,
    pub(super) at: Vec<usize>,
}

/// Rules stop looking after this many errors, as graphql-js does.
const MAX_BROKEN: usize = 100;

/// A variable where it is used.
struct Usage<'d> {
    name: &'d Name,
    at: usize,
    /// The type that is wanted there; none where that is not known.
    ty: Option<Type>,
    has_default: bool,
}

/// What the walk over one operation or fragment found.
#[derive(Default)]
struct Found<'d> {
    usages: Vec<Usage<'d>>,
    spreads: Vec<&'d Node<ast::FragmentSpread>>,
}

struct Rules<'d> {
    schema: &'d Schema,
    text: &'d str,
    fragments: HashMap<&'d str, &'d Node<ast::FragmentDefinition>>,
    broken: Vec<Broken>,
}

/// Every error of a document except fields that cannot be merged, which [`merge`] tells.
pub(super) fn check(schema: &Schema, document: &ast::Document, text: &str) -> Vec<Broken> {
    let mut rules = Rules { schema, text, fragments: fragments(document), broken: Vec::new() };
    rules.definitions(document);
    rules.broken.truncate(MAX_BROKEN);
    rules.broken
}

/// Fragments that spread themselves; those alone.
pub(super) fn cycles(schema: &Schema, document: &ast::Document, text: &str) -> Vec<Broken> {
    let mut rules = Rules { schema, text, fragments: fragments(document), broken: Vec::new() };
    rules.fragment_cycles(document);
    rules.broken
}

/// The fragments of a document; of those with one name, the first.
fn fragments(document: &ast::Document) -> HashMap<&str, &Node<ast::FragmentDefinition>> {
    let mut fragments = HashMap::new();
    for fragment in document.definitions.iter().filter_map(Definition::as_fragment_definition) {
        fragments.entry(fragment.name.as_str()).or_insert(fragment);
    }
    fragments
}

/// Where something begins.
fn start(span: Option<SourceSpan>) -> usize {
    span.map_or(0, |span| span.offset())
}

impl<'d> Rules<'d> {
    fn report(&mut self, message: impl Into<String>, at: impl Into<Vec<usize>>) {
        if self.broken.len() < MAX_BROKEN {
            self.broken.push(Broken { message: message.into(), at: at.into() });
        }
    }

    fn ty(&self, name: &str) -> Option<&'d ExtendedType> {
        self.schema.types.get(name)
    }

    fn is_composite(&self, name: &str) -> bool {
        self.ty(name).is_some_and(|ty| ty.is_object() || ty.is_interface() || ty.is_union())
    }

    fn definitions(&mut self, document: &'d ast::Document) {
        self.operation_names(document);
        self.fragment_names(document);
        self.fragment_cycles(document);
        let mut found = HashMap::new();
        let mut operations = Vec::new();
        for definition in &document.definitions {
            match definition {
                Definition::OperationDefinition(operation) => {
                    let walked = self.operation(operation);
                    operations.push((operation, walked));
                }
                Definition::FragmentDefinition(fragment) => {
                    let walked = self.fragment(fragment);
                    found.entry(fragment.name.as_str()).or_insert(walked);
                }
                other => {
                    let what = match other.name() {
                        Some(name) => format!("\"{name}\""),
                        None => "schema".to_owned(),
                    };
                    self.report(format!("The {what} definition is not executable."), [start(other.location())]);
                }
            }
        }
        self.unused_fragments(document, &operations, &found);
        for (operation, walked) in &operations {
            self.variable_usages(operation, walked, &found);
        }
    }

    /// Walks over what is selected from a type; from no type when it is not known or has no fields.
    fn selections(&mut self, parent: Option<&str>, selections: &'d [Selection], found: &mut Found<'d>) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(parent, field, found),
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives, DirectiveLocation::FragmentSpread, found);
                    self.spread(parent, spread);
                    found.spreads.push(spread);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives, DirectiveLocation::InlineFragment, found);
                    let condition = fragment.type_condition.as_ref();
                    let inner = match condition {
                        Some(condition) => {
                            self.type_condition(condition, None);
                            self.possible(parent, condition, start(fragment.location()), None);
                            Some(condition.as_str()).filter(|name| self.is_composite(name))
                        }
                        None => parent,
                    };
                    self.selections(inner, &fragment.selection_set, found);
                }
            }
        }
    }

    fn field(&mut self, parent: Option<&str>, field: &'d Node<ast::Field>, found: &mut Found<'d>) {
        let at = start(field.location());
        let definition = parent.and_then(|parent| self.schema.type_field(parent, &field.name).ok());
        if let (Some(parent), None) = (parent, definition) {
            self.report(format!("Cannot query field \"{}\" on type \"{parent}\".", field.name), [at]);
        }
        let of = parent.map(|parent| format!("field \"{parent}.{}\"", field.name)).unwrap_or_default();
        let wanted = definition.map(|definition| definition.arguments.as_slice());
        self.arguments(&of, wanted, &field.arguments, found);
        if let (Some(definition), Some(_)) = (definition, parent) {
            for argument in definition.arguments.iter().filter(|argument| argument.is_required()) {
                if !field.arguments.iter().any(|given| given.name == argument.name) {
                    self.report(
                        format!(
                            "Field \"{}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                            field.name, argument.name, argument.ty
                        ),
                        [at],
                    );
                }
            }
        }
        self.directives(&field.directives, DirectiveLocation::Field, found);
        let inner = definition.map(|definition| definition.ty.inner_named_type().as_str());
        if let (Some(definition), Some(inner)) = (definition, inner) {
            let composite = self.is_composite(inner);
            if composite && field.selection_set.is_empty() {
                self.report(
                    format!(
                        "Field \"{name}\" of type \"{}\" must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?",
                        definition.ty,
                        name = field.name
                    ),
                    [at],
                );
            } else if !composite && !field.selection_set.is_empty() {
                let brace = self.brace(field);
                self.report(
                    format!(
                        "Field \"{}\" must not have a selection since type \"{}\" has no subfields.",
                        field.name, definition.ty
                    ),
                    [brace],
                );
            }
        }
        let inner = inner.filter(|inner| self.is_composite(inner)).map(str::to_owned);
        self.selections(inner.as_deref(), &field.selection_set, found);
    }

    /// Where the selection of a field opens: the first brace behind its name, arguments and directives.
    fn brace(&self, field: &Node<ast::Field>) -> usize {
        let end = |span: Option<SourceSpan>| span.map_or(0, |span| span.end_offset());
        let arguments = field.arguments.iter().map(|argument| end(argument.location()));
        let directives = field.directives.iter().map(|directive| end(directive.location()));
        let from = arguments.chain(directives).chain([end(field.name.location())]).max().unwrap_or(0);
        let rest = self.text.get(from..).unwrap_or_default();
        let mut is_comment = false;
        let brace = rest.bytes().position(|byte| {
            is_comment = match byte {
                b'#' => true,
                b'\n' | b'\r' => false,
                _ => is_comment,
            };
            byte == b'{' && !is_comment
        });
        from + brace.unwrap_or(0)
    }

    /// Arguments against what is wanted; against nothing when that is not known.
    fn arguments(
        &mut self,
        of: &str,
        wanted: Option<&[Node<InputValueDefinition>]>,
        given: &'d [Node<ast::Argument>],
        found: &mut Found<'d>,
    ) {
        let mut names: Vec<(&Name, Vec<usize>)> = Vec::new();
        for argument in given {
            let place = start(argument.name.location());
            match names.iter_mut().find(|(name, _)| **name == argument.name) {
                Some((_, places)) => places.push(place),
                None => names.push((&argument.name, vec![place])),
            }
            let definition = wanted.and_then(|wanted| wanted.iter().find(|wanted| wanted.name == argument.name));
            if wanted.is_some() && definition.is_none() {
                let message = format!("Unknown argument \"{}\" on {of}.", argument.name);
                self.report(message, [start(argument.location())]);
            }
            let ty = definition.map(|definition| &*definition.ty);
            let has_default = definition.is_some_and(|definition| definition.default_value.is_some());
            self.literal(&argument.value, ty, has_default, found);
        }
        for (name, places) in names.into_iter().filter(|(_, places)| places.len() > 1) {
            self.report(format!("There can be only one argument named \"{name}\"."), places);
        }
    }

    fn directives(&mut self, given: &'d ast::DirectiveList, location: DirectiveLocation, found: &mut Found<'d>) {
        let mut seen: HashMap<&Name, usize> = HashMap::new();
        for directive in given {
            let at = start(directive.location());
            let name = &directive.name;
            let definition = self.schema.directive_definitions.get(name);
            match definition {
                None => self.report(format!("Unknown directive \"@{name}\"."), [at]),
                Some(definition) if !definition.locations.contains(&location) => {
                    self.report(format!("Directive \"@{name}\" may not be used on {}.", location.name()), [at]);
                }
                Some(_) => {}
            }
            if let Some(definition) = definition {
                if !definition.repeatable {
                    match seen.get(name) {
                        Some(first) => {
                            let message = format!("The directive \"@{name}\" can only be used once at this location.");
                            self.report(message, [*first, at]);
                        }
                        None => drop(seen.insert(name, at)),
                    }
                }
                for argument in definition.arguments.iter().filter(|argument| argument.is_required()) {
                    if !directive.arguments.iter().any(|given| given.name == argument.name) {
                        self.report(
                            format!(
                                "Directive \"@{name}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                                argument.name, argument.ty
                            ),
                            [at],
                        );
                    }
                }
            }
            let wanted = definition.map(|definition| definition.arguments.as_slice());
            self.arguments(&format!("directive \"@{name}\""), wanted, &directive.arguments, found);
        }
    }
}
