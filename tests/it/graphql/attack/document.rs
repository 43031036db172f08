//! Documents and variables that want to hurt.

use serde_json::json;

use super::bomb;
use super::siege::{Siege, deep, document, with_variables};

const WRONG: &str = "VALIDATION_ERROR";
const LARGE: &str = "PAYLOAD_TOO_LARGE";
const FILTERED: &str = "query($f: SessionFilters) { sessions(filters: $f) { total } }";

#[test]
fn what_nests_is_refused_before_anything_recurses() {
    let siege = Siege::begin(&[]);
    for times in [65, 1_000, 100_000] {
        let what = |of: &str| format!("{of} {times} deep");
        siege.refuses(
            &what("a list"),
            document(&format!("{{ nodes(ids: {}) {{ id }} }}", deep("[", "", "]", times))),
            WRONG,
        );
        let list = deep("[", "", "]", times);
        siege.refuses(
            &what("a default"),
            document(&format!("query($a: [ID!] = {list}) {{ nodes(ids: $a) {{ id }} }}")),
            WRONG,
        );
        let ty = deep("[", "ID", "]", times);
        siege.refuses(&what("a type"), document(&format!("query($a: {ty}) {{ nodes(ids: $a) {{ id }} }}")), WRONG);
        siege.refuses(&what("a directive"), document(&format!("{{ viewer {{ id @include(if: {list}) }} }}")), WRONG);
        let query = "query($a: [ID!]!) { nodes(ids: $a) { id } }";
        siege.refuses(&what("a variable"), with_variables(query, &format!("{{\"a\":{list}}}")), WRONG);
        let open = document(&format!("{{ nodes(ids: {}", "[".repeat(times)));
        siege.refuses(&what("an open list"), open, WRONG);
    }
    for (times, code) in [(65, WRONG), (10_000, WRONG), (100_000, LARGE)] {
        let what = |of: &str| format!("{of} {times} deep");
        let object = deep("{not:", "{}", "}", times);
        siege.refuses(&what("an object"), document(&format!("{{ sessions(filters: {object}) {{ total }} }}")), code);
        let default = format!("query($f: SessionFilters = {object}) {{ sessions(filters: $f) {{ total }} }}");
        siege.refuses(&what("a default object"), document(&default), code);
        let object = deep("{\"not\":", "{}", "}", times);
        siege.refuses(&what("an object in a variable"), with_variables(FILTERED, &format!("{{\"f\":{object}}}")), code);
        let selection = document(&deep("{a", "", "}", times));
        siege.refuses(&what("a selection"), selection, if times == 100_000 { LARGE } else { WRONG });
        siege.refuses(&what("a fragment"), document(&deep("{...", "", "}", times)), code);
    }
    // As much of it as a body holds.
    let times = (256 * 1_024 - 200) / "{\"not\":}".len();
    let nots = deep("{\"not\":", "{}", "}", times);
    siege.refuses("256 KiB of not", with_variables(FILTERED, &format!("{{\"f\":{nots}}}")), WRONG);
    let ands = vec!["{}"; 80_000].join(",");
    siege.refuses("80,000 of and", with_variables(FILTERED, &format!("{{\"f\":{{\"and\":[{ands}]}}}}")), WRONG);
}

#[test]
fn what_multiplies_is_counted_before_it_is_spread_out() {
    let siege = Siege::begin(&[]);
    let many = |of: &str, times: usize| -> String { (0..times).map(|n| of.replace('#', &n.to_string())).collect() };
    for (what, text) in [
        ("a bomb of 2^30", bomb(2, 30)),
        ("a bomb of 60^4", bomb(60, 4)),
        ("a bomb that is skipped", bomb(60, 4).replacen("...f0", "...f0 @skip(if: true)", 1)),
        ("a bomb in inline fragments", bomb(60, 4).replace("...f1", "... on Query { ...f1 }")),
        ("a chain of 400", bomb(1, 400)),
        ("a fragment in itself", "{ ...a } fragment a on Query { ...a }".to_owned()),
        ("two in each other", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned()),
        ("an unused one in itself", "{ viewer { id } } fragment a on Query { ...a }".to_owned()),
        (
            "unused ones in each other",
            "{ viewer { id } } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        ),
        ("a skipped one in itself", "{ ...a @skip(if: true) } fragment a on Query { ...a }".to_owned()),
        ("20,000 aliases", format!("{{{}}}", many("a#:__typename ", 15_000))),
        ("100 aliases", format!("{{{}}}", many("a#:__typename ", 100))),
        ("20,000 variables", format!("query({}){{__typename}}", many("$v#:Int ", 20_000))),
        ("101 variables", format!("query({}){{__typename}}", many("$v#:Int ", 101))),
        ("5,000 operations", many("query q#{__typename}", 5_000)),
        ("500 operations", many("query q#{__typename}", 500)),
        ("1,000 fragments", format!("{{__typename}}{}", many("fragment f# on Query{__typename}", 1_000))),
        ("the same field 3,000 times", format!("{{{}}}", "__typename ".repeat(3_000))),
        ("directives on a field", format!("{{ viewer {{ id {} }} }}", "@include(if:true)".repeat(1_000))),
        ("unknown directives", format!("{{ viewer {{ id {} }} }}", many("@d# ", 3_000))),
        ("directives on a fragment", format!("{{ ... {} {{ __typename }} }}", "@include(if:true)".repeat(1_000))),
        (
            "directives on a spread",
            format!("{{ ...a {} }} fragment a on Query {{ __typename }}", "@include(if:true)".repeat(1_000)),
        ),
        (
            "directives on a definition",
            format!("{{ ...a }} fragment a on Query {} {{ __typename }}", "@a ".repeat(1_000)),
        ),
        ("directives on an operation", format!("query {} {{ __typename }}", "@a ".repeat(1_000))),
        (
            "directives on a variable",
            format!("query($a: Int {}) {{ sessions(first: $a) {{ total }} }}", "@a ".repeat(1_000)),
        ),
        ("1,000 arguments", format!("{{ sessions({}) {{ total }} }}", many("a#:1 ", 1_000))),
        ("2,000 fields of an object", format!("{{ sessions(filters:{{{}}}) {{ total }} }}", many("a#:1 ", 1_000))),
        ("pairs that cannot be merged", format!("{{{}}}", many("x:project(id:\"#\"){id}", 64))),
    ] {
        siege.refuses(what, document(&text), WRONG);
    }
    // Names that meet: the rule about merging fields compares pairs where it may.
    let same = "viewer { id email } ".repeat(400);
    siege.answers("400 fields that merge", document(&format!("{{ {same} }}")));
    let nested = format!("{{ {} }}", deep("projects{sessions{nodes{project{id}}}} ", "", "", 1).repeat(80));
    siege.answers("80 trees that merge", document(&nested));
    let batch = vec![document("{ __typename }"); 5_000].join(",");
    siege.refuses("a batch of 5,000", format!("[{batch}]"), WRONG);
    siege.refuses("a batch of empty arrays", format!("[{}]", vec!["[]"; 5_000].join(",")), WRONG);
}

#[test]
fn what_asks_about_the_schema_is_bounded_too() {
    let siege = Siege::begin(&[]);
    let types = deep("fields{type{", "name", "}}", 4);
    let whole = "kind name fields{name args{name type{name}} type{kind name ofType{name}}} enumValues{name}";
    for (what, text) in [
        ("recursive", format!("{{__schema{{types{{{types}}}}}}}")),
        ("recursive under aliases", format!("{{a:__schema{{b:types{{{}}}}}}}", types.replace("fields", "x:fields"))),
        ("recursive in fragments", format!("{{__schema{{types{{...a}}}}}} fragment a on __Type{{{types}}}")),
        (
            "in two fragments",
            format!(
                "{{__schema{{types{{...a}}}}}} fragment a on __Type{{fields{{type{{...b}}}}}} fragment b on __Type{{{types}}}"
            ),
        ),
        ("of one type", format!("{{__type(name:\"Query\"){{{types}}}}}")),
        ("a cycle", "{__schema{types{...a}}} fragment a on __Type{fields{type{...a}}}".to_owned()),
        ("beside data", format!("{{viewer{{id}} __schema{{types{{{types}}}}}}}")),
        (
            "70 times",
            format!("{{{}}}", (0..70).map(|n| format!("a{n}:__schema{{types{{{whole}}}}}")).collect::<String>()),
        ),
        (
            "of input fields",
            "{__schema{types{inputFields{type{inputFields{type{inputFields{type{inputFields{name}}}}}}}}}}".to_owned(),
        ),
    ] {
        siege.refuses(what, document(&text), WRONG);
    }
    siege.answers("once under an alias", document(&format!("{{a:__schema{{types{{{whole}}}}}}}")));
}

#[test]
fn numbers_names_and_switches_that_are_not_what_they_should_be() {
    let siege = Siege::begin(&[]);
    let sized = "query($n: Int) { sessions(first: $n) { total nodes { messages(first: $n) { total } } } }";
    let huge = "9".repeat(100_000);
    for number in [
        "-1000000",
        "0",
        "-1",
        "-2147483648",
        "101",
        "2147483647",
        "2147483648",
        "-9223372036854775808",
        "9223372036854775808",
        "99999999999999999999",
        "1.5",
        "1e400",
        "1e10",
        "-0.0",
        huge.as_str(),
    ] {
        let text =
            format!("{{ sessions(first: {number}) {{ total nodes {{ messages(first: {number}) {{ total }} }} }} }}");
        let shown = &number[..number.len().min(30)];
        siege.refuses(&format!("first: {shown}"), document(&text), WRONG);
        siege.refuses(&format!("$n = {shown}"), with_variables(sized, &format!("{{\"n\":{number}}}")), WRONG);
    }
    for text in [
        "{ sessions(limit: -2147483648) { total } }",
        "{ sessions(limit: 2147483647, offset: 2147483647) { total } }",
        "{ sessions(offset: -1) { total } }",
        "{ stats { sessionsByDay(days: -5) { count } topTags(limit: 2147483647) { tag } } }",
        "{ searchSessions(query: \"a\", page: 2147483647, limit: -7) { total } }",
        "{ searchSessions(query: \"a\", page: -2147483648) { total } }",
    ] {
        siege.answers(text, document(text));
    }
    for (what, body) in [
        ("an operation that is a number", json!({ "query": "{ __typename }", "operationName": 1 })),
        ("an operation that is a list", json!({ "query": "{ __typename }", "operationName": [] })),
        ("an operation that is not there", json!({ "query": "query a { __typename }", "operationName": "__proto__" })),
        ("a long operation name", json!({ "query": "query a { __typename }", "operationName": "x".repeat(100_000) })),
        (
            "an operation name of other letters",
            json!({ "query": "query a { __typename }", "operationName": "a\u{0}\n<b>" }),
        ),
        ("a query that is a list", json!({ "query": ["{ __typename }"] })),
        ("a query that is an object", json!({ "query": { "query": "{ __typename }" } })),
        ("variables that are text", json!({ "query": "{ __typename }", "variables": "{}" })),
        ("extensions that are a list", json!({ "query": "{ __typename }", "extensions": [] })),
        (
            "a switch that is text",
            json!({ "query": "query($a: Boolean!) { viewer { id @skip(if: $a) } }", "variables": { "a": "false" } }),
        ),
        ("a switch that is missing", json!({ "query": "query($a: Boolean!) { viewer { id @skip(if: $a) } }" })),
        (
            "a switch that is null",
            json!({ "query": "query($a: Boolean!) { viewer { id @skip(if: $a) } }", "variables": { "a": null } }),
        ),
        (
            "a switch that may be null",
            json!({ "query": "query($a: Boolean) { viewer { id @skip(if: $a) } }", "variables": { "a": null } }),
        ),
        ("a switch without its word", json!({ "query": "{ viewer { id @skip } }" })),
        ("a switch with two", json!({ "query": "{ viewer { id @skip(if: true, if: false) } }" })),
        ("two switches", json!({ "query": "{ viewer { id @skip(if: true) @skip(if: false) } }" })),
        (
            "a long name of a variable",
            json!({ "query": format!("{{ sessions(first: ${}) {{ total }} }}", "x".repeat(100_000)) }),
        ),
        ("a long name of a field", json!({ "query": format!("{{ {} }}", "x".repeat(100_000)) })),
        ("a long text for a number", json!({ "query": sized, "variables": { "n": "x".repeat(100_000) } })),
    ] {
        siege.refuses(what, body.to_string(), WRONG);
    }
    siege.answers("everything skipped", document("{ viewer @skip(if: true) { id } }"));
}

#[test]
fn text_that_is_no_text() {
    let siege = Siege::begin(&[]);
    let raw = |text: &str| format!("{{\"query\":\"{text}\"}}");
    for (what, body) in [
        ("half a surrogate pair in JSON", raw(r"{ sharedSession(id: \ud800) { id } }")),
        ("half a surrogate pair", document(r#"{ sharedSession(id: "\uD800") { id } }"#)),
        ("the wrong half first", document(r#"{ sharedSession(id: "\uDC00\uD800") { id } }"#)),
        ("an escape that ends", document(r#"{ sharedSession(id: "\u12") { id } }"#)),
        ("an escape of nothing", document(r#"{ sharedSession(id: "\u{}") { id } }"#)),
        ("an escape too far", document(r#"{ sharedSession(id: "\u{110000}") { id } }"#)),
        ("an open block", document(r#"{ sharedSession(id: """a) { id } }"#)),
        ("an open block that ends in an escape", document("{ sharedSession(id: \"\"\"a\\\"\"\"")),
        ("a NUL", document("{ viewer \u{0} { id } }")),
        ("a byte order mark inside", document("{ view\u{feff}er { id } }")),
        ("a line separator", document("{ viewer\u{2028}{ i\u{2028}d } }")),
        ("a string over lines", document("{ sharedSession(id: \"a\nb\") { id } }")),
        ("quotes alone", document(&"\"".repeat(100_001))),
        ("backslashes alone", document(&format!("\"{}", "\\".repeat(100_001)))),
        ("comments alone", document(&"#".repeat(100_000))),
        ("dots alone", document(&".".repeat(100_000))),
        ("no JSON", "{\"query\":".to_owned()),
        (
            "a number past all",
            r#"{"query":"query($n:Int){sessions(first:$n){total}}","variables":{"n":1e999}}"#.to_owned(),
        ),
    ] {
        siege.refuses(what, body, WRONG);
    }
    siege.refuses("bytes that are no UTF-8", b"{\"query\":\"{ \xff\xfe }\"}", WRONG);
    for (what, body) in [
        ("a byte order mark before", document("\u{feff}{ viewer { id } }")),
        (
            "an endless escape",
            document(&format!(r#"{{ sharedSession(id: "\u{{{}}}") {{ id }} }}"#, "0".repeat(100_000))),
        ),
        ("a surrogate pair", document(r#"{ sharedSession(id: "\uD83D\uDE00") { id } }"#)),
        (
            "a block of a hundred thousand lines",
            document(&format!("{{ sharedSession(id: \"\"\"{}\"\"\") {{ id }} }}", " \n".repeat(100_000))),
        ),
        (
            "keys that stand twice",
            r#"{"query":"{ nope }","query":"{ viewer { id } }","variables":{"a":1,"a":2}}"#.to_owned(),
        ),
        (
            "a key of a prototype",
            r#"{"query":"{ viewer { id } }","__proto__":{"query":"{ nope }"},"constructor":1}"#.to_owned(),
        ),
    ] {
        siege.answers(what, body);
    }
}
