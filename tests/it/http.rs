//! The HTTP stack around every surface: ids, limits, health, pages, compression.

use axum::http::Method;
use serde_json::json;

use crate::harness::{Gateway, Sample};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_request() {
    let gateway = Gateway::start().await;
    for path in ["/", "/healthz", "/api/v1/projects", "/api/v1/graphql", "/nowhere"] {
        let given = gateway.call(Method::GET, path).header("x-request-id", "abc-1.2_3").send().await;
        assert_eq!(given.headers["x-request-id"], "abc-1.2_3", "{path}");
        // One that could forge a log line is replaced.
        let forged = gateway.call(Method::GET, path).header("x-request-id", "a b=\"c\"").send().await;
        assert_eq!(forged.headers["x-request-id"].len(), 32, "{path}");
        assert_eq!(forged.headers["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_stack_itself_name_their_request_too() {
    let gateway = Gateway::start().await;
    let mut statuses = Vec::new();
    let mut check = |what: &str, answer: &crate::harness::Answer| {
        assert_eq!(answer.header("x-request-id"), "r-1", "{what} {}", answer.status);
        statuses.push(answer.status);
    };
    for (method, path) in
        [(Method::OPTIONS, "/api/v1/projects"), (Method::GET, "/no"), (Method::TRACE, "/api/v1/projects")]
    {
        check(path, &gateway.call(method, path).header("x-request-id", "r-1").key(&gateway.me.key).send().await);
    }
    for path in ["/api/v1/projects", "/api/v1/graphql"] {
        let huge = gateway.get(path).header("content-length", "999999999999").header("x-request-id", "r-1");
        check(path, &huge.send().await);
    }
    let mut config = sg_server::config::Config::default();
    config.rate_limit.unauthenticated_per_hour = 1;
    let limited = gateway.with_config(&config);
    let attempt = || limited.call(Method::GET, "/api/v1/projects").header("x-request-id", "r-1");
    check("first", &attempt().send().await);
    check("second", &attempt().send().await);
    config.http.request_timeout_secs = 0;
    let hurried = gateway.with_config(&config);
    let endless = axum::body::Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let late = hurried.call(Method::PATCH, "/api/v1/projects/p1").header("x-request-id", "r-1").key(&gateway.me.key);
    check("late", &late.body(endless).send().await);
    assert_eq!(statuses, [200, 404, 405, 413, 413, 401, 429, 503]);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_life_and_readiness_without_a_credential() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.call(Method::GET, "/healthz").send().await.json(), json!({ "status": "ok" }));
    // The index of a new folder counts as one that must be built.
    let ready = gateway.call(Method::GET, "/readyz").send().await;
    assert_eq!((ready.status, &ready.json()["index"]["status"]), (503, &json!("rebuilding")));
    gateway.app.rebuild_index(|_| ()).await.unwrap();
    let ready = gateway.call(Method::GET, "/readyz").send().await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(ready.json()["queue"], json!({ "ready": 0, "running": 0, "dead": 0 }));
    assert_eq!(ready.headers["cache-control"], "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_are_refused_in_the_paths_own_shape() {
    let gateway = Gateway::start().await;
    let huge = "x".repeat(256 * 1024 + 1);
    let answer =
        gateway.call(Method::POST, "/api/v1/graphql").key(&gateway.me.key).json(&json!({ "query": huge })).send();
    let answer = answer.await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    let answer = gateway.get("/api/v1/projects").header("content-length", "999999999999").send().await;
    assert_eq!((answer.status, &answer.json()["success"]), (413, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_are_compressed_for_those_who_take_it() {
    let gateway = Gateway::start().await;
    let answer = |gateway: &Gateway, path: &str, encoding: &str| {
        let call = gateway.get(path).header("accept-encoding", encoding);
        let call = call.header("accept", "application/json");
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(call.send()))
    };
    for n in 0..20 {
        gateway.put(&gateway.me, Sample::new(&format!("session-{n}"))).await;
    }
    gateway.run_jobs().await;
    let project = gateway.get("/api/v1/projects").send().await.json()["data"]["projects"][0]["id"].clone();
    let path = format!("/api/v1/projects/{}/sessions", project.as_str().unwrap());
    let plain = answer(&gateway, &path, "identity");
    assert!(plain.body.len() > 1_024 && !plain.headers.contains_key("content-encoding"));
    for encoding in ["gzip", "br"] {
        let packed = answer(&gateway, &path, encoding);
        assert_eq!(packed.headers["content-encoding"], encoding);
        assert!(packed.body.len() < plain.body.len() / 2);
    }
    assert!(!answer(&gateway, "/healthz", "gzip").headers.contains_key("content-encoding"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_playground_and_a_program_gets_an_answer() {
    let gateway = Gateway::start().await;
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = gateway.call(Method::GET, "/api/v1/graphql").header("accept", browser).send().await;
    assert_eq!((page.status, &page.headers["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert_eq!(gateway.call(Method::GET, "/").send().await.body, page.body);
    let etag = page.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(gateway.call(Method::GET, "/").header("if-none-match", &etag).send().await.status, 304);

    let html = page.text();
    let asset = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let script = gateway.call(Method::GET, asset).header("accept-encoding", "gzip").send().await;
    assert_eq!((script.status, &script.headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(gateway.call(Method::GET, "/assets/nothing.js").send().await.status, 404);

    let asked = gateway.get("/api/v1/graphql?query=%7B__typename%7D").header("accept", browser).send().await;
    assert_ne!(asked.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn preflights_are_answered_for_everyone() {
    let gateway = Gateway::start().await;
    for path in ["/api/v1/graphql", "/graphql", "/api/v1/projects"] {
        let answer = gateway.call(Method::OPTIONS, path).send().await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "success": true })), "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let headers = answer.header("access-control-allow-headers");
        assert!(headers.starts_with("Content-Type, Authorization"), "{path}: {headers}");
    }
}
