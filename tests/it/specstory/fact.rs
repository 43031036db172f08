//! What SpecStory's clients rely on, a test for each fact.

use serde_json::{Value, json};
use sg_domain::Scope;

use super::scenario::is_time;
use super::world::{BARE, BARE_ENCODED, FULL, MINE, OWN, SHARED, Who, World, bare, full_markdown, session_data};

fn sessions_path(project: &str) -> String {
    format!("/api/v1/projects/{project}/sessions")
}

fn session_path(project: &str, session: &str) -> String {
    format!("/api/v1/projects/{project}/sessions/{session}")
}

/// Every route that reads data with `GET`, with ids of the first account filled in.
fn paths() -> Vec<String> {
    let fill = |path: &str| path.replace("{pid}", SHARED).replace("{sid}", FULL);
    let reads = sg_rest::specstory::ROUTES.iter();
    let reads = reads.filter(|route| route.scope == Some(Scope::Read) && route.methods.contains(&"GET"));
    reads.map(|route| fill(route.path)).collect()
}

/// Calls `look` on every number of a value.
fn each_number(at: &str, value: &Value, look: &mut impl FnMut(&str, &serde_json::Number)) {
    match value {
        Value::Number(number) => look(at, number),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| each_number(&format!("{at}.{i}"), v, look)),
        Value::Object(map) => map.iter().for_each(|(key, v)| each_number(&format!("{at}.{key}"), v, look)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_is_an_integer() {
    let world = World::start().await;
    let mut seen = 0;
    for path in paths() {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        each_number(&path, &answer.json(), &mut |at, number| {
            seen += 1;
            // An average; only a script in JavaScript reads it.
            if at.ends_with("avg_sessions_per_week") {
                return;
            }
            assert!(number.is_u64(), "{at} is {number}, which a Go int cannot read");
        });
    }
    assert!(seen > 20, "only {seen} numbers were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_time_is_utc_with_milliseconds() {
    let world = World::start().await;
    let mut seen = 0;
    for path in paths() {
        let body = world.get(&path).await.json().to_string();
        // Times are the only strings of that look; prompts write theirs without milliseconds.
        for text in body.split('"').filter(|text| text.len() > 19 && text.get(10..11) == Some("T")) {
            if text.starts_with("20") {
                seen += 1;
                assert!(is_time(text), "{path} has {text}");
            }
        }
    }
    assert!(seen > 20, "only {seen} times were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_utf8_bytes_of_what_was_sent() {
    let world = World::start().await;
    let markdown = full_markdown(MINE);
    assert_ne!(markdown.len(), markdown.chars().count());
    let sizes = world.get(&format!("{}/sizes", sessions_path(SHARED))).await.json();
    let sizes = &sizes["data"]["sessions"];
    assert_eq!(sizes[FULL], markdown.len());
    assert_eq!(sizes[format!("{FULL}:sessionData")], session_data(MINE).len());
    let head = world.ask(Who::Me, "HEAD", &session_path(SHARED, FULL), &[]).await;
    assert_eq!(head.header("x-markdown-size"), markdown.len().to_string());
    assert_eq!(head.header("x-session-data-size"), session_data(MINE).len().to_string());
    assert_eq!(head.header("x-raw-data-size"), format!("{{\"raw\":\"{MINE}\"}}\n").len().to_string());
    let detail = world.get(&session_path(SHARED, FULL)).await.json();
    assert_eq!(detail["data"]["session"]["markdownSize"], markdown.len());
    assert_eq!(detail["data"]["session"]["markdownContent"], markdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_comes_back_byte_for_byte() {
    let world = World::start().await;
    let path = session_path(SHARED, FULL);
    let markdown = world.ask(Who::Me, "GET", &path, &[("accept", "text/markdown")]).await;
    assert_eq!(markdown.text(), full_markdown(MINE));
    let accept = [("accept", "application/vnd.specstory.session-data+json")];
    let data = world.ask(Who::Me, "GET", &path, &accept).await;
    assert_eq!(data.text(), session_data(MINE));
    assert_eq!(data.header("content-length"), session_data(MINE).len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_are_cut_from_the_markdown() {
    let world = World::start().await;
    let detail = world.get(&session_path(SHARED, FULL)).await.json();
    let exchanges = detail["data"]["session"]["exchanges"].as_array().expect("exchanges").clone();
    assert_eq!(exchanges.len(), 2);
    let markdown = full_markdown(MINE);
    for (exchange, words) in exchanges.iter().zip([["Größe 🚀", "On the"], ["And in winter?", "In the"]]) {
        let content = exchange["content"].as_str().expect("content");
        assert!(markdown.contains(content));
        assert!(words.iter().all(|word| content.contains(word)), "{content}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_says_what_get_would() {
    let world = World::start().await;
    for accept in ["*/*", "text/markdown", "application/vnd.specstory.session-data+json"] {
        let path = session_path(SHARED, FULL);
        let get = world.ask(Who::Me, "GET", &path, &[("accept", accept)]).await;
        let head = world.ask(Who::Me, "HEAD", &path, &[("accept", accept)]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{accept}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{accept}");
        for name in ["etag", "last-modified", "content-type", "vary", "x-markdown-size", "x-session-data-size"] {
            assert_eq!(head.header(name), get.header(name), "{accept} {name}");
        }
    }
    // A client that takes compressed answers must see the same lengths.
    let compressed = world.ask(Who::Me, "HEAD", &session_path(SHARED, FULL), &[("accept-encoding", "gzip, br")]).await;
    let plain = world.ask(Who::Me, "HEAD", &session_path(SHARED, FULL), &[]).await;
    assert_eq!(compressed.header("x-markdown-size"), plain.header("x-markdown-size"));
    assert_eq!(compressed.header("content-length"), plain.header("content-length"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_answer_head_too() {
    let world = World::start().await;
    for path in paths() {
        let get = world.get(&path).await;
        let head = world.ask(Who::Me, "HEAD", &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn etag_of_a_list_is_that_of_the_header() {
    let world = World::start().await;
    let list = world.get(&sessions_path(SHARED)).await.json();
    let recent = world.get("/api/v1/sessions/recent").await.json();
    for (session, path) in [(FULL, FULL), (BARE, BARE_ENCODED)] {
        let header = world.get(&session_path(SHARED, path)).await.header("etag").to_owned();
        assert!(header.starts_with("W/\"") && header.ends_with('"') && header.len() > 20, "{header}");
        for list in [&list["data"]["sessions"], &recent["data"]["sessions"], &recent["sessions"]] {
            let row = list.as_array().expect("a list").iter();
            let row = row.clone().find(|row| row["id"] == session && row["projectId"] == SHARED).expect("the session");
            assert_eq!(row["etag"], header);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn etag_moves_with_content_and_stays_without() {
    let world = World::start().await;
    let path = session_path(OWN, FULL);
    let before = world.get(&path).await.header("etag").to_owned();
    world.put(Who::Me, bare(OWN, FULL, MINE)).await;
    assert_eq!(world.get(&path).await.header("etag"), before);
    let mut changed = bare(OWN, FULL, MINE);
    changed.name.push_str(" again");
    world.put(Who::Me, changed).await;
    let answer = world.ask(Who::Me, "GET", &path, &[("if-none-match", before.as_str())]).await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.header("etag"), before);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_stands_where_each_sdk_looks() {
    let world = World::start().await;
    let body = world.get("/api/v1/sessions/recent").await.json();
    assert_eq!(body["sessions"], body["data"]["sessions"]);
    assert_eq!(body["data"]["total"], 3);
    let activity: Vec<_> = body["sessions"].as_array().expect("a list").iter().map(activity).collect();
    assert!(activity.is_sorted_by(|a, b| a >= b), "{activity:?}");
}

fn activity(row: &Value) -> String {
    ["endedAt", "startedAt", "updatedAt"].iter().find_map(|key| row[key].as_str()).expect("a time").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cut_from_a_long_list() {
    let world = World::empty().await;
    for number in 0..230 {
        world.put(Who::Me, bare(OWN, &format!("session-{number}"), MINE)).await;
    }
    let list = world.get(&sessions_path(OWN)).await.json();
    assert_eq!(list["data"]["total"], 230);
    assert_eq!(list["data"]["sessions"].as_array().map(Vec::len), Some(230));
    let limited = world.get(&format!("{}?limit=7", sessions_path(OWN))).await.json();
    assert_eq!(limited["data"]["total"], 230);
    assert_eq!(limited["data"]["sessions"].as_array().map(Vec::len), Some(7));
    let sizes = world.get(&format!("{}/sizes", sessions_path(OWN))).await.json();
    assert_eq!(sizes["data"]["sessions"].as_object().map(serde_json::Map::len), Some(230));
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_do_not_grow_with_the_data() {
    let (small, large) = (World::start().await, World::start().await);
    for number in 0..40 {
        large.put(Who::Me, bare(&format!("project-{}", number % 8), &format!("session-{number}"), MINE)).await;
        large.put(Who::Me, bare(SHARED, &format!("session-{number}"), MINE)).await;
    }
    large.gateway.run_jobs().await;
    let with_sessions = "/api/v1/projects?resumable=true".to_owned();
    for (number, path) in paths().into_iter().chain([with_sessions]).enumerate() {
        let mut costs = Vec::new();
        for world in [&small, &large] {
            // The first request notes the key's use; its answer is kept until something changes.
            world.get(&path).await;
            world.put(Who::Me, bare("elsewhere", &format!("more-{number}"), MINE)).await;
            world.gateway.run_jobs().await;
            let before = world.gateway.app.statements();
            assert_eq!(world.get(&path).await.status, 200, "{path}");
            costs.push(world.gateway.app.statements() - before);
        }
        assert_eq!(costs[0], costs[1], "{path}");
        assert!(costs[0] <= 5, "{path} costs {} statements", costs[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_id_names_a_session_too() {
    let world = World::start().await;
    let stored = world.put(Who::Me, bare(OWN, FULL, MINE)).await;
    let own = session_path(OWN, &stored.id.to_string());
    let answer = world.get(&own).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["session"]["id"], FULL);
    assert_eq!(world.ask(Who::Other, "GET", &own, &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_string_in_the_envelope() {
    let world = World::start().await;
    for (who, method, path) in [
        (Who::Nobody, "GET", "/api/v1/projects"),
        (Who::WriteOnly, "GET", "/api/v1/projects"),
        (Who::Me, "GET", "/api/v1/projects/none"),
        (Who::Me, "GET", "/api/v1/projects/none/sessions/none"),
        (Who::Me, "GET", "/api/v1/sessions/recent?limit=0"),
        (Who::Me, "DELETE", "/api/v1/projects/none"),
        (Who::Me, "GET", "/api/v1/nothing"),
    ] {
        let answer = world.ask(who, method, path, &[]).await;
        assert!(answer.status >= 400, "{method} {path}");
        assert_eq!(answer.json()["success"], false, "{method} {path}");
        assert!(answer.json()["error"].is_string(), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_request() {
    let world = World::start().await;
    for (who, path) in [(Who::Me, "/api/v1/projects"), (Who::Nobody, "/api/v1/projects"), (Who::Me, "/api/v1/x")] {
        assert!(!world.ask(who, "GET", path, &[]).await.header("x-request-id").is_empty(), "{path}");
    }
    let given = [("x-request-id", "trace-1")];
    assert_eq!(world.ask(Who::Me, "GET", "/api/v1/projects", &given).await.header("x-request-id"), "trace-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_path_does_not_have_is_named_with_those_it_has() {
    let world = World::start().await;
    for (method, path, allow) in [
        ("PUT", format!("/api/v1/projects/{SHARED}"), "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("POST", sessions_path(SHARED), "GET, HEAD, OPTIONS"),
    ] {
        let answer = world.ask(Who::Me, method, &path, &[]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        assert_eq!(answer.json()["error"], format!("{method} is not supported by this version on this path"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_moves_with_everything_that_readers_see() {
    let world = World::start().await;
    let path = session_path(SHARED, FULL);
    let mut tags = vec![world.get(&path).await.header("etag").to_owned()];
    let exchange = world.get(&path).await.json()["data"]["session"]["exchanges"][0]["id"].clone();
    let exchange = format!("{path}/exchanges/{}", exchange.as_str().expect("an id"));
    for (changed, body) in [
        (&path, json!({ "userTitle": "another" })),
        (&path, json!({ "shareStatus": "unlisted" })),
        (&exchange, json!({ "hiddenFromShare": true })),
        (&exchange, json!({ "userTitle": "first" })),
        (&path, json!({ "userTitle": null })),
    ] {
        assert_eq!(world.tell(Who::Me, "PATCH", changed, &body).await.status, 200, "{body}");
        let tag = world.get(&path).await.header("etag").to_owned();
        assert!(!tags.contains(&tag), "{body} leaves {tag}");
        // Again the same changes nothing.
        assert_eq!(world.tell(Who::Me, "PATCH", changed, &body).await.header("etag"), tag, "{body}");
        tags.push(tag);
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_project_is_found_by_its_new_name() {
    let world = World::start().await;
    let path = format!("/api/v1/projects/{SHARED}");
    assert_eq!(world.tell(Who::Me, "PATCH", &path, &json!({ "name": "Grindstone" })).await.status, 200);
    world.gateway.run_jobs().await;
    let query = r#"{ searchSessions(query: "project:grindstone") { total } }"#;
    let found = world.graphql(Who::Me, query, json!({})).await.json();
    assert_eq!(found["data"]["searchSessions"]["total"], 2, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_project_takes_its_sessions_out_of_every_answer() {
    let world = World::start().await;
    assert_eq!(world.ask(Who::Me, "DELETE", &format!("/api/v1/projects/{SHARED}"), &[]).await.status, 200);
    for jobs in [false, true] {
        if jobs {
            world.gateway.run_jobs().await;
        }
        assert_eq!(world.get(&session_path(SHARED, FULL)).await.status, 404);
        assert_eq!(world.get(&sessions_path(SHARED)).await.status, 404);
        let query = "query($q: String!) { searchSessions(query: $q) { total } sessions { total } }";
        let found = world.graphql(Who::Me, query, json!({ "q": MINE })).await.json();
        assert_eq!(found["data"]["searchSessions"]["total"], 1, "{found}");
        assert_eq!(found["data"]["sessions"]["total"], 1);
    }
    // The other account's project of the same id is another project.
    assert_eq!(world.ask(Who::Other, "GET", &session_path(SHARED, FULL), &[]).await.status, 200);
}
