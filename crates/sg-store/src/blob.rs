//! Content-addressed bytes: named by the SHA-256 of the content, kept as zstd, given back byte for byte.
//!
//! A blob is written before the row that names it. What no row names is removed by [`Blobs::sweep`], and only when it is
//! old: a writer that has put a blob and not yet committed its row is covered by that grace.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _};
use sg_domain::{Digest, Result, Timestamp};

use crate::error::{StoreError, StoreResult};
use crate::{Content, Store};

mod stream;

pub use stream::BlobStream;

const LEVEL: i32 = 3;
/// From here on, hashing and compressing leave the calling thread.
const BLOCKING_FROM_BYTES: usize = 32 * 1_024;
/// The file that keeps a sweep and writers of known blobs apart, across processes.
const LOCK_FILE: &str = ".lock";

/// The blob store.
#[derive(Clone)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    /// The folder, when it is one.
    folder: Option<Arc<PathBuf>>,
}

impl Blobs {
    /// Opens `file:///folder` or `s3://bucket/prefix`.
    pub(crate) async fn open(url: &str, options: &[(String, String)]) -> StoreResult<Self> {
        if let Some(folder) = url.strip_prefix("file://") {
            let folder = PathBuf::from(folder);
            if !folder.is_absolute() {
                return Err(StoreError::Config(
                    "the blob url must name an absolute folder, such as file:///data/blobs".to_owned(),
                ));
            }
            std::fs::create_dir_all(&folder)?;
            // A blob must not be lost to a power cut after the row that names it was committed.
            let objects = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
            return Ok(Self { objects: Arc::new(objects), folder: Some(Arc::new(folder)) });
        }
        let Some((bucket, prefix)) = url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            return Err(StoreError::Config("the blob url must start with file:// or s3://".to_owned()));
        };
        // The client finds its TLS provider in the process; one that is there already stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
        for (name, value) in options {
            let key = name
                .to_ascii_lowercase()
                .parse()
                .map_err(|_| StoreError::Config(format!("unknown blob option {}", sg_domain::error::quote(name))))?;
            builder = builder.with_config(key, value);
        }
        let bucket = builder.build()?;
        let objects: Arc<dyn ObjectStore> = match prefix.trim_matches('/') {
            "" => Arc::new(bucket),
            prefix => Arc::new(PrefixStore::new(bucket, prefix)),
        };
        Ok(Self { objects, folder: None })
    }

    /// Stores bytes and returns their name. Storing again what is there is cheap, and protects it from a sweep that runs
    /// at the same time. When this returns, the blob survives a crash of this process.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest> {
        Ok(self.store(bytes).await?)
    }

    /// The same for content that may lie in a file; that is never in memory as a whole.
    pub async fn put_content(&self, content: &Content) -> Result<Digest> {
        Ok(match content {
            Content::Bytes(bytes) => self.store(bytes.clone()).await?,
            Content::Spooled(_) => self.store_large(content).await?,
        })
    }

    async fn store(&self, bytes: Bytes) -> StoreResult<Digest> {
        let folder = self.folder.clone();
        // With a folder there are files and a lock to wait for, which must never hold up the runtime: a sweep that holds the
        // lock may need that very thread to go on.
        let elsewhere = folder.is_some() || bytes.len() >= BLOCKING_FROM_BYTES;
        let (digest, frame) = blocking(elsewhere, move || {
            let digest = Digest::of(&bytes);
            // An object store is written again: that is what renews the age of an object there.
            if let Some(folder) = folder
                && refresh(&folder, digest)?
            {
                return Ok((digest, None));
            }
            Ok((digest, Some(zstd::bulk::compress(&bytes, LEVEL)?)))
        })
        .await?;
        if let Some(frame) = frame {
            self.objects.put(&place(digest), frame.into()).await?;
        }
        Ok(digest)
    }

    /// The bytes; `None` when there is no such blob. A blob that does not match its name is an error.
    pub async fn get(&self, digest: Digest) -> Result<Option<Bytes>> {
        Ok(self.load(digest).await?)
    }

    async fn load(&self, digest: Digest) -> StoreResult<Option<Bytes>> {
        let frame = match self.objects.get(&place(digest)).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let large = frame.len() >= BLOCKING_FROM_BYTES;
        let bytes = blocking(large, move || {
            let damaged = |why: &str| StoreError::Corrupt(format!("blob {digest} is damaged: {why}"));
            let bytes = zstd::stream::decode_all(&*frame).map_err(|e| damaged(&e.to_string()))?;
            if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(damaged("its content has another digest")) }
        })
        .await?;
        Ok(Some(bytes.into()))
    }

    /// Whether it is there.
    pub async fn exists(&self, digest: Digest) -> Result<bool> {
        Ok(self.modified_at(digest).await?.is_some())
    }

    /// Names and ages of all blobs, for `doctor` and the sweep.
    pub async fn list(&self) -> Result<Vec<(Digest, Timestamp)>> {
        let mut found = Vec::new();
        let mut objects = self.objects.list(None);
        while let Some(object) = objects.try_next().await.map_err(StoreError::from)? {
            if let Some(digest) = object.location.filename().and_then(named) {
                found.push((digest, Timestamp::from_micros(object.last_modified.timestamp_micros())));
            }
        }
        Ok(found)
    }

    /// Removes blobs older than `before` that no row names; returns how many. Safe while writers run on local
    /// files; on an object store an upload that renews a blob older than `before` in the very moment of its removal can lose
    /// it, and `doctor` names the session.
    pub async fn sweep(&self, store: &Store, before: Timestamp) -> Result<u64> {
        let referenced: HashSet<Digest> = store.referenced_blobs().await?.into_iter().collect();
        let mut removed = 0;
        for (digest, at) in self.list().await? {
            if at < before && !referenced.contains(&digest) && self.remove_orphan(store, digest, before).await? {
                removed += 1;
            }
        }
        if let Some(folder) = self.folder.clone() {
            blocking(true, move || Ok(remove_staged(&folder, before))).await?;
        }
        Ok(removed)
    }

    /// Looks again, with writers kept out where that is possible: a row may have been committed, or the blob put again,
    /// since the sweep listed it.
    async fn remove_orphan(&self, store: &Store, digest: Digest, before: Timestamp) -> Result<bool> {
        let _lock = match self.folder.clone() {
            Some(folder) => Some(
                blocking(true, move || {
                    let file = lock_file(&folder)?;
                    file.lock()?;
                    Ok(file)
                })
                .await?,
            ),
            None => None,
        };
        if store.blob_is_referenced(digest).await? {
            return Ok(false);
        }
        if self.modified_at(digest).await?.is_none_or(|at| at >= before) {
            return Ok(false);
        }
        match self.objects.delete(&place(digest)).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    async fn modified_at(&self, digest: Digest) -> StoreResult<Option<Timestamp>> {
        match self.objects.head(&place(digest)).await {
            Ok(object) => Ok(Some(Timestamp::from_micros(object.last_modified.timestamp_micros()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Store {
    /// Every blob that a row names, each once.
    pub async fn referenced_blobs(&self) -> Result<Vec<Digest>> {
        let mut sql = self.select(&["b.digest"]);
        sql.add(
            " FROM (SELECT markdown_blob AS digest FROM session
             UNION SELECT raw_blob FROM session WHERE raw_blob IS NOT NULL
             UNION SELECT session_data_blob FROM session WHERE session_data_blob IS NOT NULL
             UNION SELECT digest FROM archive UNION SELECT digest FROM upload_part) b",
        );
        Ok(self.rows(sql.end(), |row| row.digest()).await?)
    }

    async fn blob_is_referenced(&self, digest: Digest) -> StoreResult<bool> {
        let digest = digest.to_string();
        let mut sql = self.select(&["1"]);
        sql.add(" FROM (SELECT 1 FROM session WHERE markdown_blob = ").text(&digest);
        sql.add(" UNION ALL SELECT 1 FROM session WHERE raw_blob = ").text(&digest);
        sql.add(" UNION ALL SELECT 1 FROM session WHERE session_data_blob = ").text(&digest);
        sql.add(" UNION ALL SELECT 1 FROM archive WHERE digest = ").text(&digest);
        sql.add(" UNION ALL SELECT 1 FROM upload_part WHERE digest = ").text(&digest).add(") b LIMIT 1");
        Ok(self.row(sql.end(), |row| row.int()).await?.is_some())
    }
}

/// Runs work that would hold the thread up, somewhere else if it is much.
async fn blocking<T: Send + 'static>(
    elsewhere: bool,
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    if elsewhere { tokio::task::spawn_blocking(work).await? } else { work() }
}

/// `aa/bb/<digest>.zst`: folders stay small.
fn place(digest: Digest) -> Path {
    let name = digest.to_string();
    Path::from(format!("{}/{}/{name}.zst", &name[..2], &name[2..4]))
}

fn named(file: &str) -> Option<Digest> {
    file.strip_suffix(".zst")?.parse().ok()
}

fn lock_file(folder: &FilePath) -> StoreResult<File> {
    Ok(File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE))?)
}

/// Makes a blob that is there young again, so that no sweep takes it; whether it is there. The lock keeps a sweep from
/// looking before and deleting after.
fn refresh(folder: &FilePath, digest: Digest) -> StoreResult<bool> {
    let path = folder.join(place(digest).as_ref());
    if !path.exists() {
        return Ok(false);
    }
    let lock = lock_file(folder)?;
    lock.lock_shared()?;
    match File::options().write(true).open(path) {
        Ok(file) => {
            // Compared with other files' times, which the file system makes: the app clock has no part in it.
            #[expect(clippy::disallowed_methods, reason = "a file's age is told by the file system's clock")]
            file.set_modified(std::time::SystemTime::now())?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Removes what writers that were killed left half written: `<name>.zst#1`. Best effort: what cannot be read or removed
/// now is tried again by the next sweep.
fn remove_staged(folder: &FilePath, before: Timestamp) -> u64 {
    let entries = |path: &FilePath| std::fs::read_dir(path).into_iter().flatten().flatten();
    let is_shard = |entry: &std::fs::DirEntry| entry.file_name().len() == 2;
    let mut removed = 0;
    for shard in entries(folder).filter(is_shard).flat_map(|e| entries(&e.path()).filter(is_shard).collect::<Vec<_>>())
    {
        for file in entries(&shard.path()) {
            let staged = file.file_name().to_str().is_some_and(|name| name.contains(".zst#"));
            let modified = file.metadata().and_then(|m| m.modified()).ok();
            let age = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let old = age.is_some_and(|age| i64::try_from(age.as_micros()).is_ok_and(|at| at < before.micros()));
            if staged && old && std::fs::remove_file(file.path()).is_ok() {
                removed += 1;
            }
        }
    }
    removed
}
