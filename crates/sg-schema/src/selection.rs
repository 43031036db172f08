//! What a selection will look at, so that only that is read.

use async_graphql::{Context, Lookahead};
use sg_app::SessionColumns;

/// The ways from a connection to its rows.
const ROWS: [&str; 5] = ["nodes", "edges", "items", "sessions", "results"];

/// The rows that a connection's field selects, by every name they have.
pub(crate) struct Rows<'a>(Vec<Lookahead<'a>>);

impl<'a> Rows<'a> {
    /// The rows under the field that is being resolved.
    pub(crate) fn of(ctx: &'a Context<'a>) -> Self {
        let connection = ctx.look_ahead();
        let mut rows = vec![connection.field("edges").field("node")];
        rows.extend(ROWS.into_iter().filter(|name| *name != "edges").map(|name| connection.field(name)));
        Self(rows)
    }

    /// The rows of a field that is a list itself.
    pub(crate) fn of_list(ctx: &'a Context<'a>) -> Self {
        Self(vec![ctx.look_ahead()])
    }

    /// Whether a field of the rows is selected.
    pub(crate) fn select(&self, field: &str) -> bool {
        self.0.iter().any(|row| row.field(field).exists())
    }

    /// Whether a field below a field of the rows is selected.
    pub(crate) fn select_below(&self, field: &str, child: &str) -> bool {
        self.0.iter().any(|row| row.field(field).field(child).exists())
    }

    /// The largest value an integer argument has on a field of the rows; `default` where it is left out.
    pub(crate) fn largest_argument(&self, field: &str, argument: &str, default: i64) -> Option<i64> {
        let fields = self.0.iter().flat_map(|row| row.field(field).selection_fields());
        let value = |selected: async_graphql::SelectionField<'_>| {
            let arguments = selected.arguments().unwrap_or_default();
            let given = arguments.into_iter().find(|(name, _)| name == argument).map(|(_, value)| value);
            match given {
                Some(async_graphql::Value::Number(number)) => number.as_i64().unwrap_or(default),
                _ => default,
            }
        };
        fields.map(value).max()
    }

    /// The wide columns that these rows, as sessions, need.
    pub(crate) fn columns(&self) -> SessionColumns {
        SessionColumns { metadata: self.select("metadata"), first_exchange: self.select("firstExchange") }
    }
}

/// Whether a connection's field asks for anything that needs its rows: everything but the totals does.
pub(crate) fn wants_rows(ctx: &Context<'_>) -> bool {
    let connection = ctx.look_ahead();
    let others = ["pageInfo", "hasNextPage", "hasPreviousPage"];
    ROWS.into_iter().chain(others).any(|name| connection.field(name).exists())
}
