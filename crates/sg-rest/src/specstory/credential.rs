//! Who may come in, decided before anything of the request is looked at: the hosted service checks the credential
//! before it routes, so a stranger learns nothing from a 404 or a 400. `sg-app` checks again, where it counts.

use axum::extract::FromRequestParts;
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

fn caller(parts: &Parts) -> Result<&Caller, Failure> {
    let caller = parts.extensions.get::<Caller>().ok_or_else(|| Failure::unauthenticated(None))?;
    match caller.identity {
        Ok(_) => Ok(caller),
        Err(Anonymous::Limited { .. }) => caller.known().map(|_| caller).map_err(Failure::from),
        Err(why) => Err(Failure::unauthenticated(Some(why))),
    }
}
