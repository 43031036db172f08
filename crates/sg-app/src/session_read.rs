//! Reading a session's conversation out of its content, when it is stored: all at once when it is of ordinary size, piece
//! by piece when it is not.

use std::io::Read as _;

use sg_domain::session::SessionCounts;
use sg_domain::wtf8::{self, Decoder};
use sg_domain::{ContentBlock, Error, Exchange, Message, Result, Role, Timestamp, TokenUsage, Transcript};
use sg_formats::specstory::Cutter;
use sg_formats::{Confidence, Format as _, Source, specstory};
use sg_store::{Content, ContentReader, Tx};

use crate::NewSession;
use crate::archive_read::MessageChunks;

/// Content up to this size is read as a whole; larger one never is in memory.
pub(crate) const WHOLE_BYTES: u64 = 16 * 1_024 * 1_024;
/// Bytes of larger content that are read at a time.
pub(crate) const PIECE_BYTES: usize = 256 * 1_024;
/// Messages, and bytes of content behind them, that are read before they are written.
const CHUNK_MESSAGES: usize = 256;
/// See [`CHUNK_MESSAGES`].
const CHUNK_BYTES: usize = 2 * 1_024 * 1_024;
/// The most characters of the first prompt that lists show.
const FIRST_EXCHANGE_CHARS: usize = 500;
/// The top of a document: enough for its comments.
pub(crate) const HEAD_BYTES: usize = 64 * 1_024;

/// What is read out of the content once, when it is stored.
pub(crate) struct Read {
    pub(crate) format: String,
    pub(crate) parent_client_id: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) counts: SessionCounts,
    pub(crate) usage: TokenUsage,
    pub(crate) first_exchange: String,
    pub(crate) messages: Messages,
}

/// A session's messages: in memory, or to be read again when they are written.
pub(crate) enum Messages {
    Whole(Vec<Message>),
    Pieces {
        name: String,
        markdown: Content,
    },
    /// Those of an archive, in its own file of them.
    Lines(Content),
}

/// Reads a new session; takes its transcript. Not for the runtime's own threads when content lies in files.
pub(crate) fn read_content(new: &mut NewSession) -> Result<Read> {
    let given = new.transcript.take();
    let markdown_is_large = new.markdown.len() > WHOLE_BYTES;
    // The agent's own file is the richer source. When it is large it is not looked at: agents' formats are read with all
    // of a file in sight (an answer's tokens are told in the last of its lines, a branch is known at the end). What the
    // markdown does not carry is lost to messages then: token counts, ids, arguments of tools as JSON. The file itself is
    // kept as it is.
    let raw_fits = |raw: &&Content| raw.len() <= WHOLE_BYTES;
    let transcript = match given {
        Some(given) => Some(given),
        None => match new.raw.as_ref().filter(raw_fits) {
            Some(raw) => transcript_of(&format!("{}.jsonl", new.client_id), &raw.read()?),
            None => None,
        },
    };
    if markdown_is_large {
        return read_large(new, transcript);
    }
    let markdown = new.markdown.read()?;
    let markdown = wtf8::lossy(&markdown);
    let exchanges = specstory::exchanges(&markdown);
    let transcript = transcript.or_else(|| transcript_of(&format!("{}.md", new.name), markdown.as_bytes()));
    // Prose without any markers is still something that was said.
    let prose = || vec![Message::text(Role::User, markdown.as_ref())];
    Ok(whole(transcript, exchanges, prose))
}

fn transcript_of(name: &str, bytes: &[u8]) -> Option<Transcript> {
    let parsed = sg_formats::parse(&Source { name, bytes, siblings: &[] }).ok()?;
    parsed.transcripts.into_iter().find(|t| !t.messages.is_empty())
}

fn whole(transcript: Option<Transcript>, exchanges: Vec<Exchange>, prose: impl FnOnce() -> Vec<Message>) -> Read {
    let (usage, times) = match &transcript {
        Some(t) => (t.usage(), (t.started_at, t.ended_at)),
        None => Default::default(),
    };
    let started_at = times.0.or_else(|| exchanges.iter().filter_map(|e| e.started_at).min());
    let ended_at = times.1.or_else(|| exchanges.iter().filter_map(|e| e.ended_at).max());
    let (format, parent_client_id, agent_id, messages) = match transcript {
        Some(t) => (t.format, t.parent_client_id, t.agent_id, t.messages),
        None => (SPECSTORY, None, None, prose()),
    };
    let mut summary = Summary::default();
    messages.iter().for_each(|message| summary.add(message));
    summary.counts.exchanges = exchanges.len() as u64;
    Read {
        format: format.to_owned(),
        parent_client_id,
        agent_id,
        started_at,
        ended_at,
        exchanges,
        counts: summary.counts,
        usage,
        first_exchange: summary.first_exchange.unwrap_or_default(),
        messages: Messages::Whole(messages),
    }
}

const SPECSTORY: &str = "specstory";

/// What lists know of messages.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) counts: SessionCounts,
    pub(crate) first_exchange: Option<String>,
}

impl Summary {
    pub(crate) fn add(&mut self, message: &Message) {
        self.counts.messages += 1;
        self.counts.tool_uses += message.tool_uses() as u64;
        if message.role != Role::User || message.is_sidechain {
            return;
        }
        self.counts.turns += 1;
        if self.first_exchange.is_none() {
            let said = message.blocks.iter().find_map(|block| match block {
                ContentBlock::Text { text } if !text.trim().is_empty() => Some(text.trim()),
                _ => None,
            });
            self.first_exchange = said.map(|text| text.chars().take(FIRST_EXCHANGE_CHARS).collect());
        }
    }
}

/// Reads markdown that does not fit into memory: through all of it once for what the session's row says, and again when
/// its messages are written.
fn read_large(new: &NewSession, transcript: Option<Transcript>) -> Result<Read> {
    let mut pieces = Pieces::new(&new.name, &new.markdown)?;
    let mut summary = Summary::default();
    let outline = loop {
        match pieces.step(&mut |message| summary.add(&message))? {
            Some(outline) => break outline,
            None => continue,
        }
    };
    if transcript.is_some() {
        return Ok(whole(transcript, outline.exchanges, Vec::new));
    }
    summary.counts.exchanges = outline.exchanges.len() as u64;
    Ok(Read {
        format: SPECSTORY.to_owned(),
        parent_client_id: None,
        agent_id: None,
        started_at: outline.started_at,
        ended_at: outline.ended_at,
        exchanges: outline.exchanges,
        counts: summary.counts,
        usage: TokenUsage::default(),
        first_exchange: summary.first_exchange.unwrap_or_default(),
        messages: Messages::Pieces { name: new.name.clone(), markdown: new.markdown.clone() },
    })
}

/// The exchanges of a document of any size.
pub(crate) fn exchanges_of(name: &str, markdown: &Content) -> Result<Vec<Exchange>> {
    if markdown.len() <= WHOLE_BYTES {
        return Ok(specstory::exchanges(&wtf8::lossy(&markdown.read()?)));
    }
    let mut pieces = Pieces::new(name, markdown)?;
    loop {
        if let Some(outline) = pieces.step(&mut drop)? {
            return Ok(outline.exchanges);
        }
    }
}

/// Markdown being read piece by piece.
struct Pieces {
    content: ContentReader,
    decoder: Decoder,
    buffer: Vec<u8>,
    cutter: Option<Cutter>,
}

impl Pieces {
    fn new(name: &str, markdown: &Content) -> Result<Self> {
        let head = markdown.head(HEAD_BYTES)?;
        let file = format!("{name}.md");
        // As for a document in memory: one that nothing marks as SpecStory's is prose, whatever its name says of a time.
        let is_marked = specstory::SpecStory.sniff(&Source::file(&file, &head)) != Confidence::No;
        Ok(Self {
            content: markdown.reader(),
            decoder: Decoder::default(),
            buffer: vec![0; PIECE_BYTES],
            cutter: Some(Cutter::new(if is_marked { name } else { "" })),
        })
    }

    /// Reads on; at the end of the document, what is known of it.
    fn step(&mut self, take: &mut impl FnMut(Message)) -> Result<Option<specstory::Outline>> {
        let read =
            self.content.read(&mut self.buffer).map_err(|error| Error::unavailable("a spool cannot be read", error))?;
        let mut text = String::with_capacity(read + 8);
        if read > 0 {
            self.decoder.push(&self.buffer[..read], &mut text);
        } else {
            std::mem::take(&mut self.decoder).finish(&mut text);
        }
        let Some(cutter) = &mut self.cutter else { return Ok(None) };
        cutter.push(&text, &mut *take);
        if read > 0 {
            return Ok(None);
        }
        Ok(self.cutter.take().map(|cutter| cutter.finish(take)))
    }

    /// The next messages, and whether there are more.
    fn chunk(&mut self) -> Result<(Vec<Message>, bool)> {
        let mut messages = Vec::new();
        let mut seen = 0;
        while messages.len() < CHUNK_MESSAGES && seen < CHUNK_BYTES {
            if self.step(&mut |message| messages.push(message))?.is_some() {
                return Ok((messages, false));
            }
            seen += PIECE_BYTES;
        }
        Ok((messages, true))
    }
}

/// Messages that come a chunk at a time.
pub(crate) trait Chunks: Send + 'static {
    /// The next messages, and whether there may be more.
    fn chunk(&mut self) -> Result<(Vec<Message>, bool)>;
}

impl Chunks for Pieces {
    fn chunk(&mut self) -> Result<(Vec<Message>, bool)> {
        Pieces::chunk(self)
    }
}

impl Chunks for MessageChunks {
    fn chunk(&mut self) -> Result<(Vec<Message>, bool)> {
        self.next_chunk()
    }
}

/// Writes the messages of a session that does not fit into memory, a chunk at a time.
pub(crate) async fn write_in_chunks(
    tx: &Tx,
    session: sg_domain::SessionId,
    name: &str,
    markdown: &Content,
) -> Result<()> {
    let (name, markdown) = (name.to_owned(), markdown.clone());
    let pieces = blocking(move || Pieces::new(&name, &markdown)).await?;
    write_chunks(tx, session, pieces).await
}

/// The same, of messages wherever they come from.
pub(crate) async fn write_chunks(tx: &Tx, session: sg_domain::SessionId, mut chunks: impl Chunks) -> Result<()> {
    let mut writer = tx.write_messages(session).await?;
    loop {
        let (read, messages, more) = blocking(move || {
            let (messages, more) = chunks.chunk()?;
            Ok((chunks, messages, more))
        })
        .await?;
        chunks = read;
        writer.write(tx, &messages).await?;
        if !more {
            return writer.finish(tx).await;
        }
    }
}

/// Runs work that would hold the runtime up somewhere else.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(markdown: String) -> NewSession {
        NewSession {
            project: sg_domain::ProjectId::new("p").unwrap(),
            project_name: "p".to_owned(),
            client_id: "c".to_owned(),
            name: "2026-01-16_16-46-41Z-words".to_owned(),
            markdown: markdown.into(),
            raw: Some("{}".into()),
            session_data: None,
            metadata: Default::default(),
            transcript: None,
        }
    }

    fn all(read: Read) -> (Vec<Message>, String) {
        let about = format!(
            "{} {:?} {:?} {:?} {:?} {:?}",
            read.format, read.started_at, read.ended_at, read.exchanges, read.counts, read.first_exchange
        );
        let messages = match read.messages {
            Messages::Whole(messages) => messages,
            Messages::Lines(_) => unreachable!("of archives alone"),
            Messages::Pieces { name, markdown } => {
                let mut pieces = Pieces::new(&name, &markdown).unwrap();
                let mut messages = Vec::new();
                loop {
                    let (mut chunk, more) = pieces.chunk().unwrap();
                    messages.append(&mut chunk);
                    if !more {
                        break messages;
                    }
                }
            }
        };
        (messages, about)
    }

    #[test]
    fn large_and_ordinary_content_are_read_alike() {
        let turn = |n: usize| {
            format!(
                "_**User (2026-01-16 16:46:{:02}Z)**_\n\nQuestion {n} 語🚀?\n\n---\n\n_**Agent (m)**_\n\n<tool-use data-tool-name=\"Bash\"><details>\n```\nout {n}\n```\n</details></tool-use>\n\nAnswer {n}\n\n---\n\n",
                n % 60
            )
        };
        let document = format!(
            "<!-- Generated by SpecStory, Markdown v2.1.0 -->\n\n{}",
            (0..40_000).map(turn).collect::<String>()
        );
        assert!(document.len() as u64 <= WHOLE_BYTES);
        let small = all(read_content(&mut new(document.clone())).unwrap());
        let session = new(document);
        let large = all(read_large(&session, None).unwrap());
        assert_eq!(small.1, large.1);
        assert!(small.0 == large.0);
        assert_eq!(small.0.len(), 80_000);
    }
}
