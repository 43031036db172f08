//! Messages: bodies, pages, and what an update writes.

use sg_domain::{Message, MessageId, Role, Visibility};
use sg_store::{MessagePage, MessageQuery};

use super::Fixture;
use super::sample::{exchanges, messages, owner, project, put, put_with, session, session_id};

/// As stored: text columns keep no NUL, and a message without any text in them is as it was.
async fn stored(f: &Fixture, count: usize) -> (Visibility, sg_domain::Session, Vec<Message>) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let session = session(1, &ann, "p", key);
    let messages = messages(count);
    put_with(&f.store, &session, &messages, &exchanges(1)).await;
    (Visibility::Owner(ann), session, messages)
}

fn numbered(messages: &[Message]) -> Vec<(u32, Message)> {
    (0..).zip(messages.iter().cloned()).collect()
}

pub(crate) async fn messages_come_back(f: &Fixture) {
    let (who, session, wanted) = stored(f, 150).await;
    let page = f.store.messages(&who, session.id, &MessageQuery::default()).await.unwrap();
    assert_eq!(page, MessagePage { items: numbered(&wanted), has_next: false, has_previous: false });
    let id = |ordinal| MessageId { session: session.id, ordinal };
    let other = MessageId { session: session_id(99), ordinal: 0 };
    let ids = [id(3), id(149), id(150), id(3), other];
    let mut found = f.store.messages_by_id(&who, &ids).await.unwrap();
    found.sort_by_key(|(id, _)| *id);
    assert_eq!(found, [(id(3), wanted[3].clone()), (id(149), wanted[149].clone())]);
    assert!(f.store.messages_by_id(&who, &[]).await.unwrap().is_empty());
    assert_eq!(f.store.message_count(&who, session.id, &[]).await.unwrap(), 150);
    let users = wanted.iter().filter(|m| m.role == Role::User).count() as u64;
    assert_eq!(f.store.message_count(&who, session.id, &[Role::User]).await.unwrap(), users);
}

pub(crate) async fn pages_are_the_list_cut_up(f: &Fixture) {
    let (who, session, all) = stored(f, 12).await;
    let all = numbered(&all);
    for roles in [vec![], vec![Role::User], vec![Role::Assistant, Role::Tool]] {
        for after in [None, Some(0), Some(5), Some(11)] {
            for before in [None, Some(0), Some(7), Some(12)] {
                for backward in [false, true] {
                    for limit in [None, Some(0), Some(2), Some(50)] {
                        let query = MessageQuery { roles: roles.clone(), after, before, backward, around: None, limit };
                        let mut wanted: Vec<_> = all
                            .iter()
                            .filter(|(n, m)| {
                                (roles.is_empty() || roles.contains(&m.role))
                                    && after.is_none_or(|after| *n > after)
                                    && before.is_none_or(|before| *n < before)
                            })
                            .cloned()
                            .collect();
                        let limit = limit.map_or(usize::MAX, |limit: u32| limit as usize);
                        let more = wanted.len() > limit;
                        if backward {
                            wanted.drain(..wanted.len().saturating_sub(limit));
                        } else {
                            wanted.truncate(limit);
                        }
                        let page = f.store.messages(&who, session.id, &query).await.unwrap();
                        assert_eq!(page.items, wanted, "{query:?}");
                        let has_more = if backward { page.has_previous } else { page.has_next };
                        let bound = if backward { after.is_some() } else { before.is_some() };
                        assert_eq!(has_more, more || bound, "{query:?}");
                    }
                }
            }
        }
    }
}

pub(crate) async fn around_is_centred(f: &Fixture) {
    let (who, session, _) = stored(f, 20).await;
    for (around, limit, wanted, previous, next) in [
        (10, Some(5), 8..13, true, true),
        (10, Some(4), 8..12, true, true),
        (10, Some(1), 10..11, true, true),
        (0, Some(5), 0..5, false, true),
        (1, Some(5), 0..5, false, true),
        (19, Some(5), 15..20, true, false),
        (99, Some(3), 17..20, true, false),
        (10, None, 0..20, false, false),
        (10, Some(50), 0..20, false, false),
    ] {
        let query = MessageQuery { around: Some(around), limit, after: Some(18), ..Default::default() };
        let page = f.store.messages(&who, session.id, &query).await.unwrap();
        let found: Vec<u32> = page.items.iter().map(|(n, _)| *n).collect();
        assert_eq!(found, wanted.collect::<Vec<u32>>(), "{query:?}");
        assert_eq!((page.has_previous, page.has_next), (previous, next), "{query:?}");
    }
}

pub(crate) async fn an_append_writes_only_what_is_new(f: &Fixture) {
    let (who, session, _) = stored(f, 1_000).await;
    let longer = messages(1_010);
    let unchanged = put_with(&f.store, &session, &longer[..1_000], &exchanges(1)).await;
    let appended = put_with(&f.store, &session, &longer, &exchanges(1)).await;
    assert_eq!(appended, unchanged + 1, "one insert for ten messages");
    let page = f.store.messages(&who, session.id, &MessageQuery::default()).await.unwrap();
    assert_eq!(page.items, numbered(&longer));
    // Without content nothing of it is touched, or even looked at.
    let before = f.store.statements();
    put(&f.store, std::slice::from_ref(&session)).await;
    assert!(f.store.statements() - before < unchanged);
    assert_eq!(f.store.message_count(&who, session.id, &[]).await.unwrap(), 1_010);
}

pub(crate) async fn a_shorter_or_changed_conversation_replaces_the_old(f: &Fixture) {
    let (who, session, mut all) = stored(f, 100).await;
    all[40].raw.insert("edited".to_owned(), true.into());
    put_with(&f.store, &session, &all, &[]).await;
    let page = f.store.messages(&who, session.id, &MessageQuery::default()).await.unwrap();
    assert_eq!(page.items, numbered(&all));
    all.truncate(7);
    put_with(&f.store, &session, &all, &[]).await;
    let page = f.store.messages(&who, session.id, &MessageQuery::default()).await.unwrap();
    assert_eq!(page.items, numbered(&all));
    put_with(&f.store, &session, &[], &[]).await;
    assert_eq!(f.store.message_count(&who, session.id, &[]).await.unwrap(), 0);
}
