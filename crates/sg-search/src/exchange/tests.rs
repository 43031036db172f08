//! Tests of the words of exchanges.

use super::*;
use crate::snippet::{Style, render};

fn read(query: &str) -> Vec<String> {
    let show = |clause: &Clause| clause.words.join("→") + if clause.is_open { "*" } else { "" };
    parse(query).iter().map(show).collect()
}

#[test]
fn a_query_is_beginnings_neighbours_and_quotes() {
    for (query, want) in [
        ("thank you", vec!["thank*", "you*"]),
        ("poem.txt", vec!["poem→txt*"]),
        ("(foo_bar", vec!["foo→bar*"]),
        ("\"not found\"", vec!["not→found"]),
        ("\"hello wor", vec!["hello→wor*"]),
        ("a \"b c\" d", vec!["a*", "b→c", "d*"]),
        ("foo\"bar\"baz", vec!["foo*", "bar", "baz*"]),
        ("NOT x* -y AND z", vec!["not*", "x*", "y*", "and*", "z*"]),
        ("a a A", vec!["a*"]),
        ("\"\" \" . \" ab", vec!["ab*"]),
        ("a", vec![]),
        (".a. \"", vec![]),
        ("語", vec![]),
        ("日本", vec!["日→本*"]),
        ("ab日本c", vec!["ab→日→本→c*"]),
        ("ＡＢ ÉTÉ e\u{301}te Straße ΟΔΟΣ ﬁn", vec!["ab*", "ete*", "strasse*", "οδοσ*", "fin*"]),
        ("हिन्दी", vec!["हिन्दी*"]),
        ("ｶﾞｷﾞ", vec!["ガ→ギ*"]),
        ("\u{2}\u{3} \u{301}", vec![]),
    ] {
        assert_eq!(read(query), want, "{query}");
    }
    let long: String = (0..1_000).map(|n| format!("w{n} ")).collect();
    assert_eq!(parse(&long).len(), MAX_CLAUSES);
}

#[test]
fn matches_are_marked_whole() {
    for (query, text, want) in [
        ("hel wor", "Hello, world", "[Hello], [world]"),
        ("ello", "Hello", "Hello"),
        ("\"hel\"", "hel hello", "[hel] hello"),
        ("a.b", "a/bc a x b", "[a/bc] a x b"),
        ("日本", "全日本語", "全[日本]語"),
        ("cafe", "CAFE\u{301}s", "[CAFE\u{301}s]"),
        ("a.b b.c", "a b c", "[a b c]"),
    ] {
        let clauses = parse(query);
        let spans = Marker::new(&clauses).spans(text);
        let marked = render(text, 0..text.len(), &spans, Style::PLAIN);
        assert_eq!(marked.replace('\u{2}', "[").replace('\u{3}', "]"), want, "{query}");
    }
}

/// The words of a text, one after the other.
fn all_words(text: &str) -> Vec<String> {
    let cut_like_a_part = |word: String| cut(&word, MAX_WORD_BYTES).to_owned();
    words(text).into_iter().map(cut_like_a_part).collect()
}

#[test]
fn parts_keep_every_word_in_its_place() {
    let base64 = "QUJD".repeat(5_000);
    let rule = "-".repeat(10_000);
    let text: String = (0..3_000)
        .map(|n| match n % 500 {
            7 => format!("{base64}語 \u{1b}[31m{rule}"),
            8 => "漢字\u{0}と\u{2}かな\r\n\n\t".to_owned(),
            _ => format!("word{n}_x.\n\n"),
        })
        .collect();
    let Parts { parts, starts } = Parts::of(&text);
    let whole = all_words(&text);
    let mut counted = 0;
    for part in &parts {
        assert_eq!(part.first_word, counted, "{}", part.text);
        assert!(part.text.len() <= 2_048 + 2 * 256, "{}", part.text.len());
        assert!(!part.text.contains(char::is_control) && !part.text.contains("  "), "{:?}", part.text);
        counted += words(&part.text).len() as u32;
    }
    assert!(parts.len() > 10);
    let shown: String = parts.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(all_words(&shown), whole);
    let starts: std::collections::HashSet<_> = starts.split(' ').collect();
    assert!(["w", "wo", "wor", "漢", "x", "quj"].iter().all(|start| starts.contains(start)), "{starts:?}");
    assert!(!starts.contains("word") && !starts.contains("ord"));
    assert_eq!(Parts::of("\u{301} -- \n"), Parts::default());
}
