//! Finds out who calls, from where and how often, and never refuses: 401, 403 and 429 are worded by each dialect.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, header};
use sg_domain::{Caller, DataVersion, Error, ErrorKind, NotCounted, Result};

use super::failure::{failure, is_graphql};
use super::{client_address, request};

/// Carries the token that only this server's own pages can know. With it, and only for GraphQL, a signed-in browser's
/// cookie counts: no other site can read the token, nor send the header without being asked first.
const PAGE_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// What shows who calls; kept by what lasts, to be shown again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing.
    Missing,
    /// The secret of a key or a device.
    Bearer(String),
    /// The secret of a signed-in browser's cookie, which came with its page's token.
    Cookie(String),
}

impl Proof {
    /// What a request shows. A key wins over the page that it was typed into.
    pub(crate) fn of(headers: &HeaderMap, path: &str, public_url: &str) -> Self {
        if let Some(secret) = bearer(headers) {
            return Self::Bearer(secret.to_owned());
        }
        let token = headers.get(PAGE_TOKEN).filter(|_| is_graphql(path)).and_then(|token| token.to_str().ok());
        token.map_or(Self::Missing, |token| Self::of_page(headers, token, public_url))
    }

    /// What a page's token shows together with the headers of a request.
    pub(crate) fn of_page(headers: &HeaderMap, token: &str, public_url: &str) -> Self {
        sg_web::cookie_of_page(headers, token, public_url).map_or(Self::Missing, Self::Cookie)
    }
}

impl super::State {
    /// Finds out whose it is. Only a database that does not answer is an error.
    pub(crate) async fn caller(&self, proof: &Proof, request_id: &str) -> Result<Caller> {
        Ok(self.caller_with_version(proof, request_id).await?.0)
    }

    /// The same, and the version of the caller's data where that costs nothing.
    async fn caller_with_version(&self, proof: &Proof, request_id: &str) -> Result<(Caller, Option<DataVersion>)> {
        let request_id = request_id.to_owned();
        let identified = async {
            match proof {
                Proof::Missing => self.app.identify_with_version(None, request_id).await,
                Proof::Bearer(secret) => self.app.identify_with_version(Some(secret), request_id).await,
                Proof::Cookie(secret) => Ok((self.app.identify_web(Some(secret), request_id).await?, None)),
            }
        };
        let identified = tokio::time::timeout(self.config.http.request_timeout(), identified).await;
        identified.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, "the database takes too long")))
    }
}

/// Puts the [`Caller`] and the [`sg_domain::ClientAddress`] into the request. Only a database that does not answer stops a request here.
pub(crate) async fn identify(State(state): State<super::State>, mut request: Request, next: Next) -> Response {
    let id = request::id(&request);
    let address = client_address::of(&request, &state.config.http);
    request.extensions_mut().insert(address);
    let proof = Proof::of(request.headers(), request.uri().path(), &state.config.http.public_url);
    match state.caller_with_version(&proof, id.as_str()).await {
        Ok((mut caller, version)) => {
            let counted = state.rate_limits.count(&request, address, &mut caller);
            if let Some(counted) = &counted {
                request.extensions_mut().insert(counted.standing.rate);
            }
            request.extensions_mut().insert(caller);
            if let Some(version) = version {
                request.extensions_mut().insert(version);
            }
            let response = next.run(request).await;
            if let Some(counted) = counted.filter(|_| response.extensions().get::<NotCounted>().is_some()) {
                state.rate_limits.give_back(&counted);
            }
            response
        }
        // A probe must hear of a database that is gone from the probe itself.
        Err(_) if matches!(request.uri().path(), "/healthz" | "/readyz") => next.run(request).await,
        Err(error) => {
            tracing::error!(error = ?error, "caller could not be identified");
            failure(request.uri().path(), &id, ErrorKind::Unavailable, "the database does not answer, try again")
        }
    }
}

/// The credential of `Authorization: Bearer …`; the scheme's case does not matter, other schemes are not credentials.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim()).filter(|secret| !secret.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_credentials_count() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("Bearer "), None);
        assert_eq!(of("abc"), None);
    }
}
