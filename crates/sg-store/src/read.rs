//! The hot reads: one statement each, through the cheapest door of the engine.
//!
//! On SQLite that is a pool of native read-only connections beside SeaORM's writer; on PostgreSQL the engine packs the
//! rows into one value. A decoder sees the same columns either way.

use crate::Store;
use crate::error::StoreResult;
use crate::row::Row;
use crate::sql::Sql;

pub(crate) mod postgres;
pub(crate) mod sqlite;

impl Store {
    /// Every row of a read.
    pub(crate) async fn rows<T, F>(&self, sql: Sql, decode: F) -> StoreResult<Vec<T>>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Row) -> StoreResult<T> + Send + 'static,
    {
        self.count_statement();
        match &self.inner.readers {
            Some(readers) => readers.rows(sql, decode).await,
            None => postgres::rows(&self.inner.db, sql, decode).await,
        }
    }

    /// The first row of a read that touches a few pages at most. On SQLite it runs on the calling thread: handing it to
    /// another one costs more than the read.
    pub(crate) async fn row<T, F>(&self, sql: Sql, decode: F) -> StoreResult<Option<T>>
    where
        F: Fn(&mut dyn Row) -> StoreResult<T>,
    {
        self.count_statement();
        match &self.inner.readers {
            Some(readers) => readers.row_now(&sql, decode),
            None => Ok(postgres::rows(&self.inner.db, sql, decode).await?.into_iter().next()),
        }
    }

    /// Starts a read of these columns.
    pub(crate) fn select(&self, columns: &[&str]) -> Sql {
        Sql::select(self.inner.engine, columns)
    }

    /// Starts a read whose rows hold bytes, which do not pack.
    pub(crate) fn select_unpacked(&self, columns: &[&str]) -> Sql {
        Sql::new(self.inner.engine, &format!("SELECT {}", columns.join(", ")))
    }
}
