//! The queue.

use std::collections::HashSet;
use std::time::Duration;

use sg_domain::{JobId, JobKind, JobState, Timestamp};
use sg_store::{JobCounts, Store};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, owner, session_id};

const LEASE: Duration = Duration::from_secs(60);

fn index(n: u128) -> JobKind {
    JobKind::IndexSession { session: session_id(n) }
}

async fn enqueue(store: &Store, n: u128, now: Timestamp) {
    let tx = store.begin().await.unwrap();
    tx.enqueue(JobId(Uuid::new_v4()), Some(&owner("ann")), &index(n), now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn counts(f: &Fixture) -> (u64, u64, u64) {
    let JobCounts { ready, running, dead } = f.store.job_counts().await.unwrap();
    (ready, running, dead)
}

pub(crate) async fn a_job_is_claimed_by_one_worker(f: &Fixture) {
    let tx = f.store.begin().await.unwrap();
    for n in 0..100 {
        tx.enqueue(JobId(Uuid::new_v4()), None, &index(n), at(i64::try_from(n).unwrap())).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(f.store.claim_jobs(10, at(-1), LEASE).await.unwrap(), [], "none is due yet");
    let first = f.store.claim_jobs(3, at(500), LEASE).await.unwrap();
    assert_eq!(first.iter().map(|j| j.kind.clone()).collect::<Vec<_>>(), [index(0), index(1), index(2)]);
    assert!(first.iter().all(|j| j.state == JobState::Running && j.attempts == 1));
    let other = f.again().await;
    let mut workers = JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { f.store.clone() } else { other.clone() };
        workers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let jobs = store.claim_jobs(3, at(500), LEASE).await.unwrap();
                if jobs.is_empty() && store.job_counts().await.unwrap().ready == 0 {
                    return mine;
                }
                let ids: Vec<_> = jobs.iter().map(|j| j.id).collect();
                store.finish_jobs(&ids).await.unwrap();
                mine.extend(ids);
            }
        });
    }
    let claimed: Vec<JobId> = workers.join_all().await.concat();
    assert_eq!(claimed.len(), 97);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 97);
    assert_eq!(counts(f).await, (0, 3, 0));
}

pub(crate) async fn what_is_enqueued_while_it_runs_runs_again(f: &Fixture) {
    enqueue(&f.store, 1, at(0)).await;
    enqueue(&f.store, 2, at(0)).await;
    let jobs = f.store.claim_jobs(9, at(1), LEASE).await.unwrap();
    enqueue(&f.store, 1, at(2)).await;
    assert_eq!(counts(f).await, (0, 2, 0));
    assert_eq!(f.store.claim_jobs(9, at(3), LEASE).await.unwrap(), [], "never twice at once");
    let ids: Vec<_> = jobs.iter().map(|j| j.id).collect();
    f.store.finish_jobs(&ids).await.unwrap();
    assert_eq!(counts(f).await, (1, 0, 0));
    let again = f.store.claim_jobs(9, at(3), LEASE).await.unwrap();
    assert_eq!((again.len(), &again[0].kind, again[0].attempts), (1, &index(1), 1));
    f.store.finish_jobs(&[again[0].id]).await.unwrap();
    assert_eq!(counts(f).await, (0, 0, 0));
}

pub(crate) async fn equal_jobs_are_one(f: &Fixture) {
    enqueue(&f.store, 1, at(5)).await;
    enqueue(&f.store, 1, at(6)).await;
    enqueue(&f.store, 2, at(7)).await;
    let tx = f.store.begin().await.unwrap();
    tx.enqueue(JobId(Uuid::new_v4()), None, &JobKind::SweepBlobs, at(8)).await.unwrap();
    tx.commit().await.unwrap();
    let all = f.store.jobs(None, None, 9).await.unwrap();
    assert_eq!(all.iter().map(|j| j.kind.clone()).collect::<Vec<_>>(), [JobKind::SweepBlobs, index(2), index(1)]);
    assert_eq!((all[2].run_at, all[2].owner.clone()), (at(5), Some(owner("ann"))), "the first keeps its place");
    assert_eq!(f.store.jobs(Some(&owner("ann")), Some(JobState::Ready), 1).await.unwrap().len(), 1);
    assert_eq!(f.store.jobs(Some(&owner("bob")), None, 9).await.unwrap(), []);
    assert_eq!(f.store.jobs(None, Some(JobState::Dead), 9).await.unwrap(), []);
}

pub(crate) async fn failures_wait_die_and_revive(f: &Fixture) {
    enqueue(&f.store, 1, at(0)).await;
    let id = f.store.claim_jobs(1, at(1), LEASE).await.unwrap()[0].id;
    f.store.fail_job(id, "index is away", Some(at(30))).await.unwrap();
    let job = f.store.jobs(None, None, 1).await.unwrap().remove(0);
    assert_eq!((job.state, job.attempts, job.run_at), (JobState::Ready, 1, at(30)));
    assert_eq!(job.last_error.as_deref(), Some("index is away"));
    assert_eq!(f.store.claim_jobs(1, at(29), LEASE).await.unwrap(), []);
    // A new change does not wait for the back-off of an old failure.
    enqueue(&f.store, 1, at(20)).await;
    let job = f.store.claim_jobs(1, at(29), LEASE).await.unwrap().remove(0);
    assert_eq!(job.attempts, 2);
    f.store.fail_job(id, "still away", None).await.unwrap();
    assert_eq!(counts(f).await, (0, 0, 1));
    assert_eq!(f.store.claim_jobs(1, at(9_999), LEASE).await.unwrap(), []);
    assert_eq!(f.store.revive_jobs(at(100)).await.unwrap(), 1);
    assert_eq!(f.store.revive_jobs(at(100)).await.unwrap(), 0);
    let job = f.store.claim_jobs(1, at(100), LEASE).await.unwrap().remove(0);
    assert_eq!(job.attempts, 1);
    // Changed while its last attempt failed: it deserves new attempts.
    enqueue(&f.store, 1, at(101)).await;
    f.store.fail_job(id, "away", None).await.unwrap();
    assert_eq!(counts(f).await, (1, 0, 0));
    // A dead job comes back to life with a new change.
    f.store.claim_jobs(1, at(102), LEASE).await.unwrap();
    f.store.fail_job(id, "away", None).await.unwrap();
    enqueue(&f.store, 1, at(103)).await;
    assert_eq!(counts(f).await, (1, 0, 0));
}

pub(crate) async fn a_lost_lease_is_claimed_again(f: &Fixture) {
    enqueue(&f.store, 1, at(0)).await;
    let slow = f.store.claim_jobs(1, at(0), LEASE).await.unwrap().remove(0);
    let other = f.again().await;
    assert_eq!(other.claim_jobs(1, at(59), LEASE).await.unwrap(), []);
    let taken = other.claim_jobs(1, at(60), LEASE).await.unwrap().remove(0);
    assert_eq!((taken.id, taken.attempts), (slow.id, 2));
    // The slow worker comes back: the job is not its own any more.
    f.store.finish_jobs(&[slow.id]).await.unwrap();
    assert_eq!(counts(f).await, (0, 1, 0));
    other.finish_jobs(&[taken.id]).await.unwrap();
    assert_eq!(counts(f).await, (0, 0, 0));
}

pub(crate) async fn a_job_of_a_dropped_transaction_never_was(f: &Fixture) {
    let tx = f.store.begin().await.unwrap();
    tx.enqueue(JobId(Uuid::new_v4()), None, &index(1), at(0)).await.unwrap();
    drop(tx);
    assert_eq!(counts(f).await, (0, 0, 0));
    f.store.finish_jobs(&[]).await.unwrap();
    f.store.finish_jobs(&[JobId(Uuid::new_v4())]).await.unwrap();
}
