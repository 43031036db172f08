//! Forms that change something are taken only from our own pages: each carries a token that only the signed-in browser's
//! own pages can know, and a browser that says where a form comes from must say that it comes from here.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use sg_domain::{Digest, Error, ErrorKind};

use crate::Pages;
use crate::failure::problem;
use crate::visitor::{self, Visitor};

/// The name of the field that holds the token.
pub(crate) const FIELD: &str = "csrf";
/// The largest form, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The token of whoever holds this cookie. It says nothing about the cookie: that has 256 random bits.
pub(crate) fn token(cookie: &str) -> String {
    Digest::of_parts([b"sessiongraph form".as_slice(), cookie.as_bytes()]).to_string()
}

/// Whether a form's token is the cookie's. The comparison is of hashes of both, which nobody can steer: how long it takes
/// tells nothing.
pub(crate) fn is_token(cookie: &str, given: &str) -> bool {
    Digest::of(token(cookie).as_bytes()) == Digest::of(given.as_bytes())
}

/// Whether a browser sent this from a page of ours, by its own account. Every current browser sends `Sec-Fetch-Site`, and
/// `Origin` on forms; what sends neither is no browser, holds nobody's cookie, and is judged by its token alone.
pub(crate) fn is_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return true };
    let authority = |url: &str| url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or("").to_owned());
    let Some(theirs) = authority(origin) else { return false };
    text("host").is_some_and(|host| host.eq_ignore_ascii_case(&theirs))
        || authority(public_url).is_some_and(|ours| ours.eq_ignore_ascii_case(&theirs))
}

/// The secret of a signed-in browser's cookie, if the request also shows the token of this cookie's pages and does not say
/// that it comes from elsewhere. A cookie alone is a credential for pages only: browsers send it whoever asked for it.
pub fn cookie_of_page(headers: &HeaderMap, token: &str, public_url: &str) -> Option<String> {
    let cookie = visitor::read(headers, visitor::COOKIE)?;
    (is_token(&cookie, token) && is_from_here(headers, public_url)).then_some(cookie)
}

/// The fields of a form.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field; the first of a name that comes twice.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field that may be ticked several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The fields of a body, which must be a form of a page of ours.
    pub(crate) async fn read(parts: &Parts, body: axum::body::Body, public_url: &str) -> Result<Self, Error> {
        if !is_from_here(&parts.headers, public_url) {
            return Err(Error::new(ErrorKind::Forbidden, "this form was not sent from a page of this server"));
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded") {
            return Err(Error::new(ErrorKind::Unsupported, "a form must be application/x-www-form-urlencoded"));
        }
        let bytes: Bytes = axum::body::to_bytes(body, MAX_FORM_BYTES).await.map_err(|error| {
            Error::new(ErrorKind::TooLarge, format!("a form must be no larger than {MAX_FORM_BYTES} bytes"))
                .because(error)
        })?;
        // The library's own reader of forms, over the bytes that are here already.
        let request = Request::builder()
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(bytes))
            .map_err(Error::internal)?;
        let form = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
        form.map(|axum::Form(fields)| Self(fields)).map_err(|_| Error::invalid("this is not a form"))
    }
}

/// A form that somebody who is signed in sent from a page of ours.
pub(crate) struct SignedForm {
    /// Who sent it.
    pub(crate) visitor: Visitor,
    /// What it says.
    pub(crate) fields: Fields,
}

impl FromRequest<Pages> for SignedForm {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, pages).await?;
        let fields =
            Fields::read(&parts, body, &pages.settings.public_url).await.map_err(|error| problem(&error, None))?;
        if !visitor.is_token(fields.get(FIELD).unwrap_or_default()) {
            let text = "this form is no longer good, go back, reload the page and try again";
            return Err(problem(&Error::new(ErrorKind::Forbidden, text), None));
        }
        Ok(Self { visitor, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_belongs_to_one_cookie() {
        assert!(is_token("cookie", &token("cookie")));
        for other in ["", "x", &token("cookies"), &token("cookie").to_uppercase(), "cookie"] {
            assert!(!is_token("cookie", other), "{other}");
        }
    }

    #[test]
    fn a_cookie_counts_only_with_its_own_token_and_from_here() {
        let with = |token: &str, site: &'static str| {
            let pairs = [("cookie", "a=b; sg_session=secret"), ("sec-fetch-site", site)];
            cookie_of_page(&headers(&pairs), token, "https://here.example")
        };
        assert_eq!(with(&token("secret"), "same-origin").as_deref(), Some("secret"));
        for (token, site) in [("", "same-origin"), (&token("other"), "same-origin"), (&token("secret"), "cross-site")] {
            assert_eq!(with(token, site), None, "{token} {site}");
        }
        assert_eq!(cookie_of_page(&headers(&[]), &token(""), ""), None);
    }

    #[test]
    fn forms_of_other_sites_are_known_by_what_the_browser_says() {
        let here = "https://here.example";
        for good in [
            &[("host", "here.example")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("host", "HERE.example:8377"), ("origin", "http://here.example:8377")],
            &[("host", "inside:8377"), ("origin", "https://here.example")],
        ] {
            assert!(is_from_here(&headers(good), here), "{good:?}");
        }
        for bad in [
            &[("host", "here.example"), ("sec-fetch-site", "cross-site"), ("origin", "https://here.example")][..],
            &[("sec-fetch-site", "same-site")],
            &[("host", "here.example"), ("origin", "https://evil.example")],
            &[("host", "here.example"), ("origin", "https://here.example.evil.example")],
            &[("host", "here.example"), ("origin", "null")],
            &[("host", "here.example"), ("origin", "")],
            &[("origin", "https://evil.example")],
        ] {
            assert!(!is_from_here(&headers(bad), here), "{bad:?}");
        }
        assert!(!is_from_here(&headers(&[("host", "x"), ("origin", "null")]), ""));
    }
}
