//! What the folder that a session was made in tells: its git remote, and what SpecStory's command line noted there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use sg_app::import::Workspace;

/// Looks at folders, at each once.
#[derive(Default)]
pub struct Workspaces {
    known: Mutex<HashMap<String, Workspace>>,
}

/// How many folders up a project's root is looked for.
const MAX_PARENTS: usize = 32;

impl Workspaces {
    /// What is known of a folder; nothing when it is not on this machine any more.
    pub fn of(&self, folder: &str) -> Workspace {
        if let Some(known) = self.known.lock().get(folder) {
            return known.clone();
        }
        let found = look(Path::new(folder));
        self.known.lock().insert(folder.to_owned(), found.clone());
        found
    }
}

fn look(folder: &Path) -> Workspace {
    // A folder that is gone must not take the remote of whatever repository its parents lie in.
    if !folder.is_absolute() || !folder.is_dir() {
        return Workspace::default();
    }
    let mut workspace = Workspace::default();
    for folder in folder.ancestors().take(MAX_PARENTS) {
        if workspace.workspace_id.is_none() && workspace.git_id.is_none() {
            note_project(&mut workspace, &folder.join(".specstory/.project.json"));
        }
        if let Some(config) = git_config(&folder.join(".git")) {
            workspace.git_remote = std::fs::read_to_string(config).ok().and_then(|text| origin(&text));
            // What lies above a repository belongs to another project.
            break;
        }
    }
    workspace
}

/// SpecStory's own note; one that cannot be read is no note.
fn note_project(workspace: &mut Workspace, path: &Path) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let Ok(note) = serde_json::from_str::<serde_json::Value>(&text) else { return };
    let field = |name: &str| note[name].as_str().map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
    workspace.git_id = field("git_id");
    workspace.workspace_id = field("workspace_id");
    workspace.project_name = field("project_name");
}

/// The configuration behind a `.git`: a folder; or a file that names one, in worktrees and submodules.
fn git_config(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.join("config")).filter(|path| path.is_file());
    }
    let text = std::fs::read_to_string(git).ok()?;
    let named = text.lines().find_map(|line| line.strip_prefix("gitdir:"))?.trim();
    let folder = git.parent()?.join(named);
    // A worktree shares the configuration of the repository it belongs to; a submodule has its own.
    let common = match std::fs::read_to_string(folder.join("commondir")) {
        Ok(common) => folder.join(common.trim()),
        Err(_) => folder,
    };
    Some(common.join("config")).filter(|path| path.is_file())
}

/// The URL of the remote `origin` in a git configuration.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default().trim();
            let (name, rest) = section.split_once(char::is_whitespace).unwrap_or((section, ""));
            inside = name.eq_ignore_ascii_case("remote") && rest.trim() == "\"origin\"";
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("url")
        {
            return Some(value.trim().trim_matches('"').to_owned()).filter(|url| !url.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_read_from_its_own_section_only() {
        let config = "[core]\n\turl = no\n[remote \"fork\"]\n\turl = git@h:f/r\n[remote \"origin\"]\n\tfetch = +x\n\turl = \
                      git@h:o/r.git\n[branch \"main\"]\n\turl = no\n";
        assert_eq!(origin(config).as_deref(), Some("git@h:o/r.git"));
        assert_eq!(origin("[remote \"upstream\"]\nurl = x\n"), None);
    }

    #[test]
    fn worktrees_and_inner_folders_find_their_repository() {
        let root = std::env::temp_dir().join(format!("sg-workspace-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("main/.git/config", "[remote \"origin\"]\n\turl = https://h/o/r.git\n");
        write("main/.git/worktrees/w/commondir", "../..\n");
        write("main/src/lib.rs", "");
        write("w/.git", &format!("gitdir: {}\n", root.join("main/.git/worktrees/w").display()));
        write("plain/.specstory/.project.json", r#"{"workspace_id":"aaaa-bbbb","project_name":"Plain"}"#);
        let workspaces = Workspaces::default();
        let of = |path: &str| workspaces.of(root.join(path).to_str().unwrap());
        for folder in ["main", "main/src", "w"] {
            assert_eq!(of(folder).git_remote.as_deref(), Some("https://h/o/r.git"), "{folder}");
        }
        assert_eq!(of("plain").workspace_id.as_deref(), Some("aaaa-bbbb"));
        assert_eq!(of("plain").project_name.as_deref(), Some("Plain"));
        assert_eq!(of("main/gone"), Workspace::default());
        std::fs::remove_dir_all(root).unwrap();
    }
}
