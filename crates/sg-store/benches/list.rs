//! The hot reads: a list of 20, one session, a deep page by cursor and by offset, the project list, 20 sessions of each
//! of 20 projects.

// Cargo hands benches the dependencies of the crate's tests; not all are used here.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use sg_domain::id::SessionRef;
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    Digest, Direction, PageRequest, ProjectId, ProjectKey, Session, SessionFilter, SessionId, SessionMetadata,
    SessionOrder, ShareStatus, Timestamp, TokenUsage, UserId, Visibility,
};
use sg_store::{SessionColumns, Store, StoreConfig, session_cursor};
use uuid::Uuid;

const SESSIONS: u128 = 10_000;
const PROJECTS: u128 = 50;

fn session(n: u128, owner: &UserId, project: &(ProjectId, ProjectKey)) -> Session {
    let at = Timestamp::from_secs(1_768_000_000 + i64::try_from(n).unwrap_or(0));
    Session {
        id: SessionId(Uuid::from_u128(n)),
        client_id: format!("client-{n}"),
        project_key: project.1,
        project_id: project.0.clone(),
        owner: owner.clone(),
        name: format!("2026-01-16_{n:05}-fix-the-build.md"),
        user_title: None,
        alias: None,
        format: "specstory".to_owned(),
        parent_client_id: None,
        agent_id: None,
        started_at: Some(at),
        ended_at: Some(at),
        created_at: at,
        updated_at: at,
        activity_at: at,
        etag: Digest::of(&n.to_le_bytes()).to_string(),
        markdown_size: 15_000,
        raw_data_size: 200_000,
        session_data_size: None,
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: "please fix the build, it fails with an unresolved import since yesterday".to_owned(),
        share_status: ShareStatus::Private,
        metadata: SessionMetadata {
            client_name: Some("specstory-cli".to_owned()),
            agent_name: Some("Claude Code".to_owned()),
            git_branches: Some(vec!["main".to_owned(), format!("topic/{}", n % 7)]),
            llm_models: Some(vec!["claude-opus-4".to_owned()]),
            folder: Some("/home/u/project".to_owned()),
            ..SessionMetadata::default()
        },
        blobs: SessionBlobs { markdown: Digest::of(&n.to_be_bytes()), raw: None, session_data: None },
    }
}

async fn seed(store: &Store, owner: &UserId) -> Vec<(ProjectId, ProjectKey)> {
    let tx = store.begin().await.unwrap();
    let mut projects = Vec::new();
    for n in 0..PROJECTS {
        let (id, key) = (ProjectId::new(format!("project-{n}")).unwrap(), ProjectKey(Uuid::from_u128(n)));
        tx.ensure_project(owner, &id, "name", key, Timestamp::from_secs(0)).await.unwrap();
        projects.push((id, key));
    }
    for n in 0..SESSIONS {
        let project = &projects[usize::try_from(n % PROJECTS).unwrap()];
        tx.put_session(&session(n, owner, project), None).await.unwrap();
    }
    tx.commit().await.unwrap();
    projects
}

fn lists(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        database_url: format!("sqlite://{}", folder.path().join("store.db").display()),
        blob_url: format!("file://{}", folder.path().join("blobs").display()),
        blob_options: Vec::new(),
        max_connections: 4,
    };
    let store = runtime.block_on(Store::open(&config)).unwrap();
    let owner = UserId("user_bench".to_owned());
    let projects = runtime.block_on(seed(&store, &owner));
    let who = Visibility::Owner(owner.clone());
    let none = SessionFilter::default();
    let (order, way) = (SessionOrder::Activity, Direction::Desc);

    let deep = session(1_000, &owner, &projects[0]);
    let pages = [
        ("list/first 20", PageRequest::first(20)),
        (
            "list/20 behind row 9000 by cursor",
            PageRequest { after: Some(session_cursor(&deep, order, way)), ..PageRequest::first(20) },
        ),
        ("list/20 behind row 9000 by offset", PageRequest { offset: 9_000, ..PageRequest::first(20) }),
    ];
    for (name, page) in &pages {
        c.bench_function(name, |b| {
            b.to_async(&runtime).iter(|| store.sessions(&who, &none, order, way, page, SessionColumns::ALL));
        });
    }
    let one = SessionRef::Id(deep.id);
    c.bench_function("get/one session", |b| b.to_async(&runtime).iter(|| store.session(&who, &one)));
    c.bench_function("get/data version", |b| b.to_async(&runtime).iter(|| store.data_version(&owner)));
    c.bench_function("list/projects", |b| b.to_async(&runtime).iter(|| store.projects(&who)));
    let keys: Vec<ProjectKey> = projects.iter().take(20).map(|(_, key)| *key).collect();
    c.bench_function("list/20 of each of 20 projects", |b| {
        b.to_async(&runtime)
            .iter(|| store.sessions_by_project(&who, &keys, &none, order, way, 20, SessionColumns::ALL));
    });
}

criterion_group!(benches, lists);
criterion_main!(benches);
