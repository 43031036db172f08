//! One broken rule of a request, as the original's validation library words it.

use serde_json::{Value, json};

/// One entry of `details.errors`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    kind: &'static str,
    at: Vec<Value>,
    message: String,
    input: Value,
    context: Option<(&'static str, String)>,
}

impl Fault {
    /// A rule by its name, where it is broken, in its words, by what.
    pub(super) fn new(kind: &'static str, at: Vec<Value>, message: impl Into<String>, input: Value) -> Self {
        Self { kind, at, message: message.into(), input, context: None }
    }

    /// With what the rule was about.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.context = Some((name, value.into()));
        self
    }

    /// A field that must be there and is not; `input` is what it should have been in.
    pub(super) fn missing(at: Vec<Value>, input: Value) -> Self {
        Self::new("missing", at, "Field required", input)
    }

    /// A rule of a route's own.
    pub(super) fn value(at: Vec<Value>, message: &str, input: Value) -> Self {
        Self::new("value_error", at, format!("Value error, {message}"), input).with("error", message)
    }

    pub(super) fn into_json(self) -> Value {
        let mut json = json!({ "type": self.kind, "loc": self.at, "msg": self.message, "input": self.input });
        if let Some((name, value)) = self.context {
            json["ctx"] = json!({ name: value });
        }
        json
    }
}
