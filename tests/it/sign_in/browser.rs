//! As much of a browser as signing in needs: cookies, forms, the token on a page.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use sg_server::config::Config;
use tower::ServiceExt as _;

use crate::harness::{Answer, Gateway};

/// A browser that visits one server.
pub(super) struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// On a gateway with settings of its own.
    pub(super) fn of(gateway: &Gateway, config: &Config) -> Self {
        Self::at(sg_server::http::router(gateway.app.clone(), config))
    }

    /// On a stack that is there already.
    pub(super) fn at(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new() }
    }

    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    pub(super) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }

    /// Sends a form.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[]).await
    }

    /// Sends a form with headers.
    pub(super) async fn post_with(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let encoded: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        self.send("POST", path, &headers, encoded.join("&").into()).await
    }

    /// The token of the forms on a page.
    pub(super) async fn token(&mut self, path: &str) -> String {
        let page = self.get(path).await.text();
        let at = page.find("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no token on {path}: {page}"));
        page[at..].split('"').nth(3).unwrap().to_owned()
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "sessions.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let mut request = request.body(body).unwrap();
        let peer: std::net::SocketAddr = ([192, 0, 2, 7], 40_000).into();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                value => self.set_cookie(name, value),
            }
        }
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// Text as a form or a query carries it.
pub(super) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A field of an address's query, decoded.
pub(super) fn field(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs: axum::extract::Query<Vec<(String, String)>> =
        axum::extract::Query::try_from_uri(&format!("/?{query}").parse().unwrap()).unwrap();
    let found = pairs.0.into_iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1
}
