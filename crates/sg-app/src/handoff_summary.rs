//! What a recipient may know of a session before taking it, computed from its messages.

use std::collections::BTreeSet;

use sg_domain::{
    ArchivedSession, Caller, ContentBlock, Error, ErrorKind, HandoffStatus, HandoffSummary, Message, Result, Role,
    Scope, Visibility,
};
use sg_store::MessageQuery;

use crate::App;
use crate::handoff::expired;

/// Messages that are held at once.
const PAGE: u32 = 500;
const MAX_FILES: usize = 10;
const MAX_ERRORS: usize = 3;
const MAX_ANSWERS: usize = 3;
const ANSWER_CHARS: usize = 200;
/// Calls whose results are waited for: one that comes later than so many others is not looked for.
const MAX_OPEN_CALLS: usize = 10_000;

impl App {
    /// What is in the session of a handoff that waits, as it is now; to its sender and its recipient. `Gone` once it does
    /// not wait any more: what was not taken is not to be read.
    pub async fn handoff_summary(&self, caller: &Caller, id: &str) -> Result<(ArchivedSession, HandoffSummary)> {
        let identity = caller.require(Scope::Read)?;
        let (handoff, _) = self.side(identity, id).await?;
        match handoff.status {
            HandoffStatus::Pending => {}
            HandoffStatus::Expired => return Err(expired()),
            HandoffStatus::Claimed => return Err(Error::new(ErrorKind::Gone, "handoff already claimed")),
            status => return Err(Error::new(ErrorKind::Gone, format!("handoff is {}", status.name()))),
        }
        let found = self.offered(&handoff).await?;
        let mut digest = Digest::default();
        let mut query = MessageQuery { limit: Some(PAGE), ..MessageQuery::default() };
        loop {
            // The offer is what lets the recipient read another's session, so far.
            let page = self.store().messages(&Visibility::everyone(), found.session.id, &query).await?;
            for (ordinal, message) in &page.items {
                query.after = Some(*ordinal);
                digest.add(message);
            }
            if !page.has_next || page.items.is_empty() {
                return Ok((found, digest.summary));
            }
        }
    }
}

/// What has been seen so far.
#[derive(Default)]
struct Digest {
    summary: HandoffSummary,
    files: BTreeSet<String>,
    errors: BTreeSet<String>,
    /// Calls of a shell whose output has not come yet.
    shells: BTreeSet<String>,
}

impl Digest {
    fn add(&mut self, message: &Message) {
        if message.role == Role::Assistant && !message.is_sidechain {
            self.said(message);
        }
        for block in &message.blocks {
            match block {
                ContentBlock::ToolUse { id, name, input } => self.called(id.as_deref(), name, input),
                ContentBlock::ToolResult { tool_use_id, output, .. } => {
                    if tool_use_id.as_ref().is_some_and(|id| self.shells.remove(id)) {
                        self.tests(output);
                    }
                    self.failures(output);
                }
                _ => {}
            }
        }
    }

    fn said(&mut self, message: &Message) {
        let texts: Vec<&str> = message
            .blocks
            .iter()
            .filter_map(|block| match block {
                ContentBlock::Text { text } if !text.trim().is_empty() => Some(text.trim()),
                _ => None,
            })
            .collect();
        if texts.is_empty() {
            return;
        }
        let text: String = texts.join("\n").chars().take(ANSWER_CHARS).collect();
        self.summary.last_answers.insert(0, text);
        self.summary.last_answers.truncate(MAX_ANSWERS);
    }

    fn called(&mut self, id: Option<&str>, name: &str, input: &serde_json::Value) {
        match name {
            "Write" | "Edit" => {
                let path = ["file_path", "path", "pattern", "filename"].iter().find_map(|key| input[*key].as_str());
                let Some(path) = path.filter(|path| path.contains('/')) else { return };
                let is_new = self.summary.files_modified.len() < MAX_FILES && self.files.insert(path.to_owned());
                if is_new {
                    self.summary.files_modified.push(path.to_owned());
                }
            }
            "Bash" | "bash" | "execute_command" | "shell" if input["command"].is_string() => {
                self.summary.commands += 1;
                if let Some(id) = id.filter(|_| self.shells.len() < MAX_OPEN_CALLS) {
                    self.shells.insert(id.to_owned());
                }
            }
            _ => {}
        }
    }

    fn tests(&mut self, output: &str) {
        let jest = output.lines().find(|line| line.trim_start().starts_with("Tests:"));
        let (mut passed, mut failed) = match jest {
            Some(line) => (before(line, "passed"), before(line, "failed")),
            None => {
                let most = |word| output.lines().map(|line| before(line, word)).max().unwrap_or(0);
                (most("passed"), most("failed"))
            }
        };
        if passed + failed == 0 {
            let is = |line: &str, word: &str| line.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '\t']));
            let count = |word: &str| output.lines().filter(|line| is(line, word)).count() as u64;
            (passed, failed) = (count("ok"), count("FAIL"));
        }
        self.summary.tests_passed += passed;
        self.summary.tests_failed += failed;
        self.summary.tests_run += passed + failed;
    }

    fn failures(&mut self, output: &str) {
        for line in output.lines().map(str::trim) {
            let tells = ["Error:", "FAILED", "Traceback", "Exception:"].iter().any(|word| line.contains(word));
            if tells
                && (16..=200).contains(&line.chars().count())
                && self.summary.errors.len() < MAX_ERRORS
                && self.errors.insert(line.to_owned())
            {
                self.summary.errors.push(line.to_owned());
            }
        }
    }
}

/// The number before a word: 3 in `3 passed`.
fn before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ',', '=', ';']).filter(|word| !word.is_empty()).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_runners_are_understood() {
        for (output, passed, failed) in [
            ("Tests:       2 failed, 5 passed, 7 total\nTime: 1 s", 5, 2),
            ("==== 3 passed, 1 failed in 0.1s ====", 3, 1),
            ("ok  \texample.com/a\t0.1s\nFAIL\texample.com/b\nok  \texample.com/c", 2, 1),
            ("nothing of the kind", 0, 0),
        ] {
            let mut digest = Digest::default();
            digest.tests(output);
            let found = (digest.summary.tests_passed, digest.summary.tests_failed, digest.summary.tests_run);
            assert_eq!(found, (passed, failed, passed + failed), "{output}");
        }
    }
}
