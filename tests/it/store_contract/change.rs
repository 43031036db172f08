//! What people change about projects, sessions and exchanges; shared sessions; sizes and activity.

use sg_domain::session::SessionSize;
use sg_domain::stats::ProjectActivity;
use sg_domain::{ProjectId, SessionId, ShareStatus, Visibility};

use super::Fixture;
use super::sample::{at, exchanges, messages, owner, project, put, put_with, session};

pub(crate) async fn a_project_is_changed_by_its_owner_alone(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let key = project(&f.store, &ann, "p").await;
    let theirs = project(&f.store, &bob, "p").await;
    let id = ProjectId::new("p").unwrap();
    let tx = f.store.begin().await.unwrap();
    assert_eq!(tx.project_for_update(&owner("eve"), &id).await.unwrap(), None);
    let mut changed = tx.project_for_update(&ann, &id).await.unwrap().unwrap();
    assert_eq!(changed.key, key);
    changed.name = "日本 \0".to_owned();
    (changed.icon, changed.color) = ("🚀".to_owned(), "#FF5733".to_owned());
    changed.updated_at = at(9);
    tx.update_project(&changed).await.unwrap();
    tx.commit().await.unwrap();
    changed.name = "日本 \u{fffd}".to_owned();
    assert_eq!(f.store.project(&Visibility::Owner(ann), &id).await.unwrap(), Some(changed));
    let other = f.store.project(&Visibility::Owner(bob), &id).await.unwrap().unwrap();
    assert_eq!((other.key, other.name.as_str()), (theirs, "name of p"));
}

pub(crate) async fn an_exchange_keeps_what_people_say_of_it(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let stored = session(1, &ann, "p", key);
    put_with(&f.store, &stored, &messages(2), &exchanges(3)).await;
    let mut marked = exchanges(3).remove(1);
    for (title, hidden) in [(Some("a title"), true), (None, true), (Some("x"), false)] {
        (marked.user_title, marked.hidden_from_share) = (title.map(str::to_owned), hidden);
        let tx = f.store.begin().await.unwrap();
        assert!(tx.mark_exchange(stored.id, &marked).await.unwrap());
        assert_eq!(tx.exchanges(stored.id).await.unwrap()[1], marked);
        tx.commit().await.unwrap();
    }
    let tx = f.store.begin().await.unwrap();
    marked.ordinal = 9;
    assert!(!tx.mark_exchange(stored.id, &marked).await.unwrap());
    tx.commit().await.unwrap();
    let found = f.store.exchanges(&Visibility::Owner(ann), stored.id).await.unwrap();
    assert_eq!(found.iter().map(|x| x.user_title.is_some()).collect::<Vec<_>>(), [false, true, false]);
}

pub(crate) async fn only_what_is_shared_is_found_without_a_tenant(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (p, q) = (project(&f.store, &ann, "p").await, project(&f.store, &bob, "q").await);
    let mut private = session(2, &ann, "p", p);
    let mut shared = session(3, &ann, "p", p);
    let mut other = session(5, &bob, "q", q);
    (private.client_id, shared.client_id, other.client_id) = ("a".into(), "same".into(), "same".into());
    assert_eq!(private.share_status, ShareStatus::Private);
    put(&f.store, &[private.clone(), shared.clone(), other.clone()]).await;
    let find = async |id: &str| f.store.shared_session(id).await.unwrap().map(|s| s.id);
    assert_eq!(find(&private.id.to_string()).await, None);
    assert_eq!(find("a").await, None);
    assert_eq!(find("' OR 1=1 --").await, None);
    assert_eq!(find(&shared.id.to_string()).await, Some(shared.id));
    // Nobody gets another's link by choosing the same id: then it names neither, and each is found by its own id.
    assert_eq!(find("same").await, None);
    assert_eq!(find(&other.id.to_string()).await, Some(other.id));
    other.share_status = ShareStatus::Private;
    put(&f.store, std::slice::from_ref(&other)).await;
    assert_eq!(find("same").await, Some(shared.id));
}

pub(crate) async fn sizes_are_those_of_the_owner_s_project(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (p, other) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "other").await);
    let theirs = project(&f.store, &bob, "p").await;
    let mine = [session(1, &ann, "p", p), session(2, &ann, "p", p), session(10, &ann, "p", p)];
    put(&f.store, &mine).await;
    put(&f.store, &[session(3, &ann, "other", other), session(4, &bob, "p", theirs)]).await;
    let size = |client_id: &str, markdown_size, session_data_size| SessionSize {
        client_id: client_id.to_owned(),
        markdown_size,
        session_data_size,
    };
    let sizes = async |who: &str, id: &str| {
        let id = ProjectId::new(id).unwrap();
        f.store.session_sizes(&Visibility::Owner(owner(who)), &id).await.unwrap()
    };
    let wanted = [size("client-1", 1_001, None), size("client-10", 1_010, Some(10)), size("client-2", 1_002, Some(2))];
    assert_eq!(sizes("ann", "p").await, wanted);
    assert_eq!(sizes("bob", "p").await, [size("client-4", 1_004, Some(4))]);
    assert_eq!(sizes("bob", "other").await, []);
    let ids: Vec<SessionId> = f.store.session_ids_of(p).await.unwrap();
    assert_eq!(ids, mine.map(|s| s.id));
}

pub(crate) async fn activity_counts_sessions_and_machines(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let p = project(&f.store, &ann, "p").await;
    let empty = project(&f.store, &ann, "empty").await;
    let mut sessions: Vec<_> = (1..5).map(|n| session(n, &ann, "p", p)).collect();
    // No machine is known: together they count as one.
    for unknown in &mut sessions[2..] {
        (unknown.metadata.device_id, unknown.metadata.machine_name) = (None, None);
    }
    put(&f.store, &sessions).await;
    let who = Visibility::Owner(ann);
    let found = f.store.project_activity(&who, p, at(4), at(2)).await.unwrap();
    let wanted = ProjectActivity {
        sessions: 4,
        sessions_last_week: 1,
        sessions_last_month: 3,
        machines: 3,
        machines_last_month: 2,
        first_at: Some(at(-59)),
        last_at: Some(at(4)),
    };
    assert_eq!(found, wanted);
    assert!((found.sessions_per_week() - 4.0).abs() < f64::EPSILON, "a week at the least");
    assert_eq!(f.store.project_activity(&who, empty, at(0), at(0)).await.unwrap(), ProjectActivity::default());
    let foreign = f.store.project_activity(&Visibility::Owner(bob), p, at(0), at(0)).await.unwrap();
    assert_eq!(foreign, ProjectActivity::default());
}
