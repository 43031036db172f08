//! Opens an [`App`] on a folder, as the server does with its default settings, and works off its queue.

use std::path::Path;

use sg_app::App;
use sg_server::config::{Config, WorkerConfig};
use sg_server::gateway::IndexUse;
use tokio::sync::watch;

/// Opens store and index below the folder; an index that is new is made complete.
pub(crate) async fn open(data: &Path) -> anyhow::Result<App> {
    let config = Config { data_dir: data.canonicalize()?, ..Config::default() };
    let app = sg_server::gateway::open(&config, IndexUse::Write).await?.app;
    sg_server::import::prepare(&app).await?;
    Ok(app)
}

/// Works off the queue for as long as it is polled.
pub(crate) async fn work(app: App) {
    let (_running, stopped) = watch::channel(false);
    sg_server::worker::run(app, WorkerConfig::default(), stopped).await;
}
