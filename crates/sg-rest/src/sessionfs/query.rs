//! What stands behind the question mark, read field by field; every broken rule is told, not only the first.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::{Value, json};

use super::failure::Failure;
use super::fault::Fault;

/// A query string being read. [`Query::done`] tells what was wrong with it.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let given = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let pairs = given.map_err(|_| Failure::bad_request("The query string cannot be read"))?.0;
        Ok(Self { pairs, faults: Vec::new() })
    }
}

impl Query {
    /// The last value of a name, as the original takes it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name that may be repeated.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Text that must be there and of so many characters.
    pub(super) fn required(&mut self, name: &'static str, chars: std::ops::RangeInclusive<usize>) -> String {
        match self.text(name).map(str::to_owned) {
            Some(text) => {
                self.check_length(name, &text, &chars);
                text
            }
            None => {
                self.faults.push(Fault::missing(at(name), Value::Null));
                String::new()
            }
        }
    }

    /// A whole number within bounds, or what it is when it is not given.
    pub(super) fn int(&mut self, name: &'static str, default: i64, bounds: std::ops::RangeInclusive<i64>) -> i64 {
        self.optional_int(name, bounds).unwrap_or(default)
    }

    /// A whole number within bounds, if it is given.
    pub(super) fn optional_int(&mut self, name: &'static str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let text = self.text(name)?.to_owned();
        let Ok(number) = text.trim().parse::<i64>() else {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            self.faults.push(Fault::new("int_parsing", at(name), message, json!(text)));
            return None;
        };
        let (low, high) = (*bounds.start(), *bounds.end());
        if number < low {
            let message = format!("Input should be greater than or equal to {low}");
            let fault = Fault::new("greater_than_equal", at(name), message, json!(text));
            self.faults.push(fault.with("ge", low.to_string()));
        } else if number > high {
            let message = format!("Input should be less than or equal to {high}");
            let fault = Fault::new("less_than_equal", at(name), message, json!(text));
            self.faults.push(fault.with("le", high.to_string()));
        } else {
            return Some(number);
        }
        None
    }

    /// Yes or no in one of the words for it; no when it is not given.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(text) = self.text(name).map(str::to_owned) else { return false };
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => true,
            "0" | "false" | "f" | "no" | "n" | "off" => false,
            _ => {
                let message = "Input should be a valid boolean, unable to interpret input";
                self.faults.push(Fault::new("bool_parsing", at(name), message, json!(text)));
                false
            }
        }
    }

    /// Text of so many characters, if it is given.
    #[expect(dead_code, reason = "for handoffs and settings, which are not built yet")]
    pub(super) fn optional(&mut self, name: &'static str, chars: std::ops::RangeInclusive<usize>) -> Option<String> {
        let text = self.text(name)?.to_owned();
        self.check_length(name, &text, &chars);
        Some(text)
    }

    /// One of these words; the first of them when it is not given.
    pub(super) fn choice(&mut self, name: &'static str, words: &[&'static str]) -> &'static str {
        let default = words.first().copied().unwrap_or_default();
        let Some(text) = self.text(name).map(str::to_owned) else { return default };
        if let Some(word) = words.iter().find(|word| **word == text) {
            return word;
        }
        let pattern = format!("^({})$", words.join("|"));
        let message = format!("String should match pattern '{pattern}'");
        let fault = Fault::new("string_pattern_mismatch", at(name), message, json!(text));
        self.faults.push(fault.with("pattern", pattern));
        default
    }

    /// Every value of a name that may be repeated, so many times at most and each at most so many characters.
    pub(super) fn list(&mut self, name: &'static str, max: usize, max_chars: usize) -> Vec<String> {
        let values: Vec<String> = self.texts(name).into_iter().map(str::to_owned).collect();
        if values.len() > max {
            let message = format!("List should have at most {max} items after validation, not {}", values.len());
            let fault = Fault::new("too_long", at(name), message, json!(values));
            self.faults.push(fault.with("max_length", max.to_string()));
            return values;
        }
        for (place, value) in values.iter().enumerate() {
            let place = vec![json!("query"), json!(name), json!(place)];
            self.faults.extend(length_fault(place, value, &(0..=max_chars)));
        }
        values
    }

    /// One more broken rule, found by the route.
    #[expect(dead_code, reason = "for handoffs and settings, which are not built yet")]
    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// 422 when a rule was broken.
    pub(super) fn done(self) -> Result<(), Failure> {
        if self.faults.is_empty() { Ok(()) } else { Err(Failure::validation(self.faults)) }
    }

    fn check_length(&mut self, name: &'static str, text: &str, chars: &std::ops::RangeInclusive<usize>) {
        let fault = length_fault(at(name), text, chars);
        self.faults.extend(fault);
    }
}

/// What is wrong with the length of a text.
pub(super) fn length_fault(at: Vec<Value>, text: &str, chars: &std::ops::RangeInclusive<usize>) -> Option<Fault> {
    let count = text.chars().count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let (low, high) = (*chars.start(), *chars.end());
    if count < low {
        let message = format!("String should have at least {low} character{}", plural(low));
        return Some(Fault::new("string_too_short", at, message, json!(text)).with("min_length", low.to_string()));
    }
    if count > high {
        let message = format!("String should have at most {high} character{}", plural(high));
        return Some(Fault::new("string_too_long", at, message, json!(text)).with("max_length", high.to_string()));
    }
    None
}

/// Where a field of the query stands.
pub(super) fn at(name: &str) -> Vec<Value> {
    vec![json!("query"), json!(name)]
}
