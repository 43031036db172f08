//! Opens an [`App`] on a folder, as the server does with its default settings, and works off its queue.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sg_app::{App, Limits, Parts, RandomIds, SystemClock};
use sg_search::{TantivyConfig, TantivyIndex};
use sg_server::config::WorkerConfig;
use sg_store::{Store, StoreConfig};

/// Opens store and index below the folder.
pub(crate) async fn open(data: &Path) -> anyhow::Result<App> {
    let data = data.canonicalize()?;
    let store = Store::open(&StoreConfig {
        database_url: format!("sqlite://{}", data.join("sessiongraph.db").display()),
        blob_url: format!("file://{}", data.join("blobs").display()),
        blob_options: Vec::new(),
        max_connections: 8,
    })
    .await?;
    let index = TantivyIndex::open(TantivyConfig::new(data.join("index")))?;
    Ok(App::new(Parts {
        store,
        search: Arc::new(index),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        limits: Limits::default(),
    }))
}

/// Works off the queue for as long as it is polled.
pub(crate) async fn work(app: App) {
    let pause = Duration::from_millis(WorkerConfig::default().poll_millis);
    loop {
        match app.run_jobs().await {
            Ok(run) if run.done > 0 => continue,
            Ok(_) => {}
            Err(error) => eprintln!("the worker failed: {error:?}"),
        }
        tokio::time::sleep(pause).await;
    }
}
