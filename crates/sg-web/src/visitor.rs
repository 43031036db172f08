//! Who looks at a page: found by the sign-in cookie, which only pages read. An API key is no visitor, and a cookie alone is
//! no credential anywhere below `/api` or for GraphQL.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::Response;
use cookie::{Cookie, SameSite};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use sg_domain::{Caller, ClientAddress, Result};

use crate::failure::problem;
use crate::{Pages, answer, csrf, next};

/// The name of the sign-in cookie.
pub(crate) const COOKIE: &str = "sg_session";

/// Somebody who is signed in. As an extractor it sends everyone else to the sign-in page and back; `Option<Visitor>` lets
/// everyone in.
pub(crate) struct Visitor {
    /// As operations see them.
    pub(crate) caller: Caller,
    /// Their mail address.
    pub(crate) email: String,
    /// The token that their forms carry, in the field [`csrf::FIELD`].
    pub(crate) csrf: String,
    cookie: String,
}

impl Visitor {
    /// Whether this is the token of their forms.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        csrf::is_token(&self.cookie, given)
    }

    /// Their cookie, to sign them out.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    async fn of(parts: &Parts, pages: &Pages) -> Result<Option<Self>> {
        let Some(cookie) = read(&parts.headers, COOKIE) else { return Ok(None) };
        let request_id = parts.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let request_id = match parts.extensions.get::<Caller>() {
            Some(caller) => caller.request_id.clone(),
            None => request_id.to_owned(),
        };
        let caller = pages.app.identify_web(Some(&cookie), request_id).await?;
        if caller.identity.is_err() {
            return Ok(None);
        }
        let email = pages.app.viewer(&caller).await?.email;
        Ok(Some(Self { caller, email, csrf: csrf::token(&cookie), cookie }))
    }
}

impl FromRequestParts<Pages> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Response> {
        match Self::of(parts, pages).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) if matches!(parts.method, Method::GET | Method::HEAD) => {
                let wanted = parts.uri.path_and_query().map_or("/", |wanted| wanted.as_str());
                Err(answer::see_other(&next::login(wanted)))
            }
            // What a form says is lost: it cannot be sent again after signing in.
            Ok(None) => Err(answer::see_other("/login")),
            Err(error) => Err(problem(&error, None)),
        }
    }
}

impl OptionalFromRequestParts<Pages> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Option<Self>, Response> {
        Self::of(parts, pages).await.map_err(|error| problem(&error, None))
    }
}

/// Where a request came from.
pub(crate) fn address(parts: &Parts) -> Option<ClientAddress> {
    parts.extensions.get::<ClientAddress>().copied()
}

/// A cookie of a request; of a name that comes twice the first.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(n, value)| n.trim() == name && !value.trim().is_empty());
    found.map(|(_, value)| value.trim().to_owned())
}

/// A cookie that scripts cannot read and other sites' forms do not carry; without an age, gone with the browser.
pub(crate) fn made<'a>(
    name: &'a str,
    value: &'a str,
    path: &'a str,
    age_secs: Option<i64>,
    is_secure: bool,
) -> Cookie<'a> {
    let mut cookie = Cookie::build((name, value)).path(path).http_only(true).same_site(SameSite::Lax).secure(is_secure);
    if let Some(secs) = age_secs {
        cookie = cookie.max_age(cookie::time::Duration::seconds(secs));
    }
    cookie.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let of = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            read(&headers, COOKIE)
        };
        assert_eq!(of(&["a=b; sg_session=x=y; c=d"]).as_deref(), Some("x=y"));
        assert_eq!(of(&["a=b", "sg_session=1;sg_session=2"]).as_deref(), Some("1"));
        assert_eq!(of(&["my_sg_session=1", "sg_session=", "sg_session"]), None);
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let made = made(COOKIE, "v", "/", Some(60), true).to_string();
        assert_eq!(made, "sg_session=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60");
        assert!(!super::made(COOKIE, "v", "/", None, false).to_string().contains("Secure"));
    }
}
