//! Importing: which files there are, what is known of their projects, and the loop that reads and stores them.

use sg_app::{App, JobRun};

pub mod place;
pub mod run;
mod scan;
pub mod watch;
pub mod workspace;

pub use scan::{Found, Unit, scan};

/// Runs jobs until none is due. For commands that have the index to themselves.
pub async fn drain(app: &App) -> anyhow::Result<()> {
    loop {
        let JobRun { done, failed } = app.run_jobs().await?;
        if done == 0 {
            anyhow::ensure!(failed == 0, "{failed} jobs failed and will be tried again, see the log");
            return Ok(());
        }
    }
}

/// Makes an index that was found missing or unusable complete, before anything is added to it.
pub async fn prepare(app: &App) -> anyhow::Result<()> {
    if app.index_status().needs_rebuild {
        let bar = crate::progress::Bar::new("Indexing", "sessions");
        app.rebuild_index(|progress| bar.set(progress.done, progress.total)).await?;
        bar.finish();
    }
    Ok(())
}
