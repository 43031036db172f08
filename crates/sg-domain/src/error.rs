//! The one error every ring ends in. Each ring has its own `thiserror` enum and one `From` into this type; each
//! surface turns `kind` into its own code and status.

use std::fmt;
use std::time::Duration;

/// A result whose error can be shown to a caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, from the caller's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong: a field, a value, a cursor, a document.
    Invalid,
    /// Nobody is signed in, or the credential is not known.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know that there is.
    NotFound,
    /// The thing has changed, or exists already.
    Conflict,
    /// The thing was there and is gone for good.
    Gone,
    /// The request is larger than a limit.
    TooLarge,
    /// The media type or file format is not one we read.
    Unsupported,
    /// Too many requests; `retry_after` says when to try again.
    RateLimited {
        /// How long to wait before the next attempt.
        retry_after: Duration,
    },
    /// A part this server needs does not answer now.
    Unavailable,
    /// A fault of ours. The message is masked at every surface.
    Internal,
}

impl ErrorKind {
    /// The code that GraphQL puts in `extensions.code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "VALIDATION_ERROR",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Gone => "GONE",
            Self::TooLarge => "PAYLOAD_TOO_LARGE",
            Self::Unsupported => "UNSUPPORTED_FORMAT",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The HTTP status. A dialect may differ in documented places (SessionFS answers `Invalid` with 422).
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::RateLimited { .. } => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// An error: its kind, a message that is safe to show, a source that is only logged, and named details.
///
/// Messages are lower case without a full stop, name the thing, and say what to do.
#[derive(Debug)]
pub struct Error {
    /// What went wrong, from the caller's point of view.
    pub kind: ErrorKind,
    /// Safe to show to the caller, except for `Internal`, which every surface masks.
    pub message: String,
    /// The cause; goes to the log and never to a caller.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Named facts a client can act on, such as `projectId`.
    pub details: Vec<(&'static str, String)>,
    /// Which part of what the caller sent is wrong: names of fields from the outermost in, places in lists as numbers.
    /// `Some` and empty is all of it. Surfaces that take one object show it; the others have it in the message.
    pub input: Option<Vec<String>>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, details: Vec::new(), input: None }
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// No such thing, named by its noun: `session not found`.
    pub fn not_found(noun: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("{noun} not found"))
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorKind::Unauthenticated, "invalid or missing authentication token")
    }

    /// The caller's key lacks a scope.
    pub fn missing_scope(scope: crate::Scope) -> Self {
        Self::new(ErrorKind::Forbidden, format!("insufficient permissions, required scope: {}", scope.name()))
            .with("requiredScope", scope.name())
    }

    /// A fault of ours with its cause.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self {
            kind: ErrorKind::Internal,
            message: "internal error".to_owned(),
            source: Some(source),
            details: Vec::new(),
            input: None,
        }
    }

    /// A part we need does not answer.
    pub fn unavailable(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(ErrorKind::Unavailable, message) }
    }

    /// Adds a named detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Says which field is wrong; around an error of a field's part, which field that part is of.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.input.get_or_insert_default().insert(0, field.into());
        self
    }

    /// Says that what was sent is wrong as a whole, unless it is known where.
    #[must_use]
    pub fn in_input(mut self) -> Self {
        self.input.get_or_insert_default();
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| &**s as &(dyn std::error::Error + 'static))
    }
}

/// A value from a caller, fit for an error message: quoted, control characters escaped, cut at 60 characters.
pub fn quote(value: &str) -> String {
    let mut shown: String = value.chars().take(60).flat_map(char::escape_debug).collect();
    if value.chars().nth(60).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
