//! SQL text with its bound values, for either engine.
//!
//! Values never get into the text, and lists of values are one bound JSON array: the text depends on the shape of a query
//! only, so that prepared statements are found again.

use sea_orm::{DbBackend, Statement, Value};
use sg_domain::Timestamp;

/// Which SQL engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }
}

/// A statement in the making.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    pub(crate) engine: Engine,
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
    /// Whether PostgreSQL packs all rows into one JSON value; set by [`Sql::select`].
    pub(crate) packed: bool,
}

impl Sql {
    pub(crate) fn new(engine: Engine, text: &str) -> Self {
        Self { engine, text: text.to_owned(), values: Vec::new(), packed: false }
    }

    /// Starts a read of these columns. On PostgreSQL each row becomes a JSON array, and [`Sql::end`] packs them into
    /// one value: streaming rows through the driver costs twice as much as reading them.
    pub(crate) fn select(engine: Engine, columns: &[&str]) -> Self {
        let columns = columns.join(", ");
        match engine {
            Engine::Sqlite => Self::new(engine, &format!("SELECT {columns}")),
            Engine::Postgres => {
                let start = "SELECT coalesce(json_agg(packed.r), '[]')::text FROM (SELECT json_build_array(";
                Self { packed: true, ..Self::new(engine, &format!("{start}{columns}) AS r")) }
            }
        }
    }

    /// Adds text.
    pub(crate) fn add(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds text that differs between the engines.
    pub(crate) fn either(&mut self, sqlite: &str, postgres: &str) -> &mut Self {
        self.add(if self.engine == Engine::Sqlite { sqlite } else { postgres })
    }

    fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        match self.engine {
            Engine::Sqlite => self.add("?"),
            Engine::Postgres => {
                let place = format!("${}", self.values.len());
                self.add(&place)
            }
        }
    }

    /// Binds a number.
    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.bind(Value::BigInt(Some(value)))
    }

    /// Binds a time.
    pub(crate) fn time(&mut self, value: Timestamp) -> &mut Self {
        self.int(value.micros())
    }

    /// Binds text, made storable.
    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.bind(Value::String(Some(storable(value))))
    }

    /// Binds text that may be missing.
    pub(crate) fn opt_text(&mut self, value: Option<&str>) -> &mut Self {
        self.bind(Value::String(value.map(storable)))
    }

    /// Adds ` column IN (…)` over a list that may be of any length.
    pub(crate) fn one_of<S: AsRef<str>>(&mut self, column: &str, values: &[S]) -> &mut Self {
        self.add(column);
        if let [value] = values {
            return self.add(" = ").text(value.as_ref());
        }
        self.add(" IN (SELECT ").either("value FROM json_each(", "json_array_elements_text(");
        self.json(values.iter().map(|v| storable(v.as_ref())).collect::<Vec<_>>().into());
        self.either("))", "::json))")
    }

    /// Binds a JSON value as text.
    pub(crate) fn json(&mut self, value: serde_json::Value) -> &mut Self {
        self.bind(Value::String(Some(value.to_string())))
    }

    /// Ends a read begun with [`Sql::select`].
    pub(crate) fn end(mut self) -> Self {
        if self.packed {
            self.text.push_str(") packed");
        }
        self
    }

    pub(crate) fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.engine.backend(), self.text, self.values)
    }
}

/// PostgreSQL cannot keep NUL in text. Both engines keep the replacement character instead, and filters ask for it.
pub(crate) fn storable(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

/// Sizes and counts are `u64` in the domain and `i64` in SQL; nothing real is larger.
pub(crate) fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
