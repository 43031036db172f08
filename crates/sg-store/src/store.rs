//! Opening a store, and transactions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, QueryResult,
    SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sg_domain::{JobId, KeyId, ProjectKey, Result, Timestamp, UserId};

use crate::Blobs;
use crate::change::{Bells, Rings};
use crate::error::{StoreError, StoreResult, is_busy};
use crate::read::sqlite::Readers;
use crate::row::{OrmRow, Row};
use crate::sql::{Engine, Sql};

/// Where rows and blobs are.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite:///absolute/path/to.db` or `postgres://…`.
    pub database_url: String,
    /// `file:///absolute/folder` or `s3://bucket/prefix` (credentials and endpoint from the usual AWS variables, handed in
    /// as `blob_options`).
    pub blob_url: String,
    /// Options of the object store, such as `aws_access_key_id`; from configuration, never read from the environment here.
    pub blob_options: Vec<(String, String)>,
    /// Connections that read, on SQLite; the pool's size on PostgreSQL.
    pub max_connections: u32,
}

/// Shows no secret: a database URL holds a password, the options hold keys.
impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let options: Vec<_> = self.blob_options.iter().map(|(name, _)| name).collect();
        f.debug_struct("StoreConfig")
            .field("database", &self.database_url.split_once(':').map(|(scheme, _)| scheme))
            .field("blob_url", &self.blob_url)
            .field("blob_options", &options)
            .field("max_connections", &self.max_connections)
            .finish()
    }
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    /// Everything on PostgreSQL; the one writer on SQLite.
    pub(crate) db: DatabaseConnection,
    /// The native readers, on SQLite.
    pub(crate) readers: Option<Readers>,
    /// Who may write next, on SQLite: first come, first served.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Whether the writer's connection ended a transaction without a commit, on SQLite.
    unfinished: Arc<AtomicBool>,
    blobs: Blobs,
    statements: Arc<AtomicU64>,
    /// When each key's use was last noted by this process.
    pub(crate) touched: Mutex<HashMap<KeyId, Timestamp>>,
    /// The end of the lease of each job that this process claimed: who finishes a job must still hold it.
    pub(crate) leases: Mutex<HashMap<JobId, i64>>,
    /// Who in this process waits for something to move.
    pub(crate) bells: Arc<Bells>,
    /// Where to listen for what other servers change; `None` on SQLite.
    pub(crate) postgres_url: Option<String>,
}

/// A write transaction. On SQLite it holds the one writer from the start (`BEGIN IMMEDIATE`). Dropped without
/// [`Tx::commit`], it leaves nothing behind.
pub struct Tx {
    pub(crate) tx: DatabaseTransaction,
    pub(crate) engine: Engine,
    /// Projects whose rows this transaction has locked, on PostgreSQL.
    pub(crate) locked: Mutex<Vec<ProjectKey>>,
    /// What to ring for when it has been committed.
    pub(crate) rings: Mutex<Rings>,
    bells: Arc<Bells>,
    // After `tx`, and in this order: the turn ends when the transaction has, and its end is noted.
    end: End,
    _turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// Notes a transaction that ends without a commit. When a commit or a statement fails because the disk is full, SQLite may
/// have rolled back already or not at all, and the driver's count of open transactions no longer holds: what is
/// "committed" on such a connection later would not be. The next writer takes a new one.
struct End {
    unfinished: Arc<AtomicBool>,
    is_committed: bool,
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.is_committed {
            self.unfinished.store(true, Ordering::Release);
        }
    }
}

/// How long a writer waits inside SQLite for another process, each time.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it tries again after that.
const BUSY_RETRIES: u32 = 6;

impl Store {
    /// Connects, creates what is missing, runs migrations.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let blobs = Blobs::open(&config.blob_url, &config.blob_options).await?;
        let url = &config.database_url;
        let (engine, mut db, path) = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = sqlite_path(path)?;
            (Engine::Sqlite, connect_sqlite(&path).await?, Some(path))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (Engine::Postgres, connect_postgres(url, config.max_connections).await?, None)
        } else {
            return Err(sg_domain::Error::invalid("the database url must start with sqlite:// or postgres://"));
        };
        migrate(&db).await?;
        let counter = Arc::clone(&statements);
        db.set_metric_callback(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let readers = path.map(|path| Readers::open(&path, config.max_connections)).transpose()?;
        let inner = Inner {
            engine,
            db,
            readers,
            writer: Arc::default(),
            unfinished: Arc::default(),
            blobs,
            statements,
            touched: Mutex::default(),
            leases: Mutex::default(),
            bells: Arc::default(),
            postgres_url: (engine == Engine::Postgres).then(|| url.clone()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Starts a write transaction; waits for its turn.
    pub async fn begin(&self) -> Result<Tx> {
        let engine = self.inner.engine;
        let turn = match engine {
            Engine::Sqlite => Some(Arc::clone(&self.inner.writer).lock_owned().await),
            Engine::Postgres => None,
        };
        let unfinished = Arc::clone(&self.inner.unfinished);
        if engine == Engine::Sqlite && unfinished.swap(false, Ordering::AcqRel) {
            let pool = self.inner.db.get_sqlite_connection_pool();
            // A failure here is that of a connection that is being given up.
            if let Ok(connection) = pool.acquire().await
                && let Err(error) = connection.close().await
            {
                tracing::warn!(%error, "the writer's connection did not close well");
            }
        }
        // Until it is known to have begun, whatever happens counts as unfinished.
        let end = End { unfinished, is_committed: false };
        let tx = begin_immediate(&self.inner.db).await?;
        let bells = Arc::clone(&self.inner.bells);
        Ok(Tx { tx, engine, locked: Mutex::default(), rings: Mutex::default(), bells, end, _turn: turn })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.row(self.select(&["count(*)"]).add(r#" FROM "user" WHERE id = ''"#).clone().end(), |row| row.int())
            .await?;
        Ok(())
    }

    /// What is wrong with the database's own structures, a line a fault; empty when it is sound. Reads the whole file on
    /// SQLite. PostgreSQL looks after itself: there it is only whether it answers.
    pub async fn integrity(&self) -> Result<Vec<String>> {
        if self.inner.engine == Engine::Postgres {
            self.ping().await?;
            return Ok(Vec::new());
        }
        let check = Sql::new(Engine::Sqlite, "PRAGMA integrity_check");
        let mut faults = self.rows(check, |row| row.text()).await?;
        faults.retain(|line| line != "ok");
        let check = Sql::new(Engine::Sqlite, r#"SELECT "table", count(*) FROM pragma_foreign_key_check GROUP BY 1"#);
        let orphans =
            self.rows(check, |row| Ok(format!("{}: {} rows without a parent", row.text()?, row.int()?))).await?;
        faults.extend(orphans);
        Ok(faults)
    }

    /// Which engine this is: `sqlite` or `postgresql`.
    pub fn engine(&self) -> &'static str {
        match self.inner.engine {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgresql",
        }
    }

    /// The owner's data version: moved by every committed change of what that owner can see. 0 before the first.
    pub async fn data_version(&self, owner: &UserId) -> Result<i64> {
        let mut sql = Sql::new(self.inner.engine, "SELECT version FROM data_version WHERE owner = ");
        sql.text(owner.as_str());
        Ok(self.row(sql, |row| row.int()).await?.unwrap_or(0))
    }

    /// Statements sent since this store was opened, through either door; tests assert on differences.
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    /// Counts a native read; SeaORM counts its own.
    pub(crate) fn count_statement(&self) {
        if self.inner.readers.is_some() {
            self.inner.statements.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Tx {
    /// Commits.
    pub async fn commit(self) -> Result<()> {
        let Self { tx, mut end, _turn, rings, bells, .. } = self;
        tx.commit().await.map_err(StoreError::from)?;
        end.is_committed = true;
        bells.ring(rings.into_inner());
        Ok(())
    }

    /// Starts a statement of this transaction.
    pub(crate) fn sql(&self, text: &str) -> Sql {
        Sql::new(self.engine, text)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn run(&self, sql: Sql) -> StoreResult<u64> {
        Ok(self.tx.execute_raw(sql.statement()).await?.rows_affected())
    }

    /// Every row of a statement.
    pub(crate) async fn rows<T>(
        &self,
        sql: Sql,
        decode: impl Fn(&mut dyn Row) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        let rows: Vec<QueryResult> = self.tx.query_all_raw(sql.statement()).await?;
        rows.iter().map(|row| decode(&mut OrmRow::new(row))).collect()
    }

    /// The first row of a statement.
    pub(crate) async fn row<T>(
        &self,
        sql: Sql,
        decode: impl Fn(&mut dyn Row) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        let row = self.tx.query_one_raw(sql.statement()).await?;
        row.map(|row| decode(&mut OrmRow::new(&row))).transpose()
    }
}

/// Everything after the colon is the path as it is, `//` left out; a query as other tools write it is ignored.
fn sqlite_path(rest: &str) -> Result<PathBuf> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split_once("?mode=").map_or(path, |(path, _)| path);
    if path.is_empty() || path.contains(":memory:") {
        return Err(sg_domain::Error::invalid(
            "the database url must name a file, such as sqlite:///data/sessiongraph.db",
        ));
    }
    Ok(PathBuf::from(path))
}

async fn connect_sqlite(path: &Path) -> StoreResult<DatabaseConnection> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(8_192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(256)
        // 16 MB of pages; a WAL that has grown in a burst is cut back to 64 MB.
        .pragma("cache_size", "-16384")
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "memory");
    let pool = || {
        SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(60))
            .test_before_acquire(false)
            .connect_with(options.clone())
    };
    // Turning WAL on takes the file for itself for a moment and does not wait: two processes that create one database
    // at once meet here.
    let mut tries = 0;
    loop {
        match pool().await {
            Ok(pool) => return Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)),
            Err(error) => {
                let error = sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(error)));
                tries += 1;
                if !is_busy(&error) || tries > 100 {
                    return Err(error.into());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connect_postgres(url: &str, max_connections: u32) -> StoreResult<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections.max(2))
        .acquire_timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

async fn migrate(db: &DatabaseConnection) -> StoreResult<()> {
    let mut tries = 0;
    loop {
        match sg_migrations::migrate(db).await {
            Err(error) if is_busy(&error) && tries < BUSY_RETRIES => tries += 1,
            Err(sea_orm::DbErr::Custom(message)) if message.contains("is missing") => {
                return Err(StoreError::Config(
                    "this database was written by a newer sessiongraph, run that version or a newer one".to_owned(),
                ));
            }
            other => return Ok(other?),
        }
    }
}

/// Begins, taking SQLite's write lock at once: a transaction that reads first and writes later fails when another one
/// wrote in between.
async fn begin_immediate(db: &DatabaseConnection) -> StoreResult<DatabaseTransaction> {
    let options = TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let mut tries = 0;
    loop {
        match db.begin_with_options(options).await {
            Err(error) if is_busy(&error) && tries < BUSY_RETRIES => {
                tries += 1;
                tracing::debug!(tries, "another process is writing, waiting for it");
            }
            other => return Ok(other?),
        }
    }
}

/// Reads an enum by the name it is stored under.
pub(crate) fn named<T>(found: Option<T>, what: &str, name: &str) -> StoreResult<T> {
    found.ok_or_else(|| StoreError::Corrupt(format!("a stored {what} is not known: {name}")))
}

/// Parses a stored id.
pub(crate) fn stored_id<T: FromStr<Err = sg_domain::Error>>(row: &mut dyn Row) -> StoreResult<T> {
    crate::row::parse(&row.text()?)
}
