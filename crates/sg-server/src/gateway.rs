//! Puts an app together from settings: store, index, clock.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use sg_app::{App, Parts, PriceTable, RandomIds, SystemClock};
use sg_domain::{
    Error, ErrorKind, ExchangeHit, ExchangeQuery, RelatedHit, RelatedQuery, Result, SearchPage, SearchQuery, SessionId,
};
use sg_search::{IndexStatus, Rebuild, SearchIndex, SessionDocument, TantivyConfig, TantivyIndex};
use sg_store::Store;

use crate::config::Config;
use crate::secret;

/// What a command needs of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexUse {
    /// To write it; another process that does is an error.
    Write,
    /// To write it if no other process does, else to read it.
    WriteOrRead,
    /// Nothing: the command neither searches nor indexes.
    Nothing,
}

/// An app and whether this process is the one that writes its index.
pub struct Gateway {
    /// Every operation.
    pub app: App,
    /// Whether index jobs are this process's to run. If not, a running server does.
    pub owns_index: bool,
}

/// Opens store and index, making what is missing.
pub async fn open(config: &Config, index: IndexUse) -> anyhow::Result<Gateway> {
    private_folder(&config.data_dir)
        .with_context(|| format!("cannot use the data folder {}", config.data_dir.display()))?;
    let prices = prices(&config.prices.file)?;
    let (search, owns_index) = open_index(config, index).await?;
    // The queue is the database's, the index is this folder's: on a shared database only a server works the queue, or a
    // command beside it would take its jobs into an index of its own.
    let is_shared = !config.store().database_url.starts_with("sqlite:");
    let owns_index = owns_index && (index == IndexUse::Write || !is_shared);
    let shown = if config.store.database_url.expose().is_empty() {
        config.store().database_url
    } else {
        config.store.database_url.shown()
    };
    let store = Store::open(&config.store()).await.with_context(|| format!("cannot open the store at {shown}"))?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let app = App::new(Parts {
        limits: config.limits(),
        prices,
        accounts: config.account_rules(),
        vault: secret::vault(config)?,
        ..Parts::new(store, search, clock, ids)
    });
    Ok(Gateway { app, owns_index })
}

/// The prices of a file, or those that came with the program.
fn prices(file: &Path) -> anyhow::Result<PriceTable> {
    if file.as_os_str().is_empty() {
        return Ok(PriceTable::built_in());
    }
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the prices in {shown}"))?;
    PriceTable::parse(&text).map_err(|fault| anyhow::anyhow!("prices {shown}, line {}: {}", fault.line, fault.message))
}

async fn open_index(config: &Config, index: IndexUse) -> anyhow::Result<(Arc<dyn SearchIndex>, bool)> {
    if index == IndexUse::Nothing {
        return Ok((Arc::new(NoIndex), false));
    }
    let settings = TantivyConfig {
        writer_memory_bytes: config.search.writer_memory_mib.saturating_mul(1_024 * 1_024),
        ..TantivyConfig::new(config.index_dir())
    };
    let folder = settings.directory.display().to_string();
    let opened = tokio::task::spawn_blocking(move || {
        let (writing, reading) = (settings.clone(), settings);
        match TantivyIndex::open(writing) {
            Ok(opened) => Ok((Arc::new(opened) as Arc<dyn SearchIndex>, true)),
            Err(error) if error.kind == ErrorKind::Unavailable && index == IndexUse::WriteOrRead => {
                match TantivyIndex::open_read_only(reading) {
                    Ok(opened) => Ok((Arc::new(opened) as Arc<dyn SearchIndex>, false)),
                    // The other process has only just begun to make it.
                    Err(error) if error.kind == ErrorKind::Unavailable => {
                        Ok((Arc::new(NoIndex) as Arc<dyn SearchIndex>, false))
                    }
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    });
    opened.await?.map_err(|error| match error.kind {
        ErrorKind::Unavailable => anyhow::anyhow!(
            "another sessiongraph uses the index in {folder}, stop it or choose another folder with --data ({error})"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot open the index in {folder}")),
    })
}

/// Makes a folder that only its owner may enter: it holds what people said to their agents.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Stands in for the index in commands that do not touch it.
struct NoIndex;

fn unavailable<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unavailable, "the index is in use by a running server"))
}

#[async_trait]
impl SearchIndex for NoIndex {
    async fn put(&self, _: SessionDocument) -> Result<()> {
        unavailable()
    }
    async fn remove(&self, _: SessionId) -> Result<()> {
        unavailable()
    }
    async fn commit(&self) -> Result<()> {
        unavailable()
    }
    async fn search(&self, _: SearchQuery) -> Result<SearchPage> {
        unavailable()
    }
    async fn exchanges(&self, _: ExchangeQuery) -> Result<Vec<ExchangeHit>> {
        unavailable()
    }
    async fn related(&self, _: RelatedQuery) -> Result<Vec<RelatedHit>> {
        unavailable()
    }
    async fn sessions(&self) -> Result<Vec<(SessionId, String)>> {
        unavailable()
    }
    fn status(&self) -> IndexStatus {
        IndexStatus::default()
    }
    async fn rebuild(&self) -> Result<Box<dyn Rebuild>> {
        unavailable()
    }
}
