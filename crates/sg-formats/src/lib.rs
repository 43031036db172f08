//! How agents write sessions down: bytes in, domain values out. Pure: no file system, no clock, no network.
//!
//! One file per format. Adding an agent is one file that implements [`Format`], its line in [`FORMATS`], and its
//! fixtures under `tests/fixtures/formats/<format>/`. Parsing never fails because of one bad line: the line is skipped
//! and reported with its number.

pub mod claude_code;
pub mod codex;
mod field;
pub mod gemini_cli;
mod jsonl;
pub mod locate;
pub mod redact;
pub mod sessionfs;
pub mod specstory;
mod title;

use sg_domain::Transcript;
use sg_domain::transcript::Skipped;

/// Every format, in the order in which they are asked.
pub static FORMATS: &[&dyn Format] =
    &[&sessionfs::SessionFs, &gemini_cli::GeminiCli, &codex::Codex, &claude_code::ClaudeCode, &specstory::SpecStory];

/// Reads a source with the format that is sure of it, else with the first that thinks it may be its own.
pub fn parse(source: &Source<'_>) -> Result<Parsed, FormatError> {
    let mut maybe = None;
    for format in FORMATS {
        match format.sniff(source) {
            Confidence::Sure => return format.parse(source),
            Confidence::Maybe if maybe.is_none() => maybe = Some(format),
            Confidence::Maybe | Confidence::No => {}
        }
    }
    maybe.ok_or(FormatError::Unknown)?.parse(source)
}

/// The format of a name, such as `claude-code`.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// What is to be read: one file, or the files of a folder or archive that are one session together.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Path or name, as a hint: formats look at its ends (`.md`, `agent-….jsonl`, the folder's name), never open it.
    pub name: &'a str,
    /// The bytes of the file; of a `.sfs` folder, of its `manifest.json`.
    pub bytes: &'a [u8],
    /// Other files of the same folder by base name; empty for a single file.
    pub siblings: &'a [(&'a str, &'a [u8])],
}

/// How sure a format is that a source is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It is not.
    No,
    /// It could be.
    Maybe,
    /// It is.
    Sure,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The sessions found; most files hold one.
    pub transcripts: Vec<Transcript>,
    /// Parts that could not be read.
    pub skipped: Vec<Skipped>,
}

/// Why nothing could be read at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// No format recognises it.
    #[error("not a session format that sessiongraph knows")]
    Unknown,
    /// It is of a known format and holds no session.
    #[error("{format}: no session in it: {reason}")]
    Empty {
        /// The format.
        format: &'static str,
        /// Why, for a person.
        reason: String,
    },
    /// It is larger than a limit, or an archive that would be.
    #[error("{format}: too large: {reason}")]
    TooLarge {
        /// The format.
        format: &'static str,
        /// Which limit.
        reason: String,
    },
    /// A file in an archive is larger than its own reader would unpack.
    #[error("sessionfs: too large: {name} has {size} bytes, the limit is {limit}")]
    MemberTooLarge {
        /// The file.
        name: String,
        /// Its size, unpacked, in bytes.
        size: u64,
        /// The most it may be.
        limit: u64,
    },
    /// It cannot be read.
    #[error("{format}: cannot be read: {reason}")]
    Broken {
        /// The format.
        format: &'static str,
        /// Why, for a person.
        reason: String,
    },
}

/// One way of writing sessions down.
pub trait Format: Send + Sync {
    /// Its name in `Transcript::format`, fixtures and the command line, such as `claude-code`.
    fn name(&self) -> &'static str;

    /// How sure it is, from the name and the first bytes; cheap.
    fn sniff(&self, source: &Source<'_>) -> Confidence;

    /// Reads it.
    fn parse(&self, source: &Source<'_>) -> Result<Parsed, FormatError>;
}

impl<'a> Source<'a> {
    /// A single file.
    pub fn file(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, siblings: &[] }
    }

    /// The last part of its path.
    pub fn base_name(&self) -> &'a str {
        self.name.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// The last part of its path without its extension.
    pub fn stem(&self) -> &'a str {
        let base = self.base_name();
        base.rsplit_once('.').map_or(base, |(stem, _)| if stem.is_empty() { base } else { stem })
    }
}

#[cfg(test)]
mod tests;
