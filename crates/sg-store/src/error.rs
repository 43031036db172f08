//! What can go wrong between this server and its database, files and object store.

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

pub(crate) type StoreResult<T> = std::result::Result<T, StoreError>;

/// A failure of storage; [`sg_domain::Error`] is what leaves this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// From SeaORM: every write, and every read on PostgreSQL.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// From the native readers of SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// From the object store.
    #[error(transparent)]
    Object(#[from] object_store::Error),
    /// From the file system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A row, a body or a blob that this version cannot read.
    #[error("{0}")]
    Corrupt(String),
    /// JSON in a row that does not parse.
    #[error("stored JSON does not parse: {0}")]
    Json(#[from] serde_json::Error),
    /// A thread of ours died.
    #[error("a reader stopped: {0}")]
    Join(#[from] tokio::task::JoinError),
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
}

impl From<StoreError> for sg_domain::Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Config(message) => return Self::invalid(message.clone()),
            StoreError::Database(e) => database(e),
            StoreError::Sqlite(e) => sqlite(e),
            StoreError::Object(e) => object(e),
            StoreError::Io(_) => Kind::Unavailable("the disk does not answer"),
            StoreError::Corrupt(_) | StoreError::Json(_) | StoreError::Join(_) => Kind::Internal,
        };
        match kind {
            Kind::Conflict => Self::new(sg_domain::ErrorKind::Conflict, "this exists already").because(error),
            Kind::Unavailable(message) => Self::unavailable(message, error),
            Kind::Internal => Self::internal(error),
        }
    }
}

enum Kind {
    Conflict,
    Unavailable(&'static str),
    Internal,
}

const DATABASE_AWAY: &str = "the database does not answer, try again";
const DATABASE_BUSY: &str = "the database is busy, try again";
const DISK_FULL: &str = "the disk is full, free some space";

/// Whether another process held SQLite's write lock for longer than we wait inside SQLite.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    driver(error).and_then(SqlxError::as_database_error).and_then(|e| e.code()).is_some_and(|code| {
        // The low byte is the primary code: 5 is BUSY, 6 is LOCKED.
        code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
    })
}

fn driver(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => Some(e),
        _ => None,
    }
}

fn database(error: &DbErr) -> Kind {
    if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
        return Kind::Conflict;
    }
    if let DbErr::ConnectionAcquire(_) = error {
        return Kind::Unavailable(DATABASE_AWAY);
    }
    match driver(error) {
        Some(SqlxError::Database(e)) => match e.code() {
            Some(code) if code.len() == 5 => postgres_code(&code),
            Some(code) => sqlite_code(code.parse().unwrap_or(0)),
            None => Kind::Internal,
        },
        Some(
            SqlxError::Io(_)
            | SqlxError::Tls(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed,
        ) => Kind::Unavailable(DATABASE_AWAY),
        _ => Kind::Internal,
    }
}

fn postgres_code(code: &str) -> Kind {
    match code {
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Kind::Unavailable(DATABASE_BUSY),
        "53100" => Kind::Unavailable(DISK_FULL),
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Kind::Unavailable(DATABASE_AWAY),
        _ => Kind::Internal,
    }
}

fn sqlite(error: &rusqlite::Error) -> Kind {
    match error {
        rusqlite::Error::SqliteFailure(e, _) => sqlite_code(e.extended_code),
        _ => Kind::Internal,
    }
}

fn sqlite_code(code: i32) -> Kind {
    match code & 0xff {
        5 | 6 => Kind::Unavailable(DATABASE_BUSY),
        13 => Kind::Unavailable(DISK_FULL),
        // IOERR, CANTOPEN, READONLY: the file or its disk went away under us.
        8 | 10 | 14 => Kind::Unavailable(DATABASE_AWAY),
        _ => Kind::Internal,
    }
}

fn object(error: &object_store::Error) -> Kind {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let is_full =
        |io: &std::io::Error| matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    if causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(is_full) {
        return Kind::Unavailable(DISK_FULL);
    }
    match error {
        object_store::Error::Generic { .. }
        | object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => Kind::Unavailable("the blob store does not answer, try again"),
        _ => Kind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use sg_domain::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_full_disk_and_a_busy_database_are_unavailable() {
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_BUSY_SNAPSHOT, rusqlite::ffi::SQLITE_IOERR_WRITE]
        {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            assert_eq!(Error::from(StoreError::from(error)).kind, ErrorKind::Unavailable, "{code}");
        }
        let error = StoreError::Io(std::io::Error::other("gone"));
        assert_eq!(Error::from(error).kind, ErrorKind::Unavailable);
        assert_eq!(Error::from(StoreError::Corrupt("x".to_owned())).kind, ErrorKind::Internal);
    }
}
