//! Sockets: accepts connections, bounds them in number and time, and lets them finish when it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::config::HttpConfig;

mod patient;

use patient::Patient;

/// Travels with each request of a connection. What outlives its request (a socket, an event stream) keeps the place, so that
/// it counts as the connection it is and is waited for, and ends when it is told to.
#[derive(Clone)]
pub(crate) struct Held {
    _place: Arc<OwnedSemaphorePermit>,
    stopped: watch::Receiver<bool>,
}

impl Held {
    /// Completes when the server is to stop.
    pub(crate) async fn stopped(mut self) {
        drop(self.stopped.wait_for(|stopped| *stopped).await);
    }
}

/// Serves until `stop` completes, then refuses new connections and waits for requests under way, within the grace.
/// HTTP/1 only: its header timeout counts from the first byte, so a client that sends nothing holds nothing.
pub async fn serve(listener: TcpListener, router: Router, http: &HttpConfig, stop: impl Future<Output = ()>) {
    let max_connections = u32::try_from(http.max_connections).unwrap_or(u32::MAX).clamp(1, 1_000_000);
    let places = Arc::new(Semaphore::new(max_connections as usize));
    let patience = Duration::from_secs(http.write_timeout_secs.max(1));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let builder = builder(http);
    let mut stop = pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            // Takes finished connections out of the set, so that it does not grow with every connection ever made.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors or a connection that is gone already: neither is a reason to stop.
                    tracing::warn!(%error, "connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Nobody closes it.
        let Ok(place) = place else { break };
        let held = Held { _place: Arc::new(place), stopped: stopped.clone() };
        connections.spawn(connect(builder.clone(), stream, patience, peer, router.clone(), held));
    }
    drop(listener);
    let _ = stopping.send(true);
    let grace = Duration::from_secs(http.shutdown_grace_secs);
    let drained = tokio::time::timeout(grace, async {
        while connections.join_next().await.is_some() {}
        // Sockets have left their connections, but not their places.
        drop(places.acquire_many(max_connections).await);
    });
    if drained.await.is_err() {
        let open = max_connections as usize - places.available_permits();
        tracing::warn!(grace_secs = grace.as_secs(), open, "some requests did not finish in time");
    }
}

fn builder(http: &HttpConfig) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(http.header_timeout_secs))
        .max_headers(100)
        .max_buf_size(64 * 1024);
    builder
}

/// One connection, to its end; told to stop, it finishes the request under way and takes no other.
async fn connect(
    builder: http1::Builder,
    stream: TcpStream,
    patience: Duration,
    peer: SocketAddr,
    router: Router,
    held: Held,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let stopped = held.clone().stopped();
    let service = TowerToHyperService::new(router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(held.clone());
        request
    }));
    let io = TokioIo::new(Patient::new(stream, patience));
    let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Binds; says what to do when the port is taken.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{listen} is in use, stop the other server or choose another address with --listen {}:{}",
            listen.ip(),
            listen.port().wrapping_add(1).max(1024)
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {listen}")),
    })
}
