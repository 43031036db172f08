//! The files that a tool call is about, as far as its text tells.

/// Keys of arguments that hold a path.
const KEYS: [&str; 8] =
    ["file_path", "path", "filename", "file", "notebook_path", "absolute_path", "relative_path", "target_file"];
/// How patches name the files they change.
const PATCHES: [&str; 4] = ["*** Update File: ", "*** Add File: ", "*** Delete File: ", "+++ b/"];
/// A path longer than this is none.
const MAX_PATH_BYTES: usize = 256;

/// Calls back with each path that the text of a call names: arguments that are one, files of patches, and words of
/// commands that have a folder and an ending.
pub(crate) fn each_path<'a>(call: &'a str, mut take: impl FnMut(&'a str)) {
    for line in call.lines() {
        if let Some(path) = PATCHES.iter().find_map(|start| line.strip_prefix(start)) {
            take_path(path, &mut take);
            continue;
        }
        let Some((key, value)) = line.split_once(": ") else { continue };
        if KEYS.contains(&key) {
            take_path(value, &mut take);
        } else if matches!(key, "command" | "cmd") {
            let words =
                value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';' | '(' | ')' | '='));
            words.filter(|word| is_like_a_path(word)).for_each(|word| take_path(word, &mut take));
        }
    }
}

fn take_path<'a>(path: &'a str, take: &mut impl FnMut(&'a str)) {
    let path = path.trim().trim_start_matches("./");
    if !path.is_empty() && path.len() <= MAX_PATH_BYTES {
        take(path);
    }
}

fn is_like_a_path(word: &str) -> bool {
    let Some((_, name)) = word.rsplit_once('/') else { return false };
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    !word.contains("://")
        && !stem.is_empty()
        && (1..=8).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The name of the file.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(call: &str) -> Vec<&str> {
        let mut found = Vec::new();
        each_path(call, |path| found.push(path));
        found
    }

    #[test]
    fn paths_are_found_where_tools_name_them() {
        assert_eq!(paths("Read\nfile_path: /home/u/p/src/a.rs\nlimit: 5"), ["/home/u/p/src/a.rs"]);
        assert_eq!(paths("apply_patch\ninput: *** Begin Patch\n*** Update File: src/b.ts\n@@\n-x"), ["src/b.ts"]);
        assert_eq!(paths("Bash\ncommand: cat ./src/a.rs && ls /tmp | grep 'lib/x.py'"), ["src/a.rs", "lib/x.py"]);
        assert_eq!(paths("Write\nfile_path: Makefile\ncontent: see https://x.y/z.html\nlet a = b.c;"), ["Makefile"]);
        assert_eq!(paths("Bash\ncommand: curl https://example.com/a.tar.gz"), [""; 0]);
        assert_eq!((file_name("/a/b.rs"), file_name("b.rs"), file_name("a/")), ("b.rs", "b.rs", "a"));
    }
}
