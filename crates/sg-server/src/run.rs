//! A running server: its tasks, its signals, and the order in which it stops.

use std::future::Future;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::{control, http, worker};

/// Serves until a signal comes, then lets requests and the round of jobs under way finish.
pub async fn run(gateway: Gateway, config: &Config, listener: TcpListener) -> anyhow::Result<()> {
    let app = gateway.app;
    if gateway.owns_index && app.take_back_jobs().await? > 0 {
        tracing::info!("jobs of a server that was stopped in the middle are taken up again");
    }
    let (stop, stopped) = watch::channel(false);
    let mut tasks = vec![
        spawn(worker::run(app.clone(), config.worker.clone(), stopped.clone())),
        spawn(worker::keep_index_usable(app.clone(), stopped.clone())),
        spawn(worker::hear_others(app.clone(), stopped.clone())),
    ];
    #[cfg(unix)]
    match control::Control::open(&control::path(config)) {
        Ok(control) => tasks.push(spawn(control.run(app.clone(), stopped.clone()))),
        // A path that is too long for a socket, or a file system without them: all but `reindex` still works.
        Err(error) => tracing::warn!(%error, "commands cannot reach this server, stop it before `reindex`"),
    }
    let listen = listener.local_addr()?;
    tracing::info!(%listen, data = %config.data_dir.display(), "listening");
    config.http().specstory().spool.clear();
    http::server::serve(listener, http::router(app, config), &config.http, signal()).await;
    let _ = stop.send(true);
    for task in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "a task did not end well");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the server is where tasks are spawned")]
pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(task)
}

/// Completes on the first SIGINT or SIGTERM; a second one ends the process at once.
pub(crate) async fn signal() {
    interrupted().await;
    tracing::info!("stopping, once more to stop at once");
    drop(spawn(async {
        interrupted().await;
        std::process::exit(130);
    }));
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be listened to");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
