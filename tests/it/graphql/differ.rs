//! Our validation held against graphql-js's: more than a hundred documents, of each rule at least one.
//!
//! What is compared is whether a document gets through, how many errors it has and where they are; the words are each
//! one's own. Differences that are meant stand in `known.json`, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use crate::browser::node;
use crate::harness::{Gateway, Sample};
use crate::program::root;

/// The rules of graphql-js that a document can break, and what comes after them.
const RULES: &[&str] = &[
    "ExecutableDefinitions",
    "UniqueOperationNames",
    "LoneAnonymousOperation",
    "SingleFieldSubscriptions",
    "KnownTypeNames",
    "FragmentsOnCompositeTypes",
    "VariablesAreInputTypes",
    "ScalarLeafs",
    "FieldsOnCorrectType",
    "UniqueFragmentNames",
    "KnownFragmentNames",
    "NoUnusedFragments",
    "PossibleFragmentSpreads",
    "NoFragmentCycles",
    "UniqueVariableNames",
    "NoUndefinedVariables",
    "NoUnusedVariables",
    "KnownDirectives",
    "UniqueDirectivesPerLocation",
    "KnownArgumentNames",
    "UniqueArgumentNames",
    "ValuesOfCorrectType",
    "ProvidedRequiredArguments",
    "VariablesInAllowedPosition",
    "OverlappingFieldsCanBeMerged",
    "UniqueInputFieldNames",
    "syntax",
    "operation",
    "variables",
    "shape",
];

fn fixture(name: &str) -> (String, Vec<Value>) {
    let path = root().join("tests/fixtures/graphql").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path.display().to_string(), serde_json::from_str(&text).unwrap())
}

fn name(case: &Value) -> String {
    format!("{}: {}", case["rule"].as_str().unwrap(), case["name"].as_str().unwrap())
}

/// The locations of each error, in no order: each implementation runs its rules in its own.
fn places(errors: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for error in errors.as_array().into_iter().flatten() {
        let place = |at: &Value| match at {
            Value::Array(_) => at.clone(),
            at => json!([at["line"], at["column"]]),
        };
        let locations: Vec<_> = error["locations"].as_array().into_iter().flatten().map(place).collect();
        *found.entry(Value::from(locations).to_string()).or_default() += 1;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_judged_as_graphql_js_judges_them() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let (path, cases) = fixture("documents.json");
    let schema = root().join("schema.graphql").display().to_string();
    let viewer = json!({ "viewer": gateway.graphql("{ viewer { id email } }", json!({})).await["viewer"] });
    let ran = node("differ.mjs", &[&schema, &path, &viewer.to_string()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let theirs: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(cases.len(), theirs.len());

    let (_, known) = fixture("known.json");
    let mut known: BTreeMap<_, _> = known.iter().map(|entry| (name(entry), entry)).collect();
    let mut new = Vec::new();
    let has_subscriptions = std::fs::read_to_string(&schema).unwrap().contains("\ntype Subscription ");
    for (case, theirs) in cases.iter().zip(&theirs) {
        // Without the type, graphql-js has nothing to say of them.
        if case["rule"] == "SingleFieldSubscriptions" && !has_subscriptions {
            continue;
        }
        let call = gateway.call(Method::POST, "/api/v1/graphql").key(&gateway.me.key);
        let body = json!({ "query": case["document"], "variables": case["variables"], "operationName": case["operationName"] });
        let answer = call.json(&body).send().await;
        let (text, answer) = (answer.text(), answer.json());
        let ours = match answer.get("data") {
            // It ran; what a resolver says of it is no matter of validation.
            Some(_) => json!([]),
            None => answer["errors"].clone(),
        };
        let (mine, js) = (places(&ours), places(&theirs["errors"]));
        let same_shape = case["executes"].as_bool() != Some(true) || {
            // As text: the order of fields is part of it.
            theirs["data"].as_str().is_some_and(|data| text.starts_with(&format!("{{\"data\":{data}")))
        };
        match (mine == js && same_shape, known.remove(&name(case))) {
            (true, Some(_)) => new.push(format!("{} is no longer different: take it from known.json", name(case))),
            (false, Some(entry)) if places(&entry["ours"]) == mine && entry["reason"].is_string() => {}
            (true, None) => {}
            (false, _) => new.push(format!(
                "{}\n  {}\n  ours {}\n  graphql-js {}",
                name(case),
                case["document"],
                if same_shape { ours.to_string() } else { text.clone() },
                theirs,
            )),
        }
    }
    new.extend(known.keys().map(|name| format!("{name} is in known.json but not in documents.json")));
    assert!(new.is_empty(), "{} differences:\n{}", new.len(), new.join("\n"));
}

#[test]
fn every_rule_has_documents() {
    let (_, cases) = fixture("documents.json");
    let covered: BTreeSet<_> = cases.iter().map(|case| case["rule"].as_str().unwrap()).collect();
    assert_eq!(covered, RULES.iter().copied().collect());
    assert!(cases.len() >= 100);
}
