//! Finds out who calls, from where and how often, and never refuses: 401, 403 and 429 are worded by each dialect.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, header};
use sg_domain::{Error, ErrorKind, NotCounted};

use super::failure::failure;
use super::{client_address, request};

/// Puts the [`sg_domain::Caller`] and the [`sg_domain::ClientAddress`] into the request. Only a database that does not answer stops a request here.
pub(crate) async fn identify(State(state): State<super::State>, mut request: Request, next: Next) -> Response {
    let id = request::id(&request);
    let address = client_address::of(&request, &state.config.http);
    request.extensions_mut().insert(address);
    let secret = bearer(request.headers()).map(str::to_owned);
    let identified = state.app.identify(secret.as_deref(), id.as_str().to_owned());
    let identified = tokio::time::timeout(state.config.http.request_timeout(), identified).await;
    match identified.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, "the database takes too long"))) {
        Ok(mut caller) => {
            let counted = state.rate_limits.count(&request, address, &mut caller);
            if let Some(counted) = &counted {
                request.extensions_mut().insert(counted.standing.rate);
            }
            request.extensions_mut().insert(caller);
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
