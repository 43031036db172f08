//! The queue.

use std::collections::HashSet;
use std::time::Duration;

use sg_domain::{JobId, JobKind, JobState, PageRequest, Timestamp};
use sg_store::{JobCounts, Store, job_cursor};
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
    let JobCounts { ready, running, dead, .. } = f.store.job_counts().await.unwrap();
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
                store.finish_jobs(&ids, at(600)).await.unwrap();
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
    f.store.finish_jobs(&ids, at(600)).await.unwrap();
    assert_eq!(counts(f).await, (1, 0, 0));
    let again = f.store.claim_jobs(9, at(3), LEASE).await.unwrap();
    assert_eq!((again.len(), &again[0].kind, again[0].attempts), (1, &index(1), 1));
    f.store.finish_jobs(&[again[0].id], at(4)).await.unwrap();
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
    f.store.finish_jobs(&[slow.id], at(61)).await.unwrap();
    assert_eq!(counts(f).await, (0, 1, 0));
    other.finish_jobs(&[taken.id], at(62)).await.unwrap();
    assert_eq!(counts(f).await, (0, 0, 0));
}

pub(crate) async fn a_job_of_a_dropped_transaction_never_was(f: &Fixture) {
    let tx = f.store.begin().await.unwrap();
    tx.enqueue(JobId(Uuid::new_v4()), None, &index(1), at(0)).await.unwrap();
    drop(tx);
    assert_eq!(counts(f).await, (0, 0, 0));
    f.store.finish_jobs(&[], at(0)).await.unwrap();
    f.store.finish_jobs(&[JobId(Uuid::new_v4())], at(0)).await.unwrap();
}

pub(crate) async fn a_done_job_is_kept_and_comes_back_as_itself(f: &Fixture) {
    let ann = owner("ann");
    enqueue(&f.store, 1, at(0)).await;
    let id = f.store.claim_jobs(1, at(1), LEASE).await.unwrap()[0].id;
    f.store.finish_jobs(&[id], at(2)).await.unwrap();
    let done = f.store.job(&ann, id).await.unwrap().unwrap();
    assert_eq!((done.state, done.attempts, done.finished_at), (JobState::Done, 1, Some(at(2))));
    let counts = f.store.job_counts().await.unwrap();
    assert_eq!(counts, JobCounts { over: 1, ..JobCounts::default() });
    assert_eq!(f.store.claim_jobs(9, at(9_999), LEASE).await.unwrap(), [], "done work is not work");
    assert_eq!(f.store.job(&owner("bob"), id).await.unwrap(), None);

    // Maintenance wants the same again: it stays whose it is.
    let tx = f.store.begin().await.unwrap();
    let again = tx.enqueue(JobId(Uuid::new_v4()), None, &index(1), at(50)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(again, id);
    let job = f.store.job(&ann, id).await.unwrap().unwrap();
    let new = (job.state, job.attempts, job.run_at, job.created_at, job.finished_at);
    assert_eq!(new, (JobState::Ready, 0, at(50), at(50), None));
    f.store.claim_jobs(1, at(50), LEASE).await.unwrap();
    f.store.finish_jobs(&[id], at(51)).await.unwrap();

    let tx = f.store.begin().await.unwrap();
    assert_eq!(tx.sweep_jobs(at(51)).await.unwrap(), 0);
    assert_eq!(tx.sweep_jobs(at(52)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(f.store.job(&ann, id).await.unwrap(), None);
}

pub(crate) async fn jobs_are_tried_again_and_taken_back(f: &Fixture) {
    let ann = owner("ann");
    enqueue(&f.store, 1, at(0)).await;
    let id = f.store.claim_jobs(1, at(1), LEASE).await.unwrap()[0].id;
    f.store.fail_job(id, "away", None).await.unwrap();
    let tx = f.store.begin().await.unwrap();
    assert_eq!(tx.job(&owner("bob"), id).await.unwrap(), None);
    assert_eq!(tx.job(&ann, id).await.unwrap().unwrap().state, JobState::Dead);
    tx.retry_job(id, at(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counts(f).await, (1, 0, 0));
    let tx = f.store.begin().await.unwrap();
    tx.cancel_job(id, at(6)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(f.store.claim_jobs(9, at(9_999), LEASE).await.unwrap(), []);
    let job = f.store.job(&ann, id).await.unwrap().unwrap();
    assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(6))));
    // Wanted again, it is not cancelled any more.
    enqueue(&f.store, 1, at(7)).await;
    assert_eq!(f.store.claim_jobs(9, at(7), LEASE).await.unwrap()[0].id, id);
}

pub(crate) async fn pages_of_jobs_are_the_list_cut_up(f: &Fixture) {
    let ann = owner("ann");
    for n in 0..7 {
        // Two at each time: the id decides.
        enqueue(&f.store, n, at(i64::try_from(n / 2).unwrap())).await;
    }
    let all = f.store.jobs(Some(&ann), None, 99).await.unwrap();
    assert_eq!(all.len(), 7);
    let mut page = PageRequest::first(3);
    let mut found = Vec::new();
    loop {
        let part = f.store.job_page(&ann, Some(JobState::Ready), &page).await.unwrap();
        page.after = part.items.last().map(job_cursor);
        found.extend(part.items);
        if !part.has_next {
            break;
        }
    }
    assert_eq!(found, all);
    assert_eq!(f.store.job_page(&ann, Some(JobState::Dead), &PageRequest::first(3)).await.unwrap().items, []);
    assert_eq!(f.store.job_page(&owner("bob"), None, &PageRequest::first(3)).await.unwrap().items, []);
}
