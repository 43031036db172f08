//! Documents as SpecStory's documentation prints them, made to fit the schema.
//!
//! Those examples contradict each other: `sessions` is a list in one and a connection in the next, a fragment on `Session`
//! is spread on what a search found, an order is an enum here and text there. A document that is valid as it stands never
//! gets here. One that is not is rewritten where, and only where, one of these shapes is recognised; the guard then
//! measures and validates what came out, and that is what runs.

use std::collections::{BTreeMap, HashMap, HashSet};

use apollo_compiler::ast::{
    Argument, Definition, Document, Field, FragmentDefinition, OperationType, Selection, Type, Value,
    VariableDefinition,
};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema, name};

/// Types that show a session beside something else and have its fields: a fragment on `Session` may be spread on them.
const LIKE_SESSION: [&str; 2] = ["SearchHit", "RelatedSession"];
/// Names that types have in the documents, and what they are called here.
const TYPES: [(&str, Name); 3] = [
    ("SessionSummary", name!("Session")),
    ("SessionDetail", name!("Session")),
    ("SearchResultItem", name!("SearchHit")),
];
/// Arguments that are text here and names of enum values in the documents.
const ORDERS: [&str; 2] = ["orderBy", "orderDirection"];

/// The document rewritten, if anything in it was recognised. Fragments must neither spread themselves nor nest without
/// bound.
pub(super) fn adapt(document: &Document, schema: &Schema) -> Option<Document> {
    let mut adapted = document.clone();
    let mut fragments = HashMap::new();
    for definition in &mut adapted.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            if let Some(known) = known_type(&fragment.type_condition) {
                fragment.make_mut().type_condition = known;
            }
            fragments.entry(fragment.name.clone()).or_insert_with(|| fragment.clone());
        }
    }
    let is_changed = adapted != *document;
    let mut adapter =
        Adapter { schema, fragments, copies: BTreeMap::new(), made: Vec::new(), texts: HashSet::new(), is_changed };
    for definition in &mut adapted.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let operation = operation.make_mut();
                if let Some(root) = root(schema, operation.operation_type) {
                    adapter.selections(&root, &mut operation.selection_set);
                }
            }
            Definition::FragmentDefinition(fragment) => {
                let parent = fragment.type_condition.clone();
                adapter.selections(&parent, &mut fragment.make_mut().selection_set);
            }
            _ => {}
        }
    }
    let Adapter { made, texts, mut is_changed, .. } = adapter;
    for definition in &mut adapted.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            for variable in &mut operation.make_mut().variables {
                is_changed |= texts.contains(&variable.name) && text_variable(variable, schema);
            }
        }
    }
    if !is_changed {
        return None;
    }
    adapted.definitions.extend(made.into_iter().map(Definition::FragmentDefinition));
    drop_unused(&mut adapted, &spreads(document));
    Some(adapted)
}

struct Adapter<'s> {
    schema: &'s Schema,
    /// The fragments as they were written.
    fragments: HashMap<Name, Node<FragmentDefinition>>,
    /// The copy of a fragment for another type. One for each, however often it is spread.
    copies: BTreeMap<(Name, Name), Name>,
    made: Vec<Node<FragmentDefinition>>,
    /// Variables that stand where an order is wanted.
    texts: HashSet<Name>,
    is_changed: bool,
}

impl Adapter<'_> {
    fn selections(&mut self, parent: &Name, selections: &mut [Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(parent, field.make_mut()),
                Selection::InlineFragment(fragment) => {
                    let fragment = fragment.make_mut();
                    let known = fragment.type_condition.as_ref().and_then(|ty| self.condition(parent, ty));
                    if let Some(known) = known {
                        fragment.type_condition = Some(known);
                        self.is_changed = true;
                    }
                    let inside = fragment.type_condition.clone().unwrap_or_else(|| parent.clone());
                    self.selections(&inside, &mut fragment.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    let condition = self.fragments.get(&spread.fragment_name).map(|f| f.type_condition.clone());
                    if condition.is_some_and(|ty| is_session_of(parent, &ty)) {
                        let copy = self.copy(&spread.fragment_name, parent);
                        spread.make_mut().fragment_name = copy;
                        self.is_changed = true;
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: &Name, field: &mut Field) {
        if field.name == "sessions" && matches!(parent.as_str(), "Query" | "Project") && self.is_list(field) {
            field.alias.get_or_insert(name!("sessions"));
            field.name = name!("sessionList");
            self.is_changed = true;
        }
        if field.name == "updateSession" && parent == "Mutation" {
            self.change_into_input(field);
        }
        for argument in &mut field.arguments {
            if !ORDERS.contains(&argument.name.as_str()) {
                continue;
            }
            match &*argument.value {
                Value::Enum(order) => {
                    let text = Value::String(order.to_string());
                    argument.make_mut().value = Node::new(text);
                    self.is_changed = true;
                }
                Value::Variable(variable) => {
                    self.texts.insert(variable.clone());
                }
                _ => {}
            }
        }
        let Some(ty) = self.field_type(parent, &field.name) else { return };
        if parent == "RelatedSession" && field.selection_set.is_empty() {
            self.fill(&ty, field);
        }
        self.selections(&ty, &mut field.selection_set);
    }

    /// What a fragment's condition has to be where `parent` is looked at, if it has to change.
    fn condition(&self, parent: &Name, condition: &Name) -> Option<Name> {
        let known = known_type(condition);
        let condition = known.as_ref().unwrap_or(condition);
        if is_session_of(parent, condition) { Some(parent.clone()) } else { known }
    }

    /// The name of a fragment on `Session` made for another type.
    fn copy(&mut self, fragment: &Name, parent: &Name) -> Name {
        let key = (fragment.clone(), parent.clone());
        if let Some(known) = self.copies.get(&key) {
            return known.clone();
        }
        let mut text = format!("{fragment}On{parent}");
        while self.fragments.keys().any(|name| name.as_str() == text)
            || self.copies.values().any(|name| name.as_str() == text)
        {
            text.push('_');
        }
        // Made of two names, so it is one.
        let copy = Name::new(&text).unwrap_or_else(|_| fragment.clone());
        self.copies.insert(key, copy.clone());
        if let Some(original) = self.fragments.get(fragment) {
            let mut made = original.clone();
            let definition = made.make_mut();
            definition.name = copy.clone();
            definition.type_condition = parent.clone();
            self.selections(parent, &mut definition.selection_set);
            self.made.push(made);
        }
        copy
    }

    /// Whether what is selected of `sessions` are a session's own fields.
    fn is_list(&self, field: &Field) -> bool {
        let (mut own, mut of_connection) = (false, false);
        let mut seen = HashSet::new();
        let mut left: Vec<&[Selection]> = vec![&field.selection_set];
        while let Some(selections) = left.pop() {
            for selection in selections {
                let (condition, inside) = match selection {
                    Selection::Field(field) => {
                        let of = |ty: &str| self.field_type(ty, &field.name).is_some();
                        match (of("Session"), of("SessionConnection")) {
                            (true, false) => own = true,
                            (false, true) => of_connection = true,
                            _ => {}
                        }
                        continue;
                    }
                    Selection::InlineFragment(fragment) => {
                        (fragment.type_condition.as_ref(), fragment.selection_set.as_slice())
                    }
                    Selection::FragmentSpread(spread) => match self.fragments.get(&spread.fragment_name) {
                        Some(fragment) if seen.insert(&spread.fragment_name) => {
                            (Some(&fragment.type_condition), fragment.selection_set.as_slice())
                        }
                        _ => continue,
                    },
                };
                let condition = condition.map(|ty| known_type(ty).unwrap_or_else(|| ty.clone()));
                match condition.as_deref() {
                    Some("Session") => own = true,
                    Some("SessionConnection") => of_connection = true,
                    _ => {}
                }
                left.push(inside);
            }
        }
        own && !of_connection
    }

    /// `updateSession(id: …, name: …)` becomes `updateSession(input: { id: …, … })`.
    fn change_into_input(&mut self, field: &mut Field) {
        if field.arguments.is_empty() || field.arguments.iter().any(|argument| argument.name == "input") {
            return;
        }
        let Some(ExtendedType::InputObject(input)) = self.schema.types.get("UpdateSessionInput") else { return };
        let of_input = |name: &Name| match name.as_str() {
            // What a person calls it: its client's own name for it comes back with the next upload.
            "name" => name!("userTitle"),
            _ => name.clone(),
        };
        let fields: Vec<(Name, Node<Value>)> =
            field.arguments.iter().map(|argument| (of_input(&argument.name), argument.value.clone())).collect();
        if fields.iter().all(|(name, _)| input.fields.contains_key(name)) {
            let value = Node::new(Value::Object(fields));
            field.arguments = vec![Node::new(Argument { name: name!("input"), value })];
            self.is_changed = true;
        }
    }

    /// Selects what a reader wants of a project or of metadata when nothing was said.
    fn fill(&mut self, ty: &Name, field: &mut Field) {
        let wanted: Vec<Name> = match (ty.as_str(), self.schema.types.get(ty)) {
            ("Project", _) => vec![name!("id"), name!("name"), name!("icon"), name!("color")],
            ("SessionMetadata", Some(ExtendedType::Object(object))) => object.fields.keys().cloned().collect(),
            _ => return,
        };
        let select = |name: Name| {
            Selection::Field(Node::new(Field {
                alias: None,
                name,
                arguments: Vec::new(),
                directives: Default::default(),
                selection_set: Vec::new(),
            }))
        };
        field.selection_set = wanted.into_iter().map(select).collect();
        self.is_changed = true;
    }

    fn field_type(&self, parent: &str, field: &str) -> Option<Name> {
        let fields = match self.schema.types.get(parent)? {
            ExtendedType::Object(object) => &object.fields,
            ExtendedType::Interface(interface) => &interface.fields,
            _ => return None,
        };
        fields.get(field).map(|definition| definition.ty.inner_named_type().clone())
    }
}

/// Whether a fragment on this type stands where a session is shown under another type.
fn is_session_of(parent: &Name, condition: &Name) -> bool {
    condition == "Session" && LIKE_SESSION.contains(&parent.as_str())
}

fn known_type(ty: &Name) -> Option<Name> {
    TYPES.iter().find(|(known, _)| ty == known).map(|(_, name)| name.clone())
}

fn root(schema: &Schema, operation: OperationType) -> Option<Name> {
    schema.root_operation(operation).cloned()
}

/// Makes a variable of a type that does not exist one of text.
fn text_variable(variable: &mut Node<VariableDefinition>, schema: &Schema) -> bool {
    if schema.types.contains_key(variable.ty.inner_named_type()) {
        return false;
    }
    let variable = variable.make_mut();
    variable.ty = Node::new(match &*variable.ty {
        Type::NonNullNamed(_) => Type::NonNullNamed(name!("String")),
        _ => Type::Named(name!("String")),
    });
    if let Some(Value::Enum(order)) = variable.default_value.as_deref() {
        variable.default_value = Some(Node::new(Value::String(order.to_string())));
    }
    true
}

/// Takes out the fragments that were in use before and are not any more.
fn drop_unused(document: &mut Document, before: &HashSet<Name>) {
    loop {
        let spread = spreads(document);
        let count = document.definitions.len();
        document.definitions.retain(|definition| match definition {
            Definition::FragmentDefinition(fragment) => {
                spread.contains(&fragment.name) || !before.contains(&fragment.name)
            }
            _ => true,
        });
        if document.definitions.len() == count {
            return;
        }
    }
}

/// The fragments that are spread anywhere.
fn spreads(document: &Document) -> HashSet<Name> {
    let mut found = HashSet::new();
    let mut left: Vec<&[Selection]> = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => left.push(&operation.selection_set),
            Definition::FragmentDefinition(fragment) => left.push(&fragment.selection_set),
            _ => {}
        }
    }
    while let Some(selections) = left.pop() {
        for selection in selections {
            match selection {
                Selection::Field(field) => left.push(&field.selection_set),
                Selection::InlineFragment(fragment) => left.push(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    found.insert(spread.fragment_name.clone());
                }
            }
        }
    }
    found
}
