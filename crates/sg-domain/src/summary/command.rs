//! What a command installs.

/// The longest command that is looked at, in bytes.
const MAX_COMMAND_BYTES: usize = 64 * 1_024;

/// Programs that install what their words name, with the word that makes them.
const INSTALLERS: [(&str, &[&str]); 9] = [
    ("pip", &["install"]),
    ("pip3", &["install"]),
    ("npm", &["install", "i", "add"]),
    ("pnpm", &["install", "i", "add"]),
    ("yarn", &["add"]),
    ("bun", &["add"]),
    ("uv", &["add"]),
    ("poetry", &["add"]),
    ("cargo", &["add"]),
];

/// Flags whose value is the next word.
const WITH_VALUE: [&str; 20] = [
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--registry",
    "--features",
    "--group",
    "-G",
    "--proxy",
];

/// The packages that a command installs, as it names them.
pub(super) fn installed(command: &str) -> Vec<String> {
    let command = &command[..command.floor_char_boundary(MAX_COMMAND_BYTES)];
    let mut packages = Vec::new();
    for words in simple_commands(command) {
        let Some(at) = words.windows(2).position(|pair| is_installer(&pair[0], &pair[1])) else { continue };
        let mut rest = words[at + 2..].iter();
        while let Some(word) = rest.next() {
            if word.is_quoted_or(|text| text.starts_with(['>', '<', '&']) || text == "2>") {
                break;
            }
            if WITH_VALUE.contains(&word.text.as_str()) {
                rest.next();
            } else if is_package(&word.text) {
                packages.push(word.text.clone());
            }
        }
    }
    packages
}

fn is_installer(program: &Word, verb: &Word) -> bool {
    let name = program.text.rsplit('/').next().unwrap_or_default();
    INSTALLERS.iter().any(|(known, verbs)| *known == name && verbs.contains(&verb.text.as_str()))
}

/// Whether a word names a package: no flag, no place, no redirection.
fn is_package(word: &str) -> bool {
    let starts_well = word.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '@');
    let is_redirection = word.as_bytes().first().is_some_and(u8::is_ascii_digit) && word.contains('>');
    starts_well && !is_redirection && word.len() <= 200 && !word.contains(['$', '`', '\n'])
}

/// A word of a command, its quotes taken away.
struct Word {
    text: String,
    has_quotes: bool,
}

impl Word {
    /// Whether it stands without quotes and is so.
    fn is_quoted_or(&self, is_so: impl Fn(&str) -> bool) -> bool {
        !self.has_quotes && is_so(&self.text)
    }
}

/// A command line, cut where one command ends and the next begins.
fn simple_commands(line: &str) -> Vec<Vec<Word>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let end_word = |word: &mut Option<Word>, commands: &mut Vec<Vec<Word>>| {
            if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
                command.push(word);
            }
        };
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert(Word { text: String::new(), has_quotes: true }).has_quotes = true;
            }
            (None, '\\') if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            (None, ';' | '|' | '\n' | '(' | ')') => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            // `2>&1` is no end.
            (None, '&') if word.as_ref().is_none_or(|word| !word.text.ends_with('>')) => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            (None, _) if c.is_whitespace() => end_word(&mut word, &mut commands),
            _ => word.get_or_insert(Word { text: String::new(), has_quotes: false }).text.push(c),
        }
    }
    if let (Some(word), Some(command)) = (word, commands.last_mut()) {
        command.push(word);
    }
    commands
}
