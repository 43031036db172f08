//! The log of changes: its order, what it forgets, and who is woken for it.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use sg_domain::UserId;
use sg_domain::change::{ChangeKind, ChangePlace, SessionChange};
use sg_store::{Ear, Store};

use super::Fixture;
use super::sample::{at, owner, project, put, session};

/// Puts a session's change into the log, at a second.
async fn log(store: &Store, who: &str, n: u128, kind: ChangeKind, second: i64) -> i64 {
    let who = owner(who);
    let key = project(store, &who, "p").await;
    let tx = store.begin().await.unwrap();
    let version = tx.bump_version(&who).await.unwrap();
    tx.log_change(version, kind, &session(n, &who, "p", key), at(second)).await.unwrap();
    tx.commit().await.unwrap();
    version
}

async fn places(store: &Store, who: &str, after: ChangePlace, limit: u32) -> Vec<(i64, i64)> {
    let page = store.changes(&owner(who), after, limit).await.unwrap();
    page.changes.iter().map(|change| (change.place.version, change.place.ordinal)).collect()
}

/// Whether the bell has rung since it was last asked.
fn has_rung(ear: &mut Ear<UserId>) -> bool {
    let rung = pin!(ear.wait()).poll(&mut Context::from_waker(Waker::noop()));
    ear.forget();
    rung == Poll::Ready(())
}

pub(crate) async fn changes_are_in_the_order_of_their_commits(f: &Fixture) {
    let ann = owner("ann");
    assert_eq!(f.store.changes(&ann, ChangePlace::default(), 9).await.unwrap(), Default::default());
    for (n, kind) in ChangeKind::ALL.into_iter().enumerate() {
        assert_eq!(log(&f.store, "ann", n as u128, kind, n as i64).await, n as i64 + 1);
    }
    assert_eq!(log(&f.store, "bob", 9, ChangeKind::Created, 9).await, 1);
    let page = f.store.changes(&ann, ChangePlace::default(), 9).await.unwrap();
    assert_eq!((page.version, page.swept), (4, 0));
    let key = project(&f.store, &ann, "p").await;
    let wanted: Vec<_> = ChangeKind::ALL
        .into_iter()
        .enumerate()
        .map(|(n, kind)| {
            let session = session(n as u128, &ann, "p", key);
            SessionChange {
                place: ChangePlace::end_of(n as i64 + 1),
                owner: ann.clone(),
                at: at(n as i64),
                kind,
                session: session.id,
                client_id: session.client_id,
                project: key,
                project_id: session.project_id,
            }
        })
        .collect();
    assert_eq!(page.changes, wanted);
    assert_eq!(places(&f.store, "ann", ChangePlace::end_of(1), 2).await, [(2, 0), (3, 0)]);
    let end = f.store.changes(&ann, ChangePlace::end_of(4), 2).await.unwrap();
    assert_eq!((end.changes, end.version), (Vec::new(), 4), "nothing is left, and how far it goes is told");
}

pub(crate) async fn a_deleted_project_is_one_version_of_many_changes(f: &Fixture) {
    let ann = owner("ann");
    let (key, other) = (project(&f.store, &ann, "p").await, project(&f.store, &ann, "q").await);
    let sessions: Vec<_> = (0..3).map(|n| session(n, &ann, "p", key)).collect();
    put(&f.store, &sessions).await;
    put(&f.store, &[session(7, &ann, "q", other)]).await;
    let before = f.store.data_version(&ann).await.unwrap();
    let tx = f.store.begin().await.unwrap();
    let version = tx.bump_version(&ann).await.unwrap();
    tx.log_deleted_project(version, key, at(5)).await.unwrap();
    tx.delete_project(key).await.unwrap();
    tx.commit().await.unwrap();
    let found = f.store.changes(&ann, ChangePlace::end_of(before), 9).await.unwrap().changes;
    let told: Vec<_> = found.iter().map(|change| (change.place.ordinal, change.session, change.kind)).collect();
    let gone = |ordinal, n: usize| (ordinal, sessions[n].id, ChangeKind::Deleted);
    assert_eq!(told, [gone(-2, 0), gone(-1, 1), gone(0, 2)]);
    // In the middle of a version one can go on too.
    let middle = ChangePlace { version, ordinal: -2 };
    assert_eq!(places(&f.store, "ann", middle, 9).await, [(version, -1), (version, 0)]);

    let tx = f.store.begin().await.unwrap();
    let version = tx.bump_version(&ann).await.unwrap();
    tx.log_changes(version, ChangeKind::Updated, &sessions, at(6)).await.unwrap();
    tx.commit().await.unwrap();
    let after = ChangePlace::end_of(version - 1);
    assert_eq!(places(&f.store, "ann", after, 9).await, [(version, -2), (version, -1), (version, 0)]);
}

pub(crate) async fn a_dropped_transaction_logs_nothing_and_rings_nothing(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let mut ear = f.store.listen(&ann);
    let tx = f.store.begin().await.unwrap();
    let version = tx.bump_version(&ann).await.unwrap();
    tx.log_change(version, ChangeKind::Created, &session(1, &ann, "p", key), at(1)).await.unwrap();
    drop(tx);
    assert!(!has_rung(&mut ear));
    assert_eq!(places(&f.store, "ann", ChangePlace::default(), 9).await, []);
    log(&f.store, "bob", 1, ChangeKind::Created, 1).await;
    assert!(!has_rung(&mut ear), "another's bell");
    log(&f.store, "ann", 1, ChangeKind::Created, 1).await;
    assert!(has_rung(&mut ear));
    assert!(!has_rung(&mut ear), "once");
    f.store.look_at_versions().await.unwrap();
    assert!(!has_rung(&mut ear), "known already");
    f.store.nudge(&ann);
    assert!(has_rung(&mut ear));
}

pub(crate) async fn the_sweep_takes_whole_versions_and_remembers_how_far(f: &Fixture) {
    let ann = owner("ann");
    // The clocks of two servers differ: the third is older than the second.
    for (n, second) in [(1, 10), (2, 30), (3, 20), (4, 40)] {
        log(&f.store, "ann", n, ChangeKind::Created, second).await;
    }
    log(&f.store, "bob", 1, ChangeKind::Created, 25).await;
    assert_eq!(f.store.sweep_changes(at(10)).await.unwrap(), 0);
    assert_eq!(f.store.sweep_changes(at(25)).await.unwrap(), 1);
    let page = f.store.changes(&ann, ChangePlace::default(), 9).await.unwrap();
    assert_eq!((page.swept, page.version), (1, 4));
    assert_eq!(places(&f.store, "ann", ChangePlace::default(), 9).await, [(2, 0), (3, 0), (4, 0)]);
    assert_eq!(f.store.sweep_changes(at(99)).await.unwrap(), 2);
    let page = f.store.changes(&ann, ChangePlace::default(), 9).await.unwrap();
    assert_eq!((page.changes, page.swept, page.version), (Vec::new(), 4, 4));
    assert_eq!(f.store.sweep_changes(at(99)).await.unwrap(), 0);
    assert_eq!(log(&f.store, "ann", 5, ChangeKind::Updated, 100).await, 5, "versions go on");
}

pub(crate) async fn what_another_process_changed_is_seen_by_a_look(f: &Fixture) {
    let other = f.again().await;
    let mut ear = f.store.listen(&owner("ann"));
    log(&other, "ann", 1, ChangeKind::Created, 1).await;
    assert!(!has_rung(&mut ear), "nobody said so");
    f.store.look_at_versions().await.unwrap();
    assert!(has_rung(&mut ear));
}
