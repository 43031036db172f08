//! The trash as people meet it: deleted by any surface, out of every answer, back as it was, gone after its time.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use sg_app::Limits;
use sg_domain::{Scope, Session};

use super::change::error;
use super::texts;
use crate::harness::{Engine, Gateway, Sample};

const TRASH: &str = "{ deletedSessions { totalCount nodes { id clientId projectId name alias deletedAt purgeAt etag
    messageCount markdownSize firstExchange metadata { tags } project { id sessionCount } } } }";
const DELETE: &str = "mutation($id: String!) { deleteSession(input: { id: $id }) { deletedSessionId deletedClientId
    deletedAt purgeAt } }";
const RESTORE: &str = "mutation($id: String!) { restoreSession(input: { id: $id }) { session { id name alias
    shareStatus etag metadata { tags } messages { nodes { id } } project { sessionCount } } } }";
const PURGE: &str = "mutation($id: String!) { purgeSession(input: { id: $id }) { purgedSessionId purgedClientId } }";

/// A session with everything that an answer could show it by.
async fn seeded(gateway: &Gateway) -> Session {
    let sample = Sample::new("s1").user("marmalade").with(|m| m.tags = Some(vec!["jam".to_owned()]));
    let session = gateway.seed(Sample { session_data: Some("{}".to_owned()), ..sample }).await;
    let child = Sample { parent: Some("other".to_owned()), ..Sample::new("s1-child") };
    gateway.seed(child).await;
    let input = json!({ "input": { "id": session.id.to_string(), "alias": "jam-jar", "shareStatus": "UNLISTED" } });
    let query = "mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session { id } } }";
    gateway.graphql(query, input).await;
    gateway.run_jobs().await;
    session
}

/// Whether an answer shows the session, or counts it beside the other one.
fn shows(answer: &str, id: &str) -> bool {
    [id, "\"s1\"", "jam", "\"sessionCount\":2"].iter().any(|sign| answer.contains(sign))
}

/// Everything that is asked about sessions, but for the trash itself.
async fn answers(gateway: &Gateway, session: &Session) -> Vec<(String, String)> {
    let id = session.id;
    let key = &gateway.me.key;
    let mut found = Vec::new();
    for query in [
        "{ projects { id sessionCount totalMarkdownSize lastActivity sessions { total nodes { id name } } } }"
            .to_owned(),
        "{ sessions { total nodes { id } } }".to_owned(),
        "{ sessions(filters: { tags: [\"jam\"] }) { total nodes { id } } }".to_owned(),
        "{ sessions(filters: { searchText: \"marmalade\" }) { total nodes { id } } }".to_owned(),
        format!("{{ session(id: \"{id}\") {{ id }} }}"),
        "{ session(id: \"s1\") { id } }".to_owned(),
        "{ session(id: \"jam-jar\") { id } }".to_owned(),
        "{ session(projectId: \"1111-2222-3333-4444\", sessionId: \"s1\") { id } }".to_owned(),
        format!("{{ node(id: \"{id}\") {{ id }} }}"),
        format!("{{ nodes(ids: [\"{id}.m0\", \"{id}.x0\"]) {{ id }} }}"),
        "{ searchSessions(query: \"marmalade\") { total results { id } } }".to_owned(),
        "{ resumableSessions(query: \"marmalade\") { id } }".to_owned(),
        format!("{{ sharedSession(id: \"{id}\") {{ id }} }}"),
        "{ stats { totalSessions topTags { tag } uniqueGitBranches } }".to_owned(),
    ] {
        let answer = gateway.graphql_as(key, &query, json!({})).await;
        let text = answer.json();
        // A request id is another one each time, and not found is told with the id that was asked for.
        found.push((query, format!("{} {}", text["data"], text["errors"][0]["extensions"]["code"])));
    }
    let project = "/api/v1/projects/1111-2222-3333-4444";
    for path in [
        "/api/v1/projects".to_owned(),
        "/api/v1/projects?resumable=true".to_owned(),
        format!("{project}/sessions"),
        format!("{project}/sessions?resumable=true"),
        format!("{project}/sessions/sizes"),
        format!("{project}/sessions/s1"),
        format!("{project}/sessions/{id}"),
        "/api/v1/sessions/recent".to_owned(),
        format!("/api/v1/share/{id}"),
        "/api/v1/share/s1".to_owned(),
    ] {
        let answer = gateway.get(&path).send().await;
        found.push((path, format!("{} {}", answer.status, answer.text())));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_is_in_no_answer_and_comes_back_as_it_was() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let session = seeded(&gateway).await;
        let id = session.id.to_string();
        let before = answers(&gateway, &session).await;
        for (asked, answer) in &before {
            assert!(shows(answer, &id), "{engine:?}: {asked} does not show the session to begin with: {answer}");
        }
        let deleted = gateway.graphql(DELETE, json!({ "id": id })).await["deleteSession"].clone();
        let wanted = json!({ "deletedSessionId": id, "deletedClientId": "s1",
            "deletedAt": "2026-11-01T12:00:00.000Z", "purgeAt": "2026-12-01T12:00:00.000Z" });
        assert_eq!(deleted, wanted);
        for round in ["before its job", "after its job"] {
            for (asked, answer) in answers(&gateway, &session).await {
                assert!(!shows(&answer, &id), "{engine:?} {round}: {asked}: {answer}");
            }
            gateway.run_jobs().await;
        }
        let trash = gateway.graphql(TRASH, json!({})).await["deletedSessions"].clone();
        assert_eq!(trash["totalCount"], 1);
        let node = &trash["nodes"][0];
        assert_eq!(
            (&node["id"], &node["alias"], &node["deletedAt"]),
            (&json!(id), &json!("jam-jar"), &wanted["deletedAt"])
        );
        assert_eq!((&node["metadata"]["tags"], &node["project"]["sessionCount"]), (&json!(["jam"]), &json!(1)));
        // Once more is not found, as it is for everyone who asks.
        assert_eq!(error(&gateway, DELETE, json!({ "id": id })).await["extensions"]["code"], "NOT_FOUND");

        let restored = gateway.graphql(RESTORE, json!({ "id": id })).await["restoreSession"]["session"].clone();
        assert_eq!((&restored["alias"], &restored["shareStatus"]), (&json!("jam-jar"), &json!("UNLISTED")));
        assert_eq!(restored["etag"], node["etag"]);
        assert_eq!(restored["project"]["sessionCount"], 2);
        gateway.run_jobs().await;
        let after = answers(&gateway, &session).await;
        for ((asked, before), (_, after)) in before.iter().zip(&after) {
            assert_eq!(after, before, "{engine:?}: {asked}");
        }
        assert_eq!(gateway.graphql(TRASH, json!({})).await["deletedSessions"]["totalCount"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_deletes_into_the_trash() {
    let gateway = Gateway::start().await;
    for id in ["by-rest", "by-graphql"] {
        gateway.seed(Sample::new(id)).await;
    }
    let path = "/api/v1/projects/1111-2222-3333-4444/sessions/by-rest";
    let delete = gateway.call(Method::DELETE, path).key(&gateway.me.key);
    assert_eq!(delete.send().await.status, 200);
    gateway.clock.advance(Duration::from_secs(60));
    gateway.graphql(DELETE, json!({ "id": "by-graphql" })).await;
    let trash = gateway.graphql(TRASH, json!({})).await;
    assert_eq!(texts(&trash["deletedSessions"]["nodes"], "clientId"), ["by-graphql", "by-rest"], "last deleted first");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stores_it_again_makes_another_one() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let old = gateway.seed(Sample::new("s1")).await;
        let path = "/api/v1/projects/1111-2222-3333-4444/sessions/s1";
        gateway.graphql(DELETE, json!({ "id": old.id.to_string() })).await;
        let body = json!({ "projectName": "p", "name": "again", "markdown": "# again", "rawData": "{}" });
        let put = gateway.call(Method::PUT, path).key(&gateway.me.key).json(&body).send().await;
        assert_eq!(put.status, 201, "{engine:?}: it is new: {}", put.text());
        let data = gateway.graphql("{ session(id: \"s1\") { id name } }", json!({})).await;
        assert_ne!(data["session"]["id"], old.id.to_string());
        let refused = error(&gateway, RESTORE, json!({ "id": old.id.to_string() })).await;
        assert_eq!(refused["extensions"]["code"], "CONFLICT", "{engine:?}");
        assert_eq!(gateway.graphql(TRASH, json!({})).await["deletedSessions"]["totalCount"], 1, "nothing is lost");
        // The new one out of the way, the old one comes back.
        gateway.graphql(DELETE, json!({ "id": data["session"]["id"] })).await;
        gateway.graphql(RESTORE, json!({ "id": old.id.to_string() })).await;
        let data = gateway.graphql("{ session(id: \"s1\") { id } projects { sessionCount } }", json!({})).await;
        assert_eq!(
            (&data["session"]["id"], &data["projects"][0]["sessionCount"]),
            (&json!(old.id.to_string()), &json!(1))
        );
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_its_owners_and_final_when_purged() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("s1")).await;
    let id = session.id.to_string();
    for query in [RESTORE, PURGE] {
        let refused = error(&gateway, query, json!({ "id": id })).await;
        assert_eq!(refused["extensions"]["code"], "NOT_FOUND", "{query}: it is not in the trash");
    }
    gateway.graphql(DELETE, json!({ "id": id })).await;
    let other = gateway.other().await;
    for query in [RESTORE, PURGE] {
        let refused = gateway.graphql_as(&other.key, query, json!({ "id": id })).await.json();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "NOT_FOUND", "{query}");
        assert_eq!(error(&gateway, query, json!({ "id": "nonsense" })).await["extensions"]["code"], "NOT_FOUND");
    }
    let theirs = gateway.graphql_as(&other.key, TRASH, json!({})).await.json();
    assert_eq!(theirs["data"]["deletedSessions"]["totalCount"], 0);
    // A restored session is shown: whoever may not read it may not bring it back.
    let write_only = gateway.key_with(&gateway.me, &[Scope::Write]).await;
    let refused = gateway.graphql_as(&write_only, RESTORE, json!({ "id": id })).await.json();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let purged = gateway.graphql(PURGE, json!({ "id": id })).await;
    assert_eq!(purged["purgeSession"], json!({ "purgedSessionId": id, "purgedClientId": "s1" }));
    assert_eq!(error(&gateway, RESTORE, json!({ "id": id })).await["extensions"]["code"], "NOT_FOUND");
    assert_eq!(gateway.graphql(TRASH, json!({})).await["deletedSessions"]["totalCount"], 0);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_by_itself_with_its_blobs() {
    let gateway = Gateway::start_with(Engine::Sqlite, Limits { trash_days: 7, ..Limits::default() }).await;
    let me = &gateway.me.caller;
    let (old, fresh) = (gateway.seed(Sample::new("old")).await, gateway.seed(Sample::new("fresh").user("more")).await);
    let day = Duration::from_secs(24 * 60 * 60);
    gateway.graphql(DELETE, json!({ "id": old.id.to_string() })).await;
    gateway.clock.advance(3 * day);
    gateway.graphql(DELETE, json!({ "id": fresh.id.to_string() })).await;
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    assert_eq!(gateway.graphql(TRASH, json!({})).await["deletedSessions"]["totalCount"], 2, "too early");
    let found = gateway.app.diagnose(me).await.unwrap();
    assert!(found.is_healthy(), "{found:?}");
    assert_eq!((found.sessions, found.trashed, found.blobs, found.orphan_blobs), (0, 2, 2, 0));

    gateway.clock.advance(4 * day + Duration::from_secs(1));
    let version = gateway.app.data_version(me).await.unwrap();
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    let trash = gateway.graphql(TRASH, json!({})).await;
    assert_eq!(texts(&trash["deletedSessions"]["nodes"], "clientId"), ["fresh"]);
    assert!(gateway.app.data_version(me).await.unwrap() > version, "kept answers about the trash are old now");
    let found = gateway.app.diagnose(me).await.unwrap();
    assert_eq!((found.trashed, found.broken_sessions.len()), (1, 0));
    // Its blob is as young as this test: files have the machine's time. It is an orphan for the sweep to come.
    assert!(found.orphan_blobs <= 1, "{found:?}");
    // Building the index anew does not bring anything back, and what is restored is whole.
    gateway.app.reindex(me, |_| ()).await.unwrap();
    let restored = gateway.graphql(RESTORE, json!({ "id": fresh.id.to_string() })).await;
    assert_eq!(restored["restoreSession"]["session"]["messages"]["nodes"].as_array().map(Vec::len), Some(3));
    gateway.run_jobs().await;
    let data = gateway.graphql("{ session(id: \"fresh\") { markdownContent } }", json!({})).await;
    assert!(data["session"]["markdownContent"].as_str().unwrap().contains("more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_trash() {
    let gateway = Gateway::start().await;
    for n in 0..5 {
        let session = gateway.seed(Sample::new(&format!("s{n}"))).await;
        gateway.graphql(DELETE, json!({ "id": session.id.to_string() })).await;
        gateway.clock.advance(Duration::from_secs(1));
    }
    let query = "query($first: Int, $after: String, $last: Int, $before: String) {
        deletedSessions(first: $first, after: $after, last: $last, before: $before) {
            edges { cursor node { clientId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = async |variables: Value| gateway.graphql(query, variables).await["deletedSessions"].clone();
    let ids = |page: &Value| -> Vec<String> {
        let edges = page["edges"].as_array().unwrap();
        edges.iter().map(|edge| edge["node"]["clientId"].as_str().unwrap().to_owned()).collect()
    };
    let first = page(json!({ "first": 2 })).await;
    assert_eq!((ids(&first), &first["pageInfo"]["hasNextPage"]), (vec!["s4".into(), "s3".into()], &json!(true)));
    let next = page(json!({ "first": 9, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!((ids(&next).len(), &next["pageInfo"]["hasNextPage"]), (3, &json!(false)));
    let back = page(json!({ "last": 1, "before": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(ids(&back), ["s4"]);
    for bad in [json!({ "first": 0 }), json!({ "first": 101 }), json!({ "after": "nonsense" }), json!({ "last": -1 })] {
        assert_eq!(gateway.graphql_code(query, bad).await, "VALIDATION_ERROR");
    }
    let foreign = gateway.graphql("{ projects { id } sessions { pageInfo { endCursor } } }", json!({})).await;
    assert_eq!(foreign["sessions"]["pageInfo"]["endCursor"], Value::Null);
    gateway.run_jobs().await;
}
