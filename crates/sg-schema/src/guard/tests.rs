//! Attacks on the guard. The test threads have small stacks, which is the point.

use std::time::{Duration, Instant};

use super::*;

fn guard() -> Guard {
    Guard::new(&crate::sdl(), GraphqlLimits::default()).unwrap()
}

fn refusal(guard: &Guard, text: &str) -> String {
    let began = Instant::now();
    let errors = match guard.document(text) {
        Ok(_) => panic!("got through: {}", &text[..text.len().min(200)]),
        Err(refused) => refused.errors,
    };
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    assert!(!errors.is_empty());
    errors[0].message.clone()
}

fn bomb(width: usize, height: usize) -> String {
    let mut text = "{ ...f0 }".to_owned();
    for level in 0..height {
        let spreads = format!("...f{} ", level + 1).repeat(width);
        text += &format!(" fragment f{level} on Query {{ {spreads} }}");
    }
    text + &format!(" fragment f{height} on Query {{ __typename }}")
}

#[test]
fn nesting_never_overflows_the_stack() {
    let guard = guard();
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    for text in [
        format!("{{ nodes(ids: {}) {{ id }} }}", deep("[", "]", 100_000)),
        format!("{{ sessions(filters: {}) {{ total }} }}", deep("{not:", "}", 100_000)),
        deep("{ a ", "}", 100_000),
        deep("{ ... ", "}", 40_000),
        format!("query($a: {}) {{ viewer {{ id }} }}", deep("[", "]", 100_000)),
        "[".repeat(100_000),
        "(".repeat(100_000),
    ] {
        assert!(refusal(&guard, &text).contains("nests deeper"), "{}", &text[..40]);
    }
    // The deepest that the scan lets through must be safe for every parser behind it.
    for text in [
        format!("{{ nodes(ids: {}) {{ id }} }}", deep("[", "]", 61)),
        format!("query($a: {}) {{ viewer {{ id }} }}", "[".repeat(62) + "Int" + &"]".repeat(62)),
        deep("{ a ", "}", 64),
        deep("{ ... ", "}", 64),
    ] {
        refusal(&guard, &text);
    }
}

#[test]
fn fragment_bombs_cycles_and_repetition() {
    let guard = guard();
    assert!(refusal(&guard, &bomb(60, 4)).contains("fields"));
    assert!(refusal(&guard, &bomb(2, 30)).contains("fields"));
    assert!(refusal(&guard, &bomb(1, 400)).contains("nest too deep"));
    assert!(refusal(&guard, "{ ...a } fragment a on Query { ...a }").contains("within itself"));
    assert!(
        refusal(&guard, "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").contains("within itself")
    );
    assert!(refusal(&guard, "{ viewer { id } } fragment a on Query { ...a }").len() > 3);
    let aliases: String = (0..20_000).map(|n| format!("a{n}: __typename ")).collect();
    assert!(refusal(&guard, &format!("{{ {aliases} }}")).contains("tokens"));
    let aliases: String = (0..1_000).map(|n| format!("a{n}: __typename ")).collect();
    assert!(refusal(&guard, &format!("{{ {aliases} }}")).contains("aliases"));
    assert!(refusal(&guard, &format!("{{ {} }}", "__typename ".repeat(3_000))).contains("fields"));
    let directives = "@include(if: true) ".repeat(65);
    assert!(refusal(&guard, &format!("{{ __typename {directives} }}")).contains("directives"));
    let variables: String = (0..101).map(|n| format!("$v{n}: Int ")).collect();
    assert!(refusal(&guard, &format!("query({variables}) {{ __typename }}")).contains("variables"));
    // Names that collide: the rule about merging fields is the expensive one.
    let same = "viewer { id email } ".repeat(400);
    assert!(guard.document(&format!("{{ {same} }}")).is_ok());
}

#[test]
fn depth_and_introspection() {
    let guard = guard();
    let deep = format!("{{ projects {}{}{} }}", "{ sessions { nodes { project ".repeat(6), "{ id }", "} } }".repeat(6));
    assert!(refusal(&guard, &deep).contains("levels"));
    let types = format!("{{ __schema {{ types {}{}{} }} }}", "{ fields { type ".repeat(4), "{ name }", "} }".repeat(4));
    assert!(refusal(&guard, &types).contains("introspection"));
    let document = guard.document(INTROSPECTION_QUERY).map_err(|e| e.errors).unwrap();
    let operation = guard.operation(&document, None).map_err(|e| e.errors).unwrap();
    assert!(Guard::is_introspection(&document, operation));
    assert!(guard.variables(&document, operation, Map::new()).is_ok());
}

#[test]
fn pages_of_pages_are_estimated_with_the_variables_they_come_with() {
    let guard = guard();
    let text =
        "query($n: Int) { projects { sessions(first: $n) { nodes { messages(first: $n) { nodes { text } } } } } }";
    let document = guard.document(text).map_err(|e| e.errors).unwrap();
    let operation = guard.operation(&document, None).map_err(|e| e.errors).unwrap();
    let run = |n: i64| guard.variables(&document, operation, Map::from_iter([("n".to_owned(), n.into())]));
    assert!(run(10).is_ok());
    assert!(run(100).err().unwrap().errors[0].message.contains("objects"));
    // A negative size must not wrap into a small product; the resolver refuses it by name.
    assert!(run(-1_000_000).is_ok());
    assert!(run(1 << 40).is_err());
}

#[test]
fn variables_are_coerced() {
    let guard = guard();
    let text = "query Q($q: String!, $n: Int = 3, $ids: [ID!]!) { searchSessions(query: $q, limit: $n) { total } nodes(ids: $ids) { id } }";
    let document = guard.document(text).map_err(|e| e.errors).unwrap();
    let operation = guard.operation(&document, Some("Q")).map_err(|e| e.errors).unwrap();
    let run = |json: &str| guard.variables(&document, operation, serde_json::from_str(json).unwrap());
    let values = run(r#"{"q":"x","ids":[1,"b"],"unknown":[[[]]]}"#).map_err(|e| e.errors).unwrap();
    assert_eq!(serde_json::to_value(&values.values).unwrap(), serde_json::json!({"q": "x", "n": 3, "ids": ["1", "b"]}));
    for bad in [
        "{}",
        r#"{"q":null,"ids":[]}"#,
        r#"{"q":1,"ids":[]}"#,
        r#"{"q":"x","ids":[],"n":"3"}"#,
        r#"{"q":"x","ids":[null]}"#,
    ] {
        assert!(run(bad).is_err(), "{bad}");
    }
    assert!(guard.operation(&document, Some("R")).is_err());
}

#[test]
fn ids_and_strings_are_interchangeable_in_variables() {
    let guard = guard();
    for text in [
        "query($id: ID!) { project(id: $id) { id } session(id: $id) { id } node(id: $id) { id } }",
        "query($id: String!) { project(id: $id) { id } session(id: $id) { id } node(id: $id) { id } }",
    ] {
        assert!(guard.document(text).is_ok(), "{text}");
    }
    assert!(refusal(&guard, "query($id: Int!) { node(id: $id) { id } }").contains("Int"));
}

#[test]
fn the_cache_is_bounded() {
    let limits = GraphqlLimits { document_cache_bytes: 64 * 1024, ..GraphqlLimits::default() };
    let guard = Guard::new(&crate::sdl(), limits).unwrap();
    let first = "{ a0: __typename }";
    let hash = guard.document(first).map_err(|e| e.errors).unwrap().hash;
    assert!(guard.known(&hash).is_some());
    for n in 1..200 {
        assert!(guard.document(&format!("{{ a{n}: __typename }}")).is_ok());
    }
    assert!(guard.cache.len() < 20);
    assert!(guard.known(&hash).is_none());
}

#[test]
fn a_subscription_has_one_root_field() {
    let sdl = "type Query { a: Int } type Subscription { a: Int b(c: Int!): Int }";
    let guard = Guard::new(sdl, GraphqlLimits::default()).unwrap();
    assert!(guard.document("subscription { a x: a a }").is_err());
    assert!(guard.document("subscription { ...f } fragment f on Subscription { x: a }").is_ok());
    assert!(refusal(&guard, "subscription { a b(c: 1) }").contains("one top level field"));
    assert!(refusal(&guard, "subscription S { ...f } fragment f on Subscription { a b(c: 1) }").contains("\"S\""));
    assert!(refusal(&guard, "subscription { __typename }").contains("introspection"));
}

#[test]
fn errors_say_where() {
    let guard = guard();
    let Err(refused) = guard.document("{\n  nope\n}") else { panic!("got through") };
    assert_eq!((refused.errors[0].locations[0].line, refused.errors[0].locations[0].column), (2, 3));
    assert!(refused.errors[0].message.contains("nope"));
}

const INTROSPECTION_QUERY: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
  subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations
  args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name description
  args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
