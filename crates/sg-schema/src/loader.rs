//! Loading: what a resolver can reach, and one set of batching loaders per request.
//!
//! Batches are not started by a timer. The library would spawn each batch on the runtime, where another thread may
//! start it while half of the siblings have not asked yet. Here the request itself runs its batches, and only when its
//! resolvers can go no further: every level of a query is one batch, always, with no delay and nothing spawned.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_graphql::runtime::Timer;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::task::{FutureObj, Spawn, SpawnError};
use parking_lot::Mutex;
use sg_app::{App, Cost, SessionColumns, SessionList, SessionSummary, session_cursor};
use sg_domain::{
    Caller, Direction, Error, Message, MessageId, PageRequest, Project, ProjectId, ProjectKey, Session, SessionFilter,
    SessionId, SessionOrder, ShareLink,
};

use crate::failure::Outcome;

/// What every resolver of one request can reach.
pub(crate) struct Reach {
    /// The operations.
    pub(crate) app: App,
    /// Who asks.
    pub(crate) caller: Caller,
    /// The loaders of this request.
    pub(crate) loads: DataLoader<Reader, HashMapCache>,
    /// Objects that this request may still hold. The guard's estimate comes before the data is known; this is the bound
    /// that holds, also where everything comes out of the loaders' caches and no timeout can interrupt.
    objects: AtomicU64,
}

impl Reach {
    /// What a request reaches, and the queue its loaders put their batches on.
    pub(crate) fn new(app: App, caller: Caller, max_objects: u64) -> (Self, Batches) {
        let batches = Batches::default();
        let reader = Reader { app: app.clone(), caller: caller.clone() };
        let loads = DataLoader::with_cache(reader, batches.clone(), NoDelay, HashMapCache::default())
            .delay(Duration::ZERO)
            .max_batch_size(usize::MAX);
        (Self { app, caller, loads, objects: AtomicU64::new(max_objects) }, batches)
    }

    /// Counts objects against what this request may hold.
    pub(crate) fn spend(&self, objects: u64) -> sg_domain::Result<()> {
        let spent = self.objects.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(objects));
        match spent {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::invalid("the answer holds too many objects, ask for shorter pages")),
        }
    }

    /// The request that a resolver runs in.
    pub(crate) fn of<'a>(ctx: &Context<'a>) -> &'a Self {
        ctx.data_unchecked::<Self>()
    }

    /// Counts content against what this request may hold: so many bytes weigh as much as one object.
    pub(crate) fn spend_bytes(&self, bytes: u64) -> sg_domain::Result<()> {
        self.spend(bytes / BYTES_PER_OBJECT)
    }

    /// One thing through the loaders.
    pub(crate) async fn load<K>(&self, key: K) -> Outcome<Option<<Reader as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reader: Loader<K, Error = Arc<Error>>,
    {
        self.spend(1)?;
        Ok(self.loads.load_one(key).await?)
    }
}

/// With the usual limit of a million objects, one answer holds at most 64 MB of content.
const BYTES_PER_OBJECT: u64 = 64;

/// Batches that are waiting to be run by the request they belong to.
#[derive(Clone, Default)]
pub(crate) struct Batches(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl Batches {
    /// Runs a request with its batches, which start only when the request can go no further.
    pub(crate) async fn drive<T>(self, request: impl Future<Output = T>) -> T {
        let mut request = std::pin::pin!(request);
        let mut running = FuturesUnordered::new();
        std::future::poll_fn(move |cx| {
            loop {
                if let Poll::Ready(answer) = request.as_mut().poll(cx) {
                    return Poll::Ready(answer);
                }
                running.extend(std::mem::take(&mut *self.0.lock()));
                let mut finished = false;
                while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {
                    finished = true;
                }
                if !finished && self.0.lock().is_empty() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

impl Spawn for Batches {
    fn spawn_obj(&self, batch: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.lock().push(batch);
        Ok(())
    }
}

/// Batches wait for their request, never for a clock.
struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Reads batches of things for one caller.
pub(crate) struct Reader {
    app: App,
    caller: Caller,
}

/// The first sessions of one project, as one list wants them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ProjectSessions {
    /// The project.
    pub(crate) project: ProjectKey,
    /// The list; equal ones are loaded together.
    pub(crate) list: ListKey,
}

/// A list that can be compared with others of the same request.
#[derive(Clone)]
pub(crate) struct ListKey {
    list: Arc<SessionList>,
    text: Arc<str>,
}

impl ListKey {
    /// The key of a list. Its debug form names every field, which is all that comparing inside one request needs.
    pub(crate) fn new(list: SessionList) -> Self {
        Self { text: format!("{list:?}").into(), list: Arc::new(list) }
    }
}

impl PartialEq for ListKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ListKey {}

impl Hash for ListKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The sessions that one session started.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subagents {
    /// The project they are in.
    pub(crate) project: ProjectKey,
    /// The same project as clients name it.
    pub(crate) project_id: ProjectId,
    /// The client id of the session that started them.
    pub(crate) parent: String,
}

/// What one session cost.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionCost(pub(crate) SessionId);

/// The share links of one session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LinksOf(pub(crate) SessionId);

/// The summary of one session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SummaryOf(pub(crate) SessionId);

/// Subagents that one statement reads.
const MAX_SUBAGENTS: u32 = 2_000;
/// As many parents as one filter holds, with room for their projects.
const PARENTS_PER_STATEMENT: usize = 400;

impl Loader<ProjectKey> for Reader {
    type Value = Arc<Project>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProjectKey]) -> Result<HashMap<ProjectKey, Self::Value>, Self::Error> {
        let found = self.app.projects_by_key(&self.caller, keys).await?;
        Ok(found.into_iter().map(|project| (project.key, Arc::new(project))).collect())
    }
}

impl Loader<SessionId> for Reader {
    type Value = Arc<Session>;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[SessionId]) -> Result<HashMap<SessionId, Self::Value>, Self::Error> {
        let found = self.app.sessions_by_id(&self.caller, ids, SessionColumns::ALL).await?;
        Ok(found.into_iter().map(|session| (session.id, Arc::new(session))).collect())
    }
}

impl Loader<SessionCost> for Reader {
    type Value = Cost;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SessionCost]) -> Result<HashMap<SessionCost, Cost>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = self.app.session_costs(&self.caller, &ids).await?;
        Ok(found.into_iter().map(|(id, cost)| (SessionCost(id), cost)).collect())
    }
}

impl Loader<LinksOf> for Reader {
    type Value = Arc<Vec<ShareLink>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LinksOf]) -> Result<HashMap<LinksOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut links: HashMap<_, Vec<ShareLink>> = HashMap::new();
        for link in self.app.share_links(&self.caller, &ids).await? {
            links.entry(LinksOf(link.session)).or_default().push(link);
        }
        Ok(links.into_iter().map(|(key, links)| (key, Arc::new(links))).collect())
    }
}

impl Loader<SummaryOf> for Reader {
    type Value = Arc<SessionSummary>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SummaryOf]) -> Result<HashMap<SummaryOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = self.app.summaries(&self.caller, &ids).await?;
        Ok(found.into_iter().map(|summary| (SummaryOf(summary.session.id), Arc::new(summary))).collect())
    }
}

impl Loader<MessageId> for Reader {
    type Value = Arc<Message>;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[MessageId]) -> Result<HashMap<MessageId, Self::Value>, Self::Error> {
        let found = self.app.messages_by_id(&self.caller, ids).await?;
        Ok(found.into_iter().map(|(id, message)| (id, Arc::new(message))).collect())
    }
}

impl Loader<ProjectSessions> for Reader {
    type Value = Arc<Vec<Arc<Session>>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProjectSessions]) -> Result<HashMap<ProjectSessions, Self::Value>, Self::Error> {
        let mut projects_of: HashMap<&ListKey, Vec<ProjectKey>> = HashMap::new();
        for key in keys {
            projects_of.entry(&key.list).or_default().push(key.project);
        }
        let mut loaded = HashMap::new();
        for (list, projects) in projects_of {
            let mut found = self.app.sessions_by_project(&self.caller, &projects, &list.list).await?;
            for project in projects {
                let sessions = found.remove(&project).unwrap_or_default().into_iter().map(Arc::new).collect();
                loaded.insert(ProjectSessions { project, list: list.clone() }, Arc::new(sessions));
            }
        }
        Ok(loaded)
    }
}

impl Loader<Subagents> for Reader {
    type Value = Arc<Vec<Arc<Session>>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Subagents]) -> Result<HashMap<Subagents, Self::Value>, Self::Error> {
        let mut children: HashMap<Subagents, Vec<Arc<Session>>> =
            keys.iter().map(|key| (key.clone(), Vec::new())).collect();
        for keys in keys.chunks(PARENTS_PER_STATEMENT) {
            let mut project_ids: Vec<_> = keys.iter().map(|key| key.project_id.as_str().to_owned()).collect();
            project_ids.sort_unstable();
            project_ids.dedup();
            let mut list = SessionList {
                filter: SessionFilter {
                    project_ids,
                    parent_client_ids: keys.iter().map(|key| key.parent.clone()).collect(),
                    ..SessionFilter::default()
                },
                text: None,
                order: SessionOrder::CreatedAt,
                direction: Direction::Asc,
                page: PageRequest::first(MAX_SUBAGENTS),
                columns: SessionColumns::ALL,
            };
            loop {
                let page = self.app.sessions(&self.caller, &list).await?;
                let last = page.items.last().filter(|_| page.has_next);
                let after = last.map(|last| session_cursor(last, list.order, list.direction));
                for session in page.items {
                    let Some(parent) = session.parent_client_id.clone() else { continue };
                    let key =
                        Subagents { project: session.project_key, project_id: session.project_id.clone(), parent };
                    if let Some(sessions) = children.get_mut(&key) {
                        sessions.push(Arc::new(session));
                    }
                }
                match after {
                    Some(after) => list.page.after = Some(after),
                    None => break,
                }
            }
        }
        Ok(children.into_iter().map(|(key, sessions)| (key, Arc::new(sessions))).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    struct Counting(Arc<AtomicUsize>);

    impl Loader<u32> for Counting {
        type Value = u32;
        type Error = ();

        async fn load(&self, keys: &[u32]) -> Result<HashMap<u32, u32>, ()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(keys.iter().map(|key| (*key, key * 2)).collect())
        }
    }

    /// Siblings that ask only after some other work still share one batch, on any number of threads.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_level_is_one_batch() {
        for _ in 0..50 {
            let batches = Batches::default();
            let loaded = Arc::new(AtomicUsize::new(0));
            let loads = DataLoader::with_cache(
                Counting(loaded.clone()),
                batches.clone(),
                NoDelay,
                HashMapCache::<std::collections::hash_map::RandomState>::default(),
            )
            .max_batch_size(usize::MAX);
            let answers = batches
                .drive(async {
                    join_all((0..2_000).map(|n| {
                        let loads = &loads;
                        async move {
                            let first = loads.load_one(n % 1_500).await.unwrap().unwrap();
                            loads.load_one(first + 10_000).await.unwrap().unwrap()
                        }
                    }))
                    .await
                })
                .await;
            assert_eq!(answers[3], 2 * (2 * 3 + 10_000));
            assert_eq!(loaded.load(Ordering::SeqCst), 2);
        }
    }
}
