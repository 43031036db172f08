//! The parts every operation works with.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sg_domain::{KeyId, Timestamp, UserId};
use sg_search::SearchIndex;
use sg_store::Store;
use tokio::sync::Semaphore;

use crate::archive_message::KnownLines;
use crate::attempt::{DeviceAttempts, SignInAttempts, SignUpAttempts};
use crate::idempotency::Turns as AnswerTurns;
use crate::mail::LastMailFailure;
use crate::password::Turns;
use crate::{AccountRules, ArchiveLimits, Clock, Ids, Mailer, ModelClient, NoModel, PriceTable, ServerModel, Vault};

/// What one operation may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest markdown, raw file or session data of one session, in bytes.
    pub max_session_bytes: u64,
    /// The longest query text, in bytes.
    pub max_query_bytes: usize,
    /// How often a failing job is tried before it is dead.
    pub max_job_attempts: u32,
    /// How long a worker may hold a job, in seconds.
    pub job_lease_secs: u64,
    /// How long a blob that no row names is kept, in seconds: longer than any upload takes.
    pub orphan_blob_grace_secs: u64,
    /// How many changes a subscriber may fall behind before it is let go.
    pub max_changes_behind: u64,
    /// How long a deleted session can be restored, in days; then it is purged.
    pub trash_days: u32,
    /// The same of archives.
    pub archives: ArchiveLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_session_bytes: 512 * 1024 * 1024,
            max_query_bytes: 4 * 1024,
            max_job_attempts: 10,
            job_lease_secs: 120,
            orphan_blob_grace_secs: 24 * 60 * 60,
            max_changes_behind: 1_000,
            trash_days: 30,
            archives: ArchiveLimits::default(),
        }
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    /// Rows and blobs.
    pub store: Store,
    /// The index.
    pub search: Arc<dyn SearchIndex>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers and secrets.
    pub ids: Arc<dyn Ids>,
    /// What one operation may cost.
    pub limits: Limits,
    /// What models cost.
    pub prices: PriceTable,
    /// How accounts come to be, and what they may use.
    pub accounts: AccountRules,
    /// The server's own secret.
    pub vault: Vault,
    /// Who sends mail; `None`: nobody.
    pub mail: Option<Arc<dyn Mailer>>,
    /// Who asks models.
    pub model: Arc<dyn ModelClient>,
    /// The model that the server offers to all of its accounts; `None`: each brings its own.
    pub server_model: Option<ServerModel>,
}

impl Parts {
    /// The four that have no default, and for all else the defaults: no mail, no model, a secret that ends with this
    /// process.
    pub fn new(store: Store, search: Arc<dyn SearchIndex>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self {
            store,
            search,
            clock,
            ids,
            limits: Limits::default(),
            prices: PriceTable::built_in(),
            accounts: AccountRules::default(),
            vault: Vault::random(),
            mail: None,
            model: Arc::new(NoModel),
            server_model: None,
        }
    }
}

/// Every operation of Sessiongraph. A cheap clone over one `Arc`.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) search: Arc<dyn SearchIndex>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) limits: Limits,
    pub(crate) prices: PriceTable,
    pub(crate) accounts: AccountRules,
    pub(crate) vault: Vault,
    pub(crate) mail: Option<Arc<dyn Mailer>>,
    pub(crate) model: Arc<dyn ModelClient>,
    pub(crate) server_model: Option<ServerModel>,
    /// When each key's or device's use was last noted, so that a busy one costs one write a minute. Bounded by their number.
    pub(crate) touched: Mutex<HashMap<KeyId, Timestamp>>,
    pub(crate) sign_in_attempts: SignInAttempts,
    pub(crate) device_attempts: DeviceAttempts,
    pub(crate) sign_up_attempts: SignUpAttempts,
    pub(crate) mail_failure: LastMailFailure,
    pub(crate) password_turns: Turns,
    /// Who pushes archives now: a few at a time each.
    pub(crate) push_turns: Mutex<HashMap<UserId, Arc<Semaphore>>>,
    /// Who answers which idempotent request now.
    pub(crate) turns: AnswerTurns,
    /// Where the messages of archives lie.
    pub(crate) message_lines: KnownLines,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, search, clock, ids, limits, prices, accounts, vault, mail, model, server_model } = parts;
        let inner = Inner {
            store,
            search,
            clock,
            ids,
            limits,
            prices,
            accounts,
            vault,
            mail,
            model,
            server_model,
            touched: Mutex::default(),
            sign_in_attempts: SignInAttempts::default(),
            device_attempts: DeviceAttempts::default(),
            sign_up_attempts: SignUpAttempts::default(),
            mail_failure: LastMailFailure::default(),
            password_turns: Turns::default(),
            push_turns: Mutex::default(),
            turns: AnswerTurns::default(),
            message_lines: KnownLines::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn search(&self) -> &dyn SearchIndex {
        &*self.inner.search
    }

    pub(crate) fn ids(&self) -> &dyn Ids {
        &*self.inner.ids
    }

    /// The prices in use. Needs no permission: what is made of it shows none.
    pub fn price_table(&self) -> &PriceTable {
        &self.inner.prices
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The time every operation uses.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether the database answers, for readiness probes. Needs no permission: it tells nothing about data.
    pub async fn ping(&self) -> sg_domain::Result<()> {
        self.store().ping().await
    }

    /// The index's own account of itself, for readiness probes and the command line.
    pub fn index_status(&self) -> sg_search::IndexStatus {
        self.search().status()
    }

    /// SQL statements sent so far; tests assert on differences.
    pub fn statements(&self) -> u64 {
        self.store().statements()
    }
}
