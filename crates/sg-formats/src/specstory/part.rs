//! The parts of one exchange's text, for those who compare exchanges of two states of a document.

use sg_domain::Role;

use super::cut::MAX_HEADER_BYTES;
use super::header::Header;

/// An exchange's text in parts. Whitespace and the rule at the end belong to none: they come and go with what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeParts<'a> {
    /// What stands before the first header: only the first exchange of a document has any.
    pub preamble: &'a str,
    /// All from the first header on; the whole when there is no header.
    pub said: &'a str,
    /// What the user says, without the first header line, up to the agent's header.
    pub prompt: &'a str,
}

impl<'a> ExchangeParts<'a> {
    /// Takes an exchange's text apart.
    pub fn of(text: &'a str) -> Self {
        let (mut first, mut agent, mut at) = (None, None, 0);
        for line in text.split_inclusive('\n') {
            let header = (line.len() <= MAX_HEADER_BYTES).then(|| Header::of(line)).flatten();
            if let Some(header) = header {
                let is_agent = header.role == Role::Assistant;
                // An agent that speaks first leaves an empty prompt.
                first.get_or_insert((at, if is_agent { at } else { at + line.len() }));
                if is_agent {
                    agent = Some(at);
                    break;
                }
            }
            at += line.len();
        }
        let (said_at, prompt_at) = first.unwrap_or((0, 0));
        let prompt = &text[prompt_at..agent.unwrap_or(text.len())];
        Self { preamble: text[..said_at].trim(), said: bare(&text[said_at..]), prompt: bare(prompt).trim_start() }
    }
}

/// Without whitespace and rules at the end.
fn bare(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some(rest) = text.strip_suffix("---").filter(|rest| rest.is_empty() || rest.ends_with('\n')) {
        text = rest.trim_end();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_exchange() {
        let text = "# top\n\n_**User (2026-01-16 16:46:41Z)**_\r\n\nwhy?\n\n---\n\n_**Agent (m)**_\n\nso\n\n---\n\n";
        let parts = ExchangeParts::of(text);
        assert_eq!((parts.preamble, parts.prompt), ("# top", "why?"));
        assert!(parts.said.starts_with("_**User") && parts.said.ends_with("\n\nso"), "{parts:?}");
        let open = ExchangeParts::of("_**User**_\n\nwhy?\n\n---\n");
        assert_eq!((open.preamble, open.prompt, open.said), ("", "why?", "_**User**_\n\nwhy?"));
        let prose = ExchangeParts::of("prose a---\n");
        assert_eq!((prose.preamble, prose.prompt, prose.said), ("", "prose a---", "prose a---"));
        let agent = ExchangeParts::of("_**Agent**_\nhi");
        assert_eq!((agent.prompt, agent.said), ("", "_**Agent**_\nhi"));
    }
}
