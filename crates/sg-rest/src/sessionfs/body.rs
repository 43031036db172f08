//! JSON bodies, read field by field; every broken rule is told, not only the first.

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::fault::Fault;
use super::query::length_fault;

/// The largest JSON body: no route of this dialect takes long texts.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A JSON object being read. [`Body::done`] tells what was wrong with it.
pub(super) struct Body {
    fields: Map<String, Value>,
    faults: Vec<Fault>,
}

/// The same for routes that take no body as an empty one.
pub(super) struct OptionalBody(pub(super) Body);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request).await?.ok_or_else(|| Failure::validation(vec![Fault::missing(vec![json!("body")], Value::Null)]))
    }
}

impl<S: Send + Sync> FromRequest<S> for OptionalBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let empty = || Body { fields: Map::new(), faults: Vec::new() };
        Ok(Self(read(request).await?.unwrap_or_else(empty)))
    }
}

/// The body of a request; `None` when there is none.
async fn read(request: Request) -> Result<Option<Body>, Failure> {
    let too_large =
        || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large").code("PAYLOAD_TOO_LARGE");
    let request = request.map(|body| axum::body::Body::new(http_body_util::Limited::new(body, MAX_BODY_BYTES)));
    let bytes: Bytes =
        request.extract().await.map_err(|rejection| {
            match axum::response::IntoResponse::into_response(rejection).status() {
                StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                _ => Failure::bad_request("The request body did not arrive completely"),
            }
        })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let at = vec![json!("body"), json!(position(&bytes, error.line(), error.column()))];
        Failure::validation(vec![
            Fault::new("json_invalid", at, "JSON decode error", json!({})).with("error", "Expecting value"),
        ])
    })?;
    match value {
        Value::Object(fields) => Ok(Some(Body { fields, faults: Vec::new() })),
        Value::Null => Ok(None),
        other => {
            let message = "Input should be a valid dictionary or object to extract fields from";
            Err(Failure::validation(vec![Fault::new("model_attributes_type", vec![json!("body")], message, other)]))
        }
    }
}

/// The byte that a line and column name, both from 1.
fn position(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize = bytes.split_inclusive(|b| *b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

impl Body {
    /// A field as it came; null counts as not given.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field is there, null or not.
    #[expect(dead_code, reason = "for handoffs and settings, which are not built yet")]
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Text of so many characters that must be there.
    pub(super) fn required_text(&mut self, name: &'static str, chars: std::ops::RangeInclusive<usize>) -> String {
        if !self.fields.contains_key(name) {
            self.faults.push(Fault::missing(at(name), Value::Object(self.fields.clone())));
            return String::new();
        }
        if self.fields[name].is_null() {
            self.faults.push(Fault::new("string_type", at(name), "Input should be a valid string", Value::Null));
            return String::new();
        }
        self.text(name, chars).unwrap_or_default()
    }

    /// Text of so many characters, if it is given.
    pub(super) fn text(&mut self, name: &'static str, chars: std::ops::RangeInclusive<usize>) -> Option<String> {
        match self.value(name)?.clone() {
            Value::String(text) => {
                let fault = length_fault(at(name), &text, &chars);
                self.faults.extend(fault);
                Some(text)
            }
            other => {
                self.faults.push(Fault::new("string_type", at(name), "Input should be a valid string", other));
                None
            }
        }
    }

    /// A whole number within bounds, if it is given; text that is one counts.
    pub(super) fn int(&mut self, name: &'static str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(name)?.clone();
        let number = match &value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            let fault = match value {
                Value::String(_) => {
                    let message = "Input should be a valid integer, unable to parse string as an integer";
                    Fault::new("int_parsing", at(name), message, value)
                }
                _ => Fault::new("int_type", at(name), "Input should be a valid integer", value),
            };
            self.faults.push(fault);
            return None;
        };
        let (low, high) = (*bounds.start(), *bounds.end());
        if number < low {
            let message = format!("Input should be greater than or equal to {low}");
            self.faults.push(Fault::new("greater_than_equal", at(name), message, value).with("ge", low.to_string()));
        } else if number > high {
            let message = format!("Input should be less than or equal to {high}");
            self.faults.push(Fault::new("less_than_equal", at(name), message, value).with("le", high.to_string()));
        }
        Some(number)
    }

    /// Yes or no, if it is given; the words for it count.
    #[expect(dead_code, reason = "for handoffs and settings, which are not built yet")]
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)?.clone() {
            Value::Bool(flag) => Some(flag),
            Value::String(text) if matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1") => {
                Some(true)
            }
            Value::String(text) if matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0") => {
                Some(false)
            }
            other => {
                let message = "Input should be a valid boolean, unable to interpret input";
                self.faults.push(Fault::new("bool_parsing", at(name), message, other));
                None
            }
        }
    }

    /// A list of texts, if it is given.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = self.value(name)?.clone();
        let Value::Array(items) = value else {
            self.faults.push(Fault::new("list_type", at(name), "Input should be a valid list", value));
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for (place, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => {
                    let place = vec![json!("body"), json!(name), json!(place)];
                    self.faults.push(Fault::new("string_type", place, "Input should be a valid string", other));
                }
            }
        }
        Some(texts)
    }

    /// A rule of the route's own that a field breaks.
    pub(super) fn refuse(&mut self, name: &'static str, message: &str) {
        let input = self.fields.get(name).cloned().unwrap_or_default();
        self.faults.push(Fault::value(at(name), message, input));
    }

    /// 422 when a rule was broken.
    pub(super) fn done(mut self) -> Result<(), Failure> {
        self.check()
    }

    /// The same, for routes that find out later what else is wrong: [`Body::into_failure`].
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        if self.faults.is_empty() { Ok(()) } else { Err(Failure::validation(std::mem::take(&mut self.faults))) }
    }

    /// 422 with the rules that were broken.
    pub(super) fn into_failure(self) -> Failure {
        Failure::validation(self.faults)
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// Where a field of the body stands.
fn at(name: &str) -> Vec<Value> {
    vec![json!("body"), json!(name)]
}
