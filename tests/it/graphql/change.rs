//! What people change about sessions: names, aliases, tags, one at a time and many at once.

use serde_json::{Value, json};
use sg_domain::Session;

use crate::harness::{Gateway, Sample};

const UPDATE: &str =
    "mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session { id name userTitle
    alias etag metadata { tags } } } }";
const TAG: &str =
    "mutation($input: TagSessionInput!) { tagSession(input: $input) { session { etag metadata { tags } } } }";

async fn update(gateway: &Gateway, session: &Session, mut fields: Value) -> Value {
    fields["id"] = session.id.to_string().into();
    let data = gateway.graphql(UPDATE, json!({ "input": fields })).await;
    data["updateSession"]["session"].clone()
}

/// The first error of a document that must fail.
pub(super) async fn error(gateway: &Gateway, query: &str, variables: Value) -> Value {
    let body = gateway.graphql_as(&gateway.me.key, query, variables).await.json();
    assert!(body["errors"][0]["extensions"]["code"].is_string(), "{query} is no coded error: {body:#}");
    body["errors"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_titles_change_and_are_found() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("s1")).await;
    let changed = update(&gateway, &session, json!({ "name": "  marmalade recipe ", "userTitle": "Breakfast" })).await;
    assert_eq!((&changed["name"], &changed["userTitle"]), (&json!("marmalade recipe"), &json!("Breakfast")));
    assert_ne!(changed["etag"], format!("W/\"{}\"", session.etag));
    gateway.run_jobs().await;
    for word in ["marmalade", "breakfast"] {
        let query = format!("{{ searchSessions(query: \"{word}\") {{ results {{ sessionId }} }} }}");
        let found = gateway.graphql(&query, json!({})).await;
        assert_eq!(found["searchSessions"]["results"].as_array().map(Vec::len), Some(1), "{word}: {found}");
    }
    // The same again changes nothing, and null takes the title away.
    let again = update(&gateway, &session, json!({ "name": "marmalade recipe" })).await;
    assert_eq!(again, changed);
    let changed = update(&gateway, &session, json!({ "userTitle": null })).await;
    assert_eq!(changed["userTitle"], Value::Null);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_names_one_session_of_its_owner() {
    let gateway = Gateway::start().await;
    let (one, two) = (gateway.seed(Sample::new("s1")).await, gateway.seed(Sample::new("s2")).await);
    assert_eq!(update(&gateway, &one, json!({ "alias": "fix-login" })).await["alias"], "fix-login");
    // It stands for the id wherever one does.
    let by_alias = |field: &str| format!("{{ session(id: \"fix-login\") {{ {field} }} }}");
    assert_eq!(gateway.graphql(&by_alias("id"), json!({})).await["session"]["id"], one.id.to_string());
    let renamed = gateway.graphql(UPDATE, json!({ "input": { "id": "fix-login", "userTitle": "t" } })).await;
    assert_eq!(renamed["updateSession"]["session"]["id"], one.id.to_string());
    // Taken: nothing of the change is made.
    let input = json!({ "input": { "id": two.id.to_string(), "alias": "fix-login", "userTitle": "lost" } });
    let refused = error(&gateway, UPDATE, input).await;
    assert_eq!(refused["extensions"]["code"], "CONFLICT");
    assert_eq!(refused["extensions"]["inputPath"], json!(["input", "alias"]));
    assert_eq!(refused["message"], "alias \"fix-login\" is already in use");
    let same = gateway
        .graphql("query($id: String) { session(id: $id) { userTitle alias } }", json!({ "id": two.id.to_string() }));
    assert_eq!(same.await["session"], json!({ "userTitle": null, "alias": null }));
    // Its own again is no clash; another account's is none either; a free one is taken.
    update(&gateway, &one, json!({ "alias": "fix-login", "name": "n" })).await;
    let other = gateway.other().await;
    let theirs = gateway.put(&other, Sample::new("s1")).await;
    let input = json!({ "input": { "id": theirs.id.to_string(), "alias": "fix-login" } });
    assert!(gateway.graphql_as(&other.key, UPDATE, input).await.json()["errors"].is_null());
    assert_eq!(gateway.graphql(&by_alias("id"), json!({})).await["session"]["id"], one.id.to_string());
    assert_eq!(update(&gateway, &one, json!({ "alias": null })).await["alias"], Value::Null);
    assert_eq!(update(&gateway, &two, json!({ "alias": "fix-login" })).await["alias"], "fix-login");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alias_that_many_want_goes_to_one() {
    for engine in [crate::harness::Engine::Sqlite, crate::harness::Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let mut sessions = Vec::new();
        for n in 0..12 {
            // Different projects: nothing but the alias brings them together.
            let sample = Sample::new("s").project(&format!("project-{n}"), "p");
            sessions.push(gateway.put(&gateway.me, sample).await);
        }
        let wanted = sessions.iter().map(|session| {
            let input = json!({ "input": { "id": session.id.to_string(), "alias": "the-one" } });
            gateway.graphql_as(&gateway.me.key, UPDATE, input)
        });
        let answers: Vec<_> =
            futures_util::future::join_all(wanted).await.iter().map(crate::harness::Answer::json).collect();
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer["errors"].is_null());
        assert_eq!(won.len(), 1, "{engine:?}: {answers:#?}");
        for answer in lost {
            assert_eq!(answer["errors"][0]["extensions"]["code"], "CONFLICT", "{engine:?}: {answer}");
            assert_eq!(answer["errors"][0]["extensions"]["inputPath"], json!(["input", "alias"]), "{engine:?}");
        }
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_set_added_and_taken_away() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("s1").with(|m| m.tags = Some(vec!["old".to_owned()]))).await;
    let id = session.id.to_string();
    let tag = async |fields: Value| {
        let mut input = json!({ "id": id });
        input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        gateway.graphql(TAG, json!({ "input": input })).await["tagSession"]["session"]["metadata"]["tags"].clone()
    };
    assert_eq!(tag(json!({ "add": ["späť", "b", " b ", "old"] })).await, json!(["old", "späť", "b"]));
    assert_eq!(tag(json!({ "remove": ["old", "never there"] })).await, json!(["späť", "b"]));
    assert_eq!(tag(json!({ "add": ["c"], "remove": ["b"] })).await, json!(["späť", "c"]));
    let counted = "{ stats { topTags { tag count } } sessions(filters: { tags: [\"c\"] }) { total } }";
    let data = gateway.graphql(counted, json!({})).await;
    assert_eq!(data["sessions"]["total"], 1);
    assert_eq!(data["stats"]["topTags"], json!([{ "tag": "c", "count": 1 }, { "tag": "späť", "count": 1 }]));
    assert_eq!(update(&gateway, &session, json!({ "tags": ["x"] })).await["metadata"]["tags"], json!(["x"]));
    // All of them go, by an empty list or by null; a client that sends none leaves it so.
    assert_eq!(update(&gateway, &session, json!({ "tags": [] })).await["metadata"]["tags"], json!([]));
    update(&gateway, &session, json!({ "tags": ["x"] })).await;
    assert_eq!(update(&gateway, &session, json!({ "tags": null })).await["metadata"]["tags"], json!([]));
    gateway.put(&gateway.me, Sample::new("s1").user("and on")).await;
    let data =
        gateway.graphql("query($id: String) { session(id: $id) { metadata { tags } } }", json!({ "id": id })).await;
    assert_eq!(data["session"]["metadata"]["tags"], json!([]));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_tags_all_stay() {
    for engine in [crate::harness::Engine::Sqlite, crate::harness::Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let session = gateway.seed(Sample::new("s1")).await;
        let added = (0..16).map(|n| {
            let input = json!({ "input": { "id": session.id.to_string(), "add": [format!("tag-{n:02}")] } });
            gateway.graphql(TAG, input)
        });
        futures_util::future::join_all(added).await;
        let query = "query($id: String) { session(id: $id) { metadata { tags } } }";
        let data = gateway.graphql(query, json!({ "id": session.id.to_string() })).await;
        let mut tags: Vec<_> = data["session"]["metadata"]["tags"].as_array().unwrap().clone();
        tags.sort_by_key(ToString::to_string);
        let wanted: Vec<Value> = (0..16).map(|n| format!("tag-{n:02}").into()).collect();
        assert_eq!(tags, wanted, "{engine:?}");
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sessions_are_tagged_and_deleted_at_once() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(gateway.seed(Sample::new(&format!("s{n}"))).await.id.to_string());
    }
    let other = gateway.other().await;
    let theirs = gateway.put(&other, Sample::new("t")).await.id.to_string();
    let wanted = json!([ids[2], ids[0], ids[2], theirs, "no id"]);
    let query = "mutation($input: TagSessionsInput!) { tagSessions(input: $input) { sessions { id metadata { tags } }
        failures { id code message } } }";
    let data = gateway.graphql(query, json!({ "input": { "ids": wanted, "add": ["x"] } })).await;
    let tagged = |id: &String| json!({ "id": id, "metadata": { "tags": ["x"] } });
    let missing = |id: &str| json!({ "id": id, "code": "NOT_FOUND", "message": "session not found" });
    let failures = json!([missing(&theirs), missing("no id")]);
    assert_eq!(data["tagSessions"], json!({ "sessions": [tagged(&ids[2]), tagged(&ids[0])], "failures": failures }));

    let query = "mutation($input: DeleteSessionsInput!) { deleteSessions(input: $input) { deletedSessionIds
        failures { id code message } } }";
    let data = gateway.graphql(query, json!({ "input": { "ids": wanted } })).await;
    assert_eq!(data["deleteSessions"], json!({ "deletedSessionIds": [ids[2], ids[0]], "failures": failures }));
    let data = gateway.graphql("{ sessions { nodes { id } } deletedSessions { totalCount } }", json!({})).await;
    assert_eq!(data["sessions"]["nodes"], json!([{ "id": ids[1] }]));
    assert_eq!(data["deletedSessions"]["totalCount"], 2);
    gateway.run_jobs().await;
}
