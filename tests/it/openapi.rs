//! The description of the REST API: that it says what the server does, all of it and nothing else; its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::harness::Gateway;
use crate::program::{Program, root};
use crate::specstory::world::{FULL, SHARED, Who, World};

mod judge;

/// The description that is served.
fn description() -> Value {
    serde_json::from_slice(&sg_rest::specstory::openapi::document()).unwrap()
}

/// Each operation by path and method.
fn operations(description: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = description["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| ((path.clone(), method.to_uppercase()), operation))
        })
        .collect()
}

#[test]
fn the_printed_description_is_the_one_that_is_checked_in() {
    let checked_in = std::fs::read_to_string(root().join("docs/openapi/specstory.json")).unwrap();
    let is_same = Program::new().ok(&["openapi"]).trim_end() == checked_in.trim_end();
    assert!(is_same, "run `cargo run -- openapi > docs/openapi/specstory.json`");
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let description = description();
    let described: BTreeSet<_> = operations(&description).into_keys().collect();
    let routes = sg_rest::specstory::ROUTES.iter();
    let routed = routes.flat_map(|r| r.methods.iter().map(|method| (r.path.to_owned(), (*method).to_owned())));
    assert_eq!(described, routed.collect(), "described on the left, routed on the right");
}

#[test]
fn who_may_is_what_the_route_table_says() {
    let description = description();
    let operations = operations(&description);
    for route in sg_rest::specstory::ROUTES {
        for method in route.methods {
            let operation = operations[&(route.path.to_owned(), (*method).to_owned())];
            let security = operation["security"].as_array().unwrap();
            let refused: Vec<_> =
                ["401", "403"].into_iter().filter(|s| operation["responses"].get(s).is_some()).collect();
            match route.scope {
                Some(scope) => {
                    assert_eq!(security, &[json!({ "key": [scope.name()] })], "{method} {}", route.path);
                    assert_eq!(refused, ["401", "403"], "{method} {}", route.path);
                }
                // A refresh token is no caller's credential: its operation looks at it itself.
                None => {
                    assert!(security.iter().all(|way| way.get("key").is_none()), "{method} {}", route.path);
                    assert!(!refused.contains(&"403"), "{method} {}", route.path);
                }
            }
        }
    }
}

#[test]
fn every_operation_is_named_once_explained_and_tells_its_limits() {
    let description = description();
    let mut names = BTreeSet::new();
    for ((path, method), operation) in operations(&description) {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{path} {method}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path} {method}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let answer = resolved(&description, answer);
            for header in ["X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"] {
                assert!(answer["headers"].get(header).is_some(), "{path} {method} {status} {header}");
            }
            let has_content = answer.get("content").is_some();
            assert_eq!(has_content, method != "HEAD" && status != "304", "{path} {method} {status}");
        }
    }
}

fn resolved<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(place) => description.pointer(place.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {place}")),
        None => value,
    }
}

/// The properties of a schema, those of its parts with them.
fn properties<'a>(description: &'a Value, schema: &'a Value) -> Map<String, Value> {
    let schema = resolved(description, schema);
    let own = schema["properties"].as_object().cloned().unwrap_or_default();
    let parts = schema["allOf"].as_array().into_iter().flatten();
    parts.flat_map(|part| properties(description, part)).chain(own).collect()
}

/// Names what an answer has that is not described, and notes what of the description was seen.
fn compare(description: &Value, at: &str, schema: &Value, value: &Value, seen: &mut BTreeSet<String>) -> Vec<String> {
    let schema = resolved(description, schema);
    if let Some(ways) = schema["oneOf"].as_array().filter(|_| value.is_object()) {
        let way = ways.iter().find(|way| way["type"] != "null").unwrap();
        return compare(description, at, way, value, seen);
    }
    match value {
        Value::Object(fields) => {
            let properties = properties(description, schema);
            let others = schema.get("additionalProperties");
            let one = |(name, value): (&String, &Value)| {
                let here = format!("{at}.{name}");
                seen.insert(here.clone());
                match properties.get(name).or(others) {
                    Some(schema) => compare(description, &here, schema, value, seen),
                    None if schema["type"] == "object" && properties.is_empty() => Vec::new(),
                    None => vec![here],
                }
            };
            fields.iter().flat_map(one).collect()
        }
        Value::Array(items) => {
            items.iter().flat_map(|item| compare(description, at, &schema["items"], item, seen)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every place in a schema.
fn places(description: &Value, at: &str, schema: &Value, found: &mut BTreeSet<String>) {
    let schema = resolved(description, schema);
    for way in schema["oneOf"].as_array().into_iter().flatten() {
        places(description, at, way, found);
    }
    if let Some(items) = schema.get("items") {
        places(description, at, items, found);
    }
    for (name, schema) in properties(description, schema) {
        let here = format!("{at}.{name}");
        found.insert(here.clone());
        places(description, &here, &schema, found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_have_the_fields_that_are_described() {
    let world = World::start().await;
    // All that can be there is there once: a title on the session and on an exchange, and a share.
    let session = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let shared = json!({ "userTitle": "t", "shareStatus": "unlisted" });
    let body = world.tell(Who::Me, "PATCH", &session, &shared).await.json();
    let exchange = body["data"]["session"]["exchanges"][0]["id"].as_str().unwrap().to_owned();
    let (exchange, title) = (format!("{session}/exchanges/{exchange}"), json!({ "userTitle": "t" }));
    assert_eq!(world.tell(Who::Me, "PATCH", &exchange, &title).await.status, 200);
    world.gateway.run_jobs().await;

    let description = description();
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    for ((path, method), operation) in operations(&description) {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        // What a device gets has its own tests; this description describes itself.
        if method != "GET" || schema.is_null() || path.contains("device") || path.ends_with("/openapi") {
            continue;
        }
        let filled = path.replace("{pid}", SHARED).replace("{sid}", FULL);
        let (mut seen, mut all) = (BTreeSet::new(), BTreeSet::new());
        for filled in [filled.clone(), format!("{filled}?resumable=true")] {
            let answer = world.get(&filled).await;
            assert_eq!(answer.status, 200, "{filled}: {}", answer.text());
            wrong.extend(compare(&description, &path, schema, &answer.json(), &mut seen));
        }
        places(&description, &path, schema, &mut all);
        unseen.extend(all.difference(&seen).cloned());
    }
    assert!(wrong.is_empty(), "not described: {wrong:#?}");
    assert!(unseen.is_empty(), "described and never there: {unseen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_answered_as_described() {
    let world = World::start().await;
    let app = &world.gateway.app;
    let code = app.create_device_code(&world.gateway.me.caller, None).await.unwrap().code;
    let session = format!("/api/v1/projects/{SHARED}/sessions/{FULL}");
    let upload =
        json!({ "projectName": "p", "name": "n", "markdown": "m", "rawData": "r", "metadata": { "tags": ["t"] } });
    let described = description();
    let mut wrong = Vec::new();
    let mut refresh = String::new();
    for (method, template, path, body) in [
        ("POST", "/api/v1/search/resume", "/api/v1/search/resume".to_owned(), json!({ "query": "heliotrope" })),
        ("PUT", "/api/v1/projects/{pid}/sessions/{sid}", format!("{session}-new"), upload.clone()),
        ("PUT", "/api/v1/projects/{pid}/sessions/{sid}", session.clone(), upload),
        (
            "PATCH",
            "/api/v1/projects/{pid}",
            format!("/api/v1/projects/{SHARED}"),
            json!({ "name": "a", "icon": "b", "color": "c" }),
        ),
        ("PATCH", "/api/v1/projects/{pid}/sessions/{sid}", session.clone(), json!({ "userTitle": "t" })),
        ("POST", "/api/v1/api-tokens", "/api/v1/api-tokens".to_owned(), json!({ "name": "n" })),
        ("POST", "/api/v1/device-login", "/api/v1/device-login".to_owned(), json!({ "device_code": code })),
        ("POST", "/api/v1/device-refresh", "/api/v1/device-refresh".to_owned(), json!(null)),
        ("POST", "/api/v1/device-logout", "/api/v1/device-logout".to_owned(), json!(null)),
        ("DELETE", "/api/v1/projects/{pid}/sessions/{sid}", session, json!(null)),
        ("DELETE", "/api/v1/projects/{pid}", format!("/api/v1/projects/{SHARED}"), json!(null)),
    ] {
        let answer = if template.ends_with("device-refresh") || template.ends_with("device-logout") {
            let bearer = format!("Bearer {refresh}");
            world.ask(Who::Nobody, method, &path, &[("authorization", &bearer)]).await
        } else {
            world.tell(Who::Me, method, &path, &body).await
        };
        let status = answer.status.to_string();
        assert!(answer.status < 300, "{method} {path}: {status} {}", answer.text());
        let operation = operations(&described)[&(template.to_owned(), method.to_owned())];
        let response = &operation["responses"][&status];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{method} {template} {status} is not described");
        let at = format!("{method} {template}");
        let body = answer.json();
        let (mut seen, mut all) = (BTreeSet::new(), BTreeSet::new());
        wrong.extend(compare(&described, &at, schema, &body, &mut seen));
        places(&described, &at, schema, &mut all);
        // Left out where they are not known.
        let optional = ["userTitle", "startedAt", "endedAt"];
        let unseen = all.difference(&seen).filter(|place| !optional.iter().any(|name| place.ends_with(name)));
        wrong.extend(unseen.map(|place| format!("never there: {place}")));
        if let Some(token) = body["refreshToken"].as_str() {
            token.clone_into(&mut refresh);
        }
        world.gateway.run_jobs().await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_read_without_a_key() {
    let gateway = Gateway::start().await;
    for path in ["/api/v1/openapi", "/api/openapi.json"] {
        let answer = gateway.call(Method::GET, path).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.json()["openapi"], "3.1.0", "{path}");
        assert_eq!(answer.body, sg_rest::specstory::openapi::document(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_pages_that_load_nothing_from_elsewhere() {
    let gateway = Gateway::start().await;
    for path in ["/api/docs", "/api/redoc"] {
        let page = gateway.call(Method::GET, path).send().await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        let html = page.text();
        assert!(
            !html.contains("://") || html.matches("://").count() == html.matches("http://www.w3.org/2000/svg").count()
        );
        assert!(html.contains(r#"<script type="module" src="/assets/"#), "{html}");
    }
}

/// A program of the virtual environment.
fn python(program: &str) -> Command {
    let path = root().join("tests/.venv/bin").join(program);
    assert!(path.is_file(), "{} is missing, run ./test, which installs it", path.display());
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    command
}
