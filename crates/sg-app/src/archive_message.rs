//! What is in an archive, read out of its bytes: its messages as its client wrote them, and its other files.

use std::io::{BufReader, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use lru::LruCache;
use parking_lot::Mutex;
use sg_domain::{Archive, Caller, Digest, Error, Result, Scope, Visibility};
use sg_formats::sessionfs::{LineState, MessageLines, read_member};
use sg_store::BlobStream;
use tokio::runtime::Handle;

use crate::App;
use crate::session_read::blocking;

/// How many archives' lines are kept.
const MAX_KNOWN: usize = 50;
/// Lines that take more bytes than this are not kept: two million and more of them.
const MAX_KNOWN_BYTES: usize = 1 << 20;
/// The file that holds the messages.
const MESSAGES: &str = "messages.jsonl";

/// Where the messages of the archives lie that were read last, by digest: what an archive holds never changes.
pub(crate) struct KnownLines(Mutex<LruCache<Digest, Arc<MessageLines>>>);

impl Default for KnownLines {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(MAX_KNOWN).unwrap_or(NonZeroUsize::MIN))))
    }
}

/// A page of an archive's messages that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveMessagesRequest {
    /// Whether the last message comes first.
    pub newest_first: bool,
    /// Which page, from 1.
    pub page: u64,
    /// How many messages a page has.
    pub page_size: u32,
    /// The page that holds this line instead, from 0, or what is shown nearest to it.
    pub around: Option<u64>,
}

/// A page of an archive's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMessages {
    /// The messages, each a JSON object as it stands in the archive, with its line.
    pub messages: Vec<(u64, Vec<u8>)>,
    /// How many there are on all pages.
    pub total: u64,
    /// Which page it is.
    pub page: u64,
    /// The message that was asked for.
    pub target: Option<TargetMessage>,
}

/// A message that was asked for by its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetMessage {
    /// The line.
    pub line: u64,
    /// What stands there.
    pub state: TargetState,
    /// The line of the message on the page that stands for it: itself, else the next one, else the last.
    pub anchor: Option<u64>,
}

/// What stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// A message that is shown.
    Found,
    /// A message that is not shown.
    Hidden,
    /// No message.
    Missing,
}

impl App {
    /// A page of an archive's messages, as its client wrote them. Side conversations and messages that say nothing are left
    /// out, broken lines too.
    pub async fn archive_messages(
        &self,
        caller: &Caller,
        archive: &Archive,
        request: ArchiveMessagesRequest,
    ) -> Result<ArchiveMessages> {
        let digest = readable(caller, archive)?;
        let lines = self.message_lines(digest).await?;
        let total = lines.len();
        let size = u64::from(request.page_size.max(1));
        let target = request.around.map(|line| target(&lines, line));
        let page = match target.and_then(|target| target.anchor).map(|anchor| lines.state(anchor)) {
            Some(LineState::Shown(rank)) => (if request.newest_first { total - 1 - rank } else { rank }) / size + 1,
            _ => request.page.max(1),
        };
        let from = (page - 1).saturating_mul(size).min(total);
        let to = from.saturating_add(size).min(total);
        let ranks = if request.newest_first { total - to..total - from } else { from..to };
        let mut messages = Vec::new();
        if from < to {
            let picked =
                self.archive_member_with(digest, MESSAGES, move |file| lines.pick(BufReader::new(file), ranks));
            messages = picked.await?.unwrap_or_default();
        }
        if request.newest_first {
            messages.reverse();
        }
        Ok(ArchiveMessages { messages, total, page, target })
    }

    /// A file of an archive by its name, wherever in it it lies. `None` when it holds none.
    pub async fn archive_member(
        &self,
        caller: &Caller,
        archive: &Archive,
        name: &'static str,
    ) -> Result<Option<Vec<u8>>> {
        let digest = readable(caller, archive)?;
        let read = |file: &mut dyn Read| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        };
        self.archive_member_with(digest, name, read).await
    }

    async fn message_lines(&self, digest: Digest) -> Result<Arc<MessageLines>> {
        let known = &self.inner.message_lines.0;
        if let Some(lines) = known.lock().get(&digest) {
            return Ok(Arc::clone(lines));
        }
        let read = |file: &mut dyn Read| MessageLines::read(BufReader::new(file));
        let lines = Arc::new(self.archive_member_with(digest, MESSAGES, read).await?.unwrap_or_default());
        if lines.size() <= MAX_KNOWN_BYTES {
            known.lock().put(digest, Arc::clone(&lines));
        }
        Ok(lines)
    }

    /// Goes through an archive once, up to a file, and reads that.
    async fn archive_member_with<T: Send + 'static>(
        &self,
        digest: Digest,
        name: &'static str,
        read: impl FnOnce(&mut dyn Read) -> std::io::Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let stream = self.store().blobs().stream(digest).await?.ok_or_else(|| Error::not_found("session blob"))?;
        let archive = StreamReader { stream, piece: Bytes::new(), runtime: Handle::current() };
        blocking(move || read_member(archive, name, read).map_err(Error::internal)).await
    }
}

/// The archive's bytes, if the caller may read them.
fn readable(caller: &Caller, archive: &Archive) -> Result<Digest> {
    let identity = caller.require(Scope::Read)?;
    if !Visibility::of(identity).allows(&archive.owner) {
        return Err(Error::not_found("session"));
    }
    Ok(archive.digest)
}

fn target(lines: &MessageLines, line: u64) -> TargetMessage {
    let (state, anchor) = match lines.state(line) {
        LineState::Shown(_) => (TargetState::Found, Some(line)),
        LineState::Hidden(before) => {
            let next = lines.line(before).or_else(|| lines.line(before.checked_sub(1)?));
            (TargetState::Hidden, next)
        }
        LineState::Missing => (TargetState::Missing, None),
    };
    TargetMessage { line, state, anchor }
}

/// Bytes that come piece by piece, for a thread that may wait for them.
struct StreamReader {
    stream: BlobStream,
    piece: Bytes,
    runtime: Handle,
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(piece) => self.piece = piece.map_err(std::io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}
