//! GraphQL over HTTP: statuses, media types, both forms of the 401, persisted queries.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::Gateway;

const PATH: &str = "/api/v1/graphql";
const NEW_TYPE: &str = "application/graphql-response+json";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_both_forms_of_401() {
    let gateway = Gateway::start().await;
    for query in ["{ viewer { id } }", "{ __schema { queryType { name } } }", "not GraphQL"] {
        let answer = gateway.call(Method::POST, PATH).json(&json!({ "query": query })).send().await;
        let body = answer.json();
        assert_eq!(answer.status, 401);
        assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!("Unauthorized")));
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert!(body.get("data").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_media_type_decides_the_status() {
    let gateway = Gateway::start().await;
    for (query, legacy, new) in
        [("{ viewer { id } }", 200, 200), ("{ nope }", 200, 400), ("{", 200, 400), ("", 400, 400)]
    {
        for (accept, want) in [("application/json", legacy), (NEW_TYPE, new), ("*/*", legacy)] {
            let call = gateway.call(Method::POST, PATH).key(&gateway.me.key).header("accept", accept);
            let answer = call.json(&json!({ "query": query })).send().await;
            assert_eq!(answer.status, want, "{query} {accept}");
            let json_type = if accept == NEW_TYPE { NEW_TYPE } else { "application/json" };
            assert!(answer.header("content-type").starts_with(json_type));
            let body = answer.json();
            assert_eq!(body.get("data").is_some(), query.contains("viewer"), "{body}");
            if query != "{ viewer { id } }" {
                assert_eq!(body["errors"][0]["extensions"]["code"], "VALIDATION_ERROR");
            }
        }
    }
    let call = gateway.call(Method::POST, PATH).key(&gateway.me.key).header("accept", "text/html");
    assert_eq!(call.json(&json!({ "query": "{ viewer { id } }" })).send().await.status, 406);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests() {
    let gateway = Gateway::start().await;
    let post = |body: &str, content_type: &str| {
        let call = gateway.call(Method::POST, PATH).key(&gateway.me.key).body(body.to_owned());
        call.header("content-type", content_type)
    };
    for body in
        ["", "{", "[]", "[{\"query\":\"{__typename}\"}]", "{}", "{\"query\":1}", "{\"query\":\"{a}\",\"variables\":[]}"]
    {
        let answer = post(body, "application/json").send().await;
        assert_eq!(answer.status, 400, "{body}");
        let body = answer.json();
        assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!("Invalid GraphQL query or variables")));
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(post("{\"query\":\"{__typename}\"}", content_type).send().await.status, 415, "{content_type}");
    }
    let put = gateway.call(Method::PUT, PATH).key(&gateway.me.key).send().await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_over_get() {
    let gateway = Gateway::start().await;
    let query = "query=query%20A%7Ba:__typename%7Dquery%20B%7Bb:__typename%7D";
    let answer = gateway.get(&format!("{PATH}?{query}&operationName=B&variables=%7B%7D")).send().await;
    assert_eq!(answer.outcome(), json!({ "data": { "b": "Query" } }));
    let answer = gateway.get(&format!("{PATH}?{query}")).send().await;
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "VALIDATION_ERROR");
    let answer = gateway.get(&format!("{PATH}?query=mutation%7B__typename%7D")).send().await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_eq!(gateway.get(&format!("{PATH}?query=%ff")).send().await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn persisted_queries() {
    let gateway = Gateway::start().await;
    let query = "{ persisted: __typename }";
    let hash = sg_domain::Digest::of(query.as_bytes()).to_string();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let send = |body: Value| gateway.call(Method::POST, PATH).key(&gateway.me.key).json(&body).send();
    let answer = send(json!({ "extensions": extensions })).await;
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(answer.json()["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(send(json!({ "query": "{ viewer { id } }", "extensions": extensions })).await.status, 400);
    for body in [json!({ "query": query, "extensions": extensions }), json!({ "extensions": extensions })] {
        assert_eq!(send(body).await.outcome(), json!({ "data": { "persisted": "Query" } }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_come_in_the_querys_order() {
    let gateway = Gateway::start().await;
    let answer = gateway.graphql_as(
        &gateway.me.key,
        "{ z: stats { totalSessions } a: projects { id } m: __typename }",
        Value::Null,
    );
    let text = answer.await.text();
    assert!(
        text.starts_with(r#"{"data":{"z":{"totalSessions":0},"a":[],"m":"Query"},"extensions":{"cost":{"#),
        "{text}"
    );
}
