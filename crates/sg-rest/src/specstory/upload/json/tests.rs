//! The reader against `serde_json`: the same documents, the same values, wherever they are cut.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Puts a value together from events; numbers all become 0, `true` and `false` 0 as well.
#[derive(Default)]
struct Builder {
    open: Vec<Value>,
    keys: Vec<String>,
    text: Vec<u8>,
    done: Option<Value>,
}

impl Builder {
    fn value(&mut self, value: Value) {
        match self.open.last_mut() {
            None => assert_eq!(self.done.replace(value), None, "two documents"),
            Some(Value::Array(items)) => items.push(value),
            Some(Value::Object(map)) => _ = map.insert(self.keys.pop().expect("a key"), value),
            Some(_) => unreachable!(),
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), NotJson> {
        let text = |bytes: &mut Vec<u8>| String::from_utf8(std::mem::take(bytes)).expect("text");
        match event {
            Event::BeginObject => self.open.push(Value::Object(Map::new())),
            Event::BeginArray => self.open.push(Value::Array(Vec::new())),
            Event::EndObject | Event::EndArray => {
                let value = self.open.pop().expect("something is open");
                assert_eq!(value.is_object(), event == Event::EndObject);
                self.value(value);
            }
            Event::BeginKey | Event::BeginString => assert!(self.text.is_empty()),
            Event::EndKey => {
                let key = text(&mut self.text);
                self.keys.push(key);
            }
            Event::EndString => {
                let string = text(&mut self.text);
                self.value(string.into());
            }
            Event::Text(bytes) => self.text.extend_from_slice(bytes),
            Event::Null => self.value(Value::Null),
            Event::Scalar => self.value(0.into()),
        }
        Ok(())
    }
}

fn read(bytes: &[u8], sizes: &[usize]) -> Option<Value> {
    let (mut reader, mut builder) = (Reader::new(), Builder::default());
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, more) = rest.split_at((*sizes.next()?).clamp(1, rest.len()));
        reader.push(piece, &mut |event| builder.take(event)).ok()?;
        rest = more;
    }
    reader.finish(&mut |event| builder.take(event)).ok()?;
    builder.done
}

/// A value as the builder sees it.
fn flat(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => 0.into(),
        Value::Array(items) => items.into_iter().map(flat).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, flat(value))).collect::<Map<_, _>>().into(),
        other => other,
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x7f\"\\\\/é語🚀]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..8).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

/// All of a text's characters as escapes.
fn escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn documents_are_read_wherever_they_are_cut(
        value in json(),
        pretty in any::<bool>(),
        sizes in proptest::collection::vec(1_usize..30, 1..6),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("JSON");
        prop_assert_eq!(read(text.as_bytes(), &sizes), Some(flat(value)));
    }

    #[test]
    fn damaged_documents_are_judged_as_by_serde(
        value in json(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\",:\\0-.eEtfnu \n".to_vec())], 0..3_u8), 1..4),
        sizes in proptest::collection::vec(1_usize..30, 1..6),
    ) {
        let mut bytes = serde_json::to_vec(&value).expect("JSON");
        for (place, byte, how) in damage {
            let at = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at),
            }
        }
        let ours = read(&bytes, &sizes);
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(theirs) => prop_assert_eq!(ours, Some(flat(theirs))),
            // Two things are JSON and too much for serde: numbers beyond its range, and lone surrogates.
            Err(error) if error.to_string().contains("out of range") || bytes.windows(2).any(|w| w == b"\\u") => {}
            Err(error) => prop_assert_eq!(ours, None, "{}", error),
        }
    }

    #[test]
    fn escapes_are_read_wherever_they_are_cut(text in any::<String>(), sizes in proptest::collection::vec(1_usize..9, 1..6)) {
        let json = format!("{{\"{0}\":[\"{0}\"]}}", escaped(&text));
        let mut map = Map::new();
        map.insert(text.clone(), vec![text].into());
        prop_assert_eq!(read(json.as_bytes(), &sizes), Some(map.into()));
    }

    #[test]
    fn plain_text_ends_where_it_should(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let wanted = bytes.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\').unwrap_or(bytes.len());
        prop_assert_eq!(plain_len(&bytes), wanted);
    }
}

#[test]
fn numbers_are_those_of_the_standard() {
    for good in ["0", "-0", "10", "1.5", "-1.05e+10", "0E0", "1e5", "123456789012345678901234567890"] {
        for text in [good.to_owned(), format!("[{good}]"), format!(" {good} ")] {
            assert!(read(text.as_bytes(), &[1]).is_some(), "{text}");
        }
    }
    for bad in
        ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1 2", "--1", "NaN", "Infinity", "nul", "nulll", "tru"]
    {
        for text in [bad.to_owned(), format!("[{bad}1 1]"), format!("{{\"a\":{bad}}}")] {
            assert!(read(text.as_bytes(), &[1]).is_none(), "{text}");
        }
    }
}

#[test]
fn lone_surrogates_are_kept_and_pairs_are_joined() {
    for (json, wanted) in [
        (r#""\ud83d\ude80""#, "🚀".as_bytes()),
        (r#""\ud83d""#, b"\xed\xa0\xbd"),
        (r#""\ude80""#, b"\xed\xba\x80"),
        (r#""\ud83d\ud83d\ude80""#, b"\xed\xa0\xbd\xf0\x9f\x9a\x80"),
        (r#""\ude80\ud83d""#, b"\xed\xba\x80\xed\xa0\xbd"),
        (r#""\ud83dx\ude80""#, b"\xed\xa0\xbdx\xed\xba\x80"),
        (r#""\ud83d\n""#, b"\xed\xa0\xbd\n"),
        (r#""\ud83d\u0041""#, b"\xed\xa0\xbdA"),
        (r#""\ud83d\u00e9\udc00""#, b"\xed\xa0\xbd\xc3\xa9\xed\xb0\x80"),
    ] {
        for size in 1..json.len() {
            let (mut reader, mut text) = (Reader::new(), Vec::new());
            let mut take = |event: Event<'_>| {
                if let Event::Text(bytes) = event {
                    text.extend_from_slice(bytes);
                }
                Ok::<_, NotJson>(())
            };
            json.as_bytes().chunks(size).for_each(|piece| reader.push(piece, &mut take).unwrap());
            reader.finish(&mut take).unwrap();
            assert_eq!(text, wanted, "{json} {size}");
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(nested(MAX_DEPTH).as_bytes(), &[9]).is_some());
    assert!(read(nested(MAX_DEPTH + 1).as_bytes(), &[9]).is_none());
    assert!(read("[".repeat(10_000_000).as_bytes(), &[65_536]).is_none());
}

#[test]
fn what_is_no_utf8_is_no_json() {
    for bad in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf0\x9f\x9a\"",
        b"\"\xc3\\n\"",
        b"\xef\xbb\xbf{}",
        b"\"\xc0\xaf\"",
    ] {
        for size in 1..=bad.len() {
            assert!(read(bad, &[size]).is_none(), "{bad:?}");
        }
    }
    assert_eq!(read("\"é語🚀\"".as_bytes(), &[1]), Some("é語🚀".into()));
}
