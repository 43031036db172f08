//! Where a caller stands with its rate limit, and asking so without being counted.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, InlineFragment, Selection, SelectionSet,
};
use async_graphql::{Context, Name, Positioned, SimpleObject, Value, Variables};
use sg_domain::{RateStanding, Scope, Timestamp};
use std::collections::HashMap;

use crate::failure::Nullable;
use crate::loader::Reach;
use crate::scalar::{DateTime, int};

/// Where the caller stands with its rate limit, as the `X-RateLimit-…` headers of the answer say it.
#[derive(SimpleObject)]
pub(crate) struct RateLimit {
    /// How many requests the caller has in an hour.
    limit: i32,
    /// What this request takes off them, whatever it asks for; in a dry run, what it would take.
    cost: i32,
    /// How many are left.
    remaining: i32,
    /// By then the whole limit is there again, if nothing else is asked.
    reset_at: DateTime,
    /// How many are used up.
    used: i32,
}

/// Where the caller stands; null when nothing counts its requests.
pub(crate) fn rate_limit(ctx: &Context<'_>) -> Nullable<RateLimit> {
    if let Err(error) = Reach::of(ctx).caller.require(Scope::Read) {
        return Some(Err(error.into()));
    }
    let standing = ctx.data_opt::<RateStanding>()?;
    Some(Ok(RateLimit {
        limit: int(standing.limit.into()),
        cost: int(RateStanding::COST.into()),
        remaining: int(standing.remaining.into()),
        reset_at: DateTime(Timestamp::from_secs(standing.reset_at())),
        used: int(standing.used().into()),
    }))
}

/// The field.
const RATE_LIMIT: &str = "rateLimit";
/// Its argument.
const DRY_RUN: &str = "dryRun";

/// What is left of a document when one of its operation's `rateLimit` fields says `dryRun: true`: those fields alone, as if
/// every other at the root were skipped. `None` for an operation that is meant.
pub(crate) fn dry_run(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
) -> Option<ExecutableDocument> {
    let chosen = match (&document.operations, operation) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => operations.values().next()?,
    };
    let mut is_dry_run = false;
    let selections = &chosen.node.selection_set.node;
    let left = Filter { fragments: &document.fragments, variables }.selections(selections, &mut is_dry_run);
    if !is_dry_run {
        return None;
    }
    let mut chosen = chosen.clone();
    chosen.node.selection_set.node = left;
    Some(ExecutableDocument {
        operations: match (&document.operations, operation) {
            (DocumentOperations::Multiple(_), Some(name)) => {
                DocumentOperations::Multiple(HashMap::from([(Name::new(name), chosen)]))
            }
            _ => DocumentOperations::Single(chosen),
        },
        fragments: document.fragments.clone(),
    })
}

struct Filter<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
}

impl Filter<'_> {
    /// The fields that stay; the guard has bounded how fragments nest, and what they come to.
    fn selections(&self, selections: &SelectionSet, is_dry_run: &mut bool) -> SelectionSet {
        let mut items = Vec::new();
        for item in &selections.items {
            let fragment = match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    *is_dry_run |= name == RATE_LIMIT && self.is_dry(&field.node);
                    if matches!(name, RATE_LIMIT | "__typename") {
                        items.push(item.clone());
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => InlineFragment {
                    selection_set: self.inside(&fragment.node.selection_set, is_dry_run),
                    ..fragment.node.clone()
                },
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) else { continue };
                    InlineFragment {
                        type_condition: Some(fragment.node.type_condition.clone()),
                        directives: spread.node.directives.clone(),
                        selection_set: self.inside(&fragment.node.selection_set, is_dry_run),
                    }
                }
            };
            if !fragment.selection_set.node.items.is_empty() {
                let fragment = Positioned::new(fragment, item.pos);
                items.push(Positioned::new(Selection::InlineFragment(fragment), item.pos));
            }
        }
        SelectionSet { items }
    }

    fn inside(&self, selections: &Positioned<SelectionSet>, is_dry_run: &mut bool) -> Positioned<SelectionSet> {
        Positioned::new(self.selections(&selections.node, is_dry_run), selections.pos)
    }

    fn is_dry(&self, field: &Field) -> bool {
        let Some(value) = field.get_argument(DRY_RUN) else { return false };
        let value = value.node.clone().into_const_with(|name| {
            Ok::<_, std::convert::Infallible>(self.variables.get(&name).cloned().unwrap_or_default())
        });
        matches!(value, Ok(Value::Boolean(true)))
    }
}
