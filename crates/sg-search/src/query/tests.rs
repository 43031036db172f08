//! Tests of the query language that need no index.

use super::*;

fn parsed(text: &str) -> Parsed {
    parse(text, Timestamp::parse("2026-06-01T12:00:00Z").unwrap(), &mut CodeTokenizer::default())
}

#[test]
fn trees() {
    let leaf = Node::Leaf;
    let not = |node| Node::Not(Box::new(node));
    for (text, want) in [
        ("a1 b1 OR c1", Some(Node::Or(vec![Node::And(vec![leaf(0), leaf(1)]), leaf(2)]))),
        ("a1 (b1 OR -c1)", Some(Node::And(vec![leaf(0), Node::Or(vec![leaf(1), not(leaf(2))])]))),
        ("NOT NOT a1", Some(leaf(0))),
        ("a1) b1", Some(Node::And(vec![leaf(0), leaf(1)]))),
        ("((a1", Some(leaf(0))),
        ("AND a1 OR", Some(leaf(0))),
        ("a1 - b1", Some(Node::And(vec![leaf(0), leaf(1)]))),
        ("or and not", Some(Node::And(vec![leaf(0), leaf(1), leaf(2)]))),
        ("::: *** ()", None),
        ("", None),
    ] {
        assert_eq!(parsed(text).root, want, "{text}");
    }
}

#[test]
fn roles_and_tools_narrow_the_words_beside_them() {
    let query = parsed("role:user tool:Bash (deploy OR ship) -secret");
    let words = query.used.iter().map(|i| &query.leaves[*i]).filter(|leaf| leaf.field == LeafField::Text);
    let words: Vec<_> = words.map(|leaf| (leaf.scored, leaf.roles.len(), leaf.tools.len())).collect();
    assert_eq!(words, [(true, 1, 1), (true, 1, 1), (false, 0, 0)]);
    // A narrowed word says what its role says.
    assert_eq!(parsed("role:user deploy").used, [1]);
    assert_eq!(parsed("role:user").used, [0]);
}

#[test]
fn costs_are_bounded() {
    assert!(parsed(&"w1 ".repeat(10_000)).leaves.len() <= MAX_LEAVES);
    assert!(parsed(&"数".repeat(9_000)).text.len() <= MAX_QUERY_BYTES);
    let query = parsed(&format!("\"{}\"", "w1 ".repeat(1_000)));
    let Matcher::Phrase(words) = &query.leaves[0].variants[0].matcher else { panic!("{:?}", query.leaves[0]) };
    assert_eq!(words.len(), MAX_PHRASE_WORDS);
}

#[test]
fn moments() {
    let now = Timestamp::parse("2026-06-01T12:00:00Z").unwrap();
    for (text, want) in [
        ("2026-05-04", Some("2026-05-04T00:00:00.000Z")),
        ("2026-05", Some("2026-05-01T00:00:00.000Z")),
        ("2026", Some("2026-01-01T00:00:00.000Z")),
        ("2026-05-04T10:00:00+02:00", Some("2026-05-04T08:00:00.000Z")),
        ("today", Some("2026-06-01T00:00:00.000Z")),
        ("yesterday", Some("2026-05-31T00:00:00.000Z")),
        ("36h", Some("2026-05-31T00:00:00.000Z")),
        ("2w", Some("2026-05-18T12:00:00.000Z")),
        ("soon", None),
        ("d", None),
        ("日d", None),
        ("123456d", None),
        ("abcd-ef", None),
    ] {
        assert_eq!(moment(text, now).map(|at| at.to_string()).as_deref(), want, "{text}");
    }
    assert!(STOP_WORDS.is_sorted());
}
