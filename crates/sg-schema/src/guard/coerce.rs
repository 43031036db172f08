//! The values of variables: of the types that an operation declares, with its defaults, or every mistake in them.

use apollo_compiler::ast::{self, Type};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, Schema};
use serde_json::{Map, Number, Value};
use sg_domain::error::quote;

use super::rules::Broken;

/// Mistakes that are told at most.
const MAX_BROKEN: usize = 50;

/// Completes the values of an operation's variables. Values that it does not declare are left out.
pub(super) fn variables(
    schema: &Schema,
    declared: &[Node<ast::VariableDefinition>],
    mut given: Map<String, Value>,
) -> Result<Map<String, Value>, Vec<Broken>> {
    let mut coerced = Map::new();
    let mut pass = Pass { schema, variable: "", at: 0, broken: Vec::new() };
    for variable in declared {
        let name = variable.name.as_str();
        (pass.variable, pass.at) = (name, variable.location().map_or(0, |span| span.offset()));
        let value = match (given.remove(name), &variable.default_value) {
            (Some(value), _) => value,
            (None, Some(default)) => literal(default),
            (None, None) => {
                if variable.ty.is_non_null() {
                    pass.report(format!("of required type \"{}\" was not provided", variable.ty), &[]);
                }
                continue;
            }
        };
        let value = pass.value(value, &variable.ty, &mut Vec::new());
        coerced.insert(name.to_owned(), value);
    }
    if pass.broken.is_empty() { Ok(coerced) } else { Err(pass.broken) }
}

/// A literal without variables as the JSON that a client would send for it.
fn literal(value: &ast::Value) -> Value {
    match value {
        ast::Value::Null | ast::Value::Variable(_) => Value::Null,
        ast::Value::Enum(name) => Value::from(name.as_str()),
        ast::Value::String(text) => Value::from(text.as_str()),
        ast::Value::Boolean(value) => Value::from(*value),
        ast::Value::Int(_) | ast::Value::Float(_) => {
            let number = value.serialize().no_indent().to_string();
            serde_json::from_str(&number).unwrap_or(Value::Null)
        }
        ast::Value::List(values) => values.iter().map(|value| literal(value)).collect(),
        ast::Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.to_string(), literal(value))).collect())
        }
    }
}

/// Where in a variable's value something is.
enum Step {
    Field(String),
    Index(usize),
}

struct Pass<'a> {
    schema: &'a Schema,
    variable: &'a str,
    at: usize,
    broken: Vec<Broken>,
}

impl Pass<'_> {
    fn report(&mut self, what: String, path: &[Step]) {
        if self.broken.len() >= MAX_BROKEN {
            return;
        }
        let mut place = self.variable.to_owned();
        for step in path {
            match step {
                Step::Field(name) => place.push_str(&format!(".{name}")),
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        self.broken.push(Broken { message: format!("Variable \"${place}\" {what}."), at: vec![self.at] });
    }

    fn value(&mut self, value: Value, ty: &Type, path: &mut Vec<Step>) -> Value {
        match (value, ty) {
            (Value::Null, ty) => {
                if ty.is_non_null() {
                    self.report(format!("of type \"{ty}\" must not be null"), path);
                }
                Value::Null
            }
            (Value::Array(values), Type::List(item) | Type::NonNullList(item)) => {
                let mut coerced = Vec::with_capacity(values.len());
                for (index, value) in values.into_iter().enumerate() {
                    path.push(Step::Index(index));
                    coerced.push(self.value(value, item, path));
                    path.pop();
                }
                Value::Array(coerced)
            }
            (value, Type::List(item) | Type::NonNullList(item)) => Value::Array(vec![self.value(value, item, path)]),
            (value, Type::Named(name) | Type::NonNullNamed(name)) => self.named(value, name, path),
        }
    }

    fn named(&mut self, value: Value, name: &str, path: &mut Vec<Step>) -> Value {
        let schema = self.schema;
        match schema.types.get(name) {
            Some(ExtendedType::InputObject(input)) => match value {
                Value::Object(fields) => self.object(fields, input, path),
                other => self.wrong(&other, name, path),
            },
            Some(ExtendedType::Enum(values)) => match &value {
                Value::String(text) if values.values.contains_key(text.as_str()) => value,
                _ => self.wrong(&value, name, path),
            },
            _ => match scalar(value, name) {
                Ok(value) => value,
                Err(value) => self.wrong(&value, name, path),
            },
        }
    }

    fn object(
        &mut self,
        mut given: Map<String, Value>,
        input: &apollo_compiler::schema::InputObjectType,
        path: &mut Vec<Step>,
    ) -> Value {
        let is_one_of = input.directives.has("oneOf");
        if is_one_of && (given.len() != 1 || given.values().any(Value::is_null)) {
            self.report(format!("of type \"{}\" must have exactly one field, and not null", input.name), path);
        }
        let mut coerced = Map::new();
        for (field, definition) in &input.fields {
            let value = match (given.remove(field.as_str()), &definition.default_value) {
                (Some(value), _) => value,
                (None, Some(default)) => literal(default),
                (None, None) => {
                    if definition.ty.is_non_null() {
                        let what = format!("lacks its field \"{field}\" of required type \"{}\"", definition.ty);
                        self.report(what, path);
                    }
                    continue;
                }
            };
            path.push(Step::Field(field.to_string()));
            let value = self.value(value, &definition.ty, path);
            path.pop();
            coerced.insert(field.to_string(), value);
        }
        for field in given.keys() {
            self.report(format!("has a field {} that type \"{}\" does not have", quote(field), input.name), path);
        }
        Value::Object(coerced)
    }

    fn wrong(&mut self, value: &Value, wanted: &str, path: &[Step]) -> Value {
        let shown = match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::String(text) => quote(text),
            other => other.to_string(),
        };
        self.report(format!("got {shown}, which is not a value of type \"{wanted}\""), path);
        Value::Null
    }
}

/// A scalar's value; the value itself when it is none. Scalars of our own take any: their resolvers judge.
fn scalar(value: Value, name: &str) -> Result<Value, Value> {
    match (name, value) {
        ("Int", Value::Number(number)) => {
            whole(&number).and_then(|n| i32::try_from(n).ok()).map(Value::from).ok_or(Value::Number(number))
        }
        // `ID` takes numbers too.
        ("ID", Value::Number(number)) => {
            whole(&number).map(|n| Value::from(n.to_string())).ok_or(Value::Number(number))
        }
        ("Float", value @ Value::Number(_)) => Ok(value),
        ("String" | "ID", value @ Value::String(_)) | ("Boolean", value @ Value::Bool(_)) => Ok(value),
        ("Int" | "ID" | "Float" | "String" | "Boolean", value) => Err(value),
        (_, value) => Ok(value),
    }
}

/// A number without a fraction, however it is written: `1.0` and `1e3` are whole.
fn whole(number: &Number) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(n), _, _) => Some(n.into()),
        (_, Some(n), _) => Some(n.into()),
        (_, _, Some(n)) if n.fract() == 0.0 && n.abs() <= EXACT => Some(n as i128),
        _ => None,
    }
}
