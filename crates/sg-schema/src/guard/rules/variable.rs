//! Variables: declared, used, and of a type that fits where they are used.

use std::collections::{HashMap, HashSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Type};

use super::{Found, Rules, Usage, start};

impl<'d> Rules<'d> {
    /// The variables of one operation, with those that its fragments use.
    pub(super) fn variable_usages(
        &mut self,
        operation: &'d Node<ast::OperationDefinition>,
        walked: &Found<'d>,
        found: &HashMap<&'d str, Found<'d>>,
    ) {
        let mut parts = vec![walked];
        let mut spread: HashSet<&str> = HashSet::new();
        let mut next = 0;
        while let Some(part) = parts.get(next).copied() {
            next += 1;
            for fragment in &part.spreads {
                let name = fragment.fragment_name.as_str();
                if spread.insert(name) {
                    parts.extend(found.get(name));
                }
            }
        }
        // Of two with one name, the last counts, as in graphql-js.
        let declared: HashMap<_, _> = operation.variables.iter().map(|variable| (&variable.name, variable)).collect();
        let by = operation.name.as_ref().map(|name| format!(" by operation \"{name}\"")).unwrap_or_default();
        let mut used = HashSet::new();
        for usage in parts.iter().flat_map(|part| &part.usages) {
            used.insert(usage.name);
            match declared.get(usage.name) {
                None => self.report(
                    format!("Variable \"${}\" is not defined{by}.", usage.name),
                    [usage.at, start(operation.location())],
                ),
                Some(variable) => self.position(variable, usage),
            }
        }
        let within = operation.name.as_ref().map(|name| format!(" in operation \"{name}\"")).unwrap_or_default();
        for variable in operation.variables.iter().filter(|variable| !used.contains(&variable.name)) {
            self.report(
                format!("Variable \"${}\" is never used{within}.", variable.name),
                [start(variable.location())],
            );
        }
    }

    fn position(&mut self, variable: &Node<ast::VariableDefinition>, usage: &Usage<'d>) {
        let Some(wanted) = &usage.ty else { return };
        let known = [variable.ty.inner_named_type(), wanted.inner_named_type()];
        if known.iter().any(|name| self.ty(name).is_none()) {
            return;
        }
        let has_default = variable.default_value.as_ref().is_some_and(|default| !default.is_null());
        let fits = if wanted.is_non_null() && !variable.ty.is_non_null() {
            (has_default || usage.has_default) && is_within(&variable.ty, &wanted.clone().nullable())
        } else {
            is_within(&variable.ty, wanted)
        };
        if !fits {
            self.report(
                format!(
                    "Variable \"${}\" of type \"{}\" used in position expecting type \"{wanted}\".",
                    variable.name, variable.ty
                ),
                [start(variable.location()), usage.at],
            );
        }
    }
}

/// Whether every value of one type is one of the other. `ID` and `String` are the same here: clients in the wild declare
/// the same argument both ways.
fn is_within(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Named(one) | Type::NonNullNamed(one), Type::Named(other))
        | (Type::NonNullNamed(one), Type::NonNullNamed(other)) => {
            one == other || [one, other].iter().all(|name| matches!(name.as_str(), "ID" | "String"))
        }
        (Type::List(one) | Type::NonNullList(one), Type::List(other))
        | (Type::NonNullList(one), Type::NonNullList(other)) => is_within(one, other),
        _ => false,
    }
}
