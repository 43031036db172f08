//! Which dialect answers, and in what form, on every path of all of them: who owns what, what a credential decides, other
//! spellings of a path, methods that a path does not have, browsers' questions, and whatever nobody would send in earnest.

mod hostile;

use std::collections::BTreeSet;
use std::path::Path;

use axum::Router;
use serde_json::{Value, json};
use sg_domain::Scope;
use sg_rest::front::Front;

use crate::harness::Answer;
use crate::sessionfs::full::Full;
use crate::sessionfs::world::World;

/// The whole table: `UPDATE_ROUTES=1` writes it anew.
#[test]
fn who_owns_what_is_written_down() {
    let front = Front::new(Router::new(), Router::new());
    let lines = front.owners().into_iter().map(|((path, method), dialects)| {
        let dialects: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
        format!("{path} {method}: {}\n", dialects.join(", "))
    });
    let table: String = lines.collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/routes.txt");
    #[expect(clippy::disallowed_methods, reason = "how whoever changes a route says that it is meant")]
    if std::env::var("UPDATE_ROUTES").is_ok() {
        std::fs::write(&path, &table).expect("written");
    }
    let written = std::fs::read_to_string(&path).expect("the table is checked in");
    assert_eq!(
        table, written,
        "fixtures/routes.txt is old: run the tests with UPDATE_ROUTES=1 and look at the difference"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_decides_where_two_claim_a_path() {
    let world = World::start().await;
    let specstory = format!("Bearer {}", world.gateway.me.key);
    let by_specstory = [("authorization", specstory.as_str())];
    // For one it lists sessions, for the other it names one.
    let path = "/api/v1/sessions/recent";
    let answer = world.get(path).await;
    assert_eq!((answer.status, message(&answer).as_str()), (404, "Session not found"));
    let answer = world.send("nobody", "GET", path, &by_specstory, Vec::new()).await;
    assert!(answer.status == 200 && answer.json()["data"]["sessions"].is_array(), "{}", answer.text());
    // Signed in as nobody, one hears the default dialect.
    let answer = world.send("nobody", "GET", path, &[], Vec::new()).await;
    assert_eq!((answer.status, answer.json()["error"].is_string()), (401, true), "{}", answer.text());

    // What one does not have is asked of the other, credential and all: it is the same account.
    for path in ["/api/v1/auth/me", "/api/v1/billing/status", "/health"] {
        let answer = world.send("nobody", "GET", path, &by_specstory, Vec::new()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let answer = world.get("/api/v1/api-tokens").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // What it only says it does not have is told to its own clients alone.
    let answer = world.get("/api/v1/projects").await;
    assert_eq!((answer.status, message(&answer).as_str()), (501, "Project contexts are not available on this server"));
    let answer = world.send("nobody", "GET", "/api/v1/projects", &by_specstory, Vec::new()).await;
    assert!(answer.status == 200 && answer.json()["data"]["projects"].is_array(), "{}", answer.text());

    // Each words what nobody routes.
    let answer = world.get("/api/v1/nothing").await;
    assert_eq!(answer.json(), json!({ "error": { "code": "404", "message": "Not Found", "details": {} } }));
    let answer = world.send("nobody", "GET", "/api/v1/nothing", &by_specstory, Vec::new()).await;
    assert_eq!((answer.status, answer.json()["error"].is_string()), (404, true), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_reaches_one_dialect_alone() {
    let world = World::start().await;
    let specstory = format!("Bearer {}", world.gateway.me.key);
    let by_specstory = [("authorization", specstory.as_str())];
    let answer = world.send("nobody", "GET", "/sessionfs/api/v1/sessions/recent", &by_specstory, Vec::new()).await;
    assert_eq!((answer.status, message(&answer).as_str()), (404, "Session not found"));
    let answer = world.get("/specstory/api/v1/sessions/recent").await;
    assert!(answer.status == 200 && answer.json()["data"]["sessions"].is_array(), "{}", answer.text());
    // Nothing falls through from there.
    let answer = world.get("/specstory/api/v1/auth/me").await;
    assert_eq!((answer.status, answer.json()["error"].is_string()), (404, true), "{}", answer.text());
    let answer = world.get("/sessionfs/api/v1/api-tokens").await;
    assert_eq!((answer.status, message(&answer).as_str()), (404, "Not Found"));
    for path in ["/sessionfs/health", "/sessionfs/api/v1/auth/me", "/sessionfs/api/v1/auth/me/"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
    for path in ["/sessionfs", "/sessionfs/", "/sessionfs//", "/specstory/"] {
        assert!(world.get(path).await.status < 500, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_of_a_path_are_the_same_path() {
    let full = Full::start().await;
    for route in sg_rest::sessionfs::routes() {
        let path = full.path(route);
        let at = path.rfind('/').expect("a slash");
        let spellings = [
            format!("{path}/"),
            format!("{}%2F{}", &path[..at], &path[at + 1..]),
            format!("{}%2f{}/", &path[..at], &path[at + 1..]),
            format!("/sessionfs{path}"),
            format!("/sessionfs{path}/"),
        ];
        for method in route.methods {
            // What would change something is asked by somebody who may not: that tells as well which route it is.
            let who = if route.scope == Some(Scope::Read) { "me" } else { "read-only" };
            // Once before: what is told of a key is when it was used last.
            full.ask(who, method, &path).await;
            let plain = full.world.send(who, method, &path, &[], Vec::new()).await;
            for spelling in &spellings {
                // The first slash of all is not one that could be spelled otherwise.
                if spelling.starts_with('%') {
                    continue;
                }
                let answer = full.world.send(who, method, spelling, &[], Vec::new()).await;
                let at = format!("{}: {method} {spelling}", route.name);
                assert_eq!((answer.status, answer.text()), (plain.status, plain.text()), "{at}");
                assert_eq!(answer.header("etag"), plain.header("etag"), "{at}");
                assert!(answer.status != 404 && answer.status != 405 || plain.status == answer.status, "{at}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_says_which_methods_it_has() {
    let full = Full::start().await;
    for (path, methods, example) in paths(&full) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"] {
            if methods.contains(method) {
                continue;
            }
            let answer = full.ask("me", method, &example).await;
            let at = format!("{method} {path}");
            let wanted = json!({ "error": { "code": "405", "message": "Method Not Allowed", "details": {} } });
            assert_eq!((answer.status, answer.json()), (405, wanted), "{at}");
            let allowed: BTreeSet<_> = answer.header("allow").split(", ").collect();
            let wanted: BTreeSet<_> = methods.iter().copied().chain(["OPTIONS"]).collect();
            assert_eq!(allowed, wanted, "{at}");
        }
    }
    for path in ["/api/v1/nothing", "/api/v1/sessions/a/b/c/d", "/api/v1", "/sessionfs/nothing", "/sessionfs/"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = full.ask("me", method, path).await;
            let wanted = json!({ "error": { "code": "404", "message": "Not Found", "details": {} } });
            assert_eq!((answer.status, answer.json()), (404, wanted), "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/json", "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_its_body() {
    let full = Full::start().await;
    for route in sg_rest::sessionfs::routes().filter(|route| route.methods.contains(&"GET")) {
        assert!(route.methods.contains(&"HEAD"), "{}", route.name);
        let path = full.path(route);
        let get = full.ask("me", "GET", &path).await;
        let head = full.ask("me", "HEAD", &path).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{}", route.name);
        for name in ["content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{}", route.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_may_ask() {
    let full = Full::start().await;
    for (path, methods, example) in paths(&full) {
        let headers = [
            ("origin", "https://dashboard.example.com"),
            ("access-control-request-method", *methods.iter().next().expect("a method")),
            ("access-control-request-headers", "authorization, content-type, if-match"),
        ];
        let answer = full.world.send("nobody", "OPTIONS", &format!("/sessionfs{example}"), &headers, Vec::new()).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"), "{path}");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(answer.header("access-control-allow-methods").contains(method), "{path}: {method}");
        }
        let allowed = answer.header("access-control-allow-headers").to_lowercase();
        for header in ["authorization", "content-type", "if-match", "if-none-match", "x-sessionfs-undelete"] {
            assert!(allowed.contains(header), "{path}: {header}");
        }
        // At the root a browser says nothing of who asks, and whoever answers lets it in.
        let answer = full.world.send("nobody", "OPTIONS", &example, &headers, Vec::new()).await;
        let has_leave = answer.header("access-control-allow-headers").to_lowercase().contains("authorization");
        assert!(answer.status < 300 && has_leave, "{path}: {} {:?}", answer.status, answer.headers);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    let answer = full.ask("me", "GET", &format!("/api/v1/sessions/{}/sync", full.ids.session)).await;
    let exposed = answer.header("access-control-expose-headers").to_lowercase();
    assert!(exposed.contains("etag") && exposed.contains("retry-after"), "{exposed}");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

/// Every path with all methods of its rows, and one that is there.
fn paths(full: &Full) -> Vec<(&'static str, BTreeSet<&'static str>, String)> {
    let mut paths: Vec<(&'static str, BTreeSet<&'static str>, String)> = Vec::new();
    for route in sg_rest::sessionfs::routes() {
        match paths.iter_mut().find(|(path, ..)| *path == route.path) {
            Some((_, methods, _)) => methods.extend(route.methods),
            None => paths.push((route.path, route.methods.iter().copied().collect(), full.path(route))),
        }
    }
    paths
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

impl Full {
    /// Sends a request without a body as somebody, at a time when nobody is over a limit.
    async fn ask(&self, who: &str, method: &str, path: &str) -> Answer {
        self.world.gateway.clock.advance(std::time::Duration::from_secs(60));
        self.world.send(who, method, path, &[], Vec::new()).await
    }
}

/// Whether a body is the error of this dialect and nothing beside it.
fn is_envelope(body: &Value) -> bool {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
    };
    let error = &body["error"];
    let mut inner = names(error);
    inner.sort();
    names(body) == ["error"]
        && inner == ["code", "details", "message"]
        && error["code"].is_string()
        && error["message"].as_str().is_some_and(|message| !message.is_empty())
        && error["details"].is_object()
}
