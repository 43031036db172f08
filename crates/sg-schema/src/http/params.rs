//! The parameters of a request, out of a JSON body or a query string.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::{Map, Value};
use sg_domain::{Error, ErrorKind, Result};

/// A GraphQL request's parameters.
#[derive(Debug, Default)]
pub(crate) struct Params {
    /// The document; may be left out when it was persisted.
    pub(crate) query: Option<String>,
    /// Which of its operations.
    pub(crate) operation_name: Option<String>,
    /// Values.
    pub(crate) variables: Map<String, Value>,
    /// What a document that is left out is known by: its SHA-256, or an id of a manifest.
    pub(crate) document_id: Option<String>,
}

/// Why there are no parameters.
#[derive(Debug)]
pub(super) enum Malformed {
    /// The body has a media type that is not JSON.
    MediaType(Error),
    /// The body or the query string is not what it should be.
    Params(Error),
}

impl From<Error> for Malformed {
    fn from(error: Error) -> Self {
        Self::Params(error)
    }
}

impl Params {
    /// Reads the parameters of a POST's body or a GET's query string.
    pub(super) fn read(request: &Request<Bytes>) -> std::result::Result<Self, Malformed> {
        if request.method() == Method::GET {
            return Ok(Self::of_values(query_values(request.uri().query().unwrap_or_default())?)?);
        }
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_json(content_type) {
            return Err(Malformed::MediaType(Error::new(
                ErrorKind::Unsupported,
                "unsupported content type, send application/json in UTF-8",
            )));
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|_| Error::invalid("the body is not JSON, send an object with a query"))?;
        match body {
            Value::Object(values) => Ok(Self::of_values(values)?),
            Value::Array(_) => Err(Error::invalid("batches are not supported, send one operation a request").into()),
            _ => Err(Error::invalid("the body is not an object, send an object with a query").into()),
        }
    }

    /// Reads the parameters of an object.
    pub(crate) fn of_values(mut values: Map<String, Value>) -> Result<Self> {
        let mut text = |name: &str| match values.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::invalid(format!("{name} is not a string"))),
        };
        let query = text("query")?.filter(|query| !query.is_empty());
        // `doc_id` is how Relay's clients say it.
        let document_id = text("documentId")?.or(text("doc_id")?).filter(|id| !id.is_empty());
        // An empty name is what some clients send for none.
        let operation_name = text("operationName")?.filter(|name| !name.is_empty());
        let mut object = |name: &str| match values.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(Error::invalid(format!("{name} is not an object"))),
        };
        let variables = object("variables")?;
        let extensions = object("extensions")?;
        let document_id = document_id.or(persisted(&extensions)?);
        Ok(Self { query, operation_name, variables, document_id })
    }
}

/// The hash of an automatic persisted query. Clients of a manifest send its ids in this place too.
fn persisted(extensions: &Map<String, Value>) -> Result<Option<String>> {
    let Some(persisted) = extensions.get("persistedQuery") else { return Ok(None) };
    let bad = || Error::invalid("extensions.persistedQuery needs version 1 and a sha256Hash");
    if persisted.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(bad());
    }
    let hash = persisted.get("sha256Hash").and_then(Value::as_str).ok_or_else(bad)?;
    Ok(Some(hash.to_owned()))
}

/// A query string's parameters; those that hold JSON are read as such.
fn query_values(query: &str) -> Result<Map<String, Value>> {
    let mut values = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        let value = match name.as_str() {
            "query" | "operationName" | "documentId" | "doc_id" => Value::String(value),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => {
                serde_json::from_str(&value).map_err(|_| Error::invalid(format!("{name} is not JSON")))?
            }
            _ => continue,
        };
        if values.insert(name.clone(), value).is_some() {
            return Err(Error::invalid(format!("{name} stands twice in the query string")));
        }
    }
    Ok(values)
}

/// Undoes `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let both = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(both.ok_or_else(|| Error::invalid("the query string has a broken % escape"))?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("the query string is not UTF-8"))
}

/// Whether a `Content-Type` is JSON in UTF-8. Nothing else is read: what a form may send across origins would let any
/// page ask in its visitor's name.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
                let value = value.trim().trim_matches('"');
                value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(content_type: &str, body: &str) -> std::result::Result<Params, Malformed> {
        let request = Request::post("/graphql").header(CONTENT_TYPE, content_type);
        Params::read(&request.body(Bytes::from(body.to_owned())).unwrap())
    }

    fn get(query: &str) -> std::result::Result<Params, Malformed> {
        Params::read(&Request::get(format!("/graphql?{query}")).body(Bytes::new()).unwrap())
    }

    #[test]
    fn bodies() {
        let params = post("application/json", r#"{"query":"{a}","variables":{"x":1},"operationName":""}"#).unwrap();
        assert_eq!((params.query.as_deref(), params.operation_name), (Some("{a}"), None));
        assert_eq!(params.variables["x"], 1);
        assert!(post("Application/JSON; charset=\"UTF-8\"", "{}").unwrap().query.is_none());
        for content_type in ["", "text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded"]
        {
            assert!(matches!(post(content_type, "{}"), Err(Malformed::MediaType(_))), "{content_type}");
        }
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "nonsense",
            "[]",
            "1",
            r#"{"query":1}"#,
            r#"{"variables":[]}"#,
            r#"{"operationName":{}}"#,
            r#"{"extensions":"x"}"#,
            r#"{"extensions":{"persistedQuery":{"version":2}}}"#,
            deep.as_str(),
        ] {
            assert!(matches!(post("application/json", body), Err(Malformed::Params(_))), "{body}");
        }
    }

    #[test]
    fn query_strings() {
        let params = get("query=%7B+a%20%7D&variables=%7B%22x%22%3A1%7D&operationName=Q&other=%zz").err();
        assert!(params.is_some(), "a broken escape anywhere is refused");
        let params = get("query=%7B+a%20%7D&variables=%7B%22x%22%3A1%7D&operationName=Q&other=1").unwrap();
        assert_eq!(params.query.as_deref(), Some("{ a }"));
        assert_eq!(params.operation_name.as_deref(), Some("Q"));
        assert_eq!(params.variables["x"], 1);
        for bad in ["query=%ff", "query=a&query=b", "variables=nonsense", "variables=1", "query=%2"] {
            assert!(get(bad).is_err(), "{bad}");
        }
    }
}
