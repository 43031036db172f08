//! Who may come in. `sg-app` checks again, where it counts.

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, Scope};

use super::failure::Failure;

/// A caller with a good credential, whatever it may do.
pub(super) struct SignedIn;

/// A caller who may read.
pub(super) struct Reader(pub(super) Caller);

/// A caller who may write.
pub(super) struct Writer(pub(super) Caller);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        caller(parts).map(|_| Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = caller(parts)?;
        caller.require(Scope::Read)?;
        Ok(Self(caller.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for Writer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = caller(parts)?;
        caller.require(Scope::Write)?;
        Ok(Self(caller.clone()))
    }
}

/// Refuses who is over a limit before any route is looked at: on those that are open to everyone, nobody else would.
pub(super) async fn refuse_limited(request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>().map(|caller| &caller.identity) {
        Some(Err(Anonymous::Limited { retry_after })) => Failure::limited(*retry_after).into_response(),
        _ => next.run(request).await,
    }
}

fn caller(parts: &Parts) -> Result<&Caller, Failure> {
    let caller = parts.extensions.get::<Caller>().ok_or_else(|| Failure::unauthenticated(Anonymous::Missing))?;
    caller.identity.as_ref().map_err(|why| Failure::unauthenticated(*why))?;
    // Just so, as the original has it: its client sends nothing else.
    let is_bearer = parts.headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    if is_bearer { Ok(caller) } else { Err(Failure::unauthenticated(Anonymous::Missing)) }
}
