//! What is known about a session besides what was said.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Facts about where and by what a session was made. Every field may be unknown. Names match SpecStory's metadata
/// object where it has the field; the others are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionMetadata {
    /// The program that sent the session here, such as `specstory-cli`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The coding agent by its display name: `Claude Code`, `Codex CLI`, `Cursor CLI`, `Gemini CLI`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// The agent's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// A stable id of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_name: Option<String>,
    /// Branches the session was on, in order of first use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_branches: Option<Vec<String>>,
    /// Models that answered, in order of first use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm_models: Option<Vec<String>>,
    /// Labels that people gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// A title that the client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The version of the markdown's layout, such as `v2.1.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown_version: Option<String>,
    /// A short account of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The folder the agent worked in (a worktree's own path), absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The git remote of that folder, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_remote: Option<String>,
}

/// The longest text of the metadata, in bytes.
pub const MAX_METADATA_TEXT_BYTES: usize = 16 * 1_024;
/// The longest label (a branch, model or tag), in bytes: labels are looked up by indexes, which take no longer ones.
pub const MAX_LABEL_BYTES: usize = 1_024;
/// The most bytes of all labels of one kind: every list of sessions shows them.
pub const MAX_LABELS_BYTES: usize = 16 * 1_024;

impl SessionMetadata {
    /// Whether it is small enough to be stored; `Invalid` names the field that is not.
    pub fn check(&self) -> Result<()> {
        let texts = [
            ("clientName", &self.client_name),
            ("clientVersion", &self.client_version),
            ("agentName", &self.agent_name),
            ("agentVersion", &self.agent_version),
            ("deviceId", &self.device_id),
            ("machineName", &self.machine_name),
            ("title", &self.title),
            ("markdownVersion", &self.markdown_version),
            ("summary", &self.summary),
            ("folder", &self.folder),
            ("gitRemote", &self.git_remote),
        ];
        for (name, text) in texts {
            if text.as_ref().is_some_and(|text| text.len() > MAX_METADATA_TEXT_BYTES) {
                let max = MAX_METADATA_TEXT_BYTES;
                return Err(Error::invalid(format!("metadata.{name} is longer than {max} bytes")).at(name));
            }
        }
        let lists = [("gitBranches", &self.git_branches), ("llmModels", &self.llm_models), ("tags", &self.tags)];
        for (name, list) in lists {
            let list = list.as_deref().unwrap_or_default();
            if list.iter().any(|label| label.len() > MAX_LABEL_BYTES) {
                let max = MAX_LABEL_BYTES;
                return Err(Error::invalid(format!("metadata.{name} has an entry longer than {max} bytes")).at(name));
            }
            // Each counts for its quotes and comma too: a thousand empty ones are not nothing.
            if list.iter().map(|label| label.len() + 3).sum::<usize>() > MAX_LABELS_BYTES {
                let max = MAX_LABELS_BYTES;
                return Err(Error::invalid(format!("metadata.{name} has more than {max} bytes")).at(name));
            }
        }
        Ok(())
    }

    /// Makes it small enough to be stored: what is too long is cut, labels that are too many are left out. For facts that
    /// a program found, which nobody can be asked about.
    pub fn cut(&mut self) {
        let texts = [
            &mut self.client_name,
            &mut self.client_version,
            &mut self.agent_name,
            &mut self.agent_version,
            &mut self.device_id,
            &mut self.machine_name,
            &mut self.title,
            &mut self.markdown_version,
            &mut self.summary,
            &mut self.folder,
            &mut self.git_remote,
        ];
        for text in texts.into_iter().flatten() {
            text.truncate(text.floor_char_boundary(MAX_METADATA_TEXT_BYTES));
        }
        for list in [&mut self.git_branches, &mut self.llm_models, &mut self.tags].into_iter().flatten() {
            let mut bytes = 0;
            list.retain_mut(|label| {
                label.truncate(label.floor_char_boundary(MAX_LABEL_BYTES));
                bytes += label.len() + 3;
                bytes <= MAX_LABELS_BYTES
            });
        }
    }

    /// Takes every field that `newer` has and keeps the rest: the key-wise merge of SpecStory's PUT.
    pub fn merge(&mut self, newer: Self) {
        macro_rules! take {
            ($($field:ident)*) => { $( if newer.$field.is_some() { self.$field = newer.$field; } )* };
        }
        take!(client_name client_version agent_name agent_version device_id machine_name git_branches llm_models
            tags title markdown_version summary folder git_remote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_named() {
        let check = |change: &dyn Fn(&mut SessionMetadata)| {
            let mut metadata = SessionMetadata::default();
            change(&mut metadata);
            metadata.check().map_err(|error| error.message)
        };
        assert_eq!(check(&|m| m.tags = Some(vec!["t".repeat(MAX_LABEL_BYTES); 15])), Ok(()));
        assert_eq!(check(&|m| m.summary = Some("s".repeat(MAX_METADATA_TEXT_BYTES))), Ok(()));
        for (change, name) in [
            (&(|m: &mut SessionMetadata| m.summary = Some("s".repeat(16_385))) as &dyn Fn(&mut _), "summary"),
            (&|m: &mut SessionMetadata| m.tags = Some(vec!["t".repeat(1_025)]), "tags"),
            (&|m: &mut SessionMetadata| m.llm_models = Some(vec![String::new(); 6_000]), "llmModels"),
        ] {
            let said = check(change).unwrap_err();
            assert!(said.starts_with(&format!("metadata.{name} ")), "{said}");
            let mut metadata = SessionMetadata::default();
            change(&mut metadata);
            metadata.cut();
            assert_eq!(metadata.check().map_err(|error| error.message), Ok(()), "{name}");
        }
    }
}
