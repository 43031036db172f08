//! Opening a store, and transactions.

use sg_domain::{Error, Result, UserId};

use crate::Blobs;

/// Where rows and blobs are.
#[derive(Clone, Debug)]
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

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {}

/// A write transaction. On SQLite it holds the one writer from the start (`BEGIN IMMEDIATE`). Dropped without
/// [`Tx::commit`], it leaves nothing behind.
pub struct Tx {}

pub(crate) fn stub<T>() -> Result<T> {
    Err(Error::internal("not built yet"))
}

impl Store {
    /// Connects, creates what is missing, runs migrations.
    pub async fn open(_config: &StoreConfig) -> Result<Self> {
        stub()
    }
    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        unimplemented!()
    }
    /// Starts a write transaction; waits for its turn.
    pub async fn begin(&self) -> Result<Tx> {
        stub()
    }
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        stub()
    }
    /// Which engine this is: `sqlite` or `postgresql`.
    pub fn engine(&self) -> &'static str {
        "sqlite"
    }
    /// The owner's data version: moved by every committed change of what that owner can see. 0 before the first.
    pub async fn data_version(&self, _owner: &UserId) -> Result<i64> {
        stub()
    }
    /// Statements sent since this store was opened; tests assert on differences.
    pub fn statements(&self) -> u64 {
        0
    }
}

impl Tx {
    /// Commits.
    pub async fn commit(self) -> Result<()> {
        stub()
    }
    /// Moves the owner's data version. Every operation that changes what an owner can see calls it once.
    pub async fn bump_version(&self, _owner: &UserId) -> Result<()> {
        stub()
    }
}
