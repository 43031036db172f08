//! A server with accounts that speak SessionFS, and nothing in it.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::Value;
use sg_domain::{Dialect, Scope};
use tower::ServiceExt as _;

use crate::harness::{Account, Answer, Gateway, Setup};
use crate::scenario::{FORM, archive, form};

/// The people: `me`, `other`, `read-only` and `write-only` (keys of `me`), `stranger` (a key that is not known),
/// `nobody`.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    keys: Vec<(&'static str, String)>,
    router: Router,
}

impl World {
    /// On SQLite, with everything as it comes.
    pub(crate) async fn start() -> Self {
        Self::start_as(Setup::default()).await
    }

    /// Made in any way.
    pub(crate) async fn start_as(setup: Setup) -> Self {
        let gateway = Gateway::start_as(setup).await;
        let other = gateway.other().await;
        let keys = vec![
            ("me", gateway.key_for(&gateway.me, Dialect::Sessionfs).await),
            ("other", gateway.key_for(&other, Dialect::Sessionfs).await),
            ("read-only", gateway.sessionfs_key_with(&gateway.me, &[Scope::Read]).await),
            ("write-only", gateway.sessionfs_key_with(&gateway.me, &[Scope::Write]).await),
            ("stranger", "sk_sfs_ffffffffffffffffffffffffffffffff".to_owned()),
        ];
        let mut config = sg_server::config::Config::default();
        config.http.spool_dir = gateway.dir().join("spool");
        config.http.public_url = "https://sessions.example.com".to_owned();
        // Walks and properties ask more in a minute than people do; the limit has tests of its own.
        config.rate_limit.sessionfs_per_minute = 0;
        let router = sg_server::http::router(gateway.app.clone(), &config);
        Self { gateway, keys, router }
    }

    /// The key of somebody; `None` for `nobody`.
    pub(crate) fn key(&self, who: &str) -> Option<&str> {
        let key = self.keys.iter().find(|(name, _)| *name == who).map(|(_, key)| key.as_str());
        assert!(key.is_some() || who == "nobody", "nobody is called {who}");
        key
    }

    /// Sends a request as somebody.
    pub(crate) async fn send(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let has_own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let Some(key) = self.key(who).filter(|_| !has_own) {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        let peer: std::net::SocketAddr = ([127, 0, 0, 1], 40_000).into();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.expect("the stack answers everything");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("body");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Asks for a path as `me`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("me", "GET", path, &[], Vec::new()).await
    }

    /// Sends a JSON body.
    pub(crate) async fn tell(&self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(who, method, path, &headers, body.to_string().into_bytes()).await
    }

    /// Sends a file in a form, as the client pushes an archive.
    pub(crate) async fn send_file(&self, who: &str, method: &str, path: &str, file: &[u8]) -> Answer {
        self.send(who, method, path, &[("content-type", FORM)], form(file)).await
    }

    /// Pushes a session of these files as somebody; fails unless it is taken.
    pub(crate) async fn push(&self, who: &str, id: &str, files: &[(&str, &str)]) -> Value {
        let files: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let answer = self.send_file(who, "PUT", &format!("/api/v1/sessions/{id}/sync"), &archive(&files)).await;
        assert!(matches!(answer.status, 200 | 201), "{}: {}", answer.status, answer.text());
        answer.json()
    }
}

/// What the client of [`given_to_oneself`] calls its session.
pub(crate) const ARCHIVED: &str = "ses_00000000000000e1";

/// Sends an archive as an account, puts it on the watchlist, and gives it to the account itself with a message; the
/// handoff's id. What waits from before is taken instead.
pub(crate) async fn given_to_oneself(app: &sg_app::App, account: &Account, message: &str) -> String {
    let me = &account.caller;
    let inbox = app.handoffs(me, sg_app::HandoffDirection::Inbox, &sg_domain::PageRequest::first(1)).await;
    if let Some(waiting) = inbox.expect("an inbox").items.pop() {
        return waiting.id;
    }
    let manifest = r#"{"title":"archived","source":{"tool":"codex"}}"#.to_owned();
    let bytes = archive(&[("manifest.json".to_owned(), manifest)]);
    app.push_archive(me, in_memory(ARCHIVED, bytes)).await.expect("pushed");
    app.watch_session(me, ARCHIVED).await.expect("watched");
    app.update_sync_settings(me, "off", Some(77)).await.expect("set");
    let new = sg_app::NewHandoff {
        session: ARCHIVED.to_owned(),
        recipient: sg_domain::Recipient::Address(account.user.email.clone()),
        message: Some(message.to_owned()),
        expires_in_hours: None,
    };
    app.create_handoff(me, new).await.expect("given").id
}

/// A push of bytes that are in memory already.
pub(crate) fn in_memory(id: &str, bytes: Vec<u8>) -> sg_app::PushRequest {
    let place = sg_app::SpoolPlace { folder: std::env::temp_dir(), memory_bytes: 1 << 20 };
    sg_app::PushRequest::new(id, sg_app::Content::from(bytes), std::sync::Arc::new(place))
}
