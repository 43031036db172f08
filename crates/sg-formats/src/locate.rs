//! Where each agent keeps its history. Knowledge only: looking there is the importer's work.

/// A place under the user's home folder, or under any project, where sessions of one format lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The format that reads what lies there.
    pub format: &'static str,
    /// The agent's display name.
    pub agent: &'static str,
    /// The folder, relative to `root`, with `/` between its parts.
    pub relative: &'static str,
    /// What `relative` is relative to.
    pub root: Root,
    /// The environment variable with which the agent's users move `root_folder`, if there is one.
    pub moved_by: Option<&'static str>,
    /// The part of `relative` that `moved_by` replaces, such as `.claude`; empty when there is no such variable.
    pub root_folder: &'static str,
    /// How names of session files start; empty for any.
    pub prefix: &'static str,
    /// How names of session files end, without the dot.
    pub extensions: &'static [&'static str],
    /// Whether a session is a folder with one of the extensions rather than a file.
    pub is_folder: bool,
    /// How many folders deep below `relative` the files may lie; 0 means directly in it.
    pub max_depth: usize,
}

/// What a place's path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The user's home folder.
    Home,
    /// A project's folder: looked at only when a path to it is given.
    Project,
}

/// Every known place.
pub static PLACES: &[Place] = &[
    Place {
        format: "claude-code",
        agent: "Claude Code",
        relative: ".claude/projects",
        root: Root::Home,
        moved_by: Some("CLAUDE_CONFIG_DIR"),
        root_folder: ".claude",
        prefix: "",
        extensions: &["jsonl"],
        is_folder: false,
        // <project>/<session>.jsonl, and <project>/<session>/subagents/[<group>/]agent-<id>.jsonl
        max_depth: 4,
    },
    Place {
        format: "codex",
        agent: "Codex CLI",
        relative: ".codex/sessions",
        root: Root::Home,
        moved_by: Some("CODEX_HOME"),
        root_folder: ".codex",
        prefix: "rollout-",
        extensions: &["jsonl", "json"],
        is_folder: false,
        max_depth: 3,
    },
    Place {
        format: "codex",
        agent: "Codex CLI",
        relative: ".codex/archived_sessions",
        root: Root::Home,
        moved_by: Some("CODEX_HOME"),
        root_folder: ".codex",
        prefix: "rollout-",
        extensions: &["jsonl"],
        is_folder: false,
        max_depth: 3,
    },
    Place {
        format: "gemini-cli",
        agent: "Gemini CLI",
        relative: ".gemini/tmp",
        root: Root::Home,
        moved_by: None,
        root_folder: "",
        prefix: "",
        extensions: &["json", "jsonl"],
        is_folder: false,
        // <project>/chats/session-*.json, and <project>/chats/<parent session>/<session>.jsonl
        max_depth: 3,
    },
    Place {
        format: "sessionfs",
        agent: "SessionFS",
        relative: ".sessionfs/sessions",
        root: Root::Home,
        moved_by: None,
        root_folder: "",
        prefix: "",
        extensions: &["sfs"],
        is_folder: true,
        max_depth: 1,
    },
    Place {
        format: "specstory",
        agent: "SpecStory",
        relative: ".specstory/history",
        root: Root::Project,
        moved_by: None,
        root_folder: "",
        prefix: "",
        extensions: &["md"],
        is_folder: false,
        max_depth: 0,
    },
];

impl Place {
    /// Whether a path below this place, relative to it and with `/` between its parts, is a session's.
    pub fn holds(&self, path: &str) -> bool {
        let (folders, name) = path.rsplit_once('/').map_or(("", path), |(folders, name)| (folders, name));
        let depth = if folders.is_empty() { 0 } else { folders.split('/').count() };
        let Some((stem, extension)) = name.rsplit_once('.') else { return false };
        let named = !stem.is_empty() && name.starts_with(self.prefix) && self.extensions.contains(&extension);
        if !named || depth > self.max_depth {
            return false;
        }
        // Beside its chats, Gemini keeps logs and checkpoints of the same extension.
        self.format != "gemini-cli" || folders.split('/').nth(1) == Some("chats")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_names_a_known_format() {
        for place in PLACES {
            assert!(crate::format(place.format).is_some(), "{}", place.format);
            assert!(place.relative.starts_with(place.root_folder));
        }
    }

    #[test]
    fn session_files_are_told_from_their_neighbours() {
        let holds = |format: &str, path: &str| PLACES.iter().any(|p| p.format == format && p.holds(path));
        assert!(holds("claude-code", "-home-u-p/0b1c.jsonl"));
        assert!(holds("claude-code", "-home-u-p/0b1c/subagents/agent-a1.jsonl"));
        assert!(!holds("claude-code", "-home-u-p/notes.md"));
        assert!(holds("codex", "2026/01/16/rollout-x.jsonl"));
        assert!(!holds("codex", "2026/01/16/other.jsonl"));
        assert!(holds("gemini-cli", "abc/chats/session-x.json"));
        assert!(holds("gemini-cli", "abc/chats/parent/x.jsonl"));
        assert!(!holds("gemini-cli", "abc/logs.json"));
        assert!(holds("sessionfs", "ses_0123456789abcdef.sfs"));
        assert!(holds("sessionfs", "ses_0123456789abcdef/session.sfs"));
        assert!(holds("specstory", "2026-01-01-x.md"));
        assert!(!holds("specstory", "sub/x.md"));
    }
}
