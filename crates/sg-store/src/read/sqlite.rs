//! Native read-only connections to the SQLite file, each with its cache of prepared statements.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OpenFlags, ToSql};
use sea_orm::Value;
use tokio::sync::Semaphore;

use crate::error::{StoreError, StoreResult};
use crate::row::{Row, SqliteRow};
use crate::sql::Sql;

/// Statements that each connection keeps prepared.
const PREPARED: usize = 128;

/// The pool. Connections are made when they are first needed and kept.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Pool>);

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Reads on other threads at once; those on the calling thread are bounded by the threads there are.
    turns: Arc<Semaphore>,
}

impl Readers {
    /// A pool over an existing database in WAL mode.
    pub(crate) fn open(path: &Path, max_connections: u32) -> StoreResult<Self> {
        let max = usize::try_from(max_connections).unwrap_or(1).clamp(1, 1_024);
        let pool = Pool {
            path: path.to_owned(),
            idle: Mutex::new(Vec::with_capacity(max)),
            turns: Arc::new(Semaphore::new(max)),
        };
        // Opened now, so that a file that cannot be read fails at the start.
        let first = pool.connect()?;
        pool.idle.lock().push(first);
        Ok(Self(Arc::new(pool)))
    }

    /// Every row, read on a thread that may block.
    pub(crate) async fn rows<T, F>(&self, sql: Sql, decode: F) -> StoreResult<Vec<T>>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Row) -> StoreResult<T> + Send + 'static,
    {
        let turn = Arc::clone(&self.0.turns).acquire_owned().await;
        let pool = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pool.with(|connection| query(connection, &sql, decode))
        })
        .await?
    }

    /// The first row, read on this thread.
    pub(crate) fn row_now<T>(
        &self,
        sql: &Sql,
        decode: impl Fn(&mut dyn Row) -> StoreResult<T>,
    ) -> StoreResult<Option<T>> {
        self.0.with(|connection| {
            let mut statement = connection.prepare_cached(&sql.text)?;
            let mut rows = statement.query(rusqlite::params_from_iter(sql.values.iter().map(Bound)))?;
            rows.next()?.map(|row| decode(&mut SqliteRow::new(row))).transpose()
        })
    }
}

fn query<T>(
    connection: &Connection,
    sql: &Sql,
    decode: impl Fn(&mut dyn Row) -> StoreResult<T>,
) -> StoreResult<Vec<T>> {
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(sql.values.iter().map(Bound)))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(decode(&mut SqliteRow::new(row))?);
    }
    Ok(out)
}

impl Pool {
    fn with<T>(&self, read: impl FnOnce(&Connection) -> StoreResult<T>) -> StoreResult<T> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = read(&connection);
        // A connection that failed for a reason of its own is not used again.
        if !matches!(result, Err(StoreError::Sqlite(rusqlite::Error::SqliteFailure(..)))) {
            let mut idle = self.idle.lock();
            if idle.len() < idle.capacity() {
                idle.push(connection);
            }
        }
        result
    }

    fn connect(&self) -> StoreResult<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        // 4 MB of pages a connection. No mmap: its pages would count against this process once per connection.
        connection.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -4096; PRAGMA mmap_size = 0;")?;
        Ok(connection)
    }
}

/// A bound value as rusqlite takes it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::BigInt(value) => value.to_sql(),
            Value::String(Some(text)) => text.to_sql(),
            Value::Bytes(Some(bytes)) => bytes.to_sql(),
            Value::String(None) | Value::Bytes(None) => Ok(ToSqlOutput::Owned(rusqlite::types::Value::Null)),
            other => Err(rusqlite::Error::ToSqlConversionFailure(format!("cannot bind {other:?}").into())),
        }
    }
}
