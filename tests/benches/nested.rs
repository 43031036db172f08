//! The nested query that every target is held against: 20 projects with 20 sessions each, with metadata, through the
//! whole GraphQL handler without its sockets.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Request;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use sg_app::{App, NewSession, Parts, RandomIds, SystemClock};
use sg_domain::{Caller, ProjectId, SessionMetadata, UserId};
use sg_schema::{Graphql, GraphqlLimits};
use sg_search::{TantivyConfig, TantivyIndex};
use sg_store::{Store, StoreConfig};

const NESTED: &str = "{ projects { id name sessionCount lastUpdated sessions(first: 20) { nodes {
    id name markdownSize createdAt updatedAt metadata { clientName agentName gitBranches llmModels tags } } } } }";

async fn seeded(dir: &std::path::Path) -> (App, Caller) {
    let config = StoreConfig {
        database_url: format!("sqlite://{}/bench.db", dir.display()),
        blob_url: format!("file://{}/blobs", dir.display()),
        blob_options: Vec::new(),
        max_connections: 4,
    };
    let app = App::new(Parts::new(
        Store::open(&config).await.unwrap(),
        Arc::new(TantivyIndex::open(TantivyConfig::new(dir.join("index"))).unwrap()),
        Arc::new(SystemClock),
        Arc::new(RandomIds),
    ));
    let operator = Caller::local(UserId("user_bench".to_owned()));
    let user = app.create_user(&operator, "bench@example.com").await.unwrap();
    let caller = Caller::local(user.id);
    for project in 0..20 {
        for session in 0..20 {
            let markdown =
                format!("# Session {session}\n\n_**User**_\n\nwhy does build {session} of {project} fail?\n");
            let new = NewSession {
                project: ProjectId::new(format!("project-{project}")).unwrap(),
                project_name: format!("Project {project}"),
                client_id: format!("session-{session}"),
                name: format!("2026-01-16_{session:02}-fix-the-build"),
                markdown: markdown.into(),
                raw: None,
                session_data: None,
                metadata: SessionMetadata {
                    client_name: Some("specstory-cli".to_owned()),
                    agent_name: Some("Claude Code".to_owned()),
                    git_branches: Some(vec!["main".to_owned()]),
                    llm_models: Some(vec!["claude-opus-4-6".to_owned()]),
                    tags: Some(vec!["build".to_owned()]),
                    ..SessionMetadata::default()
                },
                transcript: None,
            };
            app.put_session(&caller, new).await.unwrap();
        }
    }
    (app, caller)
}

fn nested(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (app, caller) = runtime.block_on(seeded(dir.path()));
    let graphql = Graphql::new(app, GraphqlLimits::default()).unwrap();
    let body = Bytes::from(json!({ "query": NESTED }).to_string());
    let ask = || async {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("cache-control", "no-store")
            .body(body.clone())
            .unwrap();
        let response = graphql.handle(caller.clone(), request).await;
        let sg_schema::Body::Whole(body) = response.into_body() else { panic!("a stream") };
        assert!(body.starts_with(b"{\"data\":"), "{body:?}");
        body.len()
    };
    assert!(runtime.block_on(ask()) > 50_000);
    criterion.bench_function("20 projects x 20 sessions with metadata", |bench| {
        bench.iter(|| runtime.block_on(ask()));
    });
}

criterion_group!(benches, nested);
criterion_main!(benches);
