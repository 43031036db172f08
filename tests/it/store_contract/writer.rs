//! Many writers, several processes.

use sg_domain::{ErrorKind, ProjectId, ProjectKey, Visibility};
use sg_store::{SessionContent, Store};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, exchanges, messages, owner, project, session};

/// As an App operation writes: read, then write, then bump, in one transaction.
async fn write(store: &Store, n: u128, key: ProjectKey) {
    let ann = owner("ann");
    let tx = store.begin().await.unwrap();
    let new = session(n, &ann, "p", key);
    assert_eq!(tx.session_for_update(&ann, key, &new.client_id).await.unwrap(), None);
    let content = SessionContent { messages: &messages(5), exchanges: &exchanges(1) };
    tx.put_session(&new, Some(&content)).await.unwrap();
    tx.bump_version(&ann).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn sixteen_writers_and_a_second_process_take_turns(f: &Fixture) {
    let key = project(&f.store, &owner("ann"), "p").await;
    let other = f.again().await;
    let mut tasks = JoinSet::new();
    for task in 0..20_u128 {
        let store = if task < 16 { f.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            for n in 0..15 {
                write(&store, task * 15 + n, key).await;
                let who = Visibility::Owner(owner("ann"));
                assert!(store.session_count(&who, &Default::default()).await.unwrap() > 0);
            }
        });
    }
    tasks.join_all().await;
    let who = Visibility::Owner(owner("ann"));
    assert_eq!(f.store.session_count(&who, &Default::default()).await.unwrap(), 300);
    assert_eq!(f.store.data_version(&owner("ann")).await.unwrap(), 300);
}

pub(crate) async fn servers_that_start_at_once_migrate_once(f: &Fixture) {
    // A database that nobody has opened yet.
    let mut config = f.config.clone();
    config.database_url = match f.store.engine() {
        "sqlite" => format!("sqlite://{}", f.folder.path().join("other.db").display()),
        _ => crate::postgres::database().await.url().to_owned(),
    };
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let config = config.clone();
        tasks.spawn(async move { Store::open(&config).await.map(|store| store.engine()) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
    Store::open(&config).await.unwrap().ping().await.unwrap();
}

pub(crate) async fn two_first_uploads_of_one_session_meet(f: &Fixture) {
    let other = f.again().await;
    let mut tasks = JoinSet::new();
    for n in 0..6_u128 {
        let store = if n % 2 == 0 { f.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            let ann = owner("ann");
            let tx = store.begin().await.unwrap();
            let id = ProjectId::new("p").unwrap();
            let key = tx.ensure_project(&ann, &id, "p", ProjectKey(Uuid::new_v4()), at(0)).await.unwrap();
            let mut new = session(n, &ann, "p", key);
            new.client_id = "same".to_owned();
            if let Some(known) = tx.session_for_update(&ann, key, "same").await.unwrap() {
                new.id = known.id;
            }
            let done = tx.put_session(&new, None).await;
            if let Err(error) = &done {
                assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
            }
            done.unwrap();
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    let who = Visibility::Owner(owner("ann"));
    assert_eq!(f.store.session_count(&who, &Default::default()).await.unwrap(), 1);
}
