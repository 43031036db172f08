//! Reading an archive when it is stored: through it once, files of any size piece by piece. Not for the runtime's own
//! threads.

use std::io::{BufReader, Read as _};
use std::sync::Arc;

use sg_domain::{ArchiveFacts, Error, ErrorKind, Message, Result, TokenUsage, Transcript};
use sg_formats::FormatError;
use sg_formats::sessionfs::{Limits, MessageReader, about, walk};
use sg_formats::specstory::Writer;
use sg_store::{Content, ContentReader, Spool, SpoolPlace};

use crate::session_read::{Messages, PIECE_BYTES, Read, Summary, exchanges_of};

/// The largest manifest that is read; a larger one counts as none.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The same of what is said of the folder: it lists files.
const MAX_WORKSPACE_BYTES: u64 = 4 << 20;
/// Messages of so many bytes are held in memory.
const WHOLE_MESSAGES_BYTES: u64 = 4 << 20;
/// Messages, and bytes of their file, that are held at a time otherwise.
const CHUNK_MESSAGES: usize = 256;
/// See [`CHUNK_MESSAGES`].
const CHUNK_BYTES: u64 = 2 << 20;

/// What is in an archive.
pub(crate) struct ReadArchive {
    /// Everything but the messages.
    pub(crate) transcript: Transcript,
    /// What its client said of it.
    pub(crate) facts: ArchiveFacts,
    /// The readable form, made of the messages.
    pub(crate) markdown: Content,
    /// What the session's row says, and the messages.
    pub(crate) read: Read,
}

/// Reads an archive; `name` is what it is called. What is no archive, or holds too much or what may not be in one, is an
/// error; one without a conversation is an empty conversation.
pub(crate) fn read_archive(
    name: &str,
    content: &Content,
    limits: &Limits,
    place: &Arc<SpoolPlace>,
) -> Result<ReadArchive> {
    let files = Files::of(content, limits, place)?;
    let mut about = about(name, files.manifest.as_deref(), files.workspace.as_deref());
    let is_small = files.messages.len() <= WHOLE_MESSAGES_BYTES;
    let mut chunks = MessageChunks::new(&files.messages);
    let (mut body, mut writer) = (Body::new(place), Writer::default());
    let (mut summary, mut usage, mut whole) = (Summary::default(), TokenUsage::default(), Vec::new());
    loop {
        let (messages, more) = if is_small { chunks.rest()? } else { chunks.next_chunk()? };
        for message in &messages {
            about.hear(message);
            summary.add(message);
            if let Some(spent) = message.usage {
                usage += spent;
            }
        }
        let mut text = String::new();
        writer.write(&messages, &mut text);
        body.push(&text)?;
        if is_small {
            whole = messages;
        }
        if !more {
            break;
        }
    }
    let (transcript, facts) = about.finish();
    let markdown = body.finish(&Writer::head(&transcript), place)?;
    let exchanges = exchanges_of(&transcript.name, &markdown)?;
    summary.counts.exchanges = exchanges.len() as u64;
    let read = Read {
        format: transcript.format.to_owned(),
        parent_client_id: transcript.parent_client_id.clone(),
        agent_id: None,
        started_at: transcript.started_at,
        ended_at: transcript.ended_at,
        exchanges,
        counts: summary.counts,
        usage,
        first_exchange: summary.first_exchange.unwrap_or_default(),
        messages: if is_small { Messages::Whole(whole) } else { Messages::Lines(files.messages) },
    };
    Ok(ReadArchive { transcript, facts, markdown, read })
}

/// The files that are looked at: of each the first of its name, in whatever folder.
struct Files {
    manifest: Option<Vec<u8>>,
    workspace: Option<Vec<u8>>,
    messages: Content,
}

impl Files {
    fn of(content: &Content, limits: &Limits, place: &Arc<SpoolPlace>) -> Result<Self> {
        let (mut manifest, mut workspace) = (None, None);
        let mut spool: Option<Spool> = None;
        let mut failure = None;
        let walked = walk(content.reader(), content.len(), limits, |name, file| {
            match name.rsplit('/').next().unwrap_or_default() {
                "manifest.json" if manifest.is_none() => manifest = Some(bounded(file, MAX_MANIFEST_BYTES)?),
                "workspace.json" if workspace.is_none() => workspace = Some(bounded(file, MAX_WORKSPACE_BYTES)?),
                "messages.jsonl" if spool.is_none() => {
                    let spool = spool.insert(Spool::new(Arc::clone(place)));
                    let mut buffer = vec![0; PIECE_BYTES];
                    loop {
                        let read = file.read(&mut buffer)?;
                        if read == 0 {
                            break;
                        }
                        if let Err(error) = spool.push(&buffer[..read]) {
                            // Ours, not the archive's.
                            failure = Some(error);
                            return Err(std::io::Error::other("no room"));
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        walked.map_err(refused)?;
        let messages = match spool {
            Some(spool) => spool.finish()?,
            None => Content::from(Vec::new()),
        };
        Ok(Self { manifest: manifest.flatten(), workspace: workspace.flatten(), messages })
    }
}

/// All of a file, if it is no longer than that.
fn bounded(file: &mut dyn std::io::Read, max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// Messages of an archive, some at a time.
pub(crate) struct MessageChunks {
    reader: MessageReader<BufReader<ContentReader>>,
}

impl MessageChunks {
    /// Those of a file of messages, from its beginning.
    pub(crate) fn new(file: &Content) -> Self {
        Self { reader: MessageReader::new(BufReader::with_capacity(PIECE_BYTES, file.reader())) }
    }

    /// The next ones, and whether there may be more.
    pub(crate) fn next_chunk(&mut self) -> Result<(Vec<Message>, bool)> {
        self.up_to(CHUNK_MESSAGES, CHUNK_BYTES)
    }

    /// All that are left; there are no more then.
    fn rest(&mut self) -> Result<(Vec<Message>, bool)> {
        self.up_to(usize::MAX, u64::MAX)
    }

    fn up_to(&mut self, count: usize, bytes: u64) -> Result<(Vec<Message>, bool)> {
        let mut messages = Vec::new();
        let end = self.reader.read_bytes().saturating_add(bytes);
        while messages.len() < count && self.reader.read_bytes() < end {
            match self.reader.next_message().map_err(unreadable)? {
                Some(message) => messages.push(message),
                None => return Ok((messages, false)),
            }
        }
        Ok((messages, true))
    }
}

/// The readable form below its top, which is known last.
struct Body {
    spool: Spool,
    /// Ends of lines that only matter when something follows.
    held: usize,
}

impl Body {
    fn new(place: &Arc<SpoolPlace>) -> Self {
        Self { spool: Spool::new(Arc::clone(place)), held: 0 }
    }

    fn push(&mut self, text: &str) -> Result<()> {
        let said = text.trim_end_matches('\n');
        if !said.is_empty() {
            self.spool.push("\n".repeat(std::mem::take(&mut self.held)).as_bytes())?;
            self.spool.push(said.as_bytes())?;
        }
        self.held += text.len() - said.len();
        Ok(())
    }

    fn finish(self, head: &str, place: &Arc<SpoolPlace>) -> Result<Content> {
        let body = self.spool.finish()?;
        let mut all = Spool::new(Arc::clone(place));
        all.push(if body.is_empty() { head.trim_end_matches('\n') } else { head }.as_bytes())?;
        let (mut reader, mut buffer) = (body.reader(), vec![0; PIECE_BYTES]);
        loop {
            let read = reader.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            all.push(&buffer[..read])?;
        }
        all.push(b"\n")?;
        all.finish()
    }
}

/// A spool as what is packed is written to.
pub(crate) struct PushOnly(Spool);

impl PushOnly {
    pub(crate) fn new(place: &Arc<SpoolPlace>) -> Self {
        Self(Spool::new(Arc::clone(place)))
    }

    pub(crate) fn finish(self) -> Result<Content> {
        self.0.finish()
    }
}

impl std::io::Write for PushOnly {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.push(bytes).map(|()| bytes.len()).map_err(std::io::Error::other)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn unreadable(error: std::io::Error) -> Error {
    Error::unavailable("a spool cannot be read", error)
}

pub(crate) fn refused(error: FormatError) -> Error {
    match error {
        FormatError::TooLarge { reason, .. } => Error::new(ErrorKind::TooLarge, reason),
        FormatError::MemberTooLarge { name, size, limit } => {
            let message = format!(
                "session file '{name}' is {}MB which exceeds the {}MB per-file limit for your tier.",
                size >> 20,
                limit >> 20
            );
            Error::new(ErrorKind::TooLarge, message)
                .with("error", "session_too_large")
                .with("file", name)
                .with("size_bytes", size.to_string())
                .with("limit_bytes", limit.to_string())
                .with("suggestion", "Start a new session, or compact this one, and push again.")
        }
        FormatError::Broken { reason, .. } => Error::invalid(reason),
        other => Error::invalid(other.to_string()),
    }
}
