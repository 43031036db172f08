//! Tests of the analysis.

use super::*;

fn terms(text: &str) -> Vec<(usize, String, TermKind)> {
    let mut out = Vec::new();
    CodeTokenizer::default().each(text, |token, kind| {
        assert!(text.is_char_boundary(token.offset_from) && text.is_char_boundary(token.offset_to));
        assert!(token.offset_from < token.offset_to, "{token:?}");
        out.push((token.position, token.text.clone(), kind));
    });
    out
}

fn without_stems(text: &str) -> Vec<(usize, String)> {
    let terms = terms(text).into_iter().filter(|(.., kind)| *kind != TermKind::Stem);
    terms.map(|(position, text, _)| (position, text)).collect()
}

fn pairs(pairs: &[(usize, &str)]) -> Vec<(usize, String)> {
    pairs.iter().map(|(position, text)| (*position, (*text).to_owned())).collect()
}

#[test]
fn names_stand_at_their_first_word() {
    assert_eq!(
        without_stems("src/auth/userToken.rs x"),
        pairs(&[
            (0, "src/auth/usertoken.rs"),
            (0, "src"),
            (1, "auth"),
            (2, "usertoken.rs"),
            (2, "usertoken"),
            (2, "user"),
            (2, "token"),
            (3, "rs"),
            (4, "x"),
        ])
    );
    assert_eq!(
        without_stems("a.parse_id::B"),
        pairs(&[(0, "a.parse_id::b"), (0, "a.parse_id"), (0, "a"), (1, "parse_id"), (1, "parse"), (2, "id"), (3, "b")])
    );
    assert_eq!(without_stems("__init__"), pairs(&[(0, "__init__"), (0, "init")]));
    assert_eq!(without_stems("C++, c#"), pairs(&[(0, "c"), (0, "c++"), (1, "c"), (1, "c#")]));
    assert_eq!(
        without_stems("HTTPServer2xx sha256Hash"),
        pairs(&[(0, "httpserver2xx"), (0, "http"), (0, "server2xx"), (1, "sha256hash"), (1, "sha256"), (1, "hash"),])
    );
}

#[test]
fn stems_are_marked_and_only_where_they_differ() {
    let stems: Vec<_> = terms("running run E0308 serde_json naïveté")
        .into_iter()
        .filter(|(.., kind)| *kind == TermKind::Stem)
        .collect();
    assert_eq!(stems.first(), Some(&(0, format!("{STEM_MARK}run"), TermKind::Stem)));
    assert!(stems.iter().all(|(position, ..)| *position != 1), "run is its own stem: {stems:?}");
}

#[test]
fn pairs_cover_every_neighbour_of_a_long_run() {
    let text: String = ('一'..).take(500).collect();
    let found = terms(&text);
    let chars: Vec<char> = text.chars().collect();
    for (i, pair) in chars.windows(2).enumerate() {
        let pair: String = pair.iter().collect();
        assert!(found.contains(&(i, pair.clone(), TermKind::Pair)), "{i} {pair}");
    }
    assert_eq!(found.iter().filter(|(.., kind)| *kind == TermKind::Single).count(), 500);
    assert_eq!(found.iter().filter(|(.., kind)| *kind == TermKind::Pair).count(), 499);
}

#[test]
fn positions_never_go_back() {
    for text in [
        "a/b_c/d.e-f::g@h",
        "数据a库_b",
        "ﾃﾞｰﾀ",
        "x_y_z.a_b_c/d",
        "__ _ a__b",
        "e\u{301}a\u{301}",
        "\u{301}",
        "1/2/3",
        "a---b....c",
    ] {
        let positions: Vec<_> = terms(text).into_iter().map(|(position, ..)| position).collect();
        assert!(positions.is_sorted(), "{text}: {positions:?}");
    }
}

#[test]
fn long_words_are_cut_not_lost() {
    let text = format!("{}Z", "aB3".repeat(5_000));
    let found = without_stems(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.len(), MAX_TERM_BYTES);
    assert_eq!(fold(&text), found[0].1);
    let names = without_stems(&"ab/".repeat(1_000));
    assert!(names.iter().all(|(_, term)| term.len() <= MAX_TERM_BYTES));
    assert_eq!(names.iter().filter(|(_, term)| term == "ab").count(), 1_000);
}

#[test]
fn folding_reaches_one_form() {
    for (text, want) in [
        ("É", "e"),
        ("e\u{301}", "e"),
        ("Straße", "strasse"),
        ("ＡＢＣ１", "abc1"),
        ("ﬁx", "fix"),
        ("İ", "i"),
        ("Œuvre", "oeuvre"),
        ("ﾃﾞ", "デ"),
        ("テ\u{3099}", "デ"),
        ("Й", "и"),
    ] {
        assert_eq!(fold(text), want, "{text}");
    }
}
