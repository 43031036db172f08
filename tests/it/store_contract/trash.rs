//! The trash: what is in it is in no other answer, comes back as it was, and goes for good when its time has come.

use sg_domain::id::SessionRef;
use sg_domain::{
    ErrorKind, MessageId, PageRequest, ProjectId, Session, SessionFilter, SessionId, ShareStatus, Timestamp, UserId,
    Visibility,
};
use sg_store::{MessageQuery, SessionColumns, Store, trash_cursor};
use tokio::task::JoinSet;

use super::Fixture;
use super::sample::{at, exchanges, messages, owner, project, put, put_with, session};

async fn trash(store: &Store, who: &UserId, id: SessionId, when: Timestamp) -> bool {
    let tx = store.begin().await.unwrap();
    let done = tx.trash_session(who, id, when).await.unwrap();
    tx.commit().await.unwrap();
    done
}

/// What came of it; `false` when it is not in the trash.
async fn restore(store: &Store, who: &UserId, id: SessionId, when: Timestamp) -> sg_domain::Result<bool> {
    let tx = store.begin().await?;
    let Some(mut found) = tx.trashed_session(who, id).await? else { return Ok(false) };
    found.session.updated_at = when;
    tx.restore_session(&found.session).await?;
    tx.commit().await?;
    Ok(true)
}

fn loud(n: u128, who: &UserId, key: sg_domain::ProjectKey) -> Session {
    let mut made = session(n, who, "p", key);
    made.alias = Some(format!("alias-{n}"));
    made.share_status = ShareStatus::Unlisted;
    made.metadata.tags = Some(vec![format!("tag-{n}")]);
    made.metadata.llm_models = Some(vec![format!("own-model-{n}")]);
    made.metadata.git_branches = Some(vec![format!("own-branch-{n}")]);
    made
}

pub(crate) async fn what_is_in_the_trash_is_in_no_answer(f: &Fixture) {
    let ann = owner("ann");
    let mine = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let p = ProjectId::new("p").unwrap();
    let (gone, mut stays) = (loud(6, &ann, key), loud(2, &ann, key));
    stays.parent_client_id = None;
    put_with(&f.store, &gone, &messages(3), &exchanges(2)).await;
    put_with(&f.store, &stays, &messages(3), &exchanges(2)).await;
    assert!(!trash(&f.store, &owner("bob"), gone.id, at(50)).await, "another's");
    assert!(trash(&f.store, &ann, gone.id, at(50)).await);
    assert!(!trash(&f.store, &ann, gone.id, at(51)).await, "twice");

    let none = SessionFilter::default();
    let columns = SessionColumns::ALL;
    let filters = [
        none.clone(),
        SessionFilter { session_ids: Some(vec![gone.id, stays.id]), ..none.clone() },
        SessionFilter { project_ids: vec!["p".to_owned()], ..none.clone() },
        SessionFilter { project_ids: vec!["p".to_owned(), "q".to_owned()], ..none.clone() },
        SessionFilter { active_from: Some(at(-1_000)), ..none.clone() },
        SessionFilter { or: vec![none.clone()], ..none.clone() },
        SessionFilter {
            not: Some(Box::new(SessionFilter { tags: vec!["x".to_owned()], ..none.clone() })),
            ..none.clone()
        },
    ];
    for who in [&mine, &Visibility::Everyone] {
        for filter in &filters {
            for order in sg_domain::SessionOrder::ALL {
                let (way, page) = (Default::default(), PageRequest::all());
                let found = f.store.sessions(who, filter, order, way, &page, columns).await.unwrap().items;
                assert_eq!(found.iter().map(|s| s.id).collect::<Vec<_>>(), [stays.id], "{order:?} {filter:?}");
                let found = f.store.sessions_by_project(who, &[key], filter, order, way, 9, columns).await.unwrap();
                assert_eq!(found[&key].iter().map(|s| s.id).collect::<Vec<_>>(), [stays.id], "{order:?} {filter:?}");
            }
            assert_eq!(f.store.session_count(who, filter).await.unwrap(), 1, "{filter:?}");
        }
        for (reference, other) in [
            (SessionRef::Id(gone.id), SessionRef::Id(stays.id)),
            (SessionRef::Client(gone.client_id.clone()), SessionRef::Client(stays.client_id.clone())),
            (SessionRef::Alias("alias-6".to_owned()), SessionRef::Alias("alias-2".to_owned())),
            (
                SessionRef::InProject(p.clone(), gone.client_id.clone()),
                SessionRef::InProject(p.clone(), stays.client_id.clone()),
            ),
            (
                SessionRef::InProject(p.clone(), gone.id.to_string()),
                SessionRef::InProject(p.clone(), stays.id.to_string()),
            ),
        ] {
            assert_eq!(f.store.session(who, &reference).await.unwrap(), None, "{reference:?}");
            assert_eq!(f.store.session(who, &other).await.unwrap().map(|s| s.id), Some(stays.id), "{other:?}");
        }
        let found = f.store.sessions_by_id(who, &[gone.id, stays.id], columns).await.unwrap();
        assert_eq!(found.iter().map(|s| s.id).collect::<Vec<_>>(), [stays.id]);
        let sizes = f.store.session_sizes(who, &p).await.unwrap();
        assert_eq!(sizes.iter().map(|s| s.client_id.as_str()).collect::<Vec<_>>(), ["client-2"]);
        assert!(f.store.exchanges(who, gone.id).await.unwrap().is_empty());
        let message = |session: SessionId| MessageId { session, ordinal: 0 };
        let found = f.store.messages_by_id(who, &[message(gone.id), message(stays.id)]).await.unwrap();
        assert_eq!(found.iter().map(|(id, _)| id.session).collect::<Vec<_>>(), [stays.id]);
        assert_eq!(f.store.message_count(who, gone.id, &[]).await.unwrap(), 0);
        let labels =
            [f.store.top_tags(who, None, 9).await.unwrap(), f.store.top_models(who, Some(key), 9).await.unwrap()];
        assert_eq!(labels.concat().iter().map(|l| l.value.as_str()).collect::<Vec<_>>(), ["tag-2", "own-model-2"]);
        let stats = f.store.project_stats(who, Some(key)).await.unwrap();
        assert_eq!((stats.total_sessions, stats.total_markdown_size), (1, stays.markdown_size));
        assert_eq!(stats.unique_git_branches, ["own-branch-2"]);
        let days = f.store.sessions_by_day(who, None, at(-100_000)).await.unwrap();
        assert_eq!(days.iter().map(|day| day.count).sum::<u64>(), 1);
        assert_eq!(f.store.project_activity(who, key, at(0), at(0)).await.unwrap().sessions, 1);
        let found = f.store.project(who, &p).await.unwrap().unwrap();
        assert_eq!((found.session_count, found.last_activity_at), (1, Some(stays.activity_at)));
    }
    for query in [MessageQuery::default(), MessageQuery { around: Some(1), ..Default::default() }] {
        assert!(f.store.messages(&mine, gone.id, &query).await.unwrap().items.is_empty());
    }
    for id in [gone.id.to_string(), gone.client_id.clone()] {
        assert_eq!(f.store.shared_session(&id).await.unwrap(), None, "{id}");
    }
    assert!(f.store.shared_session(&stays.client_id).await.unwrap().is_some());
    assert_eq!(f.store.session_ids_of(key).await.unwrap(), [stays.id]);
    let tx = f.store.begin().await.unwrap();
    assert_eq!(tx.session_by_id(&ann, gone.id).await.unwrap(), None);
    assert_eq!(tx.session_for_update(&ann, key, &gone.client_id).await.unwrap(), None);
    assert_eq!(tx.alias_holder(&ann, "alias-6").await.unwrap(), None);
    assert_eq!(tx.alias_holder(&ann, "alias-2").await.unwrap(), Some(stays.id));
    assert_eq!(tx.put_session(&gone, None).await.unwrap_err().kind, ErrorKind::Conflict, "it is in the trash");
    drop(tx);
    // And all of it is kept.
    assert!(f.store.referenced_blobs().await.unwrap().contains(&gone.blobs.markdown));
    let found = f.store.trashed_session(&ann, &p, &gone.client_id).await.unwrap().unwrap();
    assert_eq!((found.session, found.deleted_at), (gone, at(50)));
    assert_eq!(f.store.trashed_session(&owner("bob"), &p, "client-6").await.unwrap(), None);
    assert_eq!(f.store.trashed_session(&ann, &p, "client-2").await.unwrap(), None, "that one is not deleted");
}

pub(crate) async fn a_restored_session_is_as_it_was(f: &Fixture) {
    let ann = owner("ann");
    let mine = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let p = ProjectId::new("p").unwrap();
    let mut stored = loud(6, &ann, key);
    put_with(&f.store, &stored, &messages(5), &exchanges(3)).await;
    let before = f.store.project(&mine, &p).await.unwrap().unwrap();
    assert!(!restore(&f.store, &ann, stored.id, at(99)).await.unwrap(), "it is not deleted");
    assert!(trash(&f.store, &ann, stored.id, at(50)).await);
    let emptied = f.store.project(&mine, &p).await.unwrap().unwrap();
    assert_eq!((emptied.session_count, emptied.total_markdown_size, emptied.last_activity_at), (0, 0, None));
    assert!(!restore(&f.store, &owner("bob"), stored.id, at(99)).await.unwrap(), "another's");
    assert!(restore(&f.store, &ann, stored.id, at(99)).await.unwrap());
    assert!(!restore(&f.store, &ann, stored.id, at(99)).await.unwrap(), "twice");
    stored.updated_at = at(99);
    assert_eq!(f.store.session(&mine, &SessionRef::Id(stored.id)).await.unwrap(), Some(stored.clone()));
    let after = f.store.project(&mine, &p).await.unwrap().unwrap();
    assert_eq!(after, sg_domain::Project { updated_at: at(99), ..before });
    assert_eq!(f.store.top_tags(&mine, None, 9).await.unwrap()[0].value, "tag-6");
    assert_eq!(f.store.message_count(&mine, stored.id, &[]).await.unwrap(), 5);
    assert_eq!(f.store.exchanges(&mine, stored.id).await.unwrap(), exchanges(3));
    assert_eq!(f.store.trashed_count(&mine).await.unwrap(), 0);
    assert_eq!(f.store.shared_session("client-6").await.unwrap().map(|s| s.id), Some(stored.id));
}

pub(crate) async fn an_id_or_alias_that_is_taken_again_is_a_conflict(f: &Fixture) {
    let ann = owner("ann");
    let mine = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let old = loud(1, &ann, key);
    put(&f.store, std::slice::from_ref(&old)).await;
    trash(&f.store, &ann, old.id, at(50)).await;
    // The client stores its session again: a new one, under a new id.
    let mut new = loud(2, &ann, key);
    new.client_id.clone_from(&old.client_id);
    put(&f.store, &[new.clone()]).await;
    assert_eq!(restore(&f.store, &ann, old.id, at(60)).await.unwrap_err().kind, ErrorKind::Conflict);
    trash(&f.store, &ann, new.id, at(61)).await;
    assert_eq!(f.store.trashed_count(&mine).await.unwrap(), 2, "both keep their places");
    let p = ProjectId::new("p").unwrap();
    let last = f.store.trashed_session(&ann, &p, &old.client_id).await.unwrap().unwrap();
    assert_eq!(last.session.id, new.id, "the one that was deleted last");
    // The alias goes to another one.
    let mut other = loud(3, &ann, key);
    other.alias.clone_from(&old.alias);
    put(&f.store, &[other.clone()]).await;
    let error = restore(&f.store, &ann, old.id, at(62)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("alias"), "{error}");
    assert_eq!(f.store.session_count(&mine, &SessionFilter::default()).await.unwrap(), 1, "nothing was written");
    other.alias = None;
    put(&f.store, &[other]).await;
    assert!(restore(&f.store, &ann, old.id, at(63)).await.unwrap());
    assert_eq!(restore(&f.store, &ann, new.id, at(64)).await.unwrap_err().kind, ErrorKind::Conflict);
}

pub(crate) async fn pages_of_the_trash_are_the_list_cut_up(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let mine = Visibility::Owner(ann.clone());
    let (key, theirs) = (project(&f.store, &ann, "p").await, project(&f.store, &bob, "p").await);
    let sessions: Vec<_> = (0..11).map(|n| session(n, &ann, "p", key)).collect();
    put(&f.store, &sessions).await;
    put(&f.store, &[session(50, &bob, "p", theirs)]).await;
    trash(&f.store, &bob, super::sample::session_id(50), at(105)).await;
    // Several at one moment, so that the id decides.
    for (n, session) in sessions.iter().enumerate() {
        trash(&f.store, &ann, session.id, at(100 + n as i64 / 3)).await;
    }
    let all = f.store.trashed_sessions(&mine, &PageRequest::all()).await.unwrap().items;
    let mut sorted = all.clone();
    sorted.sort_by_key(|t| std::cmp::Reverse((t.deleted_at, t.session.id)));
    assert_eq!(all, sorted);
    assert_eq!(all.len(), 11);
    assert_eq!(f.store.trashed_count(&mine).await.unwrap(), 11);
    assert_eq!(f.store.trashed_count(&Visibility::Everyone).await.unwrap(), 12);
    for size in 1..=12 {
        let mut seen = Vec::new();
        let mut request = PageRequest::first(size);
        loop {
            let page = f.store.trashed_sessions(&mine, &request).await.unwrap();
            assert_eq!(page.has_previous, request.after.is_some());
            seen.extend(page.items.iter().cloned());
            match page.items.last() {
                Some(last) if page.has_next => request.after = Some(trash_cursor(last)),
                _ => break,
            }
        }
        assert_eq!(seen, all, "pages of {size}");
        let place = Some(trash_cursor(&all[7]));
        let back = PageRequest { before: place, backward: true, ..PageRequest::first(size) };
        let page = f.store.trashed_sessions(&mine, &back).await.unwrap();
        let from = 7_usize.saturating_sub(size as usize);
        assert_eq!(page.items, all[from..7]);
        assert_eq!(page.has_previous, from > 0);
    }
}

pub(crate) async fn the_trash_is_purged_by_age(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (key, theirs) = (project(&f.store, &ann, "p").await, project(&f.store, &bob, "p").await);
    for n in 0..5 {
        let (who, key) = if n < 4 { (&ann, key) } else { (&bob, theirs) };
        let made = session(n, who, "p", key);
        put_with(&f.store, &made, &messages(2), &exchanges(1)).await;
        trash(&f.store, who, made.id, at(i64::try_from(n).unwrap() * 10)).await;
    }
    put(&f.store, &[session(9, &ann, "p", key)]).await;
    let owners = async |before| {
        let mut owners = f.store.owners_of_trash(before).await.unwrap();
        owners.sort();
        owners
    };
    let purge = async |who: &UserId, before, limit| {
        let tx = f.store.begin().await.unwrap();
        let purged = tx.purge_trash(who, before, limit).await.unwrap();
        tx.commit().await.unwrap();
        purged
    };
    assert_eq!(owners(at(0)).await, [], "what was deleted at that very time stays");
    assert_eq!(owners(at(21)).await, std::slice::from_ref(&ann));
    assert_eq!(purge(&ann, at(21), 2).await, 2, "the oldest first");
    assert_eq!(purge(&bob, at(21), 2).await, 0, "another's is another's");
    assert_eq!(purge(&ann, at(21), 2).await, 1);
    assert_eq!(purge(&ann, at(21), 2).await, 0);
    let left = f.store.trashed_sessions(&Visibility::Everyone, &PageRequest::all()).await.unwrap().items;
    assert_eq!(left.iter().map(|t| t.deleted_at).collect::<Vec<_>>(), [at(40), at(30)]);
    assert_eq!(owners(at(1_000)).await, [ann.clone(), bob.clone()]);
    assert_eq!((purge(&ann, at(1_000), 9).await, purge(&bob, at(1_000), 9).await), (1, 1));
    assert_eq!(f.store.message_count(&Visibility::Everyone, super::sample::session_id(0), &[]).await.unwrap(), 0);
    let mine = Visibility::Owner(ann);
    assert_eq!(f.store.session_count(&mine, &SessionFilter::default()).await.unwrap(), 1, "the living stay");
    assert_eq!(f.store.referenced_blobs().await.unwrap().len(), 2, "and what they name");
}

pub(crate) async fn restoring_and_purging_at_once_do_one_of_the_two(f: &Fixture) {
    let ann = owner("ann");
    let mine = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let other = f.again().await;
    let sessions: Vec<_> = (0..24).map(|n| session(n, &ann, "p", key)).collect();
    put(&f.store, &sessions).await;
    for session in &sessions {
        trash(&f.store, &ann, session.id, at(50)).await;
    }
    let mut tasks = JoinSet::new();
    for session in &sessions {
        let (store, ann, id) = (f.store.clone(), ann.clone(), session.id);
        tasks.spawn(async move { restore(&store, &ann, id, at(60)).await.unwrap() });
    }
    for _ in 0..8 {
        let (store, ann) = (other.clone(), ann.clone());
        tasks.spawn(async move {
            let tx = store.begin().await.unwrap();
            tx.bump_version(&ann).await.unwrap();
            tx.purge_trash(&ann, at(55), 2).await.unwrap();
            tx.commit().await.unwrap();
            false
        });
    }
    let restored = tasks.join_all().await.into_iter().filter(|restored| *restored).count() as u64;
    let left = f.store.trashed_count(&mine).await.unwrap();
    assert_eq!(left, 0, "each was restored or purged");
    let everyone = SessionFilter { active_from: Some(at(-1_000)), ..SessionFilter::default() };
    assert_eq!(f.store.session_count(&mine, &everyone).await.unwrap(), restored);
    let p = f.store.project(&mine, &ProjectId::new("p").unwrap()).await.unwrap().unwrap();
    assert_eq!(p.session_count, restored, "the sums are those of what is there");
}

pub(crate) async fn a_project_takes_its_trash_along(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let (gone, stays) = (session(1, &ann, "p", key), session(2, &ann, "p", key));
    put(&f.store, &[gone.clone(), stays.clone()]).await;
    trash(&f.store, &ann, gone.id, at(50)).await;
    let tx = f.store.begin().await.unwrap();
    assert_eq!(tx.delete_project(key).await.unwrap(), [gone.id, stays.id]);
    tx.commit().await.unwrap();
    assert_eq!(f.store.trashed_count(&Visibility::Everyone).await.unwrap(), 0);
    assert!(f.store.referenced_blobs().await.unwrap().is_empty());
}
