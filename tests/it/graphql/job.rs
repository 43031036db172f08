//! Jobs as their owner sees them: lists, one, its life, trying again and taking back; and what is not shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sg_domain::{
    Error, ExchangeHit, ExchangeQuery, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, SessionId,
};
use sg_search::{IndexStatus, Rebuild, SearchIndex, SessionDocument};
use tokio::task::JoinSet;

use crate::app::job::Flaky;
use crate::harness::{Engine, Gateway, Sample};

const JOB: &str = "id kind state attempts lastError finishedAt session { name } project { name }";

async fn jobs(gateway: &Gateway) -> Vec<Value> {
    let data = gateway.graphql(&format!("{{ jobs(first: 100) {{ nodes {{ {JOB} }} }} }}"), json!({})).await;
    data["jobs"]["nodes"].as_array().unwrap().clone()
}

async fn reindex(gateway: &Gateway) -> Value {
    let query = format!("mutation($id: String!) {{ reindexProject(input: {{ id: $id }}) {{ job {{ {JOB} }} }} }}");
    gateway.graphql(&query, json!({ "id": "1111-2222-3333-4444" })).await["reindexProject"]["job"].take()
}

fn change(field: &str) -> String {
    format!("mutation($id: String!) {{ {field}(input: {{ id: $id }}) {{ job {{ {JOB} }} }} }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_indexed_again_by_a_job_that_is_followed_to_its_end() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        gateway.seed(Sample::new("a")).await;
        let job = reindex(&gateway).await;
        let shown = |state: &str, attempts: i32, finished_at: Value| {
            json!({
                "id": job["id"], "kind": "INDEX_PROJECT", "state": state, "attempts": attempts, "lastError": null,
                "finishedAt": finished_at, "session": null, "project": { "name": "gateway" },
            })
        };
        assert_eq!(job, shown("READY", 0, Value::Null));
        let query = format!("subscription($id: ID!) {{ jobChanged(id: $id) {{ {JOB} }} }}");
        let mut told = gateway.follow(&query, json!({ "id": job["id"] }));
        let event = |job: Value| json!({ "data": { "jobChanged": job } });
        assert_eq!(told.next().await, event(shown("READY", 0, Value::Null)));
        gateway.run_jobs().await;
        let done = shown("DONE", 1, json!("2026-11-01T12:00:00.000Z"));
        assert_eq!(told.next().await, event(done.clone()));
        assert_eq!(told.end_or_next().await, None);
        // Who comes later hears how it ended.
        let mut late = gateway.follow(&query, json!({ "id": job["id"] }));
        assert_eq!(late.next().await, event(done.clone()));
        assert_eq!(late.end_or_next().await, None);
        let query = format!("query($id: ID!) {{ job(id: $id) {{ {JOB} }} }}");
        assert_eq!(gateway.graphql(&query, json!({ "id": job["id"] })).await["job"], done);
        let node = "query($id: ID!) { node(id: $id) { __typename id ... on Job { state } } }";
        let node = gateway.graphql(node, json!({ "id": job["id"] })).await;
        assert_eq!(node["node"], json!({ "__typename": "Job", "id": job["id"], "state": "DONE" }));
        // The same again is the same job.
        assert_eq!(reindex(&gateway).await, job);
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_s_work_on_a_job_is_told() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        gateway.seed(Sample::new("a")).await;
        let job = reindex(&gateway).await;
        let mut told =
            gateway.follow("subscription($id: ID!) { jobChanged(id: $id) { state } }", json!({ "id": job["id"] }));
        let state = |answer: Value| answer["data"]["jobChanged"]["state"].as_str().unwrap().to_owned();
        assert_eq!(state(told.next().await), "READY");
        let app = gateway.app.clone();
        let mut hearing = JoinSet::new();
        hearing.spawn(async move { app.hear_others().await });
        let beside = gateway.beside().await;
        while beside.run_jobs().await.unwrap().done > 0 {}
        let mut last = state(told.next().await);
        if last == "RUNNING" {
            last = state(told.next().await);
        }
        assert_eq!(last, "DONE");
        assert_eq!(told.end_or_next().await, None);
        hearing.abort_all();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_in_pages_and_by_state() {
    let gateway = Gateway::start().await;
    for n in 0..5 {
        gateway.clock.advance(Duration::from_secs(1));
        gateway.seed(Sample::new(&format!("s{n}"))).await;
    }
    gateway.put(&gateway.me, Sample::new("waits")).await;
    let names: Vec<_> = jobs(&gateway).await.iter().map(|job| job["session"]["name"].clone()).collect();
    assert_eq!(names, ["Session waits", "Session s4", "Session s3", "Session s2", "Session s1", "Session s0"]);
    let query =
        "query($state: JobState, $first: Int, $after: String) { jobs(state: $state, first: $first, after: $after) {
        edges { cursor node { session { name } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let mut after = Value::Null;
    let mut found = Vec::new();
    loop {
        let data = gateway.graphql(query, json!({ "state": "DONE", "first": 2, "after": after })).await;
        let edges = data["jobs"]["edges"].as_array().unwrap();
        found.extend(edges.iter().map(|edge| edge["node"]["session"]["name"].clone()));
        let page = &data["jobs"]["pageInfo"];
        assert_eq!(
            (&page["startCursor"], &page["endCursor"]),
            (&edges[0]["cursor"], &edges[edges.len() - 1]["cursor"])
        );
        assert_eq!(page["hasPreviousPage"], !after.is_null());
        after = page["endCursor"].clone();
        if page["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(found, names[1..]);
    let data = gateway.graphql(query, json!({ "state": "READY" })).await;
    assert_eq!(data["jobs"]["edges"].as_array().unwrap().len(), 1);
    for bad in [json!({ "first": 0 }), json!({ "first": 101 }), json!({ "first": -1_000_000 }), json!({ "after": "x" })]
    {
        assert_eq!(gateway.graphql_code(query, bad).await, "VALIDATION_ERROR");
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_taken_back_and_tried_again() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let id = json!({ "id": reindex(&gateway).await["id"] });
    for _ in 0..2 {
        let data = gateway.graphql(&change("cancelJob"), id.clone()).await;
        assert_eq!(data["cancelJob"]["job"]["state"], "CANCELLED");
        assert!(data["cancelJob"]["job"]["finishedAt"].is_string());
    }
    assert_eq!(gateway.app.run_jobs().await.unwrap().done, 0, "it does not run");
    let mut told = gateway.follow("subscription($id: ID!) { jobChanged(id: $id) { state } }", id.clone());
    assert_eq!(told.next().await["data"]["jobChanged"]["state"], "CANCELLED");
    assert_eq!(told.end_or_next().await, None);
    let data = gateway.graphql(&change("retryJob"), id.clone()).await;
    assert_eq!(
        (&data["retryJob"]["job"]["state"], &data["retryJob"]["job"]["finishedAt"]),
        (&json!("READY"), &Value::Null)
    );
    gateway.run_jobs().await;
    for field in ["cancelJob", "retryJob"] {
        assert_eq!(gateway.graphql_code(&change(field), id.clone()).await, "CONFLICT", "{field} of one that is done");
        for nothing in ["nope", "0190-", "01900000-0000-7000-8000-00000000ffff"] {
            assert_eq!(gateway.graphql_code(&change(field), json!({ "id": nothing })).await, "NOT_FOUND");
        }
    }
    assert_eq!(gateway.graphql_code(&change("reindexProject"), json!({ "id": "none" })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_says_why_and_is_tried_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let switch = broken.clone();
    let gateway = Gateway::start_behind(move |inner| Arc::new(Flaky { inner, broken: switch })).await;
    gateway.put(&gateway.me, Sample::new("s1").user("marmalade")).await;
    let id = json!({ "id": jobs(&gateway).await[0]["id"] });
    let query = "subscription($id: ID!) { jobChanged(id: $id) { state attempts lastError } }";
    let mut told = gateway.follow(query, id.clone());
    let event = |state: &str, attempts: i32, last_error: Option<&str>| json!({ "data": { "jobChanged": { "state": state, "attempts": attempts, "lastError": last_error } } });
    assert_eq!(told.next().await, event("READY", 0, None));
    gateway.app.run_jobs().await.unwrap();
    assert_eq!(told.next().await, event("READY", 1, Some("index cannot be written")));
    for _ in 0..20 {
        gateway.clock.advance(Duration::from_secs(3_600));
        gateway.app.run_jobs().await.unwrap();
    }
    assert_eq!(told.next().await, event("DEAD", 10, Some("index cannot be written")));
    assert_eq!(told.end_or_next().await, None);
    broken.store(false, Ordering::SeqCst);
    let data = gateway.graphql(&change("retryJob"), id).await;
    assert_eq!((&data["retryJob"]["job"]["state"], &data["retryJob"]["job"]["attempts"]), (&json!("READY"), &json!(0)));
    gateway.run_jobs().await;
    assert_eq!(jobs(&gateway).await[0]["lastError"], Value::Null, "what is done has no error");
}

/// An index that fails with what nobody may read, and says when it is asked.
struct Secretive {
    inner: Arc<dyn SearchIndex>,
    broken: Arc<AtomicBool>,
    /// Asked while a session is being indexed.
    at_work: Arc<tokio::sync::Notify>,
    go_on: Arc<tokio::sync::Notify>,
}

#[async_trait]
impl SearchIndex for Secretive {
    async fn put(&self, document: SessionDocument) -> Result<()> {
        if self.broken.swap(false, Ordering::SeqCst) {
            self.at_work.notify_one();
            self.go_on.notified().await;
            return Err(Error::new(sg_domain::ErrorKind::Internal, "SELECT secret FROM /etc/passwd"));
        }
        self.inner.put(document).await
    }
    async fn remove(&self, session: SessionId) -> Result<()> {
        self.inner.remove(session).await
    }
    async fn commit(&self) -> Result<()> {
        self.inner.commit().await
    }
    async fn search(&self, query: SearchQuery) -> Result<SearchPage> {
        self.inner.search(query).await
    }
    async fn exchanges(&self, query: ExchangeQuery) -> Result<Vec<ExchangeHit>> {
        self.inner.exchanges(query).await
    }
    async fn related(&self, query: RelatedQuery) -> Result<Vec<RelatedHit>> {
        self.inner.related(query).await
    }
    async fn sessions(&self) -> Result<Vec<(SessionId, String)>> {
        self.inner.sessions().await
    }
    fn status(&self) -> IndexStatus {
        self.inner.status()
    }
    async fn rebuild(&self) -> Result<Box<dyn Rebuild>> {
        self.inner.rebuild().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_left_alone_and_internals_are_not_told() {
    let (at_work, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (works, goes_on) = (at_work.clone(), go_on.clone());
    let broken = Arc::new(AtomicBool::new(true));
    let gateway =
        Gateway::start_behind(move |inner| Arc::new(Secretive { inner, broken, at_work: works, go_on: goes_on })).await;
    gateway.put(&gateway.me, Sample::new("a")).await;
    let id = json!({ "id": jobs(&gateway).await[0]["id"] });
    let app = gateway.app.clone();
    let mut worker = JoinSet::new();
    worker.spawn(async move { app.run_jobs().await.unwrap() });
    at_work.notified().await;
    assert_eq!(jobs(&gateway).await[0]["state"], "RUNNING");
    for field in ["cancelJob", "retryJob"] {
        assert_eq!(gateway.graphql_code(&change(field), id.clone()).await, "CONFLICT", "{field} of one that runs");
    }
    go_on.notify_one();
    assert_eq!(worker.join_next().await.unwrap().unwrap().failed, 1);
    let failed = jobs(&gateway).await.remove(0);
    assert_eq!((&failed["state"], &failed["lastError"]), (&json!("READY"), &json!("internal error")));
    // It waits after its failure; whoever does not want to wait says so.
    assert_eq!(gateway.app.run_jobs().await.unwrap().done, 0);
    gateway.graphql(&change("retryJob"), id).await;
    assert_eq!(gateway.app.run_jobs().await.unwrap().done, 1);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_forgotten_after_a_day() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    gateway.clock.advance(Duration::from_secs(23 * 3_600));
    gateway.seed(Sample::new("b")).await;
    gateway.clock.advance(Duration::from_secs(2 * 3_600));
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    let names: Vec<_> = jobs(&gateway).await.iter().map(|job| job["session"]["name"].clone()).collect();
    assert_eq!(names, ["Session b"]);
}
