//! What is told as it happens: its shape, its filters, its errors, and that each event stands for itself.

use serde_json::{Value, json};
use sg_app::SessionUpdate;
use sg_domain::id::SessionRef;
use sg_schema::{Graphql, GraphqlLimits};

use crate::harness::{Engine, Followed, Gateway, Sample, without_cost};

const CHANGES: &str = "subscription($since: String, $project: String, $filters: SessionFilters) {
    sessionChanged(since: $since, projectId: $project, filters: $filters) {
        kind clientId projectId changedAt session { name userTitle project { name } }
    }
}";

/// A `since` that tells what comes next.
async fn now(gateway: &Gateway) -> Value {
    gateway.graphql("{ viewer { changeCursor } }", json!({})).await["viewer"]["changeCursor"].take()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {answer:#}"))
}

async fn rename(gateway: &Gateway, session: &sg_domain::Session, title: &str) {
    let update = SessionUpdate { user_title: Some(Some(title.to_owned())), ..Default::default() };
    gateway.app.update_session(&gateway.me.caller, &SessionRef::Id(session.id), update).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_session_is_told() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let mut told = gateway.follow(CHANGES, json!({ "since": now(&gateway).await }));
        let session = gateway.put(&gateway.me, Sample::new("a")).await;
        let change = |kind: &str, session: Value| {
            json!({ "data": { "sessionChanged": {
                "kind": kind, "clientId": "a", "projectId": "1111-2222-3333-4444",
                "changedAt": "2026-11-01T12:00:00.000Z", "session": session,
            } } })
        };
        let shown = |title: Value| json!({ "name": "Session a", "userTitle": title, "project": { "name": "gateway" } });
        assert_eq!(told.next().await, change("CREATED", shown(Value::Null)));
        // Nothing of one event is in the next: not what its loaders hold, not what it has spent.
        rename(&gateway, &session, "first").await;
        assert_eq!(told.next().await, change("UPDATED", shown(json!("first"))));
        rename(&gateway, &session, "second").await;
        assert_eq!(told.next().await, change("UPDATED", shown(json!("second"))));
        let query = "mutation($id: String!) { deleteSession(input: { id: $id }) { deletedClientId } }";
        gateway.graphql(query, json!({ "id": session.id.to_string() })).await;
        assert_eq!(told.next().await, change("DELETED", Value::Null));
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnect_with_the_last_cursor_misses_nothing() {
    let gateway = Gateway::start().await;
    let query = "subscription($since: String) { sessionChanged(since: $since) { clientId cursor sessionId } }";
    let mut since = now(&gateway).await;
    let mut heard = Vec::new();
    for n in 0..6 {
        gateway.put(&gateway.me, Sample::new(&format!("s{n}"))).await;
        if n % 2 == 1 {
            // A connection for every two changes; between them nobody listens.
            let mut told = gateway.follow(query, json!({ "since": since }));
            for _ in 0..2 {
                let change = told.next().await["data"]["sessionChanged"].take();
                since = change["cursor"].clone();
                heard.push(change["clientId"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(heard, ["s0", "s1", "s2", "s3", "s4", "s5"]);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_project_narrow_what_is_told() {
    let gateway = Gateway::start().await;
    let since = now(&gateway).await;
    let follow = |project: Value, filters: Value| {
        gateway.follow(CHANGES, json!({ "since": since, "project": project, "filters": filters }))
    };
    let mut of_q = follow(json!("q"), Value::Null);
    let mut tagged = follow(Value::Null, json!({ "tags": ["x"], "timeFilter": "last7days" }));
    let mut both = follow(json!("p"), json!({ "not": { "agentName": "Claude Code" }, "or": [{ "tags": ["x"] }] }));
    let tag = |sample: Sample| sample.with(|m| m.tags = Some(vec!["x".to_owned()]));
    gateway.put(&gateway.me, Sample::new("a").project("p", "p")).await;
    gateway.put(&gateway.me, tag(Sample::new("b").project("p", "p"))).await;
    gateway.put(&gateway.me, Sample::new("c").project("q", "q")).await;
    let codex = Sample::new("d").project("p", "p").with(|m| m.agent_name = Some("Codex CLI".to_owned()));
    gateway.put(&gateway.me, tag(codex)).await;
    let heard = |answer: Value| answer["data"]["sessionChanged"]["clientId"].as_str().unwrap().to_owned();
    assert_eq!(heard(of_q.next().await), "c");
    assert_eq!([heard(tagged.next().await), heard(tagged.next().await)], ["b", "d"]);
    assert_eq!(heard(both.next().await), "d");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_one_coded_answer_and_the_end() {
    let gateway = Gateway::start().await;
    let refuses = async |variables: Value| {
        let mut told = gateway.follow(CHANGES, variables);
        let answer = told.next().await;
        assert!(answer["data"].is_null());
        assert_eq!(told.end_or_next().await, None);
        assert!(answer["errors"][0]["extensions"]["requestId"].is_string());
        (code(&answer).to_owned(), answer["errors"][0]["message"].as_str().unwrap().to_owned())
    };
    for (variables, message) in [
        (json!({ "since": "x" }), "this cursor is not of a change"),
        (json!({ "filters": { "searchText": "x" } }), "filters.searchText does not work here"),
        (json!({ "filters": { "cursor": "x" } }), "use since with the cursor of a change"),
        (json!({ "filters": { "timeFilter": "soon" } }), "unknown timeFilter"),
        (json!({ "project": "a/b" }), "project id must be"),
    ] {
        let (code, said) = refuses(variables).await;
        assert_eq!(code, "VALIDATION_ERROR");
        assert!(said.contains(message), "{said}");
    }
    gateway.put(&gateway.me, Sample::new("a")).await;
    let start = sg_domain::change::ChangePlace::default().cursor(&gateway.me.user.id);
    gateway.clock.advance(std::time::Duration::from_secs(25 * 3_600));
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    assert_eq!(refuses(json!({ "since": start })).await.0, "CHANGES_EXPIRED");

    let mut told = gateway.follow("subscription { jobChanged(id: \"nope\") { id } }", json!({}));
    assert_eq!(code(&told.next().await), "NOT_FOUND");
    let mut told = gateway.follow("subscription { sessionChanged { nope } }", json!({}));
    assert_eq!(code(&told.next().await), "VALIDATION_ERROR");
    assert_eq!(told.end_or_next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_field_is_found_through_fragments_and_is_one() {
    let gateway = Gateway::start().await;
    let since = now(&gateway).await;
    let through = "subscription Named($since: String) { ... { ...Root } }
         fragment Root on Subscription { change: sessionChanged(since: $since) { kind ...Id } }
         fragment Id on SessionChange { clientId }";
    gateway.put(&gateway.me, Sample::new("a")).await;
    gateway.put(&gateway.me, Sample::new("b")).await;
    let mut told = gateway.follow(through, json!({ "since": since }));
    for id in ["a", "b"] {
        assert_eq!(told.next().await, json!({ "data": { "change": { "kind": "CREATED", "clientId": id } } }));
    }
    // Two fields are two sources, which the specification forbids.
    let two = "subscription { sessionChanged { kind } jobChanged(id: \"x\") { id } }";
    for bad in [two, "subscription { __typename }"] {
        let answer = gateway.follow(bad, json!({})).next().await;
        assert!(answer["data"].is_null(), "{bad}: {answer:#}");
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_a_budget_of_its_own() {
    let gateway = Gateway::start().await;
    let limits = GraphqlLimits { max_objects: 60, ..GraphqlLimits::default() };
    let graphql = Graphql::new(gateway.app.clone(), limits).unwrap();
    let query = "subscription($since: String) {
        sessionChanged(since: $since) { session { messages(first: 20) { nodes { id } } } } }";
    let since = now(&gateway).await;
    let mut told = Followed::new(&graphql, gateway.me.caller.clone(), query, json!({ "since": since }));
    let talk = |id: &str| (0..10).fold(Sample::new(id), |s, n| s.user(&format!("question {n}")).assistant("answer"));
    for n in 0..8 {
        gateway.put(&gateway.me, talk(&format!("s{n}"))).await;
        let answer = told.next().await;
        assert_eq!(answer["data"]["sessionChanged"]["session"]["messages"]["nodes"].as_array().unwrap().len(), 20);
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_a_subscription_with_its_code() {
    let gateway = Gateway::start().await;
    let key = gateway.key_with(&gateway.me, &[sg_domain::Scope::Read]).await;
    let caller = gateway.app.identify(Some(&key), "r1".to_owned()).await.unwrap();
    let mut told = gateway.follow_as(caller, CHANGES, json!({ "since": now(&gateway).await }));
    gateway.put(&gateway.me, Sample::new("a")).await;
    assert_eq!(told.next().await["data"]["sessionChanged"]["kind"], "CREATED");
    let keys = gateway.app.keys(&gateway.me.caller, false).await.unwrap();
    let id = keys.iter().find(|key| !key.scopes.has(sg_domain::Scope::Write)).unwrap().id;
    gateway.app.revoke_key(&gateway.me.caller, id).await.unwrap();
    let answer = told.next().await;
    assert_eq!((code(&answer), &answer["data"]), ("UNAUTHENTICATED", &Value::Null));
    assert_eq!(told.end_or_next().await, None);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_mutations_are_streams_of_one_answer() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    for (query, wanted) in [
        ("{ sessions { total } }", json!({ "data": { "sessions": { "total": 1 } } })),
        (
            r#"mutation { deleteSession(input: { sessionId: "a", projectId: "1111-2222-3333-4444" }) { deletedClientId } }"#,
            json!({ "data": { "deleteSession": { "deletedClientId": "a" } } }),
        ),
    ] {
        let mut told = gateway.follow(query, json!({}));
        assert_eq!(without_cost(told.next().await), wanted);
        assert_eq!(told.end_or_next().await, None);
    }
    gateway.run_jobs().await;
}
