//! Rows of plain fields, written as JSON straight from the selection.
//!
//! The library resolves every field through a future of its own, which is most of what a long list costs. When all that
//! a list's rows select are plain fields of the row (no statement, no file, nothing that can fail), this writes the rows
//! at once: the selection is looked up in a table once for the list, then each row is a loop over function pointers.
//! Whatever is not in the table goes the library's way; a test holds the two against each other, field by field.

use std::io::Write as _;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Selection, SelectionSet};
use async_graphql::{ContextSelectionSet, Response, Value};

/// What a field of a `T` is.
pub(crate) enum Plain<T> {
    /// A value, which this writes as JSON.
    Value(fn(&T, &mut Vec<u8>)),
    /// An object whose fields are plain fields of the same row.
    Object(Table<T>),
}

/// The plain fields of a type.
pub(crate) struct Table<T> {
    /// The type's name.
    pub(crate) name: &'static str,
    /// Its interfaces.
    pub(crate) interfaces: &'static [&'static str],
    /// What a field is; `None` when it is not plain.
    pub(crate) field: fn(&str) -> Option<Plain<T>>,
}

/// A selection, ready to be written for any number of rows.
pub(crate) struct Plan<T>(Vec<(Vec<u8>, Step<T>)>);

enum Step<T> {
    Value(fn(&T, &mut Vec<u8>)),
    Typename(&'static str),
    Object(Plan<T>),
}

/// The nesting of selections that is followed; deeper ones are the library's.
const MAX_DEPTH: u32 = 16;

impl<T> Plan<T> {
    /// The plan of a selection; `None` when it asks for anything that is not plain.
    pub(crate) fn new(ctx: &ContextSelectionSet<'_>, table: &Table<T>) -> Option<Self> {
        Self::of(ctx, &[&ctx.item.node], table, MAX_DEPTH)
    }

    fn of(ctx: &ContextSelectionSet<'_>, sets: &[&SelectionSet], table: &Table<T>, depth: u32) -> Option<Self> {
        let mut fields = IndexMap::new();
        for set in sets {
            collect(ctx, set, table, &mut fields, depth)?;
        }
        let mut steps = Vec::with_capacity(fields.len());
        for (key, (kind, below)) in fields {
            let mut text = Vec::with_capacity(key.len() + 4);
            string(&mut text, key);
            text.push(b':');
            let step = match kind {
                Kind::Typename => Step::Typename(table.name),
                Kind::Plain(Plain::Value(write)) => Step::Value(write),
                Kind::Plain(Plain::Object(inner)) => Step::Object(Self::of(ctx, &below, &inner, depth - 1)?),
            };
            steps.push((text, step));
        }
        Some(Self(steps))
    }

    fn write(&self, row: &T, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (key, step)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            match step {
                Step::Value(write) => write(row, out),
                Step::Typename(name) => string(out, name),
                Step::Object(plan) => plan.write(row, out),
            }
        }
        out.push(b'}');
    }

    /// The rows as a list that is JSON already.
    pub(crate) fn list(&self, rows: impl ExactSizeIterator<Item = T>) -> Value {
        let mut out = Vec::with_capacity(rows.len() * 512 + 2);
        out.push(b'[');
        for (at, row) in rows.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.write(&row, &mut out);
        }
        out.push(b']');
        // The library's kind for bytes, which nothing else here makes: no stored JSON can look like it.
        Value::Binary(out.into())
    }
}

enum Kind<T> {
    Typename,
    Plain(Plain<T>),
}

type Fields<'s, T> = IndexMap<&'s str, (Kind<T>, Vec<&'s SelectionSet>)>;

/// Fields by response key, fragments spread out, those with one key merged. What `@skip` and `@include` leave out is gone
/// from the selection before anything is resolved.
fn collect<'s, T>(
    ctx: &'s ContextSelectionSet<'_>,
    set: &'s SelectionSet,
    table: &Table<T>,
    fields: &mut Fields<'s, T>,
    depth: u32,
) -> Option<()> {
    if depth == 0 {
        return None;
    }
    for selection in &set.items {
        let (on, set) = match &selection.node {
            Selection::Field(field) => {
                let field = &field.node;
                let key = field.response_key().node.as_str();
                if let Some((_, below)) = fields.get_mut(key) {
                    below.push(&field.selection_set.node);
                    continue;
                }
                let kind = match field.name.node.as_str() {
                    "__typename" => Kind::Typename,
                    name => Kind::Plain((table.field)(name)?),
                };
                fields.insert(key, (kind, vec![&field.selection_set.node]));
                continue;
            }
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
            }
        };
        let on = on.map(|condition| condition.node.on.node.as_str());
        if on.is_none_or(|on| on == table.name || table.interfaces.contains(&on)) {
            collect(ctx, set, table, fields, depth - 1)?;
        }
    }
    Some(())
}

/// Text as JSON.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Nothing that is written into memory can fail.
    let _ = serde_json::to_writer(out, text);
}

/// Something that displays as text without anything to escape: an id, a time, a number's digits in quotes.
pub(crate) fn quoted(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "\"{value}\"");
}

/// A number.
pub(crate) fn number(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// A value or null.
pub(crate) fn or_null<V>(out: &mut Vec<u8>, value: Option<V>, write: impl FnOnce(&mut Vec<u8>, V)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// A list of texts, or null.
pub(crate) fn strings(out: &mut Vec<u8>, values: Option<&[String]>) {
    or_null(out, values, |out, values| {
        let _ = serde_json::to_writer(out, values);
    });
}

/// Writes a value of an answer as JSON. What is JSON already is copied; the library's own way would parse it again.
pub(crate) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Binary(json) => out.extend_from_slice(json),
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                string(out, name);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::List(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        Value::String(text) => string(out, text),
        other => {
            // Numbers, true, false, null, names of enum values.
            let _ = serde_json::to_writer(out, other);
        }
    }
}

/// A whole answer as JSON: `errors` first, where there are any.
pub(crate) fn answer(answer: &Response) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(4 * 1_024);
    out.push(b'{');
    if !answer.errors.is_empty() {
        out.extend_from_slice(b"\"errors\":");
        serde_json::to_writer(&mut out, &answer.errors)?;
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    write(&answer.data, &mut out);
    if !answer.extensions.is_empty() {
        out.extend_from_slice(b",\"extensions\":");
        serde_json::to_writer(&mut out, &answer.extensions)?;
    }
    out.push(b'}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Name, value};

    use super::*;

    #[test]
    fn what_is_written_is_what_the_library_writes() {
        let mut data =
            value!({ "n": null, "t": true, "i": -7, "f": 1.5, "s": "\u{1f600}\"\n\u{1}</", "l": [[], {}, [1, "x"]] });
        if let Value::Object(fields) = &mut data {
            fields.insert(Name::new("e"), Value::Enum(Name::new("ENUM")));
        }
        let ours = answer(&Response::new(data.clone())).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap(), serde_json::to_string(&Response::new(data)).unwrap());
        let failed = Response::from_errors(vec![async_graphql::ServerError::new("no", None)]);
        assert_eq!(answer(&failed).unwrap(), serde_json::to_vec(&failed).unwrap());
    }

    /// What an agent left in its file may have any key, also the one by which serde_json marks JSON that is written as it is.
    #[test]
    fn no_stored_json_is_taken_for_ours() {
        let forged = value!({ "$serde_json::private::RawValue": "1,\"text\":\"forged\"" });
        let data = Value::List(vec![forged, Value::Binary(b"{\"a\":1}".as_slice().into())]);
        let ours = String::from_utf8(answer(&Response::new(data)).unwrap()).unwrap();
        assert_eq!(ours, r#"{"data":[{"$serde_json::private::RawValue":"1,\"text\":\"forged\""},{"a":1}]}"#);
    }
}
