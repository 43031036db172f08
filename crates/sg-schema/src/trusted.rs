//! Trusted documents: a manifest, and nothing else runs.
//!
//! Two forms are read, told apart by themselves: Apollo's persisted query manifest, and the map of ids to documents that
//! graphql-codegen and Relay's compiler write. An id may be anything; the SHA-256 of a document names it too.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use sg_domain::error::quote;
use sg_domain::{Digest, Error, Result};

use crate::guard::{Document, Guard};

/// The documents that may run, by the ids that clients know them by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    documents: Vec<(String, String)>,
}

/// What Apollo's form says it is.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
/// Invalid documents that are told at a time.
const MAX_TOLD: usize = 10;

impl Manifest {
    /// Reads a manifest. Its documents are checked when they are trusted.
    pub fn parse(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json).map_err(|e| {
            Error::invalid(format!("the manifest is not JSON: line {}, column {}", e.line(), e.column()))
        })?;
        let Value::Object(map) = value else {
            return Err(Error::invalid(
                "the manifest is not an object, give it Apollo's form or a map of ids to documents",
            ));
        };
        let documents = match map.get("operations") {
            Some(Value::Array(operations)) => {
                if map.get("format").and_then(Value::as_str) != Some(APOLLO_FORMAT)
                    || map.get("version").and_then(Value::as_u64) != Some(1)
                {
                    return Err(Error::invalid(format!(
                        "the manifest lists operations, but is not {APOLLO_FORMAT} version 1"
                    )));
                }
                operations.iter().enumerate().map(apollo).collect::<Result<Vec<_>>>()?
            }
            _ => {
                let document = |(id, text): (String, Value)| match text {
                    Value::String(text) => Ok((id, text)),
                    _ => Err(Error::invalid(format!("the manifest's entry {} is not a document's text", quote(&id)))),
                };
                map.into_iter().map(document).collect::<Result<Vec<_>>>()?
            }
        };
        if documents.is_empty() {
            return Err(Error::invalid("the manifest holds no document, so nothing would run"));
        }
        Ok(Self { documents })
    }

    /// How many documents it holds.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

fn apollo((at, operation): (usize, &Value)) -> Result<(String, String)> {
    let text = |field: &str| {
        let text = operation.get(field).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| Error::invalid(format!("operation {at} of the manifest has no {field}")))
    };
    Ok((text("id")?, text("body")?))
}

/// Documents of a manifest, checked.
#[derive(Default)]
pub(crate) struct Trusted {
    by_id: HashMap<String, Arc<Document>>,
    by_hash: HashMap<[u8; 32], Arc<Document>>,
}

impl Trusted {
    /// Checks every document. Fails with all that is wrong, up to ten of them.
    pub(crate) fn check(manifest: Manifest, guard: &Guard) -> Result<Self> {
        let mut trusted = Self::default();
        let mut wrong = Vec::new();
        for (id, text) in manifest.documents {
            match guard.checked(&text) {
                Ok(document) => {
                    let document = Arc::new(document);
                    trusted.by_hash.insert(document.hash.0, document.clone());
                    if let Some(other) = trusted.by_id.insert(id.clone(), document.clone())
                        && other.hash != document.hash
                    {
                        wrong.push(format!("{} stands for two documents", quote(&id)));
                    }
                }
                Err(refused) => {
                    let first = refused.errors.first();
                    let place = first.and_then(|error| error.locations.first());
                    let place = place.map(|at| format!(" line {}, column {}:", at.line, at.column)).unwrap_or_default();
                    let message = first.map(|error| error.message.as_str()).unwrap_or("refused");
                    wrong.push(format!("{}:{place} {message}", quote(&id)));
                }
            }
        }
        if wrong.is_empty() {
            return Ok(trusted);
        }
        let more = wrong.len().saturating_sub(MAX_TOLD);
        wrong.truncate(MAX_TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Err(Error::invalid(format!("the manifest has documents that cannot run: {}{more}", wrong.join("; "))))
    }

    /// The document with this id, or this SHA-256.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Document>> {
        let by_hash = || self.by_hash.get(&digest(id)?.0);
        self.by_id.get(id).or_else(by_hash).cloned()
    }

    /// The document with this text.
    pub(crate) fn by_text(&self, text: &str) -> Option<Arc<Document>> {
        self.by_hash.get(&Digest::of(text.as_bytes()).0).cloned()
    }
}

/// The SHA-256 that an id is, with or without the prefix that says so.
pub(crate) fn digest(id: &str) -> Option<Digest> {
    id.strip_prefix("sha256:").unwrap_or(id).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::GraphqlLimits;

    fn told(json: &str) -> String {
        Manifest::parse(json).unwrap_err().message
    }

    fn guard(json: &str) -> Result<Guard> {
        let mut guard = Guard::new(&crate::sdl(), GraphqlLimits::default()).unwrap();
        guard.trust(Manifest::parse(json)?)?;
        Ok(guard)
    }

    #[test]
    fn both_forms_are_read_and_mistakes_are_named() {
        let apollo = r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[
            {"id":"a1","body":"query A { viewer { id } }","name":"A","type":"query"}]}"#;
        assert_eq!(Manifest::parse(apollo).unwrap(), Manifest::parse(r#"{"a1":"query A { viewer { id } }"}"#).unwrap());
        assert!(told("{").contains("line 1"));
        assert!(told("[]").contains("not an object"));
        assert!(told("{}").contains("no document"));
        assert!(told(r#"{"a":1}"#).contains("\"a\""));
        assert!(told(r#"{"operations":[],"version":1}"#).contains("version 1"));
        assert!(told(&apollo.replace("\"body\"", "\"text\"")).contains("operation 0 of the manifest has no body"));
    }

    #[test]
    fn what_cannot_run_is_named_at_the_start() {
        let wrong = guard(r#"{"good":"{ viewer { id } }","bad":"{\n  nope\n}","worse":"{"}"#).err().unwrap().message;
        assert!(wrong.contains("\"bad\": line 2, column 3: Cannot query field"), "{wrong}");
        assert!(wrong.contains("\"worse\": line 1") && !wrong.contains("good"), "{wrong}");
    }

    #[test]
    fn only_what_the_manifest_holds_is_found() {
        let text = "{ viewer { id } }";
        let guard = guard(&serde_json::json!({ "a1": text, "b2": "{ stats { totalSessions } }" }).to_string()).unwrap();
        let hash = Digest::of(text.as_bytes()).to_string();
        for (query, id) in [
            (Some(text), None),
            (None, Some("a1")),
            (None, Some(hash.as_str())),
            (None, Some(&*format!("sha256:{hash}"))),
            (Some(text), Some("a1")),
        ] {
            assert!(guard.requested(query, id).is_ok(), "{query:?} {id:?}");
        }
        for (query, id) in [
            (Some("{ viewer { id } } "), None),
            (None, Some("a2")),
            (Some("{ viewer { email } }"), Some("a1")),
            (Some(text), Some("b2")),
            (Some("{ __schema { queryType { name } } }"), None),
            (Some("{"), None),
        ] {
            assert!(guard.requested(query, id).is_err(), "{query:?} {id:?}");
        }
    }
}
