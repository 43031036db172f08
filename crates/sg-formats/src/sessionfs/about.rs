//! What an archive says of its session beside the messages, and what those add to it.

use serde_json::Map;
use sg_domain::{ArchiveFacts, Message, Timestamp, Transcript};

use super::{facts, folder_name, known_model, lenient, transcript};
use crate::field::push_unique;
use crate::title;

/// A session without its messages. They are told one by one, then it is complete.
pub struct About {
    transcript: Transcript,
    facts: ArchiveFacts,
    /// Whether there was a manifest that could be read.
    has_manifest: bool,
    given_title: Option<String>,
    derived_title: Option<String>,
    messages: usize,
    /// The first and the last time of a message.
    times: Option<(Timestamp, Timestamp)>,
}

/// Reads the files beside the messages; `name` is that of the archive. Either may be missing, or anything at all.
pub fn about(name: &str, manifest: Option<&[u8]>, workspace: Option<&[u8]>) -> About {
    let object = |bytes: Option<&[u8]>| bytes.and_then(lenient::object);
    let (manifest, workspace) = (object(manifest), object(workspace).unwrap_or_default());
    let has_manifest = manifest.is_some();
    let manifest = manifest.unwrap_or_default();
    let given_title = manifest.get("title").and_then(|title| title.as_str()).map(str::to_owned);
    let facts = facts(&manifest, &workspace);
    let transcript = transcript(folder_name(name), manifest, workspace, Map::new(), Vec::new());
    About { transcript, facts, has_manifest, given_title, derived_title: None, messages: 0, times: None }
}

impl About {
    /// Takes note of the next message.
    pub fn hear(&mut self, message: &Message) {
        self.messages += 1;
        if let Some(model) = message.model.as_deref().and_then(known_model) {
            push_unique(&mut self.transcript.metadata.llm_models, model);
        }
        if let Some(at) = message.at {
            let (first, last) = self.times.unwrap_or((at, at));
            self.times = Some((first.min(at), last.max(at)));
        }
        if self.derived_title.is_none() && self.given_title.as_deref().and_then(title::usable).is_none() {
            self.derived_title = title::derive(std::slice::from_ref(message));
        }
    }

    /// The session as far as it is known, without messages, and what its client said of it. It has a title only when it
    /// came with a manifest.
    pub fn finish(self) -> (Transcript, ArchiveFacts) {
        let Self { mut transcript, facts, has_manifest, given_title, derived_title, messages, times } = self;
        // The manifest's times are those of the files: what was said has its own.
        if let Some((first, last)) = times {
            (transcript.started_at, transcript.ended_at) = (Some(first), Some(last));
        }
        let given = given_title.as_deref().and_then(title::usable);
        transcript.name = given.or(derived_title).unwrap_or_else(|| title::untitled(messages));
        transcript.metadata.title = has_manifest.then(|| transcript.name.clone());
        transcript.metadata.cut();
        (transcript, facts)
    }
}
