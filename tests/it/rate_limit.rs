//! Rate limits through the whole stack: who is counted, by what, what an answer says of it, and when one is refused.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use sg_app::NewDevice;
use sg_domain::Scope;
use sg_server::config::{Config, RateLimitSection};
use tower::ServiceExt as _;

use crate::harness::{Answer, FixedClock, Gateway, Sample};

const HOME: [u8; 4] = [127, 0, 0, 1];
const UNKNOWN: &str = "sk_live_ffffffffffffffffffffffffffffffffffffffffffffffff";
const PROJECTS: &str = "/api/v1/projects";
const GRAPHQL: &str = "/api/v1/graphql";

/// A gateway whose limits are small.
struct Limited {
    gateway: Gateway,
    router: Router,
}

/// What is asked, and from where.
struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    key: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
    peer: [u8; 4],
    body: Value,
}

impl<'a> Ask<'a> {
    fn get(path: &'a str, key: Option<&'a str>) -> Self {
        Self { method: "GET", path, key, headers: &[], peer: HOME, body: Value::Null }
    }

    fn graphql(key: Option<&'a str>) -> Self {
        let headers = &[("content-type", "application/json"), ("accept", "application/json")];
        Self { method: "POST", headers, body: json!({ "query": "{ __typename }" }), ..Self::get(GRAPHQL, key) }
    }
}

impl Limited {
    async fn start(rate_limit: RateLimitSection) -> Self {
        Self::with(Config { rate_limit, ..Config::default() }).await
    }

    async fn with(config: Config) -> Self {
        let gateway = Gateway::start().await;
        let router = sg_server::http::router(gateway.app.clone(), &config);
        Self { gateway, router }
    }

    async fn ask(&self, ask: Ask<'_>) -> Answer {
        let mut request = Request::builder().method(ask.method).uri(ask.path);
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = ask.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = if ask.body.is_null() { Body::empty() } else { Body::from(ask.body.to_string()) };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((ask.peer, 40_000))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Asks for the projects as the first account.
    async fn mine(&self) -> Answer {
        self.ask(Ask::get(PROJECTS, Some(&self.gateway.me.key))).await
    }

    /// Asks without a credential that works, from an address.
    async fn attempt(&self, key: Option<&str>, peer: [u8; 4]) -> u16 {
        self.ask(Ask { peer, ..Ask::get(PROJECTS, key) }).await.status
    }
}

fn number(answer: &Answer, name: &str) -> u64 {
    let text = answer.header(name);
    text.parse().unwrap_or_else(|_| panic!("{name} is {text:?} on {}: {}", answer.status, answer.text()))
}

fn remaining(answer: &Answer) -> u64 {
    number(answer, "x-ratelimit-remaining")
}

fn now() -> u64 {
    (FixedClock::START / 1_000_000) as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn every_authenticated_answer_tells_the_limit_what_is_left_and_when_it_is_whole_again() {
    let world = Limited::start(RateLimitSection::default()).await;
    let session = world.gateway.seed(Sample::new("s1")).await;
    let key = world.gateway.me.key.clone();
    let read_only = world.gateway.key_with(&world.gateway.me, &[Scope::Read]).await;
    let detail = format!("/api/v1/projects/{}/sessions/s1", session.project_id.as_str());
    let etag = format!("W/\"{}\"", session.etag);
    let known = [("if-none-match", etag.as_str())];
    let huge = [("content-length", "999999999999")];
    let html = [("accept", "image/png")];
    let broken = [("content-type", "application/json")];
    let mut asked = vec![
        Ask::get(PROJECTS, Some(&key)),
        Ask::get("/api/v1/nothing", Some(&key)),
        Ask::get("/api/v1/projects/unknown", Some(&key)),
        Ask::get("/api/v1/sessions/recent?limit=x", Some(&key)),
        Ask { method: "HEAD", ..Ask::get(&detail, Some(&key)) },
        Ask { headers: &known, ..Ask::get(&detail, Some(&key)) },
        Ask { method: "TRACE", ..Ask::get(PROJECTS, Some(&key)) },
        Ask { method: "DELETE", ..Ask::get(&detail, Some(&read_only)) },
        Ask { method: "PUT", headers: &huge, ..Ask::get(&detail, Some(&key)) },
        Ask::graphql(Some(&key)),
        Ask { body: json!({ "query": "{ nothing }" }), ..Ask::graphql(Some(&key)) },
        Ask { body: json!("{"), headers: &broken, ..Ask::graphql(Some(&key)) },
        Ask { headers: &html, ..Ask::graphql(Some(&key)) },
        Ask { method: "DELETE", ..Ask::graphql(Some(&key)) },
        Ask { body: json!({ "query": "x".repeat(300_000) }), ..Ask::graphql(Some(&key)) },
    ];
    let routes: Vec<_> =
        sg_rest::specstory::ROUTES.iter().map(|r| (r.methods, r.path.replace(['{', '}'], ""))).collect();
    for (methods, path) in &routes {
        asked.extend(methods.iter().map(|method| Ask { method, ..Ask::get(path, Some(&key)) }));
    }
    let mut seen = BTreeSet::new();
    for ask in asked {
        let (what, limit) = (format!("{} {}", ask.method, ask.path), if ask.path == GRAPHQL { 500 } else { 1_000 });
        let answer = world.ask(ask).await;
        seen.insert(answer.status);
        assert_eq!(number(&answer, "x-ratelimit-limit"), limit, "{what}");
        assert!(remaining(&answer) < limit, "{what}");
        let reset = number(&answer, "x-ratelimit-reset");
        assert!((now() + 1..=now() + 3_600).contains(&reset), "{what}: {reset}");
        assert!(answer.status == 429 || !answer.headers.contains_key("retry-after"), "{what}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{what}");
    }
    for status in [200, 304, 400, 403, 404, 405, 406, 413] {
        assert!(seen.contains(&status), "no {status} among {seen:?}");
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_counts_down_and_the_next_is_refused_in_the_documents_words() {
    let world = Limited::start(RateLimitSection { rest_per_hour: 3, ..RateLimitSection::default() }).await;
    for left in [2, 1, 0] {
        let answer = world.mine().await;
        assert_eq!((answer.status, remaining(&answer)), (200, left));
        assert_eq!(number(&answer, "x-ratelimit-reset"), now() + 1_200 * (3 - left));
    }
    let refused = world.mine().await;
    let text = "Rate limit exceeded. Try again in 1200 seconds.";
    assert_eq!((refused.status, refused.json()), (429, json!({ "success": false, "error": text })));
    assert_eq!((number(&refused, "x-ratelimit-limit"), remaining(&refused)), (3, 0));
    assert_eq!(number(&refused, "retry-after"), 1_200);
    assert_eq!(number(&refused, "x-ratelimit-reset"), now() + 3_600);
    assert_eq!(refused.header("content-type"), "application/json");
    // A refusal costs nothing: who waits as told gets in.
    world.gateway.clock.advance(Duration::from_secs(1_199));
    assert_eq!(number(&world.mine().await, "retry-after"), 1);
    world.gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(world.mine().await.status, 200);
    assert_eq!(world.mine().await.status, 429);
    world.gateway.clock.advance(Duration::from_secs(3_600));
    assert_eq!(remaining(&world.mine().await), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_minute_is_what_a_limit_of_sixty_says() {
    let world = Limited::start(RateLimitSection { rest_per_hour: 60, ..RateLimitSection::default() }).await;
    for _ in 0..60 {
        world.mine().await;
    }
    let refused = world.mine().await;
    assert_eq!(refused.text(), r#"{"success":false,"error":"Rate limit exceeded. Try again in 60 seconds."}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_has_its_own_bucket_and_its_own_words() {
    let section = RateLimitSection { rest_per_hour: 2, graphql_per_hour: 1, ..RateLimitSection::default() };
    let world = Limited::start(section).await;
    let key = world.gateway.me.key.clone();
    let first = world.ask(Ask::graphql(Some(&key))).await;
    assert_eq!((first.status, number(&first, "x-ratelimit-limit"), remaining(&first)), (200, 1, 0));
    for accept in ["application/json", "application/graphql-response+json"] {
        let headers = [("content-type", "application/json"), ("accept", accept)];
        let refused = world.ask(Ask { headers: &headers, ..Ask::graphql(Some(&key)) }).await;
        let body = refused.json();
        assert_eq!((refused.status, number(&refused, "retry-after")), (429, 3_600), "{body}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED");
        assert_eq!(body["errors"][0]["extensions"]["retryAfter"], 3_600);
        assert!(body.get("data").is_none());
        assert!(refused.header("content-type").starts_with(accept));
    }
    assert_eq!(remaining(&world.mine().await), 1, "REST counts for itself");
    // Both paths of the endpoint are one.
    assert_eq!(world.ask(Ask { path: "/graphql", ..Ask::graphql(Some(&key)) }).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_a_wider_bucket_for_all_it_asks_and_keeps_it_with_a_new_access_token() {
    let section =
        RateLimitSection { rest_per_hour: 1, graphql_per_hour: 1, device_per_hour: 4, ..RateLimitSection::default() };
    let world = Limited::start(section).await;
    let app = &world.gateway.app;
    let code = app.create_device_code(&world.gateway.me.caller, None).await.unwrap();
    let device = app.device_login(&code.code, &NewDevice::default(), None).await.unwrap();
    let first = app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    for left in [3, 2] {
        let answer = world.ask(Ask::get(PROJECTS, Some(&first))).await;
        assert_eq!((answer.status, number(&answer, "x-ratelimit-limit"), remaining(&answer)), (200, 4, left));
    }
    assert_eq!(remaining(&world.ask(Ask::graphql(Some(&first))).await), 1);
    let second = app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    assert_eq!(remaining(&world.ask(Ask::get(PROJECTS, Some(&second))).await), 0);
    assert_eq!(world.ask(Ask::get(PROJECTS, Some(&second))).await.status, 429);
    assert_eq!(world.ask(Ask::get(PROJECTS, Some(&first))).await.status, 429);
    assert_eq!(world.mine().await.status, 200, "the account's keys have their own");
}

#[test]
fn a_first_sync_of_a_thousand_sessions_passes_by_default() {
    let section = RateLimitSection::default();
    assert!(section.device_per_hour > 10 * section.rest_per_hour && section.rest_per_hour == 1_000);
    assert_eq!(section.graphql_per_hour, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_do_not_share_a_bucket() {
    let world = Limited::start(RateLimitSection { rest_per_hour: 1, ..RateLimitSection::default() }).await;
    assert_eq!((world.mine().await.status, world.mine().await.status), (200, 429));
    let other = world.gateway.other().await;
    assert_eq!(world.ask(Ask::get(PROJECTS, Some(&other.key))).await.status, 200);
    let second = world.gateway.key_with(&world.gateway.me, &[Scope::Read]).await;
    assert_eq!(world.ask(Ask::get(PROJECTS, Some(&second))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_limited_by_address_and_a_key_that_works_still_gets_in() {
    let section = RateLimitSection { unauthenticated_per_hour: 5, ..RateLimitSection::default() };
    let world = Limited::start(section).await;
    let made_up: Vec<_> = (0..200).map(|n| format!("sk_live_ffff{n:044x}")).collect();
    let mut statuses = Vec::new();
    for key in &made_up {
        statuses.push(world.attempt(Some(key), HOME).await);
    }
    assert_eq!(&statuses[..5], [401; 5]);
    assert!(statuses[5..].iter().all(|status| *status == 429), "a new key is not a new bucket: {statuses:?}");
    assert_eq!(world.attempt(None, HOME).await, 429, "no key is an attempt as well");
    assert_eq!(world.ask(Ask::graphql(Some(UNKNOWN))).await.status, 429);
    assert_eq!(world.mine().await.status, 200, "strangers at its address cannot shut a key out");
    assert_eq!(world.attempt(Some(UNKNOWN), [127, 0, 0, 2]).await, 401, "another address");
    world.gateway.clock.advance(Duration::from_secs(720));
    assert_eq!((world.attempt(None, HOME).await, world.attempt(None, HOME).await), (401, 429));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_to_everyone_is_counted_by_address_in_a_bucket_of_its_own() {
    let section = RateLimitSection { unauthenticated_per_hour: 1, open_per_hour: 3, ..RateLimitSection::default() };
    let world = Limited::start(section).await;
    let open = sg_rest::specstory::ROUTES.iter().find(|route| route.path.contains("/share/")).unwrap();
    let path = open.path.replace(['{', '}'], "");
    assert_eq!((world.attempt(None, HOME).await, world.attempt(None, HOME).await), (401, 429));
    for left in [2, 1, 0] {
        let answer = world.ask(Ask::get(&path, None)).await;
        assert_eq!((answer.status, number(&answer, "x-ratelimit-limit"), remaining(&answer)), (404, 3, left));
    }
    let refused = world.ask(Ask::get(&path, Some(UNKNOWN))).await;
    assert_eq!((refused.status, refused.json()["success"].clone()), (429, json!(false)));
    assert_eq!(number(&refused, "retry-after"), 1_200);
    assert_eq!(world.ask(Ask { peer: [127, 0, 0, 2], ..Ask::get(&path, None) }).await.status, 404);
    let key = world.gateway.me.key.clone();
    assert_eq!(number(&world.ask(Ask::get(&path, Some(&key))).await, "x-ratelimit-limit"), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_pages_assets_and_preflights_are_not_counted() {
    let section = RateLimitSection { unauthenticated_per_hour: 1, open_per_hour: 1, ..RateLimitSection::default() };
    let world = Limited::start(section).await;
    assert_eq!((world.attempt(None, HOME).await, world.attempt(None, HOME).await), (401, 429));
    for path in ["/", "/healthz", "/readyz", "/assets/nothing.js"] {
        for _ in 0..3 {
            let answer = world.ask(Ask::get(path, None)).await;
            assert!(answer.status != 429 && !answer.headers.contains_key("x-ratelimit-limit"), "{path}");
        }
    }
    for path in [PROJECTS, GRAPHQL] {
        let answer = world.ask(Ask { method: "OPTIONS", ..Ask::get(path, None) }).await;
        assert_eq!((answer.status, answer.headers.contains_key("x-ratelimit-limit")), (200, false), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_may_read_the_limits() {
    let world = Limited::start(RateLimitSection { rest_per_hour: 1, ..RateLimitSection::default() }).await;
    let key = world.gateway.me.key.clone();
    for answer in [world.mine().await, world.mine().await, world.ask(Ask::graphql(Some(&key))).await] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let exposed = answer.header("access-control-expose-headers");
        for name in ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let rate_limit = RateLimitSection { unauthenticated_per_hour: 1, ..RateLimitSection::default() };
    let spoofed = |n: u8| format!("203.0.113.{n}");
    let attempt = async |world: &Limited, from: &str, peer: [u8; 4]| {
        let headers = [("x-forwarded-for", from), ("forwarded", "for=198.51.100.77")];
        world.ask(Ask { headers: &headers, peer, ..Ask::get(PROJECTS, None) }).await.status
    };
    let world = Limited::start(rate_limit.clone()).await;
    assert_eq!(attempt(&world, &spoofed(1), HOME).await, 401);
    assert_eq!(attempt(&world, &spoofed(2), HOME).await, 429, "nobody believes it");

    let mut config = Config { rate_limit, ..Config::default() };
    config.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let world = Limited::with(config).await;
    let proxy = [10, 1, 2, 3];
    assert_eq!(attempt(&world, &spoofed(1), proxy).await, 401);
    assert_eq!(attempt(&world, &spoofed(1), proxy).await, 429);
    assert_eq!(attempt(&world, &spoofed(2), proxy).await, 401, "each client behind it has its own bucket");
    assert_eq!(
        attempt(&world, "192.0.2.1, 203.0.113.2", proxy).await,
        429,
        "what a client wrote itself is not believed"
    );
    assert_eq!(attempt(&world, &spoofed(9), HOME).await, 401);
    assert_eq!(attempt(&world, &spoofed(8), HOME).await, 429, "nor is one who is no proxy");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_limit_counts_nothing_and_says_nothing() {
    let world = Limited::start(RateLimitSection::off()).await;
    for _ in 0..1_100 {
        let answer = world.mine().await;
        assert_eq!((answer.status, answer.headers.contains_key("x-ratelimit-limit")), (200, false));
    }
    assert_eq!(world.attempt(None, HOME).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peer_of_a_real_connection_is_the_address() {
    let rate_limit = RateLimitSection { unauthenticated_per_hour: 2, ..RateLimitSection::default() };
    let world = Limited::start(rate_limit).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = Config::default();
    let serving = sg_server::http::server::serve(listener, world.router.clone(), &config.http, async {
        let _ = stopped.await;
    });
    let asking = async {
        let mut statuses = Vec::new();
        for from in [HOME, HOME, HOME, [127, 0, 0, 9]] {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((from, 0).into()).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            let head = format!("{} {PROJECTS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", Method::GET);
            tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
            statuses.push(answer.split(' ').nth(1).unwrap().to_owned());
        }
        stop.send(()).unwrap();
        statuses
    };
    let ((), statuses) = tokio::join!(serving, asking);
    assert_eq!(statuses, ["401", "401", "429", "401"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_open_and_cost_something_are_counted_by_address() {
    let limited = Limited::start(RateLimitSection { open_per_hour: 2, ..RateLimitSection::default() }).await;
    for path in ["/share/none", "/login/oidc", "/share/other"] {
        let answer = limited.ask(Ask::get(path, None)).await;
        assert_eq!(answer.status == 429, path == "/share/other", "{path}: {}", answer.status);
    }
    let refused = limited.ask(Ask::get("/share/none", None)).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|secs| secs > 0));
    assert!(refused.header("content-type").starts_with("text/html") && refused.text().contains("Too many attempts"));
    // Other pages, and other addresses, are not held up.
    assert_eq!(limited.ask(Ask::get("/login", None)).await.status, 200);
    let elsewhere = Ask { peer: [127, 0, 0, 9], ..Ask::get("/share/none", None) };
    assert_eq!(limited.ask(elsewhere).await.status, 404);
}
