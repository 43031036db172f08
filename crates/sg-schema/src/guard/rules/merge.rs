//! Fields that share a name in an answer and cannot be merged, told as graphql-js tells it.
//!
//! Whether there are any, apollo-compiler finds in linear time; only then is this run, which compares pairs and gives up
//! when there are too many.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use apollo_compiler::ast::{self, Argument, Definition, Selection, Type};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::{Node, Schema};

use super::{Broken, fragments, start};

/// Pairs of fields that are compared at most.
const MAX_PAIRS: usize = 20_000;

struct Conflict {
    name: String,
    reason: String,
    left: Vec<usize>,
    right: Vec<usize>,
}

#[derive(Clone)]
struct Field<'d> {
    parent: Option<&'d str>,
    node: &'d Node<ast::Field>,
    definition: Option<&'d FieldDefinition>,
}

/// The fields of a selection by their names in the answer, and the fragments it spreads.
struct Fields<'d> {
    names: Vec<(&'d str, Vec<Field<'d>>)>,
    spreads: Vec<&'d str>,
}

struct Merge<'d> {
    schema: &'d Schema,
    fragments: HashMap<&'d str, &'d Node<ast::FragmentDefinition>>,
    known: HashMap<(usize, Option<&'d str>), Rc<Fields<'d>>>,
    compared: HashSet<(&'d str, &'d str, bool)>,
    with_fragment: HashSet<(usize, &'d str, bool)>,
    pairs: usize,
    conflicts: Vec<Conflict>,
}

/// Every conflict; `None` when there is too much to compare.
pub(in crate::guard) fn conflicts(schema: &Schema, document: &ast::Document) -> Option<Vec<Broken>> {
    let mut merge = Merge {
        schema,
        fragments: fragments(document),
        known: HashMap::new(),
        compared: HashSet::new(),
        with_fragment: HashSet::new(),
        pairs: 0,
        conflicts: Vec::new(),
    };
    let mut broken = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let root = schema.root_operation(operation.operation_type).map(|root| root.as_str());
                merge.selection_sets(root, &operation.selection_set, &mut broken)?;
            }
            Definition::FragmentDefinition(fragment) => {
                merge.selection_sets(Some(&fragment.type_condition), &fragment.selection_set, &mut broken)?;
            }
            _ => {}
        }
    }
    Some(broken)
}

impl<'d> Merge<'d> {
    /// A selection and every one inside it, each as a whole.
    fn selection_sets(
        &mut self,
        parent: Option<&'d str>,
        selections: &'d [Selection],
        broken: &mut Vec<Broken>,
    ) -> Option<()> {
        self.within(parent, selections)?;
        for conflict in std::mem::take(&mut self.conflicts) {
            let message = format!(
                "Fields \"{}\" conflict because {}. Use different aliases on the fields to fetch both if this was intentional.",
                conflict.name, conflict.reason
            );
            broken.push(Broken { message, at: [conflict.left, conflict.right].concat() });
        }
        for selection in selections {
            match selection {
                Selection::Field(field) if !field.selection_set.is_empty() => {
                    let definition = parent.and_then(|parent| self.schema.type_field(parent, &field.name).ok());
                    let inner = definition.map(|definition| definition.ty.inner_named_type().as_str());
                    self.selection_sets(inner, &field.selection_set, broken)?;
                }
                Selection::InlineFragment(fragment) => {
                    let inner = fragment.type_condition.as_ref().map(|name| name.as_str()).or(parent);
                    self.selection_sets(inner, &fragment.selection_set, broken)?;
                }
                _ => {}
            }
        }
        Some(())
    }

    fn fields(&mut self, parent: Option<&'d str>, selections: &'d [Selection]) -> Rc<Fields<'d>> {
        let key = (selections.as_ptr().addr(), parent);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let mut fields = Fields { names: Vec::new(), spreads: Vec::new() };
        self.collect(parent, selections, &mut fields);
        let fields = Rc::new(fields);
        self.known.insert(key, fields.clone());
        fields
    }

    fn collect(&self, parent: Option<&'d str>, selections: &'d [Selection], fields: &mut Fields<'d>) {
        for selection in selections {
            match selection {
                Selection::Field(node) => {
                    let definition = parent.and_then(|parent| self.schema.type_field(parent, &node.name).ok());
                    let field = Field { parent, node, definition: definition.map(|definition| &***definition) };
                    let name = node.response_name().as_str();
                    match fields.names.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, list)) => list.push(field),
                        None => fields.names.push((name, vec![field])),
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    if !fields.spreads.contains(&name) {
                        fields.spreads.push(name);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = fragment.type_condition.as_ref().map(|name| name.as_str()).or(parent);
                    self.collect(inner, &fragment.selection_set, fields);
                }
            }
        }
    }

    fn fragment(&mut self, name: &str) -> Option<Rc<Fields<'d>>> {
        let fragment = self.fragments.get(name).copied()?;
        Some(self.fields(Some(&fragment.type_condition), &fragment.selection_set))
    }

    fn within(&mut self, parent: Option<&'d str>, selections: &'d [Selection]) -> Option<()> {
        let fields = self.fields(parent, selections);
        let mut found = Vec::new();
        for (name, list) in &fields.names {
            for (at, one) in list.iter().enumerate() {
                for other in &list[at + 1..] {
                    found.extend(self.conflict(false, name, one, other)?);
                }
            }
        }
        for (at, spread) in fields.spreads.iter().enumerate() {
            self.against_fragment(false, &fields, spread, &mut found)?;
            for other in &fields.spreads[at + 1..] {
                self.between_fragments(false, spread, other, &mut found)?;
            }
        }
        self.conflicts.extend(found);
        Some(())
    }

    fn against_fragment(
        &mut self,
        exclusive: bool,
        fields: &Rc<Fields<'d>>,
        name: &'d str,
        found: &mut Vec<Conflict>,
    ) -> Option<()> {
        let Some(fragment) = self.fragment(name) else { return Some(()) };
        if Rc::ptr_eq(fields, &fragment) || !self.with_fragment.insert((Rc::as_ptr(fields).addr(), name, exclusive)) {
            return Some(());
        }
        self.between(exclusive, fields, &fragment, found)?;
        for spread in &fragment.spreads {
            self.against_fragment(exclusive, fields, spread, found)?;
        }
        Some(())
    }

    fn between_fragments(
        &mut self,
        exclusive: bool,
        one: &'d str,
        other: &'d str,
        found: &mut Vec<Conflict>,
    ) -> Option<()> {
        let key = if one < other { (one, other, exclusive) } else { (other, one, exclusive) };
        if one == other || !self.compared.insert(key) {
            return Some(());
        }
        let (Some(left), Some(right)) = (self.fragment(one), self.fragment(other)) else { return Some(()) };
        self.between(exclusive, &left, &right, found)?;
        for spread in &right.spreads {
            self.between_fragments(exclusive, one, spread, found)?;
        }
        for spread in &left.spreads {
            self.between_fragments(exclusive, spread, other, found)?;
        }
        Some(())
    }

    fn between(
        &mut self,
        exclusive: bool,
        left: &Fields<'d>,
        right: &Fields<'d>,
        found: &mut Vec<Conflict>,
    ) -> Option<()> {
        self.pairs += left.names.len() * right.names.len() / 64;
        for (name, list) in &left.names {
            let Some((_, others)) = right.names.iter().find(|(other, _)| other == name) else { continue };
            for one in list {
                for other in others {
                    found.extend(self.conflict(exclusive, name, one, other)?);
                }
            }
        }
        Some(())
    }

    /// `None` when there is too much to compare.
    fn conflict(
        &mut self,
        exclusive: bool,
        name: &str,
        one: &Field<'d>,
        other: &Field<'d>,
    ) -> Option<Option<Conflict>> {
        self.pairs += 1;
        if self.pairs > MAX_PAIRS {
            return None;
        }
        let is_object = |name: &str| matches!(self.schema.types.get(name), Some(ExtendedType::Object(_)));
        let exclusive = exclusive
            || match (one.parent, other.parent) {
                (Some(one), Some(other)) => one != other && is_object(one) && is_object(other),
                _ => false,
            };
        let at = (start(one.node.location()), start(other.node.location()));
        let made = |reason: String| {
            Some(Some(Conflict { name: name.to_owned(), reason, left: vec![at.0], right: vec![at.1] }))
        };
        if !exclusive {
            if one.node.name != other.node.name {
                return made(format!("\"{}\" and \"{}\" are different fields", one.node.name, other.node.name));
            }
            if !same_arguments(&one.node.arguments, &other.node.arguments) {
                return made("they have differing arguments".to_owned());
            }
        }
        let types = (one.definition.map(|d| &d.ty), other.definition.map(|d| &d.ty));
        if let (Some(left), Some(right)) = types
            && self.types_conflict(left, right)
        {
            return made(format!("they return conflicting types \"{left}\" and \"{right}\""));
        }
        if one.node.selection_set.is_empty() || other.node.selection_set.is_empty() {
            return Some(None);
        }
        let inner = |ty: Option<&'d Type>| ty.map(|ty| ty.inner_named_type().as_str());
        let left = self.fields(inner(types.0), &one.node.selection_set);
        let right = self.fields(inner(types.1), &other.node.selection_set);
        let mut found = Vec::new();
        self.between(exclusive, &left, &right, &mut found)?;
        for spread in &right.spreads {
            self.against_fragment(exclusive, &left, spread, &mut found)?;
        }
        for spread in &left.spreads {
            self.against_fragment(exclusive, &right, spread, &mut found)?;
        }
        for spread in &left.spreads {
            for other in &right.spreads {
                self.between_fragments(exclusive, spread, other, &mut found)?;
            }
        }
        if found.is_empty() {
            return Some(None);
        }
        let reasons =
            found.iter().map(|inner| format!("subfields \"{}\" conflict because {}", inner.name, inner.reason));
        let reason = reasons.collect::<Vec<_>>().join(" and ");
        let left = [at.0].into_iter().chain(found.iter().flat_map(|inner| inner.left.clone())).collect();
        let right = [at.1].into_iter().chain(found.iter().flat_map(|inner| inner.right.clone())).collect();
        Some(Some(Conflict { name: name.to_owned(), reason, left, right }))
    }

    fn types_conflict(&self, one: &Type, other: &Type) -> bool {
        match (one, other) {
            (Type::List(one), Type::List(other)) | (Type::NonNullList(one), Type::NonNullList(other)) => {
                self.types_conflict(one, other)
            }
            (Type::Named(one), Type::Named(other)) | (Type::NonNullNamed(one), Type::NonNullNamed(other)) => {
                let is_leaf = |name: &str| self.schema.types.get(name).is_some_and(ExtendedType::is_leaf);
                (is_leaf(one) || is_leaf(other)) && one != other
            }
            _ => true,
        }
    }
}

fn same_arguments(one: &[Node<Argument>], other: &[Node<Argument>]) -> bool {
    one.len() == other.len()
        && one.iter().all(|argument| {
            other.iter().any(|given| given.name == argument.name && same_value(&given.value, &argument.value))
        })
}

/// Fields of an object may stand in any order.
fn same_value(one: &ast::Value, other: &ast::Value) -> bool {
    match (one, other) {
        (ast::Value::List(one), ast::Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (ast::Value::Object(one), ast::Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.iter().any(|(given, other)| given == name && same_value(value, other)))
        }
        (one, other) => one == other,
    }
}
