//! Lists of sessions: every order, both directions, any mix of cursors, limits and offsets.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sg_domain::page::SortValue;
use sg_domain::{Cursor, Direction, ErrorKind, PageRequest, Session, SessionFilter, SessionOrder, Visibility};
use sg_store::{SessionColumns, decode_session_cursor, session_cursor};

use super::Fixture;
use super::sample::{at, owner, project, put, session};

const WAYS: [Direction; 2] = [Direction::Asc, Direction::Desc];

/// The definition, in so many words: sessions without an end come last in either direction.
fn sorted(mut sessions: Vec<Session>, order: SessionOrder, way: Direction) -> Vec<Session> {
    sessions.sort_by(|a, b| {
        let turned = |o: std::cmp::Ordering| if way == Direction::Asc { o } else { o.reverse() };
        let key = match order {
            SessionOrder::Activity => turned(a.activity_at.cmp(&b.activity_at)),
            SessionOrder::CreatedAt => turned(a.created_at.cmp(&b.created_at)),
            SessionOrder::UpdatedAt => turned(a.updated_at.cmp(&b.updated_at)),
            SessionOrder::EndedAt => a
                .ended_at
                .is_none()
                .cmp(&b.ended_at.is_none())
                .then(turned(a.ended_at.cmp(&b.ended_at)))
                .then(turned(a.updated_at.cmp(&b.updated_at))),
            SessionOrder::Name => turned(a.name.cmp(&b.name)),
            SessionOrder::MarkdownSize => turned(a.markdown_size.cmp(&b.markdown_size)),
        };
        key.then(turned(a.id.cmp(&b.id)))
    });
    sessions
}

/// Sessions with many ties in every order, in two projects, and another tenant's beside them.
async fn tied(f: &Fixture, count: u128) -> Vec<Session> {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let keys = [project(&f.store, &ann, "p0").await, project(&f.store, &ann, "p1").await];
    let theirs = project(&f.store, &bob, "p0").await;
    let sessions: Vec<_> = (0..count)
        .map(|n| {
            let mut s = session(n, &ann, ["p0", "p1"][n as usize % 2], keys[n as usize % 2]);
            let group = i64::try_from(n * 7 % 5).unwrap();
            (s.activity_at, s.created_at, s.updated_at) = (at(group), at(-group), at(group * 3 % 4));
            s.ended_at = (n % 3 != 0).then(|| at(group % 2));
            s.name = ["b", "B", "ä", "日本", "\u{1f600}"][group as usize].to_owned();
            s.markdown_size = u64::try_from(group % 3).unwrap();
            s
        })
        .collect();
    put(&f.store, &sessions).await;
    let others: Vec<_> = (500..510).map(|n| session(n, &bob, "p0", theirs)).collect();
    put(&f.store, &others).await;
    sessions
}

pub(crate) async fn pages_are_the_list_cut_up(f: &Fixture) {
    let all = tied(f, 31).await;
    let who = Visibility::Owner(owner("ann"));
    let place = || proptest::option::weighted(0.4, any::<prop::sample::Index>());
    let any_page = (
        (0..6_usize, 0..2_usize, any::<bool>(), 0..3_usize),
        (proptest::option::weighted(0.8, 0..12_u32), place(), place(), prop_oneof![3 => Just(0), 1 => 0..40_u64]),
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..250 {
        let ((order, way, backward, which), (limit, after, before, offset)) =
            any_page.new_tree(&mut runner).unwrap().current();
        let (order, way) = (SessionOrder::ALL[order], WAYS[way]);
        let filter = match which {
            0 => SessionFilter::default(),
            1 => SessionFilter { project_ids: vec!["p1".to_owned()], ..Default::default() },
            _ => SessionFilter { project_ids: vec!["p0".to_owned(), "none".to_owned()], ..Default::default() },
        };
        let list = sorted(all.iter().filter(|s| filter.matches(s)).cloned().collect(), order, way);
        let (after, before) = (after.map(|i| i.index(list.len())), before.map(|i| i.index(list.len())));
        // Through text, as a client sends them.
        let cursor = |n: usize| {
            let text = session_cursor(&list[n], order, way).encode();
            decode_session_cursor(&text, order, way).unwrap()
        };
        let page = PageRequest { limit, backward, after: after.map(cursor), before: before.map(cursor), offset };

        let start = after.map_or(0, |n| n + 1);
        let end = before.unwrap_or(list.len()).max(start);
        let mut range: Vec<&Session> = list[start..end].iter().collect();
        let (limit, skip) = (limit.map_or(usize::MAX, |l| l as usize), (offset as usize).min(range.len()));
        let more;
        if backward {
            range.truncate(range.len() - skip);
            more = range.len() > limit;
            range.drain(..range.len().saturating_sub(limit));
        } else {
            range.drain(..skip);
            more = range.len() > limit;
            range.truncate(limit);
        }
        let found = f.store.sessions(&who, &filter, order, way, &page, SessionColumns::ALL).await.unwrap();
        let ids = |list: &[&Session]| list.iter().map(|s| s.id).collect::<Vec<_>>();
        assert_eq!(ids(&found.items.iter().collect::<Vec<_>>()), ids(&range), "{order:?} {way:?} {page:?}");
        assert_eq!(if backward { found.has_previous } else { found.has_next }, {
            let bound = if backward { after.is_some() } else { before.is_some() };
            more || bound
        });
        if let (Some(first), Some(last)) = (range.first(), range.last()) {
            assert_eq!(found.has_previous, first.id != list[0].id, "{order:?} {way:?} {page:?}");
            assert_eq!(found.has_next, last.id != list[list.len() - 1].id, "{order:?} {way:?} {page:?}");
        }
        let count = f.store.session_count(&who, &filter).await.unwrap();
        assert_eq!(count, list.len() as u64);
    }
}

pub(crate) async fn a_cursor_of_another_list_is_refused(f: &Fixture) {
    let all = tied(f, 2).await;
    let who = Visibility::Owner(owner("ann"));
    let good = session_cursor(&all[0], SessionOrder::Name, Direction::Asc);
    let list = good.list.clone();
    for wrong in [
        session_cursor(&all[0], SessionOrder::Name, Direction::Desc),
        session_cursor(&all[0], SessionOrder::Activity, Direction::Asc),
        Cursor { list: list.clone(), key: vec![] },
        Cursor { list: list.clone(), key: vec![SortValue::Int(1), SortValue::Text("x".to_owned())] },
        Cursor { list, key: vec![SortValue::Text("x".to_owned()), SortValue::Int(1)] },
    ] {
        for after in [true, false] {
            let wrong = Some(wrong.clone());
            let page = PageRequest {
                after: if after { wrong.clone() } else { None },
                before: if after { None } else { wrong },
                ..PageRequest::first(5)
            };
            let none = SessionFilter::default();
            let found =
                f.store.sessions(&who, &none, SessionOrder::Name, Direction::Asc, &page, SessionColumns::ALL).await;
            assert_eq!(found.unwrap_err().kind, ErrorKind::Invalid, "{page:?}");
        }
    }
}

pub(crate) async fn each_project_gives_its_first(f: &Fixture) {
    let all = tied(f, 31).await;
    let who = Visibility::Owner(owner("ann"));
    let (p0, p1) = (all[0].project_key, all[1].project_key);
    let theirs = project(&f.store, &owner("bob"), "p0").await;
    let filter = SessionFilter { has_git_branches: Some(true), active_from: Some(at(1)), ..Default::default() };
    for order in SessionOrder::ALL {
        for way in WAYS {
            let before = f.store.statements();
            let found = f
                .store
                .sessions_by_project(&who, &[p0, p1, p0, theirs], &filter, order, way, 4, SessionColumns::ALL)
                .await
                .unwrap();
            assert_eq!(f.store.statements() - before, 1);
            assert_eq!(found.len(), 2);
            for key in [p0, p1] {
                let mine = all.iter().filter(|s| s.project_key == key && filter.matches(s)).cloned().collect();
                assert_eq!(found[&key], sorted(mine, order, way)[..4], "{order:?} {way:?}");
            }
        }
    }
}

pub(crate) async fn a_list_is_one_statement(f: &Fixture) {
    tied(f, 5).await;
    let who = Visibility::Owner(owner("ann"));
    let filter = SessionFilter { tags: vec!["b".to_owned()], ..Default::default() };
    let (order, way) = Default::default();
    let before = f.store.statements();
    f.store.sessions(&who, &filter, order, way, &PageRequest::first(3), SessionColumns::ALL).await.unwrap();
    assert_eq!(f.store.statements() - before, 1);
    f.store.projects(&who).await.unwrap();
    assert_eq!(f.store.statements() - before, 2);
    f.store.session_count(&who, &filter).await.unwrap();
    assert_eq!(f.store.statements() - before, 3);
}
