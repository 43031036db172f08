//! Tests of snippets.

use sg_domain::Timestamp;

use super::*;
use crate::query::parse;

fn snippet(query: &str, text: &str) -> Snippet {
    let mut tokenizer = CodeTokenizer::default();
    let parsed = parse(query, Timestamp::default(), &mut tokenizer);
    Highlighter::new(&parsed).snippet(text, &mut tokenizer)
}

#[test]
fn marks_words_parts_stems_and_phrases() {
    for (query, text, want) in [
        ("session", "parseSession(id)", "parse<mark>Session</mark>(id)"),
        ("parse_session", "call parse_session now", "call <mark>parse_session</mark> now"),
        ("auth/mod.rs", "see src/auth/mod.rs:3", "see src/<mark>auth/mod.rs</mark>:3"),
        ("running", "it runs, ran, run", "it <mark>runs</mark>, ran, <mark>run</mark>"),
        ("\"not found\"", "found: not\n\tfound, not a found", "found: <mark>not found</mark>, not a found"),
        ("pars*", "parser PARSES spar", "<mark>parser</mark> <mark>PARSES</mark> spar"),
        ("foo -bar", "foo bar", "<mark>foo</mark> bar"),
        ("café", "CAFE cafe\u{301}", "<mark>CAFE</mark> <mark>cafe\u{301}</mark>"),
        ("role:user x", "user x", "user <mark>x</mark>"),
    ] {
        assert_eq!(snippet(query, text).html, want, "{query}");
    }
    assert_eq!(snippet("x b", "b x X b").highlights, ["b", "x", "X"]);
}

#[test]
fn shows_the_densest_part() {
    let filler = "word ".repeat(200);
    let text = format!("alpha {filler} alpha beta gamma {filler} beta");
    let html = snippet("alpha beta gamma", &text).html;
    assert!(html.contains("<mark>alpha</mark> <mark>beta</mark> <mark>gamma</mark>"), "{html}");
    assert!(html.starts_with("…word") && html.ends_with("word…"), "{html}");
}

#[test]
fn any_text_gives_balanced_marks_and_no_other_tags() {
    let texts =
        ["", "<", "<mark>", "</mark><script>", "a<b>a</b>&amp;'\"a", "\u{0}a\u{1b}[31m", "é\u{301}<é", "数<据>数"];
    for text in texts.into_iter().map(str::to_owned).chain([format!("{}a<b>", "<>".repeat(900)), "數a".repeat(2_000)])
    {
        for query in ["a", "mark", "\"a b\"", "é 数", "amp*", "-a", ""] {
            let html = snippet(query, &text).html;
            assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
            let bare = html.replace("<mark>", "").replace("</mark>", "");
            assert!(!bare.contains(['<', '>', '"', '\'', '\u{0}', '\u{1b}']), "{query} {text}: {html}");
        }
    }
}
