//! Values that are written in a document: whether they fit where they stand.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Type, Value};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::{Found, Rules, Usage, start};

impl<'d> Rules<'d> {
    /// A value against the type that is wanted there; against none when that is not known.
    pub(super) fn literal(
        &mut self,
        value: &'d Node<Value>,
        ty: Option<&Type>,
        has_default: bool,
        found: &mut Found<'d>,
    ) {
        match &**value {
            Value::Variable(name) => {
                let ty = ty.cloned();
                found.usages.push(Usage { name, at: start(value.location()), ty, has_default });
            }
            Value::Null => {
                if let Some(ty) = ty.filter(|ty| ty.is_non_null()) {
                    let message = format!("Expected value of type \"{ty}\", found null.");
                    self.report(message, [start(value.location())]);
                }
            }
            Value::List(items) => {
                let item = match ty {
                    Some(Type::List(item) | Type::NonNullList(item)) => Some(&**item),
                    Some(ty) => {
                        // A list where none is wanted is wrong as a whole.
                        self.leaf(value, ty);
                        None
                    }
                    None => None,
                };
                for value in items {
                    self.literal(value, item, false, found);
                }
            }
            Value::Object(fields) => self.object(value, fields, ty, found),
            _ => {
                if let Some(ty) = ty {
                    self.leaf(value, ty);
                }
            }
        }
    }

    fn object(
        &mut self,
        value: &'d Node<Value>,
        fields: &'d [(Name, Node<Value>)],
        ty: Option<&Type>,
        found: &mut Found<'d>,
    ) {
        let mut seen: HashMap<&Name, usize> = HashMap::new();
        for (name, _) in fields {
            let at = start(name.location());
            match seen.get(name) {
                Some(first) => {
                    self.report(format!("There can be only one input field named \"{name}\"."), [*first, at]);
                }
                None => drop(seen.insert(name, at)),
            }
        }
        let input = ty.and_then(|ty| self.ty(ty.inner_named_type()));
        let Some(ExtendedType::InputObject(input)) = input else {
            if let Some(ty) = ty {
                self.leaf(value, ty);
            }
            for (_, value) in fields {
                self.literal(value, None, false, found);
            }
            return;
        };
        for (name, definition) in &input.fields {
            if definition.is_required() && !seen.contains_key(name) {
                self.report(
                    format!("Field \"{}.{name}\" of required type \"{}\" was not provided.", input.name, definition.ty),
                    [start(value.location())],
                );
            }
        }
        if input.directives.has("oneOf") {
            let is_one = matches!(fields, [(_, value)] if !value.is_null());
            if !is_one {
                let message = format!("OneOf Input Object \"{}\" must specify exactly one key.", input.name);
                self.report(message, [start(value.location())]);
            }
        }
        for (name, value) in fields {
            let definition = input.fields.get(name);
            if definition.is_none() {
                let message = format!("Field \"{name}\" is not defined by type \"{}\".", input.name);
                self.report(message, [start(name.location())]);
            }
            let has_default = definition.is_some_and(|definition| definition.default_value.is_some());
            self.literal(value, definition.map(|definition| &*definition.ty), has_default, found);
        }
    }

    /// A value where a scalar, an enum's value or an object is wanted.
    fn leaf(&mut self, value: &Node<Value>, ty: &Type) {
        let name = ty.inner_named_type();
        let fits = match self.ty(name) {
            Some(ExtendedType::Scalar(_)) => fits(name, value),
            Some(ExtendedType::Enum(values)) => {
                matches!(&**value, Value::Enum(value) if values.values.contains_key(value))
            }
            Some(ExtendedType::InputObject(_)) => false,
            // Not a type of values: another rule names it.
            _ => true,
        };
        if !fits {
            let shown = shown(value);
            self.report(format!("{ty} cannot represent value: {shown}"), [start(value.location())]);
        }
    }
}

/// Whether a literal is one of this scalar. Scalars of our own take any: their resolvers judge.
fn fits(scalar: &str, value: &Value) -> bool {
    match scalar {
        "Int" => value.to_i32().is_some(),
        "Float" => value.to_f64().is_some(),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => matches!(value, Value::Boolean(_)),
        "ID" => matches!(value, Value::String(_) | Value::Int(_)),
        _ => true,
    }
}

/// A value as it may stand in a message: short.
fn shown(value: &Value) -> String {
    let text = match value {
        ast::Value::List(_) => "a list".to_owned(),
        ast::Value::Object(_) => "an object".to_owned(),
        value => value.serialize().no_indent().to_string(),
    };
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
