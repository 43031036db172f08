//! Faults under every root field: what comes out is a code and the id of the request, and nothing of the fault.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use sg_domain::{
    Error, ErrorKind, ExchangeHit, ExchangeQuery, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, SessionId,
};
use sg_search::{IndexStatus, Rebuild, SearchIndex, SessionDocument};

use crate::authorization::every_field;
use crate::harness::{Gateway, Sample};
use crate::leak::assert_tight;
use crate::program::root;
use crate::specstory::world::{Who, World};

/// Renames every table but those that are named, or gives them their names back.
fn tables(folder: &Path, keep: &[&str], is_there: bool) {
    let script = "
import sqlite3, sys
path, there, *keep = sys.argv[1:]
db = sqlite3.connect(path, timeout=30, isolation_level=None)
db.execute('PRAGMA foreign_keys = OFF')
names = [n for (n,) in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'\")]
for name in names:
    if there == 'yes' and name.startswith('gone_'):
        db.execute(f'ALTER TABLE \"{name}\" RENAME TO \"{name[5:]}\"')
    elif there == 'no' and name not in keep:
        db.execute(f'ALTER TABLE \"{name}\" RENAME TO \"gone_{name}\"')
print(len(names))
";
    let python = root().join("tests/.venv/bin/python");
    let mut command = Command::new(python);
    command
        .args(["-c", script])
        .arg(folder.join("sessiongraph.db"))
        .arg(if is_there { "yes" } else { "no" })
        .args(keep);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The code of an answer that must have failed, and nothing but the code.
fn fault(what: &str, body: &Value) -> String {
    assert_tight(&body.to_string());
    let error = &body["errors"][0];
    let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{what} did not fail: {body}"));
    assert!(error["extensions"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{what}: {body}");
    if code == "INTERNAL_SERVER_ERROR" {
        assert_eq!(error["message"], "internal error", "{what}");
    }
    code.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_tables_shows_nothing_of_them() {
    let world = World::start().await;
    let fields = every_field(&world).await;
    let folder = world.gateway.dir().to_owned();
    // Who asks is still known; whatever else a field reads is gone.
    tables(&folder, &["user", "api_key", "device_token", "data_version"], false);
    let mut sound = Vec::new();
    for (name, query) in &fields {
        let answer = world.graphql(Who::Me, query, json!({})).await;
        let body = answer.json();
        if body["errors"].is_null() {
            sound.push(*name);
            continue;
        }
        let code = fault(name, &body);
        assert!(["INTERNAL_SERVER_ERROR", "UNAVAILABLE"].contains(&code.as_str()), "{name}: {body}");
    }
    tables(&folder, &[], true);
    assert!(sound.contains(&"viewer"), "who asks is not known, so nothing else was asked: {sound:?}");
    // What reads nothing but who asks.
    sound.retain(|name| {
        !["viewer", "rateLimit", "prices", "apiKeys", "devices", "createApiKey", "revokeApiKey", "revokeDevice"]
            .contains(name)
    });
    assert!(sound.is_empty(), "these answer without a store: {sound:?}");

    tables(&folder, &[], false);
    for (name, query) in &fields {
        let answer = world.graphql(Who::Me, query, json!({})).await;
        assert_eq!(fault(name, &answer.json()), "UNAVAILABLE", "{name}");
        assert_eq!(answer.status, 503, "{name}");
    }
    tables(&folder, &[], true);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_no_longer_what_it_was_shows_nothing_of_where_it_lies() {
    let gateway = Gateway::start().await;
    let sample = Sample { raw: Some("{}".repeat(50_000)), session_data: Some("[]".repeat(50_000)), ..Sample::new("a") };
    let session = gateway.seed(sample).await;
    let mut spoilt = 0;
    let mut folders = vec![gateway.dir().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                std::fs::write(&path, "spoilt").unwrap();
                spoilt += 1;
            }
        }
    }
    assert!(spoilt > 0);
    let id = session.id.to_string();
    let mut failed = 0;
    for field in
        ["markdownContent", "rawData", "sessionData", "exchanges { content }", "messages { nodes { text raw } }"]
    {
        let query =
            format!("query($id: String!) {{ session(id: $id) {{ id {field} }} sessions {{ nodes {{ {field} }} }} }}");
        let body = gateway.graphql_as(&gateway.me.key, &query, json!({ "id": id })).await.json();
        if !body["errors"].is_null() {
            assert_eq!(fault(field, &body), "INTERNAL_SERVER_ERROR", "{body}");
            failed += 1;
        }
    }
    assert!(failed >= 2, "only {failed} of them noticed");
}

/// An index that fails with words that are not for callers.
struct Failing {
    inner: Arc<dyn SearchIndex>,
    kind: ErrorKind,
}

impl Failing {
    fn error<T>(&self) -> Result<T> {
        let source = std::io::Error::other("tantivy: /home/me/index/meta.json: Some(NotFound)");
        Err(match self.kind {
            ErrorKind::Unavailable => Error::unavailable("the index cannot be read now, try again", source),
            _ => Error::internal(source),
        })
    }
}

#[async_trait]
impl SearchIndex for Failing {
    async fn put(&self, document: SessionDocument) -> Result<()> {
        self.inner.put(document).await
    }
    async fn remove(&self, session: SessionId) -> Result<()> {
        self.inner.remove(session).await
    }
    async fn commit(&self) -> Result<()> {
        self.inner.commit().await
    }
    async fn search(&self, _: SearchQuery) -> Result<SearchPage> {
        self.error()
    }
    async fn exchanges(&self, _: ExchangeQuery) -> Result<Vec<ExchangeHit>> {
        self.error()
    }
    async fn related(&self, _: RelatedQuery) -> Result<Vec<RelatedHit>> {
        self.error()
    }
    async fn sessions(&self) -> Result<Vec<(SessionId, String)>> {
        self.error()
    }
    fn status(&self) -> IndexStatus {
        self.inner.status()
    }
    async fn rebuild(&self) -> Result<Box<dyn Rebuild>> {
        self.error()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_fails_shows_nothing_of_itself() {
    for kind in [ErrorKind::Internal, ErrorKind::Unavailable] {
        let gateway = Gateway::start_behind(move |inner| Arc::new(Failing { inner, kind })).await;
        gateway.seed(Sample::new("a")).await;
        for query in [
            "{ searchSessions(query: \"login\") { total results { name } } }",
            "{ searchSessions(query: \"login\", first: 1) { edges { node { matchingExchanges { id } } } facets { field } } }",
            "{ resumableSessions(query: \"login\") { id } }",
            "{ sessions(filters: { searchText: \"login\" }) { total } }",
            "{ a: viewer { id } b: searchSessions(query: \"login\") { total } c: projects { id } }",
        ] {
            let body = gateway.graphql_as(&gateway.me.key, query, json!({})).await.json();
            assert_eq!(fault(query, &body), kind.code(), "{query}: {body}");
        }
    }
}
