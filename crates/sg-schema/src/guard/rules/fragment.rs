//! Fragments: their names, their types, where they are spread, and whether they end.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{self, Definition, DirectiveLocation, Selection};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::{Found, Rules, start};

impl<'d> Rules<'d> {
    pub(super) fn fragment_names(&mut self, document: &'d ast::Document) {
        let mut seen: HashMap<&Name, usize> = HashMap::new();
        for fragment in document.definitions.iter().filter_map(Definition::as_fragment_definition) {
            let (name, at) = (&fragment.name, start(fragment.name.location()));
            match seen.get(name) {
                Some(first) => self.report(format!("There can be only one fragment named \"{name}\"."), [*first, at]),
                None => drop(seen.insert(name, at)),
            }
        }
    }

    pub(super) fn fragment(&mut self, fragment: &'d Node<ast::FragmentDefinition>) -> Found<'d> {
        let mut found = Found::default();
        self.type_condition(&fragment.type_condition, Some(&fragment.name));
        self.directives(&fragment.directives, DirectiveLocation::FragmentDefinition, &mut found);
        let parent = Some(fragment.type_condition.as_str()).filter(|name| self.is_composite(name));
        self.selections(parent, &fragment.selection_set, &mut found);
        found
    }

    pub(super) fn type_condition(&mut self, condition: &'d Name, fragment: Option<&Name>) {
        let at = start(condition.location());
        if self.ty(condition).is_none() {
            self.report(format!("Unknown type \"{condition}\"."), [at]);
        } else if !self.is_composite(condition) {
            let which = fragment.map(|name| format!("Fragment \"{name}\"")).unwrap_or_else(|| "Fragment".to_owned());
            self.report(format!("{which} cannot condition on non composite type \"{condition}\"."), [at]);
        }
    }

    pub(super) fn spread(&mut self, parent: Option<&str>, spread: &'d Node<ast::FragmentSpread>) {
        let name = &spread.fragment_name;
        match self.fragments.get(name.as_str()).copied() {
            None => self.report(format!("Unknown fragment \"{name}\"."), [start(name.location())]),
            Some(fragment) => self.possible(parent, &fragment.type_condition, start(spread.location()), Some(name)),
        }
    }

    /// Whether anything can be of both types.
    pub(super) fn possible(&mut self, parent: Option<&str>, condition: &Name, at: usize, fragment: Option<&Name>) {
        let Some(parent) = parent else { return };
        if !self.is_composite(parent) || !self.is_composite(condition) || self.overlap(parent, condition) {
            return;
        }
        let which = fragment.map(|name| format!("Fragment \"{name}\"")).unwrap_or_else(|| "Fragment".to_owned());
        self.report(
            format!(
                "{which} cannot be spread here as objects of type \"{parent}\" can never be of type \"{condition}\"."
            ),
            [at],
        );
    }

    fn overlap(&self, one: &str, other: &str) -> bool {
        let is_of = |object: &str, ty: &str| object == ty || self.schema.is_subtype(ty, object);
        one == other
            || self
                .schema
                .types
                .iter()
                .any(|(name, ty)| matches!(ty, ExtendedType::Object(_)) && is_of(name, one) && is_of(name, other))
    }

    pub(super) fn unused_fragments(
        &mut self,
        document: &'d ast::Document,
        operations: &[(&'d Node<ast::OperationDefinition>, Found<'d>)],
        found: &HashMap<&'d str, Found<'d>>,
    ) {
        let mut used: HashSet<&str> = HashSet::new();
        let mut open: Vec<&Found<'d>> = operations.iter().map(|(_, walked)| walked).collect();
        while let Some(walked) = open.pop() {
            for spread in &walked.spreads {
                let name = spread.fragment_name.as_str();
                if used.insert(name) {
                    open.extend(found.get(name));
                }
            }
        }
        for fragment in document.definitions.iter().filter_map(Definition::as_fragment_definition) {
            if !used.contains(fragment.name.as_str()) {
                self.report(format!("Fragment \"{}\" is never used.", fragment.name), [start(fragment.location())]);
            }
        }
    }

    /// Every way in which a fragment leads back to itself, once.
    pub(super) fn fragment_cycles(&mut self, document: &'d ast::Document) {
        let mut visited: HashSet<&'d str> = HashSet::new();
        for fragment in document.definitions.iter().filter_map(Definition::as_fragment_definition) {
            self.cycles_from(fragment, &mut visited);
        }
    }

    /// Depth first, with a stack of its own: chains of fragments may be as long as a document.
    fn cycles_from(&mut self, first: &'d Node<ast::FragmentDefinition>, visited: &mut HashSet<&'d str>) {
        struct Open<'d> {
            name: &'d str,
            spreads: std::vec::IntoIter<&'d Node<ast::FragmentSpread>>,
        }
        let open = |fragment: &'d Node<ast::FragmentDefinition>| {
            let mut spreads = Vec::new();
            spreads_in(&fragment.selection_set, &mut spreads);
            Open { name: fragment.name.as_str(), spreads: spreads.into_iter() }
        };
        if !visited.insert(first.name.as_str()) {
            return;
        }
        let mut stack = vec![open(first)];
        // The spreads that lead from each fragment on the stack to the next.
        let mut path: Vec<&'d Node<ast::FragmentSpread>> = Vec::new();
        while let Some(top) = stack.last_mut() {
            let Some(spread) = top.spreads.next() else {
                stack.pop();
                path.pop();
                continue;
            };
            let name = spread.fragment_name.as_str();
            if let Some(from) = stack.iter().position(|open| open.name == name) {
                let ring: Vec<_> = path[from..].iter().chain([&spread]).copied().collect();
                let via: Vec<_> =
                    ring[..ring.len() - 1].iter().map(|spread| format!("\"{}\"", spread.fragment_name)).collect();
                let via = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
                let at: Vec<_> = ring.iter().map(|spread| start(spread.location())).collect();
                self.report(format!("Cannot spread fragment \"{name}\" within itself{via}."), at);
            } else if let Some(fragment) = self.fragments.get(name).copied()
                && visited.insert(name)
            {
                stack.push(open(fragment));
                path.push(spread);
            }
        }
    }
}

/// All spreads of a selection, not following them.
fn spreads_in<'d>(selections: &'d [Selection], spreads: &mut Vec<&'d Node<ast::FragmentSpread>>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => spreads_in(&field.selection_set, spreads),
            Selection::InlineFragment(fragment) => spreads_in(&fragment.selection_set, spreads),
            Selection::FragmentSpread(spread) => spreads.push(spread),
        }
    }
}
