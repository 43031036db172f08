//! Projects, their sums and figures.

use std::collections::BTreeMap;

use sg_domain::stats::Count;
use sg_domain::{Project, ProjectId, ProjectKey, Visibility};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, owner, project, put, session};

async fn one(f: &Fixture, id: &str) -> Project {
    let who = Visibility::Owner(owner("ann"));
    f.store.project(&who, &ProjectId::new(id).unwrap()).await.unwrap().unwrap()
}

pub(crate) async fn a_project_is_made_once(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    assert_eq!(project(&f.store, &ann, "p").await, key);
    assert_ne!(project(&f.store, &owner("bob"), "p").await, key, "the same id is another project for another owner");
    let found = one(f, "p").await;
    assert_eq!((found.key, found.name.as_str(), found.session_count), (key, "name of p", 0));
    assert_eq!((found.icon.as_str(), found.color.as_str()), ("FolderKanban", "blue"));
    assert_eq!((found.created_at, found.last_activity_at), (at(0), None));
    let who = Visibility::Owner(ann);
    assert_eq!(f.store.projects_by_key(&who, &[key, key]).await.unwrap(), [found]);
    assert!(f.store.projects_by_key(&Visibility::Owner(owner("bob")), &[key]).await.unwrap().is_empty());
    assert!(f.store.projects_by_key(&who, &[]).await.unwrap().is_empty());
    assert!(f.store.projects_by_key(&who, &[ProjectKey(Uuid::from_u128(1))]).await.unwrap().is_empty());
}

pub(crate) async fn many_make_one_project_at_once(f: &Fixture) {
    let other = f.again().await;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { f.store.clone() } else { other.clone() };
        tasks.spawn(async move { project(&store, &owner("ann"), "p").await });
    }
    let mut keys = tasks.join_all().await;
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

pub(crate) async fn sums_follow_every_change(f: &Fixture) {
    let ann = owner("ann");
    let (p, q) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "q").await);
    let (mut a, b) = (session(1, &ann, "p", p), session(2, &ann, "p", p));
    put(&f.store, &[a.clone(), b.clone()]).await;
    let found = one(f, "p").await;
    assert_eq!((found.session_count, found.total_markdown_size), (2, a.markdown_size + b.markdown_size));
    assert_eq!((found.last_activity_at, found.updated_at), (Some(b.activity_at), b.updated_at));

    a.markdown_size = 10;
    a.activity_at = at(500);
    put(&f.store, &[a.clone()]).await;
    let found = one(f, "p").await;
    assert_eq!((found.session_count, found.total_markdown_size), (2, 10 + b.markdown_size));
    assert_eq!(found.last_activity_at, Some(at(500)));
    let order: Vec<_> = f.store.projects(&Visibility::Owner(ann.clone())).await.unwrap();
    assert_eq!(order.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["p", "q"], "without activity last");

    // It moves to another project.
    (a.project_key, a.project_id) = (q, ProjectId::new("q").unwrap());
    put(&f.store, &[a.clone()]).await;
    assert_eq!(one(f, "p").await.last_activity_at, Some(b.activity_at));
    let found = one(f, "q").await;
    assert_eq!((found.session_count, found.total_markdown_size, found.last_activity_at), (1, 10, Some(at(500))));

    let tx = f.store.begin().await.unwrap();
    assert!(!tx.trash_session(&owner("bob"), a.id, at(900)).await.unwrap());
    assert!(tx.trash_session(&ann, a.id, at(900)).await.unwrap());
    assert!(!tx.trash_session(&ann, a.id, at(901)).await.unwrap());
    tx.commit().await.unwrap();
    let found = one(f, "q").await;
    assert_eq!((found.session_count, found.total_markdown_size, found.last_activity_at), (0, 0, None));
}

pub(crate) async fn sums_are_right_after_concurrent_writers(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let mut tasks = JoinSet::new();
    for task in 0..8_u128 {
        let (store, ann) = (f.store.clone(), ann.clone());
        tasks.spawn(async move {
            for n in 0..5 {
                put(&store, &[session(task * 5 + n, &ann, "p", key)]).await;
            }
        });
    }
    tasks.join_all().await;
    let found = one(f, "p").await;
    let size: u64 = (0..40).map(|n| 1_000 + n).sum();
    assert_eq!((found.session_count, found.total_markdown_size), (40, size));
    assert_eq!(found.last_activity_at, Some(at(39)));
}

pub(crate) async fn deleting_a_project_deletes_its_sessions(f: &Fixture) {
    let ann = owner("ann");
    let (p, q) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "q").await);
    let sessions = [session(1, &ann, "p", p), session(2, &ann, "p", p), session(3, &ann, "q", q)];
    put(&f.store, &sessions).await;
    let tx = f.store.begin().await.unwrap();
    let mut gone = tx.delete_project(p).await.unwrap();
    tx.commit().await.unwrap();
    gone.sort();
    assert_eq!(gone, [sessions[0].id, sessions[1].id]);
    let who = Visibility::Owner(ann);
    assert_eq!(f.store.projects(&who).await.unwrap().len(), 1);
    assert_eq!(f.store.session_count(&who, &Default::default()).await.unwrap(), 1);
}

pub(crate) async fn figures_are_those_of_the_sessions(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (p, q) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "q").await);
    let theirs = project(&f.store, &bob, "p").await;
    let mut sessions: Vec<_> = (0..10).map(|n| session(n, &ann, "p", p)).collect();
    sessions.extend((10..13).map(|n| session(n, &ann, "q", q)));
    // The last microsecond before 1970 is a day of its own.
    sessions[0].activity_at = sg_domain::Timestamp::from_micros(-1);
    let mut other = session(50, &bob, "p", theirs);
    other.metadata.llm_models = Some(vec!["secret".to_owned()]);
    put(&f.store, &sessions).await;
    put(&f.store, &[other]).await;

    for (who, project) in
        [(Visibility::Owner(ann.clone()), Some(p)), (Visibility::Owner(ann), None), (Visibility::Everyone, Some(q))]
    {
        let mine: Vec<_> = sessions.iter().filter(|s| project.is_none_or(|p| s.project_key == p)).collect();
        let stats = f.store.project_stats(&who, project).await.unwrap();
        assert_eq!(stats.total_sessions, mine.len() as u64);
        assert_eq!(stats.total_markdown_size, mine.iter().map(|s| s.markdown_size).sum::<u64>());
        assert_eq!(stats.total_raw_data_size, mine.iter().map(|s| s.raw_data_size).sum::<u64>());
        assert_eq!(stats.unique_llm_models, ["model-0", "model-1"]);
        assert_eq!(stats.unique_git_branches, ["main", "topic/0", "topic/1", "topic/2"]);

        let count = |values: Vec<String>| {
            let mut counts = BTreeMap::new();
            for value in values {
                *counts.entry(value).or_insert(0) += 1;
            }
            counts.into_iter().map(|(value, count)| Count { value, count }).collect::<Vec<_>>()
        };
        let top = |mut counts: Vec<Count>| {
            counts.sort_by(|a, b| b.count.cmp(&a.count).then(a.value.cmp(&b.value)));
            counts
        };
        let days = count(mine.iter().map(|s| s.activity_at.day()).collect());
        let from = sg_domain::Timestamp::from_micros(i64::MIN);
        assert_eq!(f.store.sessions_by_day(&who, project, from).await.unwrap(), days);
        assert!(f.store.sessions_by_day(&who, project, at(100_000)).await.unwrap().is_empty());
        let tags = count(mine.iter().flat_map(|s| s.metadata.tags.clone().unwrap_or_default()).collect());
        assert_eq!(f.store.top_tags(&who, project, 10).await.unwrap(), top(tags.clone()));
        assert_eq!(f.store.top_tags(&who, project, 1).await.unwrap(), top(tags)[..1]);
        let models = count(mine.iter().flat_map(|s| s.metadata.llm_models.clone().unwrap_or_default()).collect());
        assert_eq!(f.store.top_models(&who, project, 10).await.unwrap(), top(models));
    }
}
