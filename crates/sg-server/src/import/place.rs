//! Where the agents of this machine keep their histories.

use std::path::{Path, PathBuf};

use sg_formats::locate::{PLACES, Place, Root};

/// A place on this machine.
#[derive(Clone, Debug)]
pub struct Located {
    /// What lies there.
    pub place: &'static Place,
    /// Where it is; it need not exist.
    pub folder: PathBuf,
}

/// Every place under a home folder, moved where an agent's own variable says so.
pub fn places(home: &Path, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<Located> {
    let under_home = PLACES.iter().filter(|place| place.root == Root::Home);
    let located = under_home.map(|place| {
        let moved = place.moved_by.and_then(variable).filter(|path| !path.as_os_str().is_empty());
        let folder = match moved {
            Some(root) => root.join(place.relative.trim_start_matches(place.root_folder).trim_start_matches('/')),
            None => home.join(place.relative),
        };
        Located { place, folder }
    });
    located.collect()
}

/// The place that a path lies in, by the names of its folders, and the path's rest below it.
pub fn place_of(path: &Path) -> Option<(&'static Place, String)> {
    let path = slashed(path);
    PLACES.iter().find_map(|place| {
        let mark = format!("/{}/", place.relative);
        let at = path.rfind(&mark)?;
        Some((place, path[at + mark.len()..].to_owned()))
    })
}

/// With `/` between its parts on every platform.
pub(super) fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_own_variable_moves_its_place() {
        let moved = |name: &str| (name == "CLAUDE_CONFIG_DIR").then(|| PathBuf::from("/elsewhere"));
        let found = places(Path::new("/home/u"), &moved);
        let folder = |format: &str| found.iter().find(|l| l.place.format == format).unwrap().folder.clone();
        assert_eq!(folder("claude-code"), Path::new("/elsewhere/projects"));
        assert_eq!(folder("codex"), Path::new("/home/u/.codex/sessions"));
        assert!(found.iter().all(|l| l.place.format != "specstory"));
    }

    #[test]
    fn a_place_is_known_by_its_folders() {
        let (place, rest) = place_of(Path::new("/backup/u/.claude/projects/-p/a.jsonl")).unwrap();
        assert_eq!((place.format, rest.as_str()), ("claude-code", "-p/a.jsonl"));
        assert!(place_of(Path::new("/home/u/notes/a.jsonl")).is_none());
    }
}
