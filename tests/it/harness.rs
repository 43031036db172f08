//! A whole gateway in a test: real store, real index, real router; the clock, the ids and the worker are in the test's
//! hands. `Gateway::start()` is where most tests begin.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use sg_app::{
    AccountRules, App, Clock, Ids, KeyRequest, Letter, Limits, Mailer, ModelClient, NoModel, Parts, PutOutcome,
    VAULT_KEY_BYTES, Vault,
};
use sg_domain::{Caller, Dialect, Scope, Scopes, Session, Timestamp, User, UserId};
use sg_search::{SearchIndex, TantivyConfig, TantivyIndex};
use sg_store::{Store, StoreConfig};
use tower::ServiceExt as _;

mod sample;

pub use sample::Sample;

/// A clock that stands still until it is moved.
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// 2026-11-01T12:00:00Z.
    pub const START: i64 = 1_793_534_400_000_000;

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count up, shaped as UUID v7, so that snapshots hold.
#[derive(Default)]
pub struct CountingIds {
    count: AtomicU64,
    device_codes: Mutex<VecDeque<String>>,
}

impl CountingIds {
    /// The next device code will be this one; of several, each in turn.
    pub fn will_be_device_code(&self, code: &str) {
        self.device_codes.lock().unwrap().push_back(code.to_owned());
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl Ids for CountingIds {
    fn uuid(&self) -> uuid::Uuid {
        let n = self.next();
        uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n))
    }

    fn secret_hex(&self, bytes: usize) -> String {
        let n = self.next();
        format!("{n:0>width$x}", width = bytes * 2)
    }

    fn device_code(&self) -> String {
        let given = self.device_codes.lock().unwrap().pop_front();
        given.unwrap_or_else(|| format!("Dc{:04}", self.next() % 10_000))
    }
}

/// Keeps the mail that would be sent.
#[derive(Default)]
pub struct Outbox {
    letters: Mutex<Vec<Letter>>,
    /// Whether the mail server refuses everything.
    pub is_down: std::sync::atomic::AtomicBool,
}

impl Outbox {
    /// Everything sent so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Mailer for Outbox {
    async fn send(&self, letter: &Letter) -> sg_domain::Result<()> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(sg_domain::Error::new(sg_domain::ErrorKind::Unavailable, "the mail server does not answer"));
        }
        self.letters.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

/// How a gateway is made.
pub struct Setup {
    pub engine: Engine,
    pub limits: Limits,
    pub accounts: AccountRules,
    /// Whether there is a mail server: the gateway's outbox.
    pub has_mail: bool,
    pub model: Arc<dyn ModelClient>,
}

impl Default for Setup {
    /// SQLite, everything as it comes, whoever asks may sign up, an outbox, no model.
    fn default() -> Self {
        Self {
            engine: Engine::Sqlite,
            limits: Limits::default(),
            accounts: AccountRules {
                sign_up: sg_app::SignUpPolicy::Open,
                public_url: "https://sessions.example.com".to_owned(),
                ..AccountRules::default()
            },
            has_mail: true,
            model: Arc::new(NoModel),
        }
    }
}

/// Which SQL engine is under a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// An account with a caller for `App` and a key for HTTP.
#[derive(Clone)]
pub struct Account {
    pub user: User,
    pub caller: Caller,
    pub key: String,
}

/// A running gateway.
pub struct Gateway {
    pub app: App,
    /// The account most tests act as.
    pub me: Account,
    pub clock: Arc<FixedClock>,
    pub ids: Arc<CountingIds>,
    pub outbox: Arc<Outbox>,
    router: axum::Router,
    dir: tempfile::TempDir,
    store: StoreConfig,
    database: Option<crate::postgres::Database>,
}

impl Gateway {
    /// On SQLite, with one account.
    pub async fn start() -> Self {
        Self::start_on(Engine::Sqlite).await
    }

    /// On a chosen engine, with one account.
    pub async fn start_on(engine: Engine) -> Self {
        Self::start_with(engine, Limits::default()).await
    }

    /// On SQLite, with something between the app and its index.
    pub async fn start_behind(wrap: impl FnOnce(Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex>) -> Self {
        Self::build(Setup::default(), wrap).await
    }

    /// On a chosen engine with chosen limits, with one account.
    pub async fn start_with(engine: Engine, limits: Limits) -> Self {
        Self::start_as(Setup { engine, limits, ..Setup::default() }).await
    }

    /// Made in any way, with one account.
    pub async fn start_as(setup: Setup) -> Self {
        Self::build(setup, |index| index).await
    }

    async fn build(setup: Setup, wrap: impl FnOnce(Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex>) -> Self {
        let Setup { engine, limits, accounts, has_mail, model } = setup;
        let dir = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(crate::postgres::database().await),
        };
        let path = dir.path().display();
        let database_url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite://{path}/sessiongraph.db"),
        };
        let config = StoreConfig {
            database_url,
            blob_url: format!("file://{path}/blobs"),
            blob_options: Vec::new(),
            max_connections: 4,
        };
        let store = Store::open(&config).await.unwrap();
        let store_config = config;
        let index = TantivyIndex::open(TantivyConfig::new(dir.path().join("index"))).unwrap();
        let clock = Arc::new(FixedClock(AtomicI64::new(FixedClock::START)));
        let ids = Arc::new(CountingIds::default());
        let outbox = Arc::new(Outbox::default());
        let app = App::new(Parts {
            limits,
            vault: Vault::new([7; VAULT_KEY_BYTES]),
            accounts,
            mail: has_mail.then(|| outbox.clone() as Arc<dyn Mailer>),
            model,
            ..Parts::new(store, wrap(Arc::new(index)), clock.clone(), ids.clone())
        });
        let mut config = sg_server::config::Config::default();
        config.http.spool_dir = dir.path().join("spool");
        let router = sg_server::http::router(app.clone(), &config);
        let me = account(&app, "me@example.com").await;
        Self { app, me, clock, ids, outbox, router, dir, store: store_config, database }
    }

    /// Another account, which may see nothing of the first.
    pub async fn other(&self) -> Account {
        account(&self.app, "other@example.com").await
    }

    /// A key of an account with only these scopes.
    pub async fn key_with(&self, account: &Account, scopes: &[Scope]) -> String {
        let request = key_request(&account.user.id, scopes);
        self.app.create_key(&Caller::local(account.user.id.clone()), request).await.unwrap().secret
    }

    /// A key of an account for another dialect, with every scope that people's keys have.
    pub async fn key_for(&self, account: &Account, dialect: Dialect) -> String {
        let request = KeyRequest { dialect, ..key_request(&account.user.id, &[Scope::Read, Scope::Write]) };
        self.app.create_key(&Caller::local(account.user.id.clone()), request).await.unwrap().secret
    }

    /// A key for SessionFS with only these scopes.
    pub async fn sessionfs_key_with(&self, account: &Account, scopes: &[Scope]) -> String {
        let request = KeyRequest { dialect: Dialect::Sessionfs, ..key_request(&account.user.id, scopes) };
        self.app.create_key(&Caller::local(account.user.id.clone()), request).await.unwrap().secret
    }

    /// The folder of the store and the index.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Another process on the same data: a store and an index of its own, the same clock and ids.
    pub async fn beside(&self) -> App {
        let store = Store::open(&self.store).await.unwrap();
        let folder = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        let search = Arc::new(TantivyIndex::open(TantivyConfig::new(folder)).unwrap());
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        App::new(Parts { vault: Vault::new([7; VAULT_KEY_BYTES]), ..Parts::new(store, search, clock, ids) })
    }

    /// Runs SQL in the database itself, on PostgreSQL.
    pub async fn psql(&self, sql: &str) -> String {
        self.database.as_ref().expect("PostgreSQL").psql(sql).await
    }

    /// Runs jobs until none is due.
    pub async fn run_jobs(&self) {
        loop {
            let run = self.app.run_jobs().await.unwrap();
            assert_eq!(run.failed, 0, "a job failed");
            if run.done == 0 {
                return;
            }
        }
    }

    /// Stores a session as `me` and indexes it.
    pub async fn seed(&self, sample: Sample) -> Session {
        let session = self.put(&self.me, sample).await;
        self.run_jobs().await;
        session
    }

    /// Stores a session as an account; its index job stays to be run.
    pub async fn put(&self, account: &Account, sample: Sample) -> Session {
        let (session, outcome) = self.app.put_session(&account.caller, sample.into_new()).await.unwrap();
        assert_ne!(outcome, PutOutcome::Unchanged, "the same sample twice");
        session
    }

    /// The same data behind a stack with other settings.
    pub fn with_config(&self, config: &sg_server::config::Config) -> Stack {
        Stack { router: sg_server::http::router(self.app.clone(), config) }
    }

    /// A request with `me`'s key.
    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path).key(&self.me.key)
    }

    /// A request without a key.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let request = Request::builder().method(method).uri(path);
        Call { router: &self.router, request, body: Body::empty() }
    }

    /// Runs a GraphQL document as `me` and returns `data`; fails on errors.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql_as(&self.me.key, query, variables).await;
        let mut body = answer.json();
        assert!(body.get("errors").is_none(), "{query}\n{body:#}");
        body["data"].take()
    }

    /// Runs a GraphQL document with a key and returns the whole answer.
    pub async fn graphql_as(&self, key: &str, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        let answer = self.call(Method::POST, "/api/v1/graphql").key(key).json(&body).send().await;
        crate::leak::assert_tight(&answer.text());
        answer
    }

    /// Follows a GraphQL subscription as `me`, without a transport.
    pub fn follow(&self, query: &str, variables: Value) -> Followed {
        self.follow_as(self.me.caller.clone(), query, variables)
    }

    /// Follows a GraphQL subscription as somebody.
    pub fn follow_as(&self, caller: Caller, query: &str, variables: Value) -> Followed {
        let graphql = sg_schema::Graphql::new(self.app.clone(), sg_schema::GraphqlLimits::default()).unwrap();
        Followed::new(&graphql, caller, query, variables)
    }

    /// The `extensions.code` of the first error of a document that must fail.
    pub async fn graphql_code(&self, query: &str, variables: Value) -> String {
        let body = self.graphql_as(&self.me.key, query, variables).await.json();
        body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no coded error: {body:#}"))
            .to_owned()
    }

    /// Serves on a real socket for a real client; stops when the returned guard is dropped.
    pub async fn listen(&self) -> Listening {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = self.router.clone();
        #[allow(clippy::disallowed_methods, reason = "the test is the server here")]
        let task = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
        Listening { url, task }
    }
}

/// A subscription, answer by answer.
pub struct Followed(futures_util::stream::BoxStream<'static, Value>);

impl Followed {
    /// Follows one.
    pub fn new(graphql: &sg_schema::Graphql, caller: Caller, query: &str, variables: Value) -> Self {
        let variables = variables.as_object().cloned().unwrap_or_default();
        Self(graphql.follow(caller, query, variables))
    }

    /// The next answer; fails when there is none in a minute.
    pub async fn next(&mut self) -> Value {
        self.end_or_next().await.expect("the subscription has ended")
    }

    /// The next answer, or `None` when the subscription has ended; fails when neither comes in a minute.
    pub async fn end_or_next(&mut self) -> Option<Value> {
        use futures_util::StreamExt as _;
        tokio::time::timeout(Duration::from_secs(60), self.0.next()).await.expect("nothing was told")
    }
}

/// A gateway on a socket.
pub struct Listening {
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let app = self.app.clone();
        let counts = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(app.job_counts()));
        let counts = counts.unwrap();
        assert_eq!((counts.ready, counts.running, counts.dead), (0, 0, 0), "jobs are left over: call run_jobs()");
    }
}

/// Makes an account with a key of every scope.
pub async fn account(app: &App, email: &str) -> Account {
    let operator = Caller::local(UserId("user_operator".to_owned()));
    let user = app.create_user(&operator, email).await.unwrap();
    let caller = Caller::local(user.id.clone());
    let key = app.create_key(&caller, key_request(&user.id, &Scope::ALL)).await.unwrap().secret;
    Account { user, caller, key }
}

fn key_request(user: &UserId, scopes: &[Scope]) -> KeyRequest {
    KeyRequest {
        user: user.clone(),
        name: "test".to_owned(),
        dialect: Dialect::Specstory,
        scopes: Scopes::of(scopes),
        expires_at: None,
    }
}

/// Another HTTP stack over a gateway's app.
pub struct Stack {
    router: axum::Router,
}

impl Stack {
    /// A request without a key.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call { router: &self.router, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }
}

/// A request being built.
pub struct Call<'a> {
    router: &'a axum::Router,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call<'_> {
    /// With a bearer credential.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With a header; one that is there already is replaced.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().unwrap().insert(name, value.parse().unwrap());
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body(serde_json::to_vec(body).unwrap()).header("content-type", "application/json")
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it through the whole HTTP stack, in process.
    pub async fn send(self) -> Answer {
        let mut request = self.request.body(self.body).unwrap();
        let peer: std::net::SocketAddr = ([127, 0, 0, 1], 40_000).into();
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// A GraphQL answer, or a socket's message with one, without what it says of its cost.
pub fn without_cost(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("extensions");
    }
    if let Some(payload) = answer.get_mut("payload").and_then(Value::as_object_mut) {
        payload.remove("extensions");
    }
    answer
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body of a GraphQL answer, without what it says of its cost.
    pub fn outcome(&self) -> Value {
        without_cost(self.json())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body without its compression.
    pub fn unpacked(&self) -> std::io::Result<Vec<u8>> {
        use std::io::Read as _;
        if self.header("content-encoding") != "gzip" {
            return Ok(self.body.to_vec());
        }
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&*self.body).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}
