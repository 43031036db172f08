//! Small JSON bodies: what clients send to change something. Sessions themselves come in through `upload`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};
use sg_domain::Digest;

use super::failure::Failure;

/// The largest of these bodies, in bytes: a title of 500 characters, escaped, many times over.
const MAX_BYTES: usize = 64 * 1024;

/// A JSON object.
pub(super) struct JsonBody {
    fields: Map<String, Value>,
    /// Of the bytes as they were sent.
    pub(super) digest: Digest,
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = small(request).await?;
        let digest = Digest::of(&bytes);
        let fields = serde_json::from_slice(&bytes).map_err(|_| Failure::invalid("Invalid JSON in request body"))?;
        Ok(Self { fields, digest })
    }
}

/// A small body, whole.
async fn small(request: Request) -> Result<Bytes, Failure> {
    match Limited::new(request.into_body(), MAX_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Failure::too_large(format!("Request body is larger than {MAX_BYTES} bytes")))
        }
        Err(error) => {
            tracing::info!(%error, "request body could not be read");
            Err(Failure::invalid("Request body could not be read"))
        }
    }
}

impl JsonBody {
    /// A text, when it is there.
    pub(super) fn text(&self, field: &str) -> Result<Option<String>, Failure> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(invalid(field, "a string")),
        }
    }

    /// A text or null, when it is there.
    pub(super) fn text_or_null(&self, field: &str) -> Result<Option<Option<String>>, Failure> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
            Some(_) => Err(invalid(field, "a string or null")),
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required_text(&self, field: &str) -> Result<String, Failure> {
        match self.text(field) {
            Ok(Some(text)) if !text.is_empty() => Ok(text),
            Ok(_) => Err(Failure::invalid(format!("Missing required field: {field}"))),
            Err(failure) => Err(failure),
        }
    }

    /// True or false, when it is there.
    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, Failure> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(invalid(field, "true or false")),
        }
    }

    /// A field, whatever it is.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// Whether it has a field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }
}

/// A value that a field cannot have.
pub(super) fn invalid(field: &str, must_be: &str) -> Failure {
    Failure::invalid(format!("Invalid value for {field}. Must be {must_be}"))
}
