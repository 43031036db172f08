//! Code as HTML: highlighted on the server with a handful of classes, within a budget of bytes and time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use maud::{Markup, PreEscaped};
use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// The most bytes of one piece of code that are highlighted; longer pieces are shown plain.
const MAX_HIGHLIGHTED_BYTES: usize = 24 * 1024;
/// Code with a longer line is shown plain: it is generated or packed, and grammars take long over it.
const MAX_LINE_BYTES: usize = 1_000;

/// What one page may still cost. A grammar is a set of backtracking expressions and the code is a stranger's, so both the
/// size and the time of highlighting are bounded: what comes later is shown plain. So is the size of exchanges.
pub(crate) struct Budget {
    bytes: usize,
    time: Duration,
    text: usize,
}

impl Budget {
    /// For one page.
    pub(crate) fn of_page() -> Self {
        Self { bytes: 192 * 1024, time: Duration::from_millis(750), text: 640 * 1024 }
    }

    /// Nothing is highlighted.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { bytes: 0, time: Duration::ZERO, text: usize::MAX }
    }

    /// Takes some bytes of text for showing; fewer when fewer are left.
    pub(crate) fn take_text(&mut self, bytes: usize) -> usize {
        let taken = bytes.min(self.text);
        self.text -= taken;
        taken
    }
}

/// The classes that highlighting uses, styled in `assets/style.css`; longest scope first where one contains another.
const CLASSES: &[(&str, &str)] = &[
    ("comment", "hc"),
    ("constant.character.escape", "hn"),
    ("string", "hs"),
    ("constant", "hn"),
    ("keyword", "hk"),
    ("storage", "hk"),
    ("entity.name.tag", "hk"),
    ("entity.name", "hf"),
    ("support.function", "hf"),
    ("variable.function", "hf"),
    ("entity.other.attribute-name", "ha"),
    ("support", "ha"),
    ("markup.inserted", "hi"),
    ("markup.deleted", "hd"),
    ("markup.heading", "hf"),
    ("meta.diff.header", "hc"),
    ("meta.diff.range", "ha"),
];

/// Every class that [`highlighted`] and [`escaped`] may write.
pub(crate) const CLASS_NAMES: &[&str] = &["hc", "hn", "hs", "hk", "hf", "ha", "hi", "hd", "u"];

/// Code of a named language (a fence's word, a file's extension or a path) as the inside of a `<code>`.
pub(crate) fn highlighted(code: &str, language: &str, budget: &mut Budget) -> Markup {
    let is_fit =
        code.len() <= MAX_HIGHLIGHTED_BYTES.min(budget.bytes) && code.lines().all(|line| line.len() <= MAX_LINE_BYTES);
    let html = if is_fit { syntax(language).and_then(|syntax| spans(code, syntax, budget)) } else { None };
    PreEscaped(html.unwrap_or_else(|| {
        let mut html = String::with_capacity(code.len() + code.len() / 8);
        escape(&mut html, code);
        html
    }))
}

/// Text as it stands, for the inside of a `<pre>`.
pub(crate) fn escaped(text: &str) -> Markup {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    escape(&mut html, text);
    PreEscaped(html)
}

fn spans(code: &str, syntax: &SyntaxReference, budget: &mut Budget) -> Option<String> {
    budget.bytes = budget.bytes.saturating_sub(code.len());
    let started = Instant::now();
    let html = spans_within(code, syntax, started, budget.time);
    budget.time = budget.time.saturating_sub(started.elapsed());
    html
}

fn spans_within(code: &str, syntax: &SyntaxReference, started: Instant, time: Duration) -> Option<String> {
    let (mut state, mut stack) = (ParseState::new(syntax), ScopeStack::new());
    let mut html = String::with_capacity(code.len() * 2);
    for line in code.split_inclusive('\n') {
        if started.elapsed() >= time {
            return None;
        }
        let ops = state.parse_line(line, syntaxes()).ok()?;
        for (text, op) in ScopeRegionIterator::new(&ops, line) {
            stack.apply(op).ok()?;
            if text.is_empty() {
                continue;
            }
            match class(&stack) {
                Some(class) if !text.trim().is_empty() => {
                    html.push_str("<span class=\"");
                    html.push_str(class);
                    html.push_str("\">");
                    escape(&mut html, text);
                    html.push_str("</span>");
                }
                _ => escape(&mut html, text),
            }
        }
    }
    Some(html)
}

/// The class of the innermost scope that has one.
fn class(stack: &ScopeStack) -> Option<&'static str> {
    static SCOPES: OnceLock<Vec<(Scope, &'static str)>> = OnceLock::new();
    let scopes = SCOPES
        .get_or_init(|| CLASSES.iter().filter_map(|(scope, class)| Some((Scope::new(scope).ok()?, *class))).collect());
    // A comment's or string's punctuation and escapes are part of it; few levels up is enough to see what is there.
    let innermost = stack.scopes.iter().rev().take(8);
    innermost
        .filter_map(|scope| scopes.iter().find(|(known, _)| known.is_prefix_of(*scope)))
        .map(|(_, class)| *class)
        .next()
}

fn syntaxes() -> &'static SyntaxSet {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    SYNTAXES.get_or_init(SyntaxSet::load_defaults_newlines)
}

/// The grammar of a language; `None` when it has none here, and for plain text.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let word = language.split([' ', ',', '{']).next().unwrap_or_default();
    let word = word.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let word = word.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if word.is_empty() || word.len() > 20 || matches!(word.as_str(), "text" | "txt" | "plain" | "output" | "console") {
        return None;
    }
    // Grammars that are not there, by the nearest that is.
    let word = match word.as_str() {
        "ts" | "tsx" | "typescript" | "jsx" | "mjs" | "cjs" | "vue" | "svelte" => "js",
        "jsonc" | "json5" | "jsonl" | "ndjson" => "json",
        "shell" | "zsh" | "fish" | "shellsession" | "dockerfile" => "sh",
        "py3" | "pyi" => "py",
        "golang" => "go",
        "kotlin" | "kt" => "java",
        "c++" | "cc" | "cuda" | "cu" => "cpp",
        "c#" | "csharp" => "cs",
        "toml" | "ini" | "conf" | "env" => "properties",
        "postgresql" | "sqlite" | "duckdb" | "psql" => "sql",
        "yml" => "yaml",
        other => other,
    };
    syntaxes().find_syntax_by_token(word).filter(|syntax| syntax.name != "Plain Text")
}

/// Escapes, and makes characters visible that reorder the text around them: code must read as it runs.
fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                html.push_str(&format!("<span class=\"u\">U+{:04X}</span>", u32::from(c)));
            }
            '\n' | '\t' => html.push(c),
            // A terminal's colours and the like: HTML has no way to write them.
            c if c.is_control() => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, language: &str) -> String {
        highlighted(code, language, &mut Budget::of_page()).into_string()
    }

    #[test]
    fn languages_are_found_by_word_extension_and_path() {
        for language in ["rust", "rs", "src/main.rs", "C:\\x\\main.rs", "rust,ignore", "rust {.line}"] {
            let html = shown("fn main() {} // hi", language);
            assert!(html.contains("class=\"hk\">fn</span>") && html.contains("class=\"hc\""), "{language}: {html}");
        }
        assert!(shown("const a: string = 'x'", "tsx").contains("class=\"hk\""));
        assert!(shown("-a\n+b\n", "diff").contains("class=\"hi\""));
        for language in ["", "text", "no-such-language", "<script>", "rust".repeat(10_000).as_str()] {
            assert_eq!(shown("fn main() {}", language), "fn main() {}", "{language:.20}");
        }
    }

    #[test]
    fn code_stays_text() {
        for language in ["html", "js", "rust", "md", "xml", "php", "nope"] {
            let html = shown("<script>alert('x')</script>&\"\u{0}\u{1b}[31m", language);
            let mut rest = html.clone();
            for class in CLASS_NAMES {
                rest = rest.replace(&format!("<span class=\"{class}\">"), "");
            }
            rest = rest.replace("</span>", "");
            assert!(!rest.contains(['<', '>', '"', '\'', '\u{0}', '\u{1b}']), "{language}: {rest}");
        }
    }

    #[test]
    fn characters_that_reorder_code_are_shown() {
        let html = shown("if (a\u{202e}b\u{2066}) {}", "");
        assert_eq!(html, "if (a<span class=\"u\">U+202E</span>b<span class=\"u\">U+2066</span>) {}");
    }

    #[test]
    fn size_and_time_are_bounded() {
        let started = Instant::now();
        let mut budget = Budget::of_page();
        let hostile = [
            "(".repeat(24_000),
            "\"\\".repeat(12_000),
            "<a ".repeat(8_000),
            "a:\n".repeat(8_000),
            format!("{}\n", "=~ s/(((((".repeat(90)).repeat(26),
            format!("{}\n", "*_`[".repeat(200)).repeat(30),
        ];
        for code in hostile.iter().cycle().take(60) {
            for language in ["perl", "ruby", "md", "html", "js", "php", "haskell"] {
                highlighted(code, language, &mut budget);
            }
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        let long = "fn ".repeat(100_000);
        assert_eq!(shown(&long, "rust"), long);
    }

    #[test]
    fn every_class_is_listed() {
        assert!(CLASSES.iter().all(|(scope, class)| Scope::new(scope).is_ok() && CLASS_NAMES.contains(class)));
    }
}
