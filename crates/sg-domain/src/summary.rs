//! What a session's messages tell without a model reading them: files, commands, tests, packages, errors
//! (`contracts/sessionfs.md` 2.7); and what a model told of them.
//!
//! [`Summarizer`] reads messages one after the other, so that a session of any length is summarised a page at a time. Each
//! call of a tool counts once, also when an agent wrote it down twice, and an answer belongs to the call whose id it has.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher as _;

use serde::{Deserialize, Serialize};

use crate::{ContentBlock, Digest, Message, SessionId, Timestamp};

mod command;
mod output;
#[cfg(test)]
mod tests;
mod tool;

use self::tool::Tool;

/// The most files of each list, and packages: nobody reads more, and a row has to hold them.
const MAX_LISTED: usize = 1_000;
/// The most errors.
const MAX_ERRORS: usize = 5;
/// The most commands that may wait for their answers at a time; those of later ones are not looked at.
const MAX_WAITING: usize = 10_000;
/// Bytes of an answer that are looked at from its front, and from its end: what tests say is at one of them.
const OUTPUT_PART_BYTES: usize = 256 * 1_024;

/// What the messages tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SummaryFacts {
    /// Calls of tools.
    pub tool_calls: u64,
    /// Paths that were written, in the order in which they first were.
    pub files_modified: Vec<String>,
    /// Paths that were read or looked for and not written, in the order in which they first were.
    pub files_read: Vec<String>,
    /// Commands that were run.
    pub commands: u64,
    /// Tests that passed, of all runs.
    pub tests_passed: u64,
    /// Tests that failed, of all runs.
    pub tests_failed: u64,
    /// Packages that commands installed, as they were named, in the order in which they first were.
    pub packages: Vec<String>,
    /// Lines that tell of errors, at most five, sorted.
    pub errors: Vec<String>,
    /// From the first to the last message that tells its time; at least 1 when two do.
    pub duration_minutes: u64,
}

impl SummaryFacts {
    /// Tests of all runs.
    pub fn tests(&self) -> u64 {
        self.tests_passed.saturating_add(self.tests_failed)
    }
}

/// A session's summary as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The session.
    pub session: SessionId,
    /// What it was made of: another state of the session has another digest.
    pub made_of: Digest,
    /// What the messages told.
    pub facts: SummaryFacts,
    /// When they were read.
    pub made_at: Timestamp,
    /// What a model told, if one was asked: it stays when the rest is made anew.
    pub narrative: Option<MadeNarrative>,
}

/// What a model told of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Narrative {
    /// What happened, in some sentences.
    pub what_happened: String,
    /// What was decided.
    pub key_decisions: Vec<String>,
    /// How it ended.
    pub outcome: String,
    /// What is left to do.
    pub open_issues: Vec<String>,
}

/// A narrative with where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeNarrative {
    /// What was told.
    pub narrative: Narrative,
    /// The model that told it.
    pub model: String,
    /// When it did.
    pub made_at: Timestamp,
}

/// Reads messages, in order.
pub struct Summarizer {
    facts: SummaryFacts,
    modified: Listed,
    read: Listed,
    packages: Listed,
    errors: BTreeSet<String>,
    /// Calls that were counted, as hashes: an id is as long as an agent likes.
    counted: HashSet<u64>,
    hasher: RandomState,
    /// Calls whose answers are looked at, by id.
    waiting: HashMap<String, Answers>,
    /// The last call: whose an answer without an id is.
    last: Option<(Option<String>, Answers)>,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    stamps: u64,
}

/// What the answer of a call tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// What a command wrote: tests, and errors.
    Output,
    /// What another tool did: errors.
    Report,
    /// What was in files, whatever words are in them.
    Content,
}

impl Default for Summarizer {
    fn default() -> Self {
        Self {
            facts: SummaryFacts::default(),
            modified: Listed::default(),
            read: Listed::default(),
            packages: Listed::default(),
            errors: BTreeSet::new(),
            counted: HashSet::new(),
            hasher: RandomState::new(),
            waiting: HashMap::new(),
            last: None,
            first_at: None,
            last_at: None,
            stamps: 0,
        }
    }
}

impl Summarizer {
    /// Reads the next message.
    pub fn add(&mut self, message: &Message) {
        if let Some(at) = message.at {
            self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
            self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
            self.stamps += 1;
        }
        for block in &message.blocks {
            match block {
                ContentBlock::ToolUse { id, name, input } => self.call(id.as_deref(), name, input),
                ContentBlock::ToolResult { tool_use_id, output, is_error } => {
                    self.answer(tool_use_id.as_deref(), output, *is_error);
                }
                _ => {}
            }
        }
    }

    /// What all of them told.
    pub fn finish(self) -> SummaryFacts {
        let Self { mut facts, modified, read, packages, errors, first_at, last_at, stamps, .. } = self;
        if let (Some(first), Some(last)) = (first_at, last_at)
            && stamps > 1
        {
            let minutes = (last.micros() - first.micros()) / 60_000_000;
            facts.duration_minutes = u64::try_from(minutes).unwrap_or(0).max(1);
        }
        facts.files_read = read.items.into_iter().filter(|path| !modified.known.contains(path)).collect();
        facts.files_modified = modified.items;
        facts.packages = packages.items;
        facts.errors = errors.into_iter().collect();
        facts
    }

    fn call(&mut self, id: Option<&str>, name: &str, input: &serde_json::Value) {
        if let Some(id) = id
            && !self.counted.insert(self.hasher.hash_one(id))
        {
            return;
        }
        self.facts.tool_calls += 1;
        let tool = Tool::of(name, input);
        let answers = match tool {
            Tool::Command => Answers::Output,
            Tool::Reads => Answers::Content,
            Tool::Writes | Tool::Patches | Tool::Other => Answers::Report,
        };
        match tool {
            Tool::Writes => self.modified.add(tool::path(input)),
            Tool::Patches => tool::patched(input).into_iter().for_each(|path| self.modified.add(Some(path))),
            Tool::Reads => self.read.add(tool::path(input)),
            Tool::Command => {
                if let Some(command) = tool::command(input) {
                    self.facts.commands += 1;
                    command::installed(&command).into_iter().for_each(|package| self.packages.add(Some(package)));
                }
            }
            Tool::Other => {}
        }
        if let Some(id) = id
            && self.waiting.len() < MAX_WAITING
        {
            self.waiting.insert(id.to_owned(), answers);
        }
        self.last = Some((id.map(str::to_owned), answers));
    }

    fn answer(&mut self, id: Option<&str>, output: &str, is_error: bool) {
        let answers = match id {
            // With its answer it is no longer waited for: the same answer again is none.
            Some(id) => self.waiting.remove(id),
            None => self.last.take().and_then(|(id, answers)| match id {
                Some(id) => self.waiting.remove(&id),
                None => Some(answers),
            }),
        };
        let (front, end) = parts(output);
        if answers == Some(Answers::Output) {
            let (passed, failed) = output::tests(front, end);
            self.facts.tests_passed = self.facts.tests_passed.saturating_add(passed);
            self.facts.tests_failed = self.facts.tests_failed.saturating_add(failed);
        }
        let tells = is_error || matches!(answers, Some(Answers::Output | Answers::Report));
        if !tells {
            return;
        }
        for line in output::errors(front).chain(output::errors(end)) {
            self.errors.insert(line);
            if self.errors.len() > MAX_ERRORS {
                self.errors.pop_last();
            }
        }
    }
}

/// What is looked at of an answer.
fn parts(output: &str) -> (&str, &str) {
    if output.len() <= 2 * OUTPUT_PART_BYTES {
        return (output, "");
    }
    let front = output.floor_char_boundary(OUTPUT_PART_BYTES);
    let end = output.ceil_char_boundary(output.len() - OUTPUT_PART_BYTES);
    (&output[..front], &output[end..])
}

/// Texts in the order in which they first came, each once.
#[derive(Default)]
struct Listed {
    items: Vec<String>,
    known: HashSet<String>,
}

impl Listed {
    fn add(&mut self, text: Option<String>) {
        let Some(text) = text else { return };
        if self.items.len() < MAX_LISTED && self.known.insert(text.clone()) {
            self.items.push(text);
        }
    }
}
