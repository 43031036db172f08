//! One generation of the index on disk: its engine, its reader and its one long-lived writer.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use sg_domain::{Digest, SessionId};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::schema::Field;
use tantivy::schema::document::Document;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

use super::schema::{ANALYSIS_VERSION, Fields};
use super::{TantivyConfig, folder};

/// The least memory that the engine gives a writing thread.
const MIN_THREAD_BYTES: usize = 15_000_000;
/// The most, below the engine's own limit.
const MAX_THREAD_BYTES: usize = 2_000_000_000;
/// An index up to this size is read through and compared with its checksums when it is opened.
const MAX_CHECKED_BYTES: u64 = 256 * 1_024 * 1_024;
/// Blocks of stored text that each segment keeps unpacked for snippets (16 KB each).
const STORE_BLOCKS: usize = 64;

/// An index of the engine with its reader.
pub(super) struct Generation {
    pub(super) number: u64,
    path: PathBuf,
    index: Index,
    pub(super) reader: IndexReader,
}

impl Generation {
    /// Makes an empty one.
    pub(super) fn create(path: PathBuf, number: u64, fields: &Fields) -> tantivy::Result<Self> {
        std::fs::create_dir_all(&path)?;
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let index = Index::builder().schema(fields.schema.clone()).settings(settings);
        Self::with(index.open_or_create(MmapDirectory::open(&path)?)?, path, number)
    }

    /// Opens one, and refuses it if its files are damaged.
    pub(super) fn open(path: PathBuf, number: u64, fields: &Fields) -> tantivy::Result<Self> {
        let index = Index::open(MmapDirectory::open(&path)?)?;
        if index.schema() != fields.schema {
            return Err(TantivyError::SchemaError("the index has another schema".to_owned()));
        }
        let this = Self::with(index, path, number)?;
        if this.bytes() <= MAX_CHECKED_BYTES {
            let damaged = this.index.validate_checksum()?;
            if !damaged.is_empty() {
                return Err(TantivyError::InternalError(format!("files do not match their checksums: {damaged:?}")));
            }
        }
        Ok(this)
    }

    /// Opens one that another process writes.
    pub(super) fn open_to_read(path: PathBuf, number: u64) -> tantivy::Result<Self> {
        Self::with(Index::open(MmapDirectory::open(&path)?)?, path, number)
    }

    fn with(index: Index, path: PathBuf, number: u64) -> tantivy::Result<Self> {
        for (name, analyzer) in Fields::analyzers() {
            index.tokenizers().register(name, analyzer);
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = reader.doc_store_cache_num_blocks(STORE_BLOCKS).try_into()?;
        Ok(Self { number, path, index, reader })
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        folder::bytes_in(&self.path)
    }

    /// Starts its writer.
    pub(super) fn writer(&self, config: &TantivyConfig, session: Field) -> tantivy::Result<Writer> {
        let threads = config.writer_threads.clamp(1, 8);
        let each = (config.writer_memory_bytes / threads).clamp(MIN_THREAD_BYTES, MAX_THREAD_BYTES);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(each)
            .num_merge_threads(1)
            .build();
        let engine: IndexWriter<Lent> = self.index.writer_with_options(options)?;
        engine.set_merge_policy(merge_policy());
        // Files of a process that was killed.
        engine.garbage_collect_files().wait()?;
        let budget = Arc::new(Budget::new((config.writer_memory_bytes / 4).max(MIN_THREAD_BYTES / 2)));
        Ok(Writer { engine, session, budget })
    }
}

fn merge_policy() -> Box<LogMergePolicy> {
    let mut policy = LogMergePolicy::default();
    // Commits come every few hundred milliseconds: small segments are merged soon, big ones rarely, and one that
    // is a quarter dead is written anew.
    policy.set_min_num_segments(6);
    policy.set_min_layer_size(2_000);
    policy.set_max_docs_before_merge(2_000_000);
    policy.set_del_docs_ratio_before_merge(0.25);
    Box::new(policy)
}

/// What an index is made by; one with another fingerprint cannot be used.
pub(super) fn fingerprint(fields: &Fields) -> String {
    let schema = serde_json::to_vec(&fields.schema).unwrap_or_default();
    let made_by = format!("analysis {ANALYSIS_VERSION}, format {}", tantivy::INDEX_FORMAT_VERSION);
    Digest::of_parts([made_by.as_bytes(), &schema]).to_string()
}

/// The writer of a generation. Documents that wait for the engine are counted against a budget: the engine's own queue
/// is bounded in batches, and a batch is a whole session.
pub(super) struct Writer {
    engine: IndexWriter<Lent>,
    session: Field,
    budget: Arc<Budget>,
}

impl Writer {
    /// Writes a session's block in the place of the one that is there. Waits while too much is under way.
    pub(super) fn put(&self, id: SessionId, docs: Vec<TantivyDocument>) -> tantivy::Result<()> {
        let lease = Arc::new(Budget::lend(&self.budget, docs.iter().map(size_of_doc).sum()));
        let mut batch = Vec::with_capacity(docs.len() + 1);
        batch.push(UserOperation::Delete(self.term(id)));
        batch.extend(docs.into_iter().map(|doc| UserOperation::Add(Lent { doc, _lease: Arc::clone(&lease) })));
        self.engine.run(batch)?;
        Ok(())
    }

    /// Removes a session's block.
    pub(super) fn remove(&self, id: SessionId) {
        self.engine.delete_term(self.term(id));
    }

    /// Makes everything so far durable. After a failure what was not committed is dropped, and the writer works again.
    pub(super) fn commit(&mut self) -> tantivy::Result<()> {
        match self.engine.commit() {
            Ok(_) => Ok(()),
            Err(error) => {
                if let Err(error) = self.engine.rollback() {
                    tracing::error!(%error, "the index writer cannot be started again");
                }
                // A rollback starts the engine's writer anew, without its policy.
                self.engine.set_merge_policy(merge_policy());
                Err(error)
            }
        }
    }

    fn term(&self, id: SessionId) -> Term {
        Term::from_field_bytes(self.session, id.0.as_bytes())
    }
}

fn size_of_doc(doc: &TantivyDocument) -> usize {
    doc.len() * 16 + doc.iter_fields_and_values().count() * 16 + text_bytes(doc)
}

fn text_bytes(doc: &TantivyDocument) -> usize {
    use tantivy::schema::Value;
    doc.field_values().filter_map(|(_, value)| value.as_str().map(str::len)).sum()
}

/// A document and its share of the budget, which is given back when the engine has taken the document in.
struct Lent {
    doc: TantivyDocument,
    _lease: Arc<Lease>,
}

impl Document for Lent {
    type Value<'a> = <TantivyDocument as Document>::Value<'a>;
    type FieldsValuesIter<'a> = <TantivyDocument as Document>::FieldsValuesIter<'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.doc.iter_fields_and_values()
    }

    fn into_tantivy_document(self) -> TantivyDocument {
        self.doc
    }
}

struct Budget {
    max: usize,
    used: Mutex<usize>,
    freed: Condvar,
}

impl Budget {
    fn new(max: usize) -> Self {
        Self { max, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until there is room. A single demand above the whole budget is let through alone.
    fn lend(this: &Arc<Self>, bytes: usize) -> Lease {
        let mut used = this.used.lock();
        while *used > 0 && *used + bytes > this.max {
            this.freed.wait(&mut used);
        }
        *used += bytes;
        Lease { budget: Arc::clone(this), bytes }
    }
}

struct Lease {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.budget.used.lock() -= self.bytes;
        self.budget.freed.notify_all();
    }
}
