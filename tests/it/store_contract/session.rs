//! Sessions: fields, references, tenants, uniqueness, deletion.

use sg_domain::id::SessionRef;
use sg_domain::{ErrorKind, MessageId, PageRequest, ProjectId, SessionFilter, Visibility};
use sg_store::{MessageQuery, SessionColumns, SessionContent};

use super::Fixture;
use super::sample::{at, exchanges, messages, owner, project, put, put_with, session, session_id};

pub(crate) async fn every_field_comes_back(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let mut sessions: Vec<_> = (0..6).map(|n| session(n, &ann, "p", key)).collect();
    sessions[5].metadata = Default::default();
    sessions[5].metadata.tags = Some(Vec::new());
    sessions[5].user_title = None;
    sessions[5].alias = Some("alias".to_owned());
    put(&f.store, &sessions).await;
    for wanted in &sessions {
        let found = f.store.session(&who, &SessionRef::Id(wanted.id)).await.unwrap();
        assert_eq!(found.as_ref(), Some(wanted));
    }
    let ids: Vec<_> = sessions.iter().map(|s| s.id).chain([session_id(99)]).collect();
    let mut found = f.store.sessions_by_id(&who, &ids, SessionColumns::ALL).await.unwrap();
    found.sort_by_key(|s| s.id);
    assert_eq!(found, sessions);
    let tx = f.store.begin().await.unwrap();
    let locked = tx.session_for_update(&ann, key, "client-3").await.unwrap();
    assert_eq!(locked.as_ref(), Some(&sessions[3]));
    assert_eq!(tx.session_by_id(&ann, sessions[4].id).await.unwrap().as_ref(), Some(&sessions[4]));
    assert_eq!(tx.session_by_id(&owner("bob"), sessions[4].id).await.unwrap(), None);
    assert_eq!(tx.session_for_update(&owner("bob"), key, "client-3").await.unwrap(), None);
    assert_eq!(tx.session_for_update(&ann, key, "client-99").await.unwrap(), None);
}

pub(crate) async fn columns_not_asked_for_are_empty(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let wanted = session(1, &ann, "p", key);
    put(&f.store, std::slice::from_ref(&wanted)).await;
    let who = Visibility::Owner(ann);
    for (metadata, first_exchange) in [(false, false), (true, false), (false, true), (true, true)] {
        let columns = SessionColumns { metadata, first_exchange };
        let found = f.store.sessions_by_id(&who, &[wanted.id], columns).await.unwrap().remove(0);
        let mut wanted = wanted.clone();
        if !metadata {
            wanted.metadata = Default::default();
        }
        if !first_exchange {
            wanted.first_exchange.clear();
        }
        assert_eq!(found, wanted, "{columns:?}");
    }
}

pub(crate) async fn references_find_what_they_name(f: &Fixture) {
    let ann = owner("ann");
    let (p, q) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "q").await);
    let mut sessions = [session(1, &ann, "p", p), session(2, &ann, "q", q), session(3, &ann, "p", p)];
    sessions[1].client_id = "client-1".to_owned();
    sessions[2].alias = Some("fix-it".to_owned());
    // A client may choose what looks like another session's id of ours: its own choice wins.
    sessions[2].client_id = sessions[0].id.to_string();
    put(&f.store, &sessions).await;
    let who = Visibility::Owner(ann);
    let in_project = |id: &str, client: &str| SessionRef::InProject(ProjectId::new(id).unwrap(), client.to_owned());
    let own = sessions[0].id.to_string();
    for (reference, wanted) in [
        (SessionRef::Id(sessions[0].id), Some(0)),
        (in_project("p", "client-1"), Some(0)),
        (in_project("q", "client-1"), Some(1)),
        (in_project("p", &own), Some(2)),
        (in_project("q", &own), None),
        (in_project("q", &sessions[1].id.to_string()), Some(1)),
        (in_project("p", &sessions[1].id.to_string()), None),
        (in_project("none", "client-1"), None),
        (SessionRef::Client("client-1".to_owned()), Some(1)),
        (SessionRef::Alias("fix-it".to_owned()), Some(2)),
        (SessionRef::Alias("client-1".to_owned()), None),
        (SessionRef::Client("client-9".to_owned()), None),
        (SessionRef::Id(session_id(99)), None),
    ] {
        for who in [&who, &Visibility::Everyone] {
            let found = f.store.session(who, &reference).await.unwrap().map(|s| s.id);
            assert_eq!(found, wanted.map(|n: usize| sessions[n].id), "{reference:?}");
        }
    }
}

pub(crate) async fn other_tenants_see_nothing(f: &Fixture) {
    let (ann, bob) = (owner("ann"), Visibility::Owner(owner("bob")));
    let key = project(&f.store, &ann, "p").await;
    let theirs = session(1, &ann, "p", key);
    put_with(&f.store, &theirs, &messages(3), &exchanges(2)).await;
    let none = SessionFilter::default();
    let (order, way) = Default::default();
    let columns = SessionColumns::ALL;
    for reference in [
        SessionRef::Id(theirs.id),
        SessionRef::InProject(theirs.project_id.clone(), theirs.client_id.clone()),
        SessionRef::InProject(theirs.project_id.clone(), theirs.id.to_string()),
        SessionRef::Client(theirs.client_id.clone()),
    ] {
        assert_eq!(f.store.session(&bob, &reference).await.unwrap(), None, "{reference:?}");
    }
    let narrowed = SessionFilter { session_ids: Some(vec![theirs.id]), ..none.clone() };
    let named = SessionFilter { project_ids: vec!["p".to_owned()], ..none.clone() };
    let any = SessionFilter { or: vec![none.clone(), narrowed.clone()], ..none.clone() };
    for filter in [&none, &narrowed, &named, &any] {
        let page = f.store.sessions(&bob, filter, order, way, &PageRequest::all(), columns).await.unwrap();
        assert!(page.items.is_empty(), "{filter:?}");
        assert_eq!(f.store.session_count(&bob, filter).await.unwrap(), 0, "{filter:?}");
    }
    assert!(f.store.sessions_by_id(&bob, &[theirs.id], columns).await.unwrap().is_empty());
    let by_project = f.store.sessions_by_project(&bob, &[key], &none, order, way, 5, columns).await.unwrap();
    assert!(by_project.is_empty());
    assert!(f.store.exchanges(&bob, theirs.id).await.unwrap().is_empty());
    for query in [MessageQuery::default(), MessageQuery { around: Some(1), ..Default::default() }] {
        assert!(f.store.messages(&bob, theirs.id, &query).await.unwrap().items.is_empty());
    }
    let message = MessageId { session: theirs.id, ordinal: 0 };
    assert!(f.store.messages_by_id(&bob, &[message]).await.unwrap().is_empty());
    assert_eq!(f.store.message_count(&bob, theirs.id, &[]).await.unwrap(), 0);
    assert!(f.store.projects(&bob).await.unwrap().is_empty());
    assert_eq!(f.store.project(&bob, &theirs.project_id).await.unwrap(), None);
    assert!(f.store.top_tags(&bob, Some(key), 5).await.unwrap().is_empty());
    assert!(f.store.top_models(&bob, None, 5).await.unwrap().is_empty());
    assert!(f.store.sessions_by_day(&bob, Some(key), at(-1_000)).await.unwrap().is_empty());
    assert_eq!(f.store.project_stats(&bob, Some(key)).await.unwrap(), Default::default());
    // And all of it is there.
    let ann = Visibility::Owner(ann);
    assert_eq!(f.store.session_count(&ann, &any).await.unwrap(), 1);
    assert_eq!(f.store.messages_by_id(&ann, &[message]).await.unwrap().len(), 1);
}

pub(crate) async fn ids_and_aliases_are_taken_once(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (p, theirs) = (project(&f.store, &ann, "p").await, project(&f.store, &bob, "p").await);
    let mut first = session(1, &ann, "p", p);
    first.alias = Some("short".to_owned());
    put(&f.store, &[first.clone()]).await;
    let mut same_client = session(2, &ann, "p", p);
    same_client.client_id.clone_from(&first.client_id);
    let mut same_alias = session(3, &ann, "p", p);
    same_alias.alias.clone_from(&first.alias);
    let same_id = session(1, &bob, "p", theirs);
    for wrong in [same_client, same_alias, same_id] {
        let tx = f.store.begin().await.unwrap();
        let error = tx.put_session(&wrong, None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    }
    let mut other_owner = session(4, &bob, "p", theirs);
    other_owner.client_id.clone_from(&first.client_id);
    other_owner.alias.clone_from(&first.alias);
    put(&f.store, &[other_owner]).await;
    let found = f.store.session(&Visibility::Owner(ann), &SessionRef::Id(first.id)).await.unwrap();
    assert_eq!(found, Some(first));
}

pub(crate) async fn marks_of_exchanges_are_what_was_written(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let stored = session(1, &ann, "p", key);
    let mut titled = exchanges(3);
    titled[1].user_title = Some("mine".to_owned());
    titled[1].hidden_from_share = true;
    put_with(&f.store, &stored, &[], &titled).await;
    assert_eq!(f.store.exchanges(&who, stored.id).await.unwrap(), titled);

    // The session is read again, longer: marks move with what they belong to, and the old place loses them.
    let mut longer = exchanges(4);
    longer[1].end = 777;
    longer[2].user_title = Some("mine".to_owned());
    longer[2].hidden_from_share = true;
    put_with(&f.store, &stored, &[], &longer).await;
    assert_eq!(f.store.exchanges(&who, stored.id).await.unwrap(), longer);

    put_with(&f.store, &stored, &[], &exchanges(2)).await;
    assert_eq!(f.store.exchanges(&who, stored.id).await.unwrap().len(), 2);
    put(&f.store, std::slice::from_ref(&stored)).await;
    assert_eq!(f.store.exchanges(&who, stored.id).await.unwrap().len(), 2, "no content leaves them");
}

pub(crate) async fn deleting_takes_everything_along(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let stored = session(2, &ann, "p", key);
    put_with(&f.store, &stored, &messages(70), &exchanges(3)).await;
    let tx = f.store.begin().await.unwrap();
    assert!(!tx.purge_session(&ann, stored.id).await.unwrap(), "only what is in the trash goes for good");
    assert!(tx.trash_session(&ann, stored.id, at(1)).await.unwrap());
    assert!(!tx.purge_session(&owner("bob"), stored.id).await.unwrap());
    assert!(tx.purge_session(&ann, stored.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.store.session(&who, &SessionRef::Id(stored.id)).await.unwrap(), None);
    assert_eq!(f.store.message_count(&Visibility::Everyone, stored.id, &[]).await.unwrap(), 0);
    assert!(f.store.top_tags(&Visibility::Everyone, None, 9).await.unwrap().is_empty());
    assert!(f.store.referenced_blobs().await.unwrap().is_empty());
    // The same id again starts from nothing.
    put_with(&f.store, &stored, &messages(1), &[]).await;
    assert_eq!(f.store.message_count(&who, stored.id, &[]).await.unwrap(), 1);
    assert!(f.store.exchanges(&who, stored.id).await.unwrap().is_empty());
}

pub(crate) async fn a_dropped_transaction_leaves_nothing(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let stored = session(1, &ann, "p", key);
    let tx = f.store.begin().await.unwrap();
    let content = SessionContent { messages: &messages(5), exchanges: &exchanges(1) };
    tx.put_session(&stored, Some(&content)).await.unwrap();
    drop(tx);
    let who = Visibility::Owner(ann);
    assert_eq!(f.store.session(&who, &SessionRef::Id(stored.id)).await.unwrap(), None);
    assert_eq!(f.store.projects(&who).await.unwrap()[0].session_count, 0);
    // The writer is free again.
    put(&f.store, &[stored]).await;
    assert_eq!(f.store.projects(&who).await.unwrap()[0].session_count, 1);
}

pub(crate) async fn nul_characters_do_no_harm(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let mut stored = session(1, &ann, "p", key);
    stored.name = "a\0b".to_owned();
    stored.first_exchange = "\0".to_owned();
    stored.metadata.tags = Some(vec!["x\0".to_owned()]);
    stored.metadata.summary = Some("s\0".to_owned());
    put(&f.store, &[stored.clone()]).await;
    let found = f.store.session(&who, &SessionRef::Id(stored.id)).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.first_exchange.as_str()), ("a\u{fffd}b", "\u{fffd}"));
    assert_eq!(found.metadata, stored.metadata, "metadata is JSON, which has room for it");
    let filter = SessionFilter { tags: vec!["x\0".to_owned()], ..Default::default() };
    assert_eq!(f.store.session_count(&who, &filter).await.unwrap(), 1);
}
