//! What is known about a session besides what was said.

use serde::{Deserialize, Serialize};

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

impl SessionMetadata {
    /// Takes every field that `newer` has and keeps the rest: the key-wise merge of SpecStory's PUT.
    pub fn merge(&mut self, newer: Self) {
        macro_rules! take {
            ($($field:ident)*) => { $( if newer.$field.is_some() { self.$field = newer.$field; } )* };
        }
        take!(client_name client_version agent_name agent_version device_id machine_name git_branches llm_models
            tags title markdown_version summary folder git_remote);
    }
}
