//! What a document costs: one pass, each fragment once, sums that saturate.
//!
//! It runs before validation, on names alone. Fields, aliases and directives are counted as execution will see them,
//! with every fragment spread out. `objects` estimates how many objects an answer can hold, from `first`, `last` and
//! `limit`; a field that costs a statement or a file of its own counts as several.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Argument, Definition, Document, Selection};
use apollo_compiler::{Name, Node};
use serde_json::{Map, Value};
use sg_domain::{Error, RateStanding, Result};

use crate::graphql::GraphqlLimits;

/// What a document costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Fields, fragments spread out.
    pub(crate) fields: u64,
    /// Fields inside fields.
    pub(crate) depth: u64,
    /// Aliases.
    pub(crate) aliases: u64,
    /// Directives.
    pub(crate) directives: u64,
    /// Objects that an answer can hold, estimated.
    pub(crate) objects: u64,
    /// Nested lists of the introspection types, such as `fields { type { fields`.
    introspection_lists: u64,
    /// Whether anything but the schema is asked for.
    has_data: bool,
    /// Fragments and fields nest too deep, or a fragment spreads itself.
    endless: bool,
    /// Whether the size of a page is a variable's.
    has_variable_size: bool,
}

/// The nesting of fields and fragments together that is followed; bounded by the stack, and more than anyone writes.
const MAX_LEVELS: u64 = 96;
/// Introspection that nests the schema's own lists deeper than this is never meant: graphql-js has the same rule.
const MAX_INTROSPECTION_LISTS: u64 = 3;
/// The budget of an operation that only asks about the schema: the usual introspection query is deeper than data is.
const INTROSPECTION: (u64, u64, u64) = (1_000, 24, 4_000_000);

/// Measures a document: the sum of its operations, the maximum of their depths. Without variables, every one is taken to
/// be as large as it may be.
pub(crate) fn measure(document: &Document, variables: Option<&Map<String, Value>>) -> Cost {
    let mut fragments = HashMap::new();
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            fragments.insert(&fragment.name, &fragment.selection_set);
        }
    }
    let mut pass = Pass { fragments, known: HashMap::new(), variables };
    let mut sum = Cost::default();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let mut cost = pass.selections(&operation.selection_set, 0);
                let of_variables = operation.variables.iter().map(|variable| variable.directives.len() as u64);
                cost.directives += operation.directives.len() as u64 + of_variables.sum::<u64>();
                sum.add(&cost);
            }
            // Counted once here, as written, so that an unused or repeated one is not free.
            Definition::FragmentDefinition(fragment) => sum.directives += fragment.directives.len() as u64,
            _ => {}
        }
    }
    sum
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.objects = self.objects.saturating_add(other.objects);
        self.depth = self.depth.max(other.depth);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.has_data |= other.has_data;
        self.endless |= other.endless;
        self.has_variable_size |= other.has_variable_size;
    }

    /// Holds a document against the limits, the estimated objects left out.
    pub(crate) fn check(&self, document: &Document, limits: &GraphqlLimits) -> Result<()> {
        if self.endless {
            return Err(Error::invalid("fragments spread themselves or nest too deep, flatten them"));
        }
        if self.introspection_lists > MAX_INTROSPECTION_LISTS {
            return Err(Error::invalid(
                "the introspection nests lists deeper than 3, ask for the types by name instead",
            ));
        }
        let (fields, depth) = self.limits(limits);
        let variables = document.definitions.iter().filter_map(Definition::as_operation_definition);
        let variables = variables.map(|operation| operation.variables.len() as u64).sum();
        for (what, found, limit) in [
            ("fields", self.fields, fields),
            ("levels", self.depth, depth),
            ("aliases", self.aliases, limits.max_aliases),
            ("directives", self.directives, limits.max_directives),
            ("variables", variables, limits.max_variables),
        ] {
            if found > limit {
                return Err(Error::invalid(format!("the document has {found} {what}, at most {limit} are allowed"))
                    .with("limit", limit.to_string()));
            }
        }
        Ok(())
    }

    /// Whether other variables may cost something else.
    pub(crate) fn depends_on_variables(&self) -> bool {
        self.has_variable_size
    }

    /// What an answer says of it: nothing that changes from one time to the next.
    pub(crate) fn shown(&self, limits: &GraphqlLimits) -> async_graphql::Value {
        let (max_fields, max_depth) = self.limits(limits);
        let figures = [
            ("requested", RateStanding::COST.into()),
            ("objects", self.objects),
            ("maxObjects", self.max_objects(limits)),
            ("fields", self.fields),
            ("maxFields", max_fields),
            ("depth", self.depth),
            ("maxDepth", max_depth),
        ];
        let named = |(name, figure): (&str, u64)| (async_graphql::Name::new(name), figure.into());
        async_graphql::Value::Object(figures.into_iter().map(named).collect())
    }

    fn limits(&self, limits: &GraphqlLimits) -> (u64, u64) {
        match self.has_data {
            true => (limits.max_fields, limits.max_depth),
            false => (INTROSPECTION.0, INTROSPECTION.1),
        }
    }

    fn max_objects(&self, limits: &GraphqlLimits) -> u64 {
        if self.has_data { limits.max_objects } else { INTROSPECTION.2 }
    }

    /// Holds the estimated objects against the limit.
    pub(crate) fn check_objects(&self, limits: &GraphqlLimits) -> Result<()> {
        let limit = self.max_objects(limits);
        if self.objects > limit {
            return Err(Error::invalid(format!(
                "the query can ask for {} objects, at most {limit} are allowed, ask for shorter pages",
                self.objects
            )));
        }
        Ok(())
    }
}

struct Pass<'d> {
    fragments: HashMap<&'d Name, &'d Vec<Selection>>,
    /// Each fragment's cost; `None` while it is being measured.
    known: HashMap<&'d Name, Option<(Cost, u64)>>,
    variables: Option<&'d Map<String, Value>>,
}

impl<'d> Pass<'d> {
    fn selections(&mut self, selections: &'d [Selection], level: u64) -> Cost {
        let mut sum = Cost::default();
        if level > MAX_LEVELS {
            return Cost { endless: true, ..sum };
        }
        for selection in selections {
            let cost = match selection {
                Selection::Field(field) => self.field(field, level),
                Selection::FragmentSpread(spread) => {
                    let mut cost = self.fragment(&spread.fragment_name, level);
                    cost.directives = cost.directives.saturating_add(spread.directives.len() as u64);
                    cost.fields = cost.fields.saturating_add(1);
                    cost
                }
                Selection::InlineFragment(fragment) => {
                    let mut cost = self.selections(&fragment.selection_set, level + 1);
                    cost.directives = cost.directives.saturating_add(fragment.directives.len() as u64);
                    cost
                }
            };
            sum.add(&cost);
            if sum.endless {
                break;
            }
        }
        sum
    }

    fn field(&mut self, field: &'d Node<ast::Field>, level: u64) -> Cost {
        let mut cost = self.selections(&field.selection_set, level + 1);
        let name = field.name.as_str();
        cost.fields = cost.fields.saturating_add(1);
        cost.depth = cost.depth.saturating_add(1);
        cost.aliases = cost.aliases.saturating_add(u64::from(field.alias.is_some()));
        cost.directives = cost.directives.saturating_add(field.directives.len() as u64);
        cost.introspection_lists +=
            u64::from(matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields"));
        let own = if field.selection_set.is_empty() { 0 } else { 1 };
        cost.has_variable_size |= field.arguments.iter().any(|a| is_size(&a.name) && a.value.as_variable().is_some());
        cost.objects = cost.objects.saturating_add(own).saturating_mul(self.rows(field)).saturating_add(weight(field));
        if matches!(name, "__schema" | "__type") {
            // Whatever is below asks about the schema.
            cost.has_data = false;
        } else {
            cost.has_data |= !name.starts_with("__");
            // The rule is about the introspection types alone.
            cost.introspection_lists = if INTROSPECTION_FIELDS.contains(&name) { cost.introspection_lists } else { 0 };
        }
        cost
    }

    fn fragment(&mut self, name: &'d Name, level: u64) -> Cost {
        match self.known.get(name) {
            // `None`: it is being measured further up, so it spreads itself.
            Some(None) => return Cost { endless: true, ..Cost::default() },
            // Measured at some level; its own nesting tells whether it still fits at this one.
            Some(Some((cost, levels))) => {
                return Cost { endless: cost.endless || level + levels > MAX_LEVELS, ..*cost };
            }
            None => {}
        }
        // One that does not exist is for the validation to name.
        let Some(selections) = self.fragments.get(name).copied() else { return Cost::default() };
        self.known.insert(name, None);
        let cost = self.selections(selections, level + 1);
        let levels = self.levels(selections) + 1;
        self.known.insert(name, Some((cost, levels)));
        cost
    }

    /// How deep a fragment nests, the fragments inside it being known already.
    fn levels(&self, selections: &[Selection]) -> u64 {
        let inside = |selection: &Selection| match selection {
            Selection::Field(field) => self.levels(&field.selection_set) + 1,
            Selection::InlineFragment(fragment) => self.levels(&fragment.selection_set) + 1,
            Selection::FragmentSpread(spread) => match self.known.get(&spread.fragment_name) {
                Some(Some((_, levels))) => *levels,
                _ => 0,
            },
        };
        selections.iter().map(inside).max().unwrap_or(0)
    }

    /// How many objects a field stands for, at most.
    fn rows(&self, field: &ast::Field) -> u64 {
        let default = match field.name.as_str() {
            "projects" => 50,
            // The rows of a connection, under the name that SpecStory's clients know.
            "sessions" if field.arguments.is_empty() && !is_connection(&field.selection_set) => 1,
            "sessions" | "sessionList" | "searchSessions" | "resumableSessions" | "events" => 200,
            "messages" | "exchanges" | "matchingExchanges" | "blocks" => 20,
            "subagents" | "matchingMessages" | "facets" | "buckets" | "shareLinks" => 10,
            "relatedSessions" => 5,
            "deletedSessions" | "jobs" | "handoffs" => DEFAULT_PAGE,
            "watchlist" => 200,
            "comments" => 100,
            "watchers" => 50,
            "sessionsByDay" | "activityByDay" | "types" | "possibleTypes" => 100,
            "sessionsByModel" | "sessionsByClient" | "sessionsByAgent" | "sessionsByBranch" | "sessionsByMachine" => {
                100
            }
            "sessionsByTag" | "sessionsByProject" | "usageByModel" | "usageByProject" | "usageByDay" => 100,
            "usageByAgent" | "activityByHour" => 100,
            "fields" => 20,
            "args" | "inputFields" | "enumValues" => 5,
            _ => 1,
        };
        // Rows of a connection: the connection has counted them.
        let size = field.arguments.iter().filter(|a| is_size(&a.name));
        let asked = size.map(|argument| self.size(argument, largest(&field.name))).max().unwrap_or(default);
        // A cursor alone asks for a page of the usual size, whatever `limit` says.
        let has_cursor = field.arguments.iter().any(|a| matches!(a.name.as_str(), "after" | "before"));
        if has_cursor { asked.max(DEFAULT_PAGE) } else { asked }
    }

    fn size(&self, argument: &Argument, largest: u64) -> u64 {
        let clamp = |number: Option<i64>| number.map_or(1, |n| u64::try_from(n).unwrap_or(1).clamp(1, largest));
        match &*argument.value {
            ast::Value::Int(int) => clamp(int.as_str().parse().ok()),
            ast::Value::List(values) => (values.len() as u64).clamp(1, largest),
            ast::Value::Variable(name) => match self.variables.map(|variables| variables.get(name.as_str())) {
                Some(Some(Value::Number(number))) => clamp(number.as_i64()),
                Some(Some(Value::Array(values))) => (values.len() as u64).clamp(1, largest),
                _ => largest,
            },
            _ => largest,
        }
    }
}

/// The most rows that a field shows, whatever is asked for.
fn largest(field: &str) -> u64 {
    if is_group(field) { 1_000 } else { 200 }
}

/// Whether a field is a list of figures that the database makes of all that is looked at, by a statement of its own.
fn is_group(field: &str) -> bool {
    let is_by = |what: &str| field.strip_prefix(what).is_some_and(|rest| rest.starts_with(char::is_uppercase));
    field != "sessionsByDay" && (is_by("sessionsBy") || is_by("usageBy") || is_by("activityBy"))
}

/// Whether an argument says how many rows a page has.
fn is_size(argument: &str) -> bool {
    matches!(argument, "first" | "last" | "limit" | "ids")
}

/// Rows of a page when only a cursor is given.
const DEFAULT_PAGE: u64 = 20;

/// Whether what is asked of `sessions` is a connection's, not a session's own fields. A fragment may hold either.
fn is_connection(selections: &[Selection]) -> bool {
    const OWN: [&str; 10] = [
        "edges",
        "nodes",
        "items",
        "sessions",
        "pageInfo",
        "total",
        "totalCount",
        "hasNextPage",
        "hasPreviousPage",
        "__typename",
    ];
    selections.iter().any(|selection| match selection {
        Selection::Field(field) => OWN.contains(&field.name.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => true,
    })
}

/// The fields of the introspection types that lead to other types.
const INTROSPECTION_FIELDS: [&str; 13] = [
    "types",
    "queryType",
    "mutationType",
    "subscriptionType",
    "directives",
    "fields",
    "interfaces",
    "possibleTypes",
    "inputFields",
    "enumValues",
    "args",
    "type",
    "ofType",
];

/// What a figure over everything weighs, in objects: the estimate before, and what is spent when it is asked for.
pub(crate) const GROUP_WEIGHT: u64 = 5_000;

/// What a field costs beside its rows: a statement or a file of its own.
fn weight(field: &ast::Field) -> u64 {
    match field.name.as_str() {
        // The object: it may have to be made of all messages. What a client said in its metadata is a text.
        "summary" if !field.selection_set.is_empty() => 50,
        "markdownContent" | "rawData" | "sessionData" | "exchanges" | "matchingExchanges" => 20,
        // A search of its own.
        "relatedSessions" => 100,
        // Statements over everything that is looked at: a few hundred of them fit into one request.
        field if is_group(field) => GROUP_WEIGHT,
        "analytics" => GROUP_WEIGHT,
        "stats" => GROUP_WEIGHT / 10,
        "messages" | "events" | "comments" | "claimedSession" | "parent" | "node" | "handoff" => 10,
        // A summary reads the session.
        "sessionSummary" => 20,
        _ => 0,
    }
}
