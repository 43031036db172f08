//! Two accounts with sessions that overlap in every id, and whoever may ask about them.
//!
//! Every text of the first account holds [`MINE`] and every text of the second [`THEIRS`], so that any answer tells
//! whose data is in it.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::{Value, json};
use sg_app::NewSession;
use sg_domain::{Caller, ProjectId, Scope, Session, SessionMetadata};
use tower::ServiceExt as _;

use crate::harness::{Account, Answer, Gateway};

/// In every text of the account that the tests act for.
pub(crate) const MINE: &str = "heliotrope";
/// In every text of the other account.
pub(crate) const THEIRS: &str = "vermilion";
/// The project that both accounts have: an id derived from a git remote is the same for all who cloned it.
pub(crate) const SHARED: &str = "0f81-fa3b-cc40-b565";
/// A project of the first account alone, without anything to resume.
pub(crate) const OWN: &str = "9c09-f805-5a26-c277";
/// A session with everything, in both projects of the first account and in the other account.
pub(crate) const FULL: &str = "550e8400-e29b-41d4-a716-446655440000";
/// A session with as little as can be.
pub(crate) const BARE: &str = "bare 50% \u{fc}?&#+";
/// [`BARE`] as it stands in a path.
pub(crate) const BARE_ENCODED: &str = "bare%2050%25%20%C3%BC%3F%26%23%2B";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The account that the tests act for.
    Me,
    /// The other account.
    Other,
    /// The first account with a key that may only write.
    WriteOnly,
    /// The first account with a key that may only read.
    ReadOnly,
    /// No credential.
    Nobody,
    /// A credential that is not known.
    Stranger,
}

/// A server with both accounts' sessions.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    other: Account,
    write_only: String,
    read_only: String,
    router: Router,
}

impl World {
    /// Starts one and fills it.
    pub(crate) async fn start() -> Self {
        let world = Self::empty().await;
        for session in [full(SHARED, FULL, MINE), bare(SHARED, BARE, MINE), bare(OWN, FULL, MINE)] {
            world.put(Who::Me, session).await;
        }
        world.put(Who::Other, full(SHARED, FULL, THEIRS)).await;
        world.gateway.run_jobs().await;
        world
    }

    /// Starts one with both accounts and nothing in them.
    pub(crate) async fn empty() -> Self {
        let gateway = Gateway::start().await;
        let mut other = gateway.other().await;
        // As people's keys are: one that may run the server may revoke anybody's key.
        other.key = gateway.key_with(&other, &[Scope::Read, Scope::Write]).await;
        let write_only = gateway.key_with(&gateway.me, &[Scope::Write]).await;
        let read_only = gateway.key_with(&gateway.me, &[Scope::Read]).await;
        // Not the harness's calls: scenarios bring header names that are known only when they run.
        let mut config = sg_server::config::Config::default();
        config.http.spool_dir = gateway.dir().join("spool");
        let router = sg_server::http::router(gateway.app.clone(), &config);
        Self { gateway, other, write_only, read_only, router }
    }

    /// Stores a session; its index job stays to be run.
    pub(crate) async fn put(&self, who: Who, session: NewSession) -> Session {
        self.gateway.app.put_session(self.caller(who), session).await.expect("session is stored").0
    }

    /// An account.
    pub(crate) fn account(&self, who: Who) -> &Account {
        if who == Who::Other { &self.other } else { &self.gateway.me }
    }

    /// An account as the operations see it.
    pub(crate) fn caller(&self, who: Who) -> &Caller {
        if who == Who::Other { &self.other.caller } else { &self.gateway.me.caller }
    }

    /// The credential that somebody sends.
    pub(crate) fn key(&self, who: Who) -> Option<&str> {
        match who {
            Who::Me => Some(&self.gateway.me.key),
            Who::Other => Some(&self.other.key),
            Who::WriteOnly => Some(&self.write_only),
            Who::ReadOnly => Some(&self.read_only),
            Who::Stranger => Some("sk_live_ffffffffffffffffffffffffffffffffffffffffffffffff"),
            Who::Nobody => None,
        }
    }

    /// Asks for a path as the first account.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Who::Me, "GET", path, &[]).await
    }

    /// Asks through the whole stack.
    pub(crate) async fn ask(&self, who: Who, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(who, method, path, headers, Body::empty()).await
    }

    /// Asks a GraphQL query.
    pub(crate) async fn graphql(&self, who: Who, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        self.send(who, "POST", "/api/v1/graphql", &headers, Body::from(body)).await
    }

    /// The first thing that a GraphQL subscription tells.
    pub(crate) async fn first_event(&self, who: Who, query: &str) -> Value {
        let caller = self.gateway.app.identify(self.key(who), "test".to_owned()).await.expect("a caller");
        self.gateway.follow_as(caller, query, json!({})).next().await
    }

    /// Sends a JSON body.
    pub(crate) async fn tell(&self, who: Who, method: &str, path: &str, body: &Value) -> Answer {
        self.send(who, method, path, &[("content-type", "application/json")], Body::from(body.to_string())).await
    }

    /// Sends any body.
    pub(crate) async fn send(
        &self,
        who: Who,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = self.key(who) {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut request = request.body(body).expect("a request");
        let peer: std::net::SocketAddr = ([127, 0, 0, 1], 40_000).into();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.expect("the stack answers everything");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("body");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// Two exchanges with times, text beyond ASCII, and characters that JSON escapes.
pub(crate) fn full_markdown(word: &str) -> String {
    format!(
        "<!-- Generated by SpecStory, Markdown v2.1.0 -->\n\n# {word} \"quoted\" <&>\n\n\
         _**User (2026-01-16T16:40:00Z)**_\n\nWhere does {word} grow? Größe 🚀\n\n---\n\n\
         _**Agent (claude-sonnet-4-5 2026-01-16T16:41:00Z)**_\n\nOn the {word} hill.\n\n---\n\n\
         _**User (2026-01-16T16:46:00Z)**_\n\nAnd in winter?\n\n---\n\n\
         _**Agent (claude-sonnet-4-5 2026-01-16T16:46:41Z)**_\n\nIn the {word} house.\n"
    )
}

/// Session data as SpecStory's command line writes it.
pub(crate) fn session_data(word: &str) -> String {
    json!({
        "schemaVersion": "1.0.0",
        "provider": { "id": "claude-code", "name": "Claude Code", "version": "2" },
        "sessionId": FULL,
        "createdAt": "2026-01-16T16:40:00Z",
        "workspaceRoot": format!("/home/u/{word}"),
        "exchanges": [],
    })
    .to_string()
}

/// A session with everything.
pub(crate) fn full(project: &str, id: &str, word: &str) -> NewSession {
    let some = |text: &str| Some(format!("{text} {word}"));
    let list = |text: &str| Some(vec![format!("{text}-{word}")]);
    NewSession {
        metadata: SessionMetadata {
            client_name: Some("specstory-cli".to_owned()),
            client_version: Some("2.3.4".to_owned()),
            agent_name: Some("Claude Code".to_owned()),
            device_id: Some("8f67cfd494811f194414e033ec33888a7ae85c24103fcd6f0232b5e3f855f088".to_owned()),
            machine_name: some("machine"),
            git_branches: list("branch"),
            llm_models: list("model"),
            tags: list("tag"),
            title: some("title"),
            summary: some("summary"),
            ..SessionMetadata::default()
        },
        markdown: full_markdown(word).into(),
        raw: Some(format!("{{\"raw\":\"{word}\"}}\n").into()),
        session_data: Some(session_data(word).into()),
        ..bare(project, id, word)
    }
}

/// A session with as little as can be.
pub(crate) fn bare(project: &str, id: &str, word: &str) -> NewSession {
    NewSession {
        project: ProjectId::new(project).expect("a project id"),
        project_name: format!("project {word}"),
        client_id: id.to_owned(),
        name: format!("name {word}"),
        markdown: format!("# {word}\n\nhello {word}").into(),
        raw: None,
        session_data: None,
        metadata: SessionMetadata::default(),
        transcript: None,
    }
}
