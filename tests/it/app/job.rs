//! The queue: a failing job backs off, dies visibly, and is revived.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sg_domain::{
    Error, ExchangeHit, ExchangeQuery, JobState, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, SessionId,
};
use sg_search::{IndexStatus, Rebuild, SearchIndex, SessionDocument};

use crate::harness::{Gateway, Sample};

/// An index whose disk is full while `broken` is set.
pub(crate) struct Flaky {
    pub(crate) inner: Arc<dyn SearchIndex>,
    pub(crate) broken: Arc<AtomicBool>,
}

#[async_trait]
impl SearchIndex for Flaky {
    async fn put(&self, document: SessionDocument) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::unavailable("index cannot be written", std::io::Error::other("disk full")));
        }
        self.inner.put(document).await
    }
    async fn remove(&self, session: SessionId) -> Result<()> {
        self.inner.remove(session).await
    }
    async fn commit(&self) -> Result<()> {
        self.inner.commit().await
    }
    async fn search(&self, query: SearchQuery) -> Result<SearchPage> {
        self.inner.search(query).await
    }
    async fn exchanges(&self, query: ExchangeQuery) -> Result<Vec<ExchangeHit>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::unavailable("index cannot be read", std::io::Error::other("disk is gone")));
        }
        self.inner.exchanges(query).await
    }
    async fn related(&self, query: RelatedQuery) -> Result<Vec<RelatedHit>> {
        self.inner.related(query).await
    }
    async fn sessions(&self) -> Result<Vec<(SessionId, String)>> {
        self.inner.sessions().await
    }
    fn status(&self) -> IndexStatus {
        self.inner.status()
    }
    async fn rebuild(&self) -> Result<Box<dyn Rebuild>> {
        self.inner.rebuild().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_backs_off_then_is_dead_and_visible_then_revived() {
    let broken = Arc::new(AtomicBool::new(true));
    let switch = broken.clone();
    let gateway = Gateway::start_behind(move |inner| Arc::new(Flaky { inner, broken: switch })).await;
    let me = gateway.me.clone();
    gateway.put(&me, Sample::new("s1").user("marmalade")).await;

    let run = gateway.app.run_jobs().await.unwrap();
    assert_eq!((run.done, run.failed), (0, 1));
    // Not due again at once.
    assert_eq!(gateway.app.run_jobs().await.unwrap().failed, 0);
    let waiting = gateway.app.jobs(&me.caller, false, Some(JobState::Ready), 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].attempts, 1);
    assert_eq!(waiting[0].last_error.as_deref(), Some("index cannot be written"));
    assert!(waiting[0].run_at > gateway.app.now());

    for _ in 0..20 {
        gateway.clock.advance(Duration::from_secs(3_600));
        gateway.app.run_jobs().await.unwrap();
    }
    let dead = gateway.app.jobs(&me.caller, false, Some(JobState::Dead), 10).await.unwrap();
    assert_eq!(dead.len(), 1, "dead after its attempts, and listed");
    assert_eq!(dead[0].attempts, 10);
    let other = gateway.other().await;
    assert!(
        gateway.app.jobs(&other.caller, false, None, 10).await.unwrap().is_empty(),
        "another tenant's jobs are not listed"
    );

    let found = gateway.app.diagnose(&me.caller).await.unwrap();
    assert_eq!(found.jobs.dead, 1);
    assert!(!found.is_healthy());
    broken.store(false, Ordering::SeqCst);
    let repair = gateway.app.repair(&me.caller, &found).await.unwrap();
    assert_eq!(repair.revived_jobs, 1);
    gateway.run_jobs().await;
    assert!(gateway.app.diagnose(&me.caller).await.unwrap().is_healthy());
    assert_eq!(super::search::found(&gateway, "marmalade").await, ["s1"]);
}
