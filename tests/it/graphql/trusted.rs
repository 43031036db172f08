//! Trusted documents: what a manifest holds runs, by its text, its hash or its id, and nothing else does.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use sg_domain::Digest;
use sg_server::config::{Config, GraphqlSection};

use super::lint::compiled;
use crate::harness::{Answer, Gateway, Sample, Stack};
use crate::leak::assert_tight;
use crate::program::Program;

const PATH: &str = "/api/v1/graphql";
const VIEWER: &str = "query Viewer { viewer { id } }";
const RENAME: &str =
    "mutation Rename($input: UpdateSessionInput!) { updateSession(input: $input) { session { userTitle } } }";

fn config(manifest: &std::path::Path) -> Config {
    Config { graphql: GraphqlSection { trusted_documents: manifest.to_owned() }, ..Config::default() }
}

/// A stack that trusts these documents.
fn trusting(gateway: &Gateway, manifest: &Value) -> Stack {
    let path = gateway.dir().join("manifest.json");
    std::fs::write(&path, manifest.to_string()).unwrap();
    gateway.with_config(&config(&path))
}

async fn post(stack: &Stack, gateway: &Gateway, body: Value) -> Answer {
    let answer = stack.call(Method::POST, PATH).key(&gateway.me.key).json(&body).send().await;
    assert_tight(&answer.text());
    answer
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_manifests_documents_run() {
    let gateway = Gateway::start().await;
    let apollo = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        { "id": "viewer-1", "name": "Viewer", "type": "query", "body": VIEWER },
        { "id": Digest::of(RENAME.as_bytes()).to_string(), "name": "Rename", "type": "mutation", "body": RENAME },
    ] });
    let stack = trusting(&gateway, &apollo);
    let hash = Digest::of(VIEWER.as_bytes()).to_string();
    for body in [
        json!({ "query": VIEWER }),
        json!({ "documentId": "viewer-1" }),
        json!({ "doc_id": "viewer-1", "query": "" }),
        json!({ "doc_id": "viewer-1", "query": null, "variables": {} }),
        json!({ "documentId": hash }),
        json!({ "documentId": format!("sha256:{hash}") }),
        json!({ "extensions": persisted(&hash) }),
        json!({ "extensions": persisted("viewer-1") }),
        json!({ "query": VIEWER, "extensions": persisted(&hash) }),
    ] {
        let answer = post(&stack, &gateway, body.clone()).await;
        assert!(answer.json()["data"]["viewer"]["id"].is_string(), "{body}: {}", answer.text());
    }
    let other = "{ viewer { id } }";
    for body in [
        json!({ "query": other }),
        json!({ "query": format!("{VIEWER} ") }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": "not GraphQL" }),
        json!({ "documentId": "viewer-2" }),
        json!({ "documentId": Digest::of(other.as_bytes()).to_string() }),
        // An automatic persisted query cannot put anything in.
        json!({ "query": other, "extensions": persisted(&Digest::of(other.as_bytes()).to_string()) }),
        json!({ "query": other, "documentId": "viewer-1" }),
        json!({ "query": VIEWER, "documentId": "viewer-2" }),
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let call = stack.call(Method::POST, PATH).key(&gateway.me.key).header("accept", accept);
            let answer = call.json(&body).send().await;
            let error = &answer.json()["errors"][0];
            assert_eq!((answer.status, &error["extensions"]["code"]), (403, &json!("DOCUMENT_NOT_TRUSTED")), "{body}");
            assert!(answer.header("content-type").starts_with(accept));
            assert!(answer.json().get("data").is_none());
            assert_tight(&answer.text());
        }
    }
    let answer = post(&stack, &gateway, json!({ "variables": {} })).await;
    assert_eq!(answer.status, 400, "none is asked for: {}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_get_too_and_a_mutation_still_needs_a_post() {
    let gateway = Gateway::start().await;
    let session = gateway.seed(Sample::new("a")).await;
    let stack = trusting(&gateway, &json!({ "v": VIEWER, "r": RENAME }));
    let get = |query: &str| stack.call(Method::GET, &format!("{PATH}?{query}")).key(&gateway.me.key).send();
    for query in ["documentId=v", "doc_id=v", "query=query%20Viewer%20%7B%20viewer%20%7B%20id%20%7D%20%7D"] {
        assert!(get(query).await.json()["data"]["viewer"]["id"].is_string(), "{query}");
    }
    let extensions = "extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%2C%22sha256Hash%22%3A%22v%22%7D%7D";
    assert!(get(extensions).await.json()["data"]["viewer"]["id"].is_string());
    assert_eq!(get("documentId=none").await.status, 403);
    assert_eq!(get("documentId=r").await.status, 405);
    let input = json!({ "input": { "id": session.id.to_string(), "userTitle": "new" } });
    let renamed = post(&stack, &gateway, json!({ "documentId": "r", "variables": input })).await;
    assert_eq!(renamed.json()["data"]["updateSession"]["session"]["userTitle"], "new", "{}", renamed.text());
    gateway.run_jobs().await;
    // Who may not ask is told that first.
    let nobody = stack.call(Method::POST, PATH).json(&json!({ "query": "{ nope }" })).send().await;
    assert_eq!(nobody.status, 401);
}

#[test]
fn manifests_of_relay_and_of_graphql_codegen_are_read_by_the_program() {
    let (out, ran) = compiled();
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let program = Program::with_user();
    let key = program.key();
    for (file, field) in [("relay.json", "doc_id"), ("codegen.json", "documentId")] {
        let path = out.join(file);
        let manifest: BTreeMap<String, String> =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(manifest.len() >= 4, "{file}");
        let setting = [("SESSIONGRAPH_GRAPHQL__TRUSTED_DOCUMENTS", path.to_str().unwrap())];
        let server = program.serve_with(&["serve"], &setting);
        for (id, text) in &manifest {
            let variables = match text.contains("mutation ") {
                true => continue,
                false => json!({ "id": "none", "count": 3 }),
            };
            for body in [json!({ field: id, "variables": variables }), json!({ "query": text, "variables": variables })]
            {
                let (status, answer) = server.ask("POST", PATH, Some(&key), &body.to_string());
                let answer: Value = serde_json::from_str(&answer).unwrap();
                assert!(status == 200 && answer["data"].is_object(), "{file} {id}: {answer}");
            }
        }
        let (status, answer) = server.ask("POST", PATH, Some(&key), &json!({ "query": "{ __typename }" }).to_string());
        assert_eq!(status, 403, "{answer}");
        assert_eq!(server.stop(), Some(0));
    }
}

#[test]
fn a_manifest_that_cannot_be_used_stops_the_server_at_its_start() {
    let program = Program::with_user();
    let path = program.home().join("manifest.json");
    let start = |manifest: Option<&str>| {
        match manifest {
            Some(manifest) => std::fs::write(&path, manifest).unwrap(),
            None => drop(std::fs::remove_file(&path)),
        }
        let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("SESSIONGRAPH_GRAPHQL__TRUSTED_DOCUMENTS", &path);
        let said = crate::program::said(command);
        assert!(said.code != 0 && said.err.contains("manifest.json"), "{}\n{}", said.out, said.err);
        assert!(!said.out.contains("http://"), "{}", said.out);
        said.err
    };
    assert!(start(None).contains("cannot use the trusted documents"));
    assert!(start(Some("{")).contains("not JSON: line 1"));
    assert!(start(Some("{}")).contains("no document"));
    let invalid = start(Some(r#"{"good":"{ viewer { id } }","bad":"{\n  viewer { nope }\n}"}"#));
    assert!(invalid.contains("\"bad\": line 2, column 12: Cannot query field \"nope\""), "{invalid}");
    assert!(!invalid.contains("good"), "{invalid}");
}
