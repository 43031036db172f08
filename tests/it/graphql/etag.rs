//! Optimistic concurrency: a change that names an ETag is made to that state or not at all.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::change::error;
use crate::harness::{Answer, Engine, Gateway, Sample};

/// A change of the session `$id` that names `$etag`; `$n` is for those that must differ.
struct Change {
    field: &'static str,
    document: &'static str,
}

const CHANGES: &[Change] = &[
    Change {
        field: "updateSession",
        document: "mutation($id: String!, $etag: String, $n: String!) {
            updateSession(input: { id: $id, etag: $etag, userTitle: $n }) { session { etag } } }",
    },
    Change {
        field: "tagSession",
        document: "mutation($id: String!, $etag: String, $n: String!) {
            tagSession(input: { id: $id, etag: $etag, add: [$n] }) { session { etag } } }",
    },
    Change {
        field: "putSession",
        document: "mutation($etag: String, $n: String!) { putSession(input: { projectId: \"1111-2222-3333-4444\",
            projectName: \"p\", sessionId: \"s1\", name: $n, markdown: \"# m\", rawData: \"{}\", etag: $etag })
            { session { etag } } }",
    },
    Change {
        field: "updateExchange",
        document: "mutation($x: String!, $etag: String, $n: String!) {
            updateExchange(input: { id: $x, etag: $etag, userTitle: $n }) { session { etag } } }",
    },
    Change {
        field: "deleteSession",
        document: "mutation($id: String!, $etag: String) {
            deleteSession(input: { id: $id, etag: $etag }) { deletedSessionId } }",
    },
    Change {
        field: "restoreSession",
        document: "mutation($id: String!, $etag: String) {
            restoreSession(input: { id: $id, etag: $etag }) { session { etag } } }",
    },
    Change {
        field: "purgeSession",
        document: "mutation($id: String!, $etag: String) {
            purgeSession(input: { id: $id, etag: $etag }) { purgedSessionId } }",
    },
];

/// What the changes are made to.
struct Place {
    gateway: Gateway,
    id: String,
    etag: String,
}

impl Place {
    async fn start(engine: Engine, change: &Change) -> Self {
        let gateway = Gateway::start_on(engine).await;
        let session = gateway.seed(Sample::new("s1")).await;
        let place = Self { gateway, id: session.id.to_string(), etag: format!("W/\"{}\"", session.etag) };
        if matches!(change.field, "restoreSession" | "purgeSession") {
            let delete = CHANGES.iter().find(|change| change.field == "deleteSession").unwrap();
            place.send(delete, Value::Null, "").await;
            place.gateway.run_jobs().await;
        }
        place
    }

    async fn send(&self, change: &Change, etag: Value, n: &str) -> Answer {
        let all = [("id", json!(self.id)), ("x", json!(format!("{}.x0", self.id))), ("n", json!(n)), ("etag", etag)];
        let declared = |name: &str| change.document.contains(&format!("${name}:"));
        let variables: serde_json::Map<_, _> =
            all.into_iter().filter(|(name, _)| declared(name)).map(|(name, value)| (name.to_owned(), value)).collect();
        self.gateway.graphql_as(&self.gateway.me.key, change.document, variables.into()).await
    }

    async fn state(&self) -> Value {
        let query =
            "{ sessions { nodes { id etag name userTitle updatedAt metadata { tags } exchanges { userTitle } } }
            deletedSessions { nodes { id etag deletedAt } } projects { updatedAt sessionCount } }";
        self.gateway.graphql(query, json!({})).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_state_is_a_conflict_that_tells_the_current_one() {
    for change in CHANGES {
        let place = Place::start(Engine::Sqlite, change).await;
        let before = place.state().await;
        for wrong in ["W/\"0\"", "", "nonsense", "W/\"", "\u{1f600}"] {
            let body = place.send(change, json!(wrong), "n").await.json();
            let extensions = &body["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "CONFLICT", "{} {wrong:?}: {body}", change.field);
            assert_eq!(extensions["currentEtag"], place.etag, "{}", change.field);
            assert_eq!(extensions["inputPath"], json!(["input", "etag"]), "{}", change.field);
        }
        assert_eq!(place.state().await, before, "{} wrote something", change.field);
        // As the header has it, or bare.
        let bare = place.etag.trim_start_matches("W/").trim_matches('"');
        let body = place.send(change, json!(bare), "n").await.json();
        assert!(body["errors"].is_null(), "{}: {body}", change.field);
        assert_ne!(place.state().await, before, "{} changed nothing", change.field);
        place.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_that_saw_the_same_state_one_wins() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for change in CHANGES {
            let place = Place::start(engine, change).await;
            let names: Vec<_> = (0..16).map(|n| format!("writer-{n}")).collect();
            let sent = names.iter().map(|name| place.send(change, json!(place.etag), name));
            let answers: Vec<_> = join_all(sent).await.iter().map(Answer::json).collect();
            let won = answers.iter().filter(|answer| answer["errors"].is_null()).count();
            assert_eq!(won, 1, "{engine:?} {}: {answers:#?}", change.field);
            for answer in answers.iter().filter(|answer| !answer["errors"].is_null()) {
                let code = answer["errors"][0]["extensions"]["code"].as_str();
                // What the winner took away is not there for the others.
                let gone = matches!(change.field, "deleteSession" | "restoreSession" | "purgeSession");
                let wanted = if gone { "NOT_FOUND" } else { "CONFLICT" };
                assert_eq!(code, Some(wanted), "{engine:?} {}: {answer}", change.field);
            }
            place.gateway.run_jobs().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_saw_a_session_does_not_make_one_anew() {
    let put = CHANGES.iter().find(|change| change.field == "putSession").unwrap();
    let place = Place::start(Engine::Sqlite, put).await;
    let delete = CHANGES.iter().find(|change| change.field == "deleteSession").unwrap();
    assert!(place.send(delete, Value::Null, "").await.json()["errors"].is_null());
    let refused = error(&place.gateway, put.document, json!({ "etag": place.etag, "n": "n" })).await;
    assert_eq!(refused["extensions"]["code"], "CONFLICT");
    assert_eq!(refused["extensions"]["currentEtag"], Value::Null, "there is none");
    assert_eq!(place.state().await["sessions"]["nodes"], json!([]));
    assert!(place.send(put, Value::Null, "n").await.json()["errors"].is_null());
    // The same again, with the state that it made.
    let etag = place.state().await["sessions"]["nodes"][0]["etag"].clone();
    assert!(place.send(put, etag, "n").await.json()["errors"].is_null());
    let refused = place.send(put, json!("W/\"0\""), "n").await.json();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "CONFLICT", "even when nothing would change: {refused}");
    place.gateway.run_jobs().await;
}
