//! What a request costs and what is left of the limit: the field, the extension and the headers say the same.

use axum::http::Method;
use serde_json::{Value, json};
use sg_server::config::{Config, RateLimitSection};

use crate::harness::{Answer, Gateway, Sample, Stack};

const PATH: &str = "/api/v1/graphql";
const LIMIT: &str = "{ rateLimit { limit cost remaining resetAt used } }";
const DRY: &str = "{ rateLimit(dryRun: true) { limit cost remaining resetAt used } }";

fn stack(gateway: &Gateway, graphql_per_hour: u32) -> Stack {
    let rate_limit = RateLimitSection { graphql_per_hour, ..RateLimitSection::default() };
    gateway.with_config(&Config { rate_limit, ..Config::default() })
}

async fn ask(stack: &Stack, key: &str, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables });
    stack.call(Method::POST, PATH).key(key).json(&body).send().await
}

/// The headers as the field tells them.
fn headers(answer: &Answer) -> Value {
    let number = |name: &str| answer.header(name).parse::<i64>().unwrap();
    let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
    let reset_at = sg_domain::Timestamp::from_secs(number("x-ratelimit-reset")).to_string();
    json!({ "limit": limit, "cost": 1, "remaining": remaining, "resetAt": reset_at, "used": limit - remaining })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_the_extension_and_the_headers_agree() {
    let gateway = Gateway::start().await;
    let stack = stack(&gateway, 7);
    for left in [6, 5, 4] {
        let answer = ask(&stack, &gateway.me.key, LIMIT, Value::Null).await;
        let body = answer.json();
        assert_eq!(body["data"]["rateLimit"], headers(&answer), "{body}");
        assert_eq!(body["data"]["rateLimit"]["remaining"], left);
        assert_eq!(body["extensions"]["cost"]["requested"], body["data"]["rateLimit"]["cost"]);
    }
    // REST has its own bucket, and says the same of it.
    let rest = stack.call(Method::GET, "/api/v1/projects").key(&gateway.me.key).send().await;
    assert_eq!(headers(&rest)["used"], 1);
    for left in [3, 2, 1, 0] {
        let answer = ask(&stack, &gateway.me.key, "{ viewer { id } }", Value::Null).await;
        assert_eq!(headers(&answer)["remaining"], left);
    }
    for query in [LIMIT, DRY] {
        let refused = ask(&stack, &gateway.me.key, query, Value::Null).await;
        let body = refused.json();
        assert_eq!((refused.status, &body["errors"][0]["extensions"]["code"]), (429, &json!("RATE_LIMITED")), "{body}");
        assert_eq!(headers(&refused)["remaining"], 0);
        assert_eq!(refused.header("retry-after"), body["errors"][0]["extensions"]["retryAfter"].to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_takes_nothing_and_runs_nothing() {
    let gateway = Gateway::start().await;
    let stack = stack(&gateway, 10);
    let key = gateway.me.key.as_str();
    let first = ask(&stack, key, LIMIT, Value::Null).await.json();
    for _ in 0..20 {
        let answer = ask(&stack, key, DRY, Value::Null).await;
        let body = answer.json();
        assert_eq!(body["data"], first["data"], "nothing is taken");
        assert_eq!(body["data"]["rateLimit"], headers(&answer), "{body}");
    }
    // Whatever else is asked is left out, as by @skip; its cost is told.
    for (query, variables) in [
        ("{ viewer { id } rateLimit(dryRun: true) { remaining } projects { id } }", json!({})),
        (
            "query($d: Boolean) { viewer { id } rateLimit(dryRun: $d) { remaining } projects { id } }",
            json!({ "d": true }),
        ),
        (
            "query Q { viewer { id } ...A } fragment A on Query { projects { id } ... { rateLimit(dryRun: true) { remaining } } }",
            json!({}),
        ),
    ] {
        let body = ask(&stack, key, query, variables).await.json();
        assert_eq!(body["data"], json!({ "rateLimit": { "remaining": 9 } }), "{query}");
        assert!(body["extensions"]["cost"]["objects"].as_u64().unwrap() > 50, "{body}");
    }
    for (query, variables) in [
        ("{ viewer { id } rateLimit(dryRun: false) { remaining } }", json!({})),
        ("query($d: Boolean) { viewer { id } rateLimit(dryRun: $d) { remaining } }", json!({ "d": null })),
        ("query($d: Boolean = false) { viewer { id } rateLimit(dryRun: $d) { remaining } }", json!({})),
    ] {
        let body = ask(&stack, key, query, variables).await.json();
        assert!(body["data"]["viewer"]["id"].is_string(), "{query}: {body}");
    }
    assert_eq!(ask(&stack, key, LIMIT, Value::Null).await.json()["data"]["rateLimit"]["remaining"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_there_is_no_standing() {
    let gateway = Gateway::start().await;
    let stack = stack(&gateway, 0);
    for query in [LIMIT, DRY] {
        let answer = ask(&stack, &gateway.me.key, query, Value::Null).await;
        assert_eq!(answer.outcome(), json!({ "data": { "rateLimit": null } }));
        assert!(!answer.headers.contains_key("x-ratelimit-limit"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_ran_tells_its_cost_and_no_other() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a")).await;
    let cost = async |query: &str, variables: Value| {
        let body = gateway.graphql_as(&gateway.me.key, query, variables).await.json();
        body["extensions"]["cost"].clone()
    };
    let plain = cost("{ viewer { id } }", json!({})).await;
    assert_eq!(
        plain,
        json!({ "requested": 1, "objects": 1, "maxObjects": 1_000_000, "fields": 2, "maxFields": 2_000, "depth": 2, "maxDepth": 16 })
    );
    let pages = "query($n: Int) { sessions(first: $n) { nodes { id } } }";
    let small = cost(pages, json!({ "n": 2 })).await;
    let large = cost(pages, json!({ "n": 50 })).await;
    assert!(small["objects"].as_u64() < large["objects"].as_u64(), "{small} {large}");
    assert_eq!(small, cost(pages, json!({ "n": 2 })).await, "the same each time");
    let introspection = cost("{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!((&introspection["maxDepth"], &introspection["maxFields"]), (&json!(24), &json!(1_000)));
    // An error of a resolver is of an operation that ran.
    assert_eq!(cost("{ project(id: \"none\") { id } }", json!({})).await["requested"], 1);
    for query in ["{ nope }", "{", "query($a: Int!) { sessions(first: $a) { total } }"] {
        assert_eq!(cost(query, json!({})).await, Value::Null, "{query}");
    }
}
