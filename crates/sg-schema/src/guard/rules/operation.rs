//! Operations: their names, their roots, the variables they declare.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Definition, DirectiveLocation, OperationType, Selection};
use apollo_compiler::{Name, Node};

use super::{Found, Rules, start};

impl<'d> Rules<'d> {
    pub(super) fn operation_names(&mut self, document: &'d ast::Document) {
        let operations: Vec<_> = document.definitions.iter().filter_map(Definition::as_operation_definition).collect();
        let mut seen: HashMap<&Name, usize> = HashMap::new();
        for operation in &operations {
            match &operation.name {
                Some(name) => {
                    let at = start(name.location());
                    match seen.get(name) {
                        Some(first) => {
                            self.report(format!("There can be only one operation named \"{name}\"."), [*first, at]);
                        }
                        None => drop(seen.insert(name, at)),
                    }
                }
                None if operations.len() > 1 => self.report(
                    "This anonymous operation must be the only defined operation.",
                    [start(operation.location())],
                ),
                None => {}
            }
        }
    }

    pub(super) fn operation(&mut self, operation: &'d Node<ast::OperationDefinition>) -> Found<'d> {
        let mut found = Found::default();
        self.variables(operation);
        let location = match operation.operation_type {
            OperationType::Query => DirectiveLocation::Query,
            OperationType::Mutation => DirectiveLocation::Mutation,
            OperationType::Subscription => DirectiveLocation::Subscription,
        };
        self.directives(&operation.directives, location, &mut found);
        let root = self.schema.root_operation(operation.operation_type).map(|root| root.as_str());
        if operation.operation_type == OperationType::Subscription && root.is_some() {
            self.single_field(operation);
        }
        self.selections(root, &operation.selection_set, &mut found);
        found
    }

    fn variables(&mut self, operation: &'d Node<ast::OperationDefinition>) {
        let mut names: Vec<(&Name, Vec<usize>)> = Vec::new();
        for variable in &operation.variables {
            let place = start(variable.name.location());
            match names.iter_mut().find(|(name, _)| **name == variable.name) {
                Some((_, places)) => places.push(place),
                None => names.push((&variable.name, vec![place])),
            }
            let inner = variable.ty.inner_named_type();
            let is_input = match self.ty(inner) {
                None => {
                    self.report(format!("Unknown type \"{inner}\"."), [start(inner.location())]);
                    false
                }
                Some(ty) if ty.is_input_type() => true,
                Some(_) => {
                    self.report(
                        format!("Variable \"${}\" cannot be non-input type \"{}\".", variable.name, variable.ty),
                        [start(variable.ty.location())],
                    );
                    false
                }
            };
            // Variables stand neither in defaults nor in directives of variables: the grammar has seen to it.
            let mut none = Found::default();
            if let Some(default) = &variable.default_value {
                self.literal(default, is_input.then_some(&*variable.ty), false, &mut none);
            }
            self.directives(&variable.directives, DirectiveLocation::VariableDefinition, &mut none);
        }
        for (name, places) in names.into_iter().filter(|(_, places)| places.len() > 1) {
            self.report(format!("There can be only one variable named \"${name}\"."), places);
        }
    }

    /// A subscription has one field at its root, and not one about the schema.
    fn single_field(&mut self, operation: &'d Node<ast::OperationDefinition>) {
        let mut roots: Vec<(&str, Vec<&'d Node<ast::Field>>)> = Vec::new();
        self.root_fields(&operation.selection_set, &mut Vec::new(), &mut roots);
        let whose = match &operation.name {
            Some(name) => format!("Subscription \"{name}\""),
            None => "Anonymous Subscription".to_owned(),
        };
        if roots.len() > 1 {
            let extra = roots[1..].iter().flat_map(|(_, fields)| fields).map(|field| start(field.location()));
            let extra: Vec<_> = extra.collect();
            self.report(format!("{whose} must select only one top level field."), extra);
        }
        for (_, fields) in &roots {
            if fields.first().is_some_and(|field| field.name.starts_with("__")) {
                let at: Vec<_> = fields.iter().map(|field| start(field.location())).collect();
                self.report(format!("{whose} must not select an introspection top level field."), at);
            }
        }
    }

    fn root_fields(
        &self,
        selections: &'d [Selection],
        spread: &mut Vec<&'d str>,
        roots: &mut Vec<(&'d str, Vec<&'d Node<ast::Field>>)>,
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.response_name().as_str();
                    match roots.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, fields)) => fields.push(field),
                        None => roots.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) => self.root_fields(&fragment.selection_set, spread, roots),
                Selection::FragmentSpread(fragment) => {
                    let name = fragment.fragment_name.as_str();
                    if !spread.contains(&name)
                        && let Some(fragment) = self.fragments.get(name).copied()
                    {
                        spread.push(name);
                        self.root_fields(&fragment.selection_set, spread, roots);
                    }
                }
            }
        }
    }
}
