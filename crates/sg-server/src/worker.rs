//! The worker: runs jobs as they come, rebuilds an index that was found unusable, sweeps blobs once in a while.

use std::time::Duration;

use sg_app::{App, Progress};
use tokio::sync::watch;

use crate::config::WorkerConfig;

/// How long a failing queue is left alone.
const REST: Duration = Duration::from_secs(2);
/// How often a long rebuild says how far it is.
const REPORT: Duration = Duration::from_secs(5);

/// Runs until `stopped` turns true; a round that has begun is finished.
pub async fn run(app: App, config: WorkerConfig, mut stopped: watch::Receiver<bool>) {
    let poll = Duration::from_millis(config.poll_millis.clamp(10, 60_000));
    let mut sweep = tokio::time::interval(Duration::from_secs(config.sweep_hours.max(1) * 3_600));
    while !*stopped.borrow() {
        let rest = match app.run_jobs().await {
            Ok(round) if round.done + round.failed > 0 => {
                tracing::debug!(done = round.done, failed = round.failed, "jobs run");
                Duration::ZERO
            }
            Ok(_) => poll,
            Err(error) => {
                tracing::error!(error = ?error, "jobs could not be run");
                REST
            }
        };
        tokio::select! {
            _ = sweep.tick() => {
                if let Err(error) = app.schedule_sweep().await {
                    tracing::warn!(error = ?error, "sweep could not be scheduled");
                }
            }
            () = tokio::time::sleep(rest) => {}
            () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {}
        }
    }
}

/// Rebuilds the index from the store whenever it is found missing or unusable, at start or later. Searches answer from
/// what is there so far.
pub async fn keep_index_usable(app: App, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if app.index_status().needs_rebuild && rebuild(&app, &mut stopped).await {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {}
        }
    }
}

/// Hears what other processes change, for those who subscribed here, until `stopped` turns true.
pub async fn hear_others(app: App, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = app.hear_others() => {}
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {}
    }
}

/// One rebuild; whether it succeeded.
async fn rebuild(app: &App, stopped: &mut watch::Receiver<bool>) -> bool {
    tracing::info!("the index is made anew from the store");
    let mut said = tokio::time::Instant::now();
    let rebuild = app.rebuild_index(|Progress { done, total }| {
        if said.elapsed() >= REPORT {
            said = tokio::time::Instant::now();
            tracing::info!(done, total, "indexing");
        }
    });
    let outcome = tokio::select! {
        outcome = rebuild => outcome,
        // Dropped half-way, it leaves the old index as it was; the next start begins again.
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return false,
    };
    match outcome {
        Ok(Progress { done, .. }) => {
            tracing::info!(sessions = done, "the index is complete");
            true
        }
        Err(error) => {
            tracing::error!(error = ?error, "the index could not be rebuilt, trying again");
            false
        }
    }
}
