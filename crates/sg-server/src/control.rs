//! How a command reaches the server that runs on the same data: a socket in the data folder that only the data's owner
//! may open. The server has the index to itself, so rebuilding it is asked of the server.
//!
//! One request a connection: a line with a word; answers are lines of JSON, the last one has `done` or `error`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sg_app::{App, Progress};

use crate::config::Config;

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How far it is.
    Progress {
        /// Sessions done.
        done: u64,
        /// Sessions in all.
        total: u64,
    },
    /// It is done.
    Done {
        /// Sessions in all.
        total: u64,
    },
    /// It failed.
    Error {
        /// Why, for a person.
        message: String,
    },
}

impl From<Progress> for Answer {
    fn from(progress: Progress) -> Self {
        Self::Progress { done: progress.done, total: progress.total }
    }
}

/// Where the socket is.
pub fn path(config: &Config) -> PathBuf {
    config.data_dir.join("control.sock")
}

#[cfg(unix)]
pub use unix::{Control, reindex};

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use anyhow::Context as _;
    use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::{mpsc, watch};

    use super::{Answer, App, Path, PathBuf};

    /// The server's end; the socket's file goes when this does.
    pub struct Control {
        listener: UnixListener,
        path: PathBuf,
    }

    impl Control {
        /// Opens the socket. Only the process that has the index's lock may: a file that is there is a dead server's.
        pub fn open(path: &Path) -> anyhow::Result<Self> {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            let listener = UnixListener::bind(path).with_context(|| format!("cannot open {}", path.display()))?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            Ok(Self { listener, path: path.to_owned() })
        }

        /// Answers one request after the other until `stopped` turns true.
        pub async fn run(self, app: App, mut stopped: watch::Receiver<bool>) {
            loop {
                let stream = tokio::select! {
                    accepted = self.listener.accept() => accepted,
                    () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return,
                };
                let answered = match stream {
                    Ok((stream, _)) => tokio::select! {
                        answered = answer(&app, stream) => answered,
                        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return,
                    },
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = answered {
                    tracing::warn!(%error, "a command was not answered");
                }
            }
        }
    }

    impl Drop for Control {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    async fn answer(app: &App, mut stream: UnixStream) -> anyhow::Result<()> {
        let (read, mut write) = stream.split();
        let word = tokio::time::timeout(Duration::from_secs(5), line(read)).await.context("no request came")??;
        if word != "reindex" {
            let message = format!("this server does not know the request {}", sg_domain::error::quote(&word));
            return send(&mut write, &Answer::Error { message }).await;
        }
        tracing::info!("reindex was asked for");
        let (say, mut said) = mpsc::unbounded_channel();
        let rebuild = async move {
            let outcome = app.rebuild_index(|progress| drop(say.send(Answer::from(progress)))).await;
            drop(say);
            outcome
        };
        let report = async {
            // The person may stop watching; the rebuild goes on.
            let mut watched = true;
            while let Some(answer) = said.recv().await {
                watched = watched && send(&mut write, &answer).await.is_ok();
            }
        };
        let (outcome, ()) = tokio::join!(rebuild, report);
        let last = match outcome {
            Ok(progress) => Answer::Done { total: progress.done },
            Err(error) => Answer::Error { message: error.to_string() },
        };
        send(&mut write, &last).await
    }

    async fn line(read: impl AsyncRead + Unpin) -> anyhow::Result<String> {
        let mut line = String::new();
        BufReader::new(read.take(256)).read_line(&mut line).await?;
        Ok(line.trim().to_owned())
    }

    async fn send(write: &mut (impl tokio::io::AsyncWrite + Unpin), answer: &Answer) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        Ok(write.write_all(&line).await?)
    }

    /// Asks the server behind a socket to rebuild its index, and hears how far it is; returns the sessions indexed.
    pub async fn reindex(path: &Path, mut report: impl FnMut(u64, u64)) -> anyhow::Result<u64> {
        let no_server = || {
            format!(
                "the index is in use, and no server answers at {}: wait for the other command to end",
                path.display()
            )
        };
        let mut stream = UnixStream::connect(path).await.with_context(no_server)?;
        stream.write_all(b"reindex\n").await?;
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str(&line)? {
                Answer::Progress { done, total } => report(done, total),
                Answer::Done { total } => return Ok(total),
                Answer::Error { message } => anyhow::bail!("the server could not rebuild its index: {message}"),
            }
        }
        anyhow::bail!("the server stopped before its index was rebuilt")
    }
}
