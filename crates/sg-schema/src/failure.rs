//! Errors on their way out: code, details, request id; what is ours alone is logged and masked.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, PathSegment, ServerError, Value};
use sg_app::CURRENT_ETAG;
use sg_domain::{Error, ErrorKind};

/// A domain error inside a resolver. It must not implement `Display`: async-graphql converts everything that does, and
/// that conversion drops the code.
#[derive(Clone)]
pub(crate) struct Failure(Arc<Error>);

/// What a resolver of a non-null field returns.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// What a resolver of a nullable field returns. Not `Result<Option<T>>`: the library lets an error of that climb to the
/// parent, where the specification wants a null here.
pub(crate) type Nullable<T> = Option<Result<T, Failure>>;

/// The most errors one response carries.
const MAX_ERRORS: usize = 20;
/// The longest message that is passed on: it may quote a whole input value.
const MAX_MESSAGE_CHARS: usize = 500;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl Failure {
    /// The failure of another error. One that is shared is left as it is: it is a loader's, and about no input.
    pub(crate) fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(error) => change(error).into(),
            Err(shared) => Self(shared),
        }
    }
}

impl From<Arc<Error>> for Failure {
    fn from(error: Arc<Error>) -> Self {
        Self(error)
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        // The code is added by `present`, which knows the request; the source carries everything that needs.
        Self { message: failure.0.message.clone(), source: Some(failure.0), extensions: None }
    }
}

/// A domain error at a place of its own (a document, a variable), without a path.
pub(crate) fn server_error(error: Error) -> ServerError {
    let mut made = ServerError::new(error.message.clone(), None);
    made.source = Some(Arc::new(error));
    made
}

/// An error with a code that is GraphQL's alone.
pub(crate) fn coded_error(message: &str, code: &'static str) -> ServerError {
    let mut made = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    made.extensions = Some(extensions);
    made
}

/// Gives every error its code and the request id, masks and logs what a caller must not see, and keeps the first
/// twenty.
pub(crate) fn present(errors: Vec<ServerError>, request_id: &str) -> Vec<ServerError> {
    errors.into_iter().take(MAX_ERRORS).map(|error| present_one(error, request_id)).collect()
}

fn present_one(mut error: ServerError, request_id: &str) -> ServerError {
    let mut extensions = error.extensions.take().unwrap_or_default();
    let source = error.source.take();
    match source.as_deref().map(|s| s.downcast_ref::<Error>()) {
        Some(Some(ours)) => {
            extensions.set("code", ours.kind.code());
            for (name, value) in &ours.details {
                match *name {
                    // As the field `etag` has it.
                    CURRENT_ETAG => extensions.set(name, format!("W/\"{value}\"")),
                    name => extensions.set(name, value.as_str()),
                }
            }
            if let Some(path) = &ours.input {
                // Every mutation takes one argument. A name never is a number; places in lists are.
                let part = |part: &String| part.parse::<u64>().map_or_else(|_| Value::from(part.as_str()), Value::from);
                let path = std::iter::once(Value::from("input")).chain(path.iter().map(part));
                extensions.set("inputPath", Value::List(path.collect()));
            }
            error.message = match ours.kind {
                ErrorKind::Internal => {
                    log_internal(ours, &error.path, request_id);
                    "internal error".to_owned()
                }
                ErrorKind::RateLimited { retry_after } => {
                    // Rounded up: whoever waits that long gets in.
                    let is_partial = retry_after.subsec_nanos() > 0;
                    extensions.set("retryAfter", retry_after.as_secs() + u64::from(is_partial));
                    ours.message.clone()
                }
                ErrorKind::Unavailable => {
                    tracing::warn!(request_id, path = %shown(&error.path), error = %chain(ours), "part unavailable");
                    ours.message.clone()
                }
                _ => ours.message.clone(),
            };
        }
        // A foreign error: whatever it says is not for callers.
        Some(None) => {
            tracing::error!(request_id, path = %shown(&error.path), message = error.message, "unexpected error in a resolver");
            error.message = "internal error".to_owned();
            extensions.set("code", ErrorKind::Internal.code());
        }
        // No source: the library's own words about the request.
        None => {
            if extensions.get("code").is_none() {
                extensions.set("code", ErrorKind::Invalid.code());
            }
        }
    }
    if error.message.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        error.message = error.message.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect();
    }
    with_request_id(&mut extensions, request_id);
    error.extensions = Some(extensions);
    error
}

fn with_request_id(extensions: &mut ErrorExtensionValues, request_id: &str) {
    extensions.set("requestId", Value::from(request_id));
}

fn log_internal(error: &Error, path: &[PathSegment], request_id: &str) {
    tracing::error!(request_id, path = %shown(path), error = %chain(error), "internal error in a resolver");
}

fn chain(error: &Error) -> String {
    let mut text = error.message.clone();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn shown(path: &[PathSegment]) -> String {
    let segment = |segment: &PathSegment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    };
    path.iter().map(segment).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: &ServerError) -> Option<&Value> {
        error.extensions.as_ref().and_then(|e| e.get("code"))
    }

    #[test]
    fn internal_and_foreign_errors_are_masked() {
        let ours = server_error(Error::internal("disk /secret/path is full"));
        let mut foreign = ServerError::new("secret", None);
        foreign.source = Some(Arc::new(std::fmt::Error));
        for error in present(vec![ours, foreign], "r1") {
            assert_eq!(error.message, "internal error");
            assert_eq!(code(&error), Some(&Value::from("INTERNAL_SERVER_ERROR")));
            assert_eq!(error.extensions.as_ref().and_then(|e| e.get("requestId")), Some(&Value::from("r1")));
        }
    }

    #[test]
    fn details_and_codes_stay_and_errors_are_counted() {
        let error = || server_error(Error::not_found("project").with("projectId", "p1"));
        let shown = present((0..50).map(|_| error()).collect(), "r1");
        assert_eq!(shown.len(), MAX_ERRORS);
        assert_eq!(shown[0].message, "project not found");
        assert_eq!(code(&shown[0]), Some(&Value::from("NOT_FOUND")));
        assert_eq!(shown[0].extensions.as_ref().and_then(|e| e.get("projectId")), Some(&Value::from("p1")));
    }

    #[test]
    fn the_place_of_a_bad_input_is_told() {
        let error = Error::invalid("too long").at("3").at("tags").with(CURRENT_ETAG, "ab");
        let shown = present(vec![server_error(error)], "r1");
        let extensions = shown[0].extensions.as_ref().unwrap();
        let path = Value::List(vec!["input".into(), "tags".into(), 3.into()]);
        assert_eq!(extensions.get("inputPath"), Some(&path));
        assert_eq!(extensions.get("currentEtag"), Some(&Value::from("W/\"ab\"")));
    }

    #[test]
    fn the_librarys_own_words_are_the_callers_fault_and_cut() {
        let shown = present(vec![ServerError::new("ß".repeat(600), None)], "r1");
        assert_eq!(code(&shown[0]), Some(&Value::from("VALIDATION_ERROR")));
        assert_eq!(shown[0].message.chars().count(), MAX_MESSAGE_CHARS + 1);
    }
}
