//! The search for sessions to resume, against an evaluator that knows nothing but the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sg_domain::{ExchangeHit, ExchangeQuery, ProjectId, Visibility};
use sg_search::{SearchIndex, SessionDocument};

use super::{engines, fill, id, says, user};

/// A session of Ann's that can be resumed.
fn resumable(n: u64, exchanges: &[&str]) -> SessionDocument {
    let mut document = says(n, "said otherwise");
    document.session.session_data_size = Some(10);
    document.exchanges = exchanges.iter().map(|text| (*text).to_owned()).collect();
    document
}

fn asked(text: &str) -> ExchangeQuery {
    ExchangeQuery { visibility: Visibility::Owner(user("ann")), text: text.to_owned(), project: None }
}

/// The numbers of the sessions found, with the exchange and the snippet.
async fn ask(index: &dyn SearchIndex, query: ExchangeQuery) -> BTreeMap<u64, (u32, String)> {
    let hits = index.exchanges(query).await.unwrap();
    let count = hits.len();
    let by_number = |hit: ExchangeHit| ((hit.session.0.as_u128() & 0xffff_ffff) as u64, (hit.exchange, hit.snippet));
    let found: BTreeMap<_, _> = hits.into_iter().map(by_number).collect();
    assert_eq!(found.len(), count, "a session came twice");
    found
}

async fn found(index: &dyn SearchIndex, text: &str) -> Vec<u64> {
    ask(index, asked(text)).await.into_keys().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_are_beginnings_and_stand_in_one_exchange() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = [
            resumable(1, &["Thank you for the poem.txt", "hello"]),
            resumable(2, &["thankful", "youth"]),
            resumable(3, &["youthful and THANKFUL, the poem has no txt"]),
            resumable(4, &["parseSession(userToken), the running of runs"]),
            resumable(5, &["全日本語の検索", "Ünïcode ＦＵＬＬ cafe\u{301}"]),
        ];
        fill(index, documents).await;
        for (query, want) in [
            ("thank you", vec![1, 3]),
            ("you THANK", vec![1, 3]),
            ("thank hello", vec![]),
            ("poem.txt", vec![1]),
            ("poem.t", vec![1]),
            ("poem/t", vec![1]),
            ("oem", vec![]),
            ("poem txt", vec![1, 3]),
            ("\"the poem\"", vec![1, 3]),
            ("\"the poe\"", vec![]),
            ("\"the poe", vec![1, 3]),
            ("\"poem the\"", vec![]),
            ("\"thank\"", vec![1]),
            ("token", vec![]),
            ("parsesess", vec![4]),
            ("run", vec![4]),
            ("\"run\"", vec![]),
            ("the", vec![1, 3, 4]),
            ("AND the", vec![3]),
            ("-the *poem* NOT", vec![]),
            ("-hello", vec![1]),
            ("日本", vec![5]),
            ("本語の検", vec![5]),
            ("日語", vec![]),
            ("unicode full CAFÉ", vec![5]),
            ("t", vec![]),
            ("t.", vec![]),
            ("t p", vec![1, 3, 4]),
            ("", vec![]),
            ("\"\"\"", vec![]),
        ] {
            assert_eq!(found(index, query).await, want, "{name}: {query}");
        }
        // The other search does not look at exchanges, and this one not at messages.
        assert!(super::found(index, "thankful").await.is_empty(), "{name}");
        assert!(found(index, "otherwise").await.is_empty(), "{name}");
        assert_eq!(index.status().documents, 5, "{name}: exchanges are no pieces");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snippet_is_of_the_first_exchange_that_matches() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let filler = "zz ".repeat(40_000);
        let across: String = (0..2_000).map(|n| format!("edge{n} ")).collect();
        let documents = [
            resumable(1, &["other", "before <b> \u{1b}[1m the\u{2} needle\u{3}\r\nand more", "needle"]),
            resumable(2, &[&format!("{filler}in the haystack {filler}")]),
            resumable(3, &[&across]),
            resumable(4, &[&format!("{filler} qx {filler}")]),
        ];
        fill(index, documents).await;
        let hits = ask(index, asked("the nee")).await;
        let want = "before <b> [1m \u{2}the\u{3} \u{2}needle\u{3} and more";
        assert_eq!(hits[&1], (1, want.to_owned()), "{name}");
        let (_, snippet) = &ask(index, asked("haystack")).await[&2];
        assert!(snippet.contains("in the \u{2}haystack\u{3} zz"), "{name}: {snippet}");
        assert!(snippet.starts_with('…') && snippet.ends_with('…') && snippet.len() < 400, "{name}: {snippet}");
        // Wherever parts were cut, neighbours are found and shown as one.
        for n in 0..1_999 {
            let query = format!("\"edge{n} edge{}\"", n + 1);
            let (_, snippet) = &ask(index, asked(&query)).await[&3];
            assert!(snippet.contains(&format!("\u{2}edge{n} edge{}\u{3}", n + 1)), "{name}: {query}: {snippet}");
        }
        // Too deep in a huge exchange to be looked for: the start is shown.
        let (_, snippet) = &ask(index, asked("qx")).await[&4];
        assert!(snippet.starts_with("zz zz") && snippet.ends_with('…'), "{name}: {snippet}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_beginning_has_too_many_words() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = (0..3_000).map(|n| resumable(n, &[&format!("very common{n:04} then{n:04}")]));
        fill(index, documents.collect::<Vec<_>>()).await;
        for query in ["co", "comm", "common", "very.comm", "very.c", "\"common0001 then0001\" then", "c t"] {
            let want = if query.starts_with('"') { 1 } else { 3_000 };
            assert_eq!(ask(index, asked(query)).await.len(), want, "{name}: {query}");
        }
        for n in [0, 1_499, 2_999] {
            index.remove(id(n)).await.unwrap();
            assert!(!found(index, "common").await.contains(&n), "{name}: removed, not committed");
        }
        index.commit().await.unwrap();
        assert_eq!(found(index, "common then").await.len(), 2_997, "{name}");
        fill(index, [SessionDocument { exchanges: vec!["other".to_owned()], ..resumable(5, &[]) }]).await;
        assert_eq!(found(index, "common then").await.len(), 2_996, "{name}: put again with other text");
        assert_eq!(found(index, "other").await, [5], "{name}");
    }
}

/// The letters of the texts below with their folds, written down by hand.
const LETTERS: [(char, char); 14] = [
    ('a', 'a'),
    ('A', 'a'),
    ('b', 'b'),
    ('B', 'b'),
    ('c', 'c'),
    ('é', 'e'),
    ('É', 'e'),
    ('e', 'e'),
    ('Ａ', 'a'),
    ('1', '1'),
    ('漢', '漢'),
    ('字', '字'),
    ('я', 'я'),
    ('z', 'z'),
];

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in text.chars() {
        let letter = LETTERS.iter().find(|(letter, _)| *letter == c).map(|(_, fold)| *fold);
        match letter {
            None if c == '\u{301}' => {}
            None => is_open = false,
            Some(letter @ ('漢' | '字')) => {
                words.push(letter.to_string());
                is_open = false;
            }
            Some(letter) if is_open => words.last_mut().unwrap().push(letter),
            Some(letter) => {
                words.push(letter.to_string());
                is_open = true;
            }
        }
    }
    words
}

/// Words that follow each other, and whether the last may be a beginning.
fn clauses(query: &str) -> Vec<(Vec<String>, bool)> {
    let letters = query.chars().filter(|c| LETTERS.iter().any(|(letter, _)| letter == c)).count();
    if letters < 2 {
        return Vec::new();
    }
    let parts: Vec<&str> = query.split('"').collect();
    let mut clauses = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        match i % 2 {
            0 => clauses.extend(part.split_whitespace().map(|word| (words(word), true))),
            _ => clauses.push((words(part), i + 1 == parts.len())),
        }
    }
    clauses.retain(|(words, _)| !words.is_empty());
    clauses
}

fn holds(text: &[String], (want, is_open): &(Vec<String>, bool)) -> bool {
    let (last, before) = want.split_last().unwrap();
    text.windows(want.len()).any(|have| {
        let (end, start) = have.split_last().unwrap();
        start == before && (end == last || (*is_open && end.starts_with(last.as_str())))
    })
}

fn texts() -> impl Strategy<Value = String> {
    let between = prop::sample::select(vec![" ", " ", " ", ".", "_", "\n", "\u{2}", "-\t", "\u{301}", "<&>", ""]);
    let word = (runs(4), between).prop_map(|(letters, gap)| letters + gap);
    // Long enough, now and then, to be cut into parts.
    let filler = prop_oneof![12 => Just(String::new()), 1 => Just("zz ".repeat(1_000))];
    let pieces = prop::collection::vec((word, filler).prop_map(|(word, filler)| word + &filler), 0..40);
    pieces.prop_map(|pieces| pieces.concat())
}

/// Fewer than so many letters.
fn runs(most: usize) -> impl Strategy<Value = String> {
    let letters: Vec<String> = LETTERS.iter().map(|(letter, _)| letter.to_string()).collect();
    let letter = prop_oneof![1 => prop::sample::select(letters), 1 => prop::sample::select(vec!["a".to_owned(), "b".to_owned()])];
    prop::collection::vec(letter, 0..most).prop_map(|letters| letters.concat())
}

/// One to four short words with something between them.
fn queries() -> impl Strategy<Value = String> {
    let between = prop::sample::select(vec![" ", " ", " ", ".", "\"", "\"", " \"", "\" ", "\u{301}", "-", ""]);
    let word = (between.clone(), runs(3)).prop_map(|(gap, letters)| gap.to_owned() + &letters);
    (prop::collection::vec(word, 1..5), between).prop_map(|(words, end)| words.concat() + end)
}

fn documents() -> impl Strategy<Value = SessionDocument> {
    let exchanges = prop::collection::vec(texts(), 0..4);
    let size = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 6 => Just(Some(9_u64))];
    let owner = prop_oneof![5 => Just("ann"), 1 => Just("bob")];
    (0..40_u64, exchanges, size, owner, prop::sample::select(vec!["p", "q"])).prop_map(
        |(n, exchanges, size, owner, project)| {
            let mut document = resumable(n, &[]);
            document.exchanges = exchanges;
            document.session.session_data_size = size;
            document.session.owner = user(owner);
            document.session.project_id = ProjectId::new(project).unwrap();
            document
        },
    )
}

/// The first exchange of a session that answers a query, by the rules.
fn expected(document: &SessionDocument, query: &ExchangeQuery) -> Option<u32> {
    let session = &document.session;
    let clauses = clauses(&query.text);
    if clauses.is_empty()
        || session.owner != user("ann")
        || session.session_data_size.unwrap_or(0) == 0
        || query.project.as_ref().is_some_and(|project| *project != session.project_id)
    {
        return None;
    }
    let answers = |text: &String| clauses.iter().all(|clause| holds(&words(text), clause));
    document.exchanges.iter().position(answers).map(|place| place as u32)
}

/// What every snippet promises: one line, marks in pairs, and between them what was looked for.
fn check_snippet(query: &str, snippet: &str) {
    let plain: String = snippet.chars().filter(|c| !matches!(c, '\u{2}' | '\u{3}')).collect();
    assert!(!plain.contains(char::is_control), "{query:?}: {snippet:?}");
    let mut parts = snippet.split('\u{2}');
    assert!(!parts.next().unwrap().contains('\u{3}'), "{query:?}: {snippet:?}");
    let mut marked = 0;
    for part in parts {
        let (inside, outside) = part.split_once('\u{3}').unwrap_or_else(|| panic!("{query:?}: {snippet:?}"));
        assert!(!outside.contains('\u{3}'), "{query:?}: {snippet:?}");
        let inside = words(inside);
        assert!(clauses(query).iter().any(|clause| holds(&inside, clause)), "{query:?}: {snippet:?}");
        marked += 1;
    }
    assert!(marked > 0, "{query:?} marks nothing in {snippet:?}");
}

#[test]
fn the_index_agrees_with_the_rules() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let projects = prop_oneof![3 => Just(None), 1 => Just(Some("p")), 1 => Just(Some("nowhere"))];
    let questions = prop::collection::vec((queries(), projects), 40);
    let answered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
    runner
        .run(&(prop::collection::vec(documents(), 1..40), questions), |(documents, questions)| {
            for (name, engine) in engines() {
                let index = &*engine.index;
                // The last one of each number is what the index holds; two commits make two segments.
                let latest: BTreeMap<u128, &SessionDocument> =
                    documents.iter().map(|document| (document.session.id.0.as_u128(), document)).collect();
                let half = documents.len() / 2;
                runtime.block_on(fill(index, documents[..half].to_vec()));
                runtime.block_on(fill(index, documents[half..].to_vec()));
                for (text, project) in &questions {
                    let project = project.map(|project| ProjectId::new(project).unwrap());
                    let query = ExchangeQuery { project, ..asked(text) };
                    let want: BTreeMap<u64, u32> = latest
                        .values()
                        .filter_map(|document| {
                            let number = (document.session.id.0.as_u128() & 0xffff_ffff) as u64;
                            Some((number, expected(document, &query)?))
                        })
                        .collect();
                    let hits = runtime.block_on(ask(index, query.clone()));
                    let have: BTreeMap<u64, u32> = hits.iter().map(|(number, hit)| (*number, hit.0)).collect();
                    prop_assert_eq!(&have, &want, "{}: {:?}", name, query);
                    answered.set(answered.get() + usize::from(!have.is_empty()));
                    hits.values().for_each(|(_, snippet)| check_snippet(text, snippet));
                }
            }
            Ok(())
        })
        .unwrap();
    let answered = answered.get();
    assert!(answered > 50, "only {answered} questions found anything: the test shows little");
}
