//! What a client may send, read strictly: whatever the protocol does not know ends the socket.

use serde_json::{Map, Value};

use crate::http::params::Params;

/// A message of a client.
pub(super) enum Incoming {
    /// `connection_init`.
    Init(Credential),
    /// `ping`; its payload comes back.
    Ping(Option<Value>),
    /// `pong`.
    Pong,
    /// `subscribe`.
    Subscribe {
        /// The client's name for the operation.
        id: String,
        /// What to run.
        params: Params,
    },
    /// `complete`: the client has heard enough.
    Complete(String),
}

/// What a client shows to say who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: the request that opened the socket may have said it.
    Missing,
    /// The secret of a key or a device.
    Bearer(String),
    /// The token of a page of this server, whose cookie came with the request that opened the socket.
    Page(String),
}

/// The longest id of an operation, in bytes.
const MAX_ID_BYTES: usize = 256;
/// Where clients put a key beside an `Authorization`, in lower case.
const KEYS: [&str; 8] = ["key", "token", "apikey", "api_key", "authtoken", "accesstoken", "access_token", "x-api-key"];
/// Where the playground puts its token.
const PAGE: &str = "x-csrf-token";

/// Reads a message; what is wrong with it otherwise.
pub(super) fn read(text: &str) -> Result<Incoming, String> {
    let Ok(Value::Object(mut message)) = serde_json::from_str::<Value>(text) else {
        return Err("Invalid message: it is not a JSON object".to_owned());
    };
    let kind = match message.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => return Err("Invalid message: its type is missing".to_owned()),
    };
    let payload = message.remove("payload").filter(|payload| !payload.is_null());
    if payload.as_ref().is_some_and(|payload| !payload.is_object()) {
        return Err(format!("Invalid message: the payload of {} is not an object", shown(&kind)));
    }
    match kind.as_str() {
        "connection_init" => Ok(Incoming::Init(credential(payload.as_ref().and_then(Value::as_object)))),
        "ping" => Ok(Incoming::Ping(payload)),
        "pong" => Ok(Incoming::Pong),
        "complete" => Ok(Incoming::Complete(id(&mut message)?)),
        "subscribe" => {
            let id = id(&mut message)?;
            let Some(Value::Object(payload)) = payload else {
                return Err("Invalid message: a subscribe has no payload".to_owned());
            };
            let params = Params::of_values(payload).map_err(|error| format!("Invalid message: {}", error.message))?;
            if params.query.is_none() && params.document_id.is_none() {
                return Err("Invalid message: the query is missing".to_owned());
            }
            Ok(Incoming::Subscribe { id, params })
        }
        "start" | "stop" | "connection_terminate" => {
            Err(format!("Invalid message: {kind} is of the older protocol graphql-ws, speak graphql-transport-ws"))
        }
        kind => Err(format!("Invalid message: {} is not what a client sends", shown(kind))),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Ok(id),
        _ => Err(format!("Invalid message: its id must be text of 1 to {MAX_ID_BYTES} bytes")),
    }
}

fn shown(kind: &str) -> &str {
    &kind[..kind.floor_char_boundary(30)]
}

/// Finds the credential where clients put it: as the header they would send, alone or among `headers`, or as a bare key.
fn credential(payload: Option<&Map<String, Value>>) -> Credential {
    let Some(payload) = payload else { return Credential::Missing };
    let headers = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("headers"));
    let headers = headers.and_then(|(_, headers)| headers.as_object());
    for place in [Some(payload), headers].into_iter().flatten() {
        if let Some(value) = text(place, |name| name == "authorization") {
            return Credential::Bearer(bearer(value).to_owned());
        }
        if let Some(value) = text(place, |name| KEYS.contains(&name)) {
            return Credential::Bearer(bearer(value).to_owned());
        }
        if let Some(value) = text(place, |name| name == PAGE) {
            return Credential::Page(value.to_owned());
        }
    }
    Credential::Missing
}

fn text(place: &Map<String, Value>, is_it: impl Fn(&str) -> bool) -> Option<&str> {
    let found = place.iter().find(|(name, value)| value.is_string() && is_it(&name.to_ascii_lowercase()));
    found.and_then(|(_, value)| value.as_str()).map(str::trim).filter(|value| !value.is_empty())
}

/// A key with or without its scheme. One with another scheme stays as it is, which no key is.
fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_wherever_clients_put_it() {
        let bearer = |secret: &str| Credential::Bearer(secret.to_owned());
        for (payload, want) in [
            (json!({ "Authorization": "Bearer k" }), bearer("k")),
            (json!({ "authorization": "bearer  k " }), bearer("k")),
            (json!({ "authorization": "k" }), bearer("k")),
            (json!({ "authorization": "Basic abc" }), bearer("Basic abc")),
            (json!({ "headers": { "Authorization": "Bearer k" } }), bearer("k")),
            (json!({ "headers": { "X-Api-Key": "k" }, "other": 1 }), bearer("k")),
            (json!({ "key": "k" }), bearer("k")),
            (json!({ "token": "Bearer k" }), bearer("k")),
            (json!({ "authToken": "k" }), bearer("k")),
            (json!({ "X-CSRF-Token": "t" }), Credential::Page("t".to_owned())),
            (json!({ "authorization": "", "key": 1, "headers": "Bearer k" }), Credential::Missing),
            (json!({}), Credential::Missing),
        ] {
            assert!(credential(payload.as_object()) == want, "{payload}");
        }
    }
}
