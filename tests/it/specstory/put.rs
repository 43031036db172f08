//! `PUT` of a session: what is stored, what comes back, and every way in which it is refused.

use std::io::Write as _;

use axum::body::Body;
use axum::http::Method;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::world::{OWN, SHARED, Who, World};
use crate::harness::{Answer, Engine, Gateway};

pub(super) const PATH: &str = "/api/v1/projects/9c09-f805-5a26-c277/sessions/s1";

pub(super) fn upload() -> Value {
    json!({ "projectName": "shop", "name": "first", "markdown": "# Hello\n\nworld", "rawData": "{\"a\":1}\n" })
}

pub(super) fn with(name: &str, value: Value) -> Value {
    let mut body = upload();
    body[name] = value;
    body
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn put(world: &World, body: &Value) -> Answer {
    world.tell(Who::Me, "PUT", PATH, body).await
}

async fn put_bytes(world: &World, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    world.send(Who::Me, "PUT", PATH, headers, body.into()).await
}

async fn metadata(world: &World) -> Value {
    world.get(PATH).await.json()["data"]["session"]["metadata"].take()
}

/// Blob files, so that a test can tell that none was written.
pub(super) fn blobs(world: &World) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    count(&world.gateway.dir().join("blobs"))
}

#[tokio::test(flavor = "multi_thread")]
async fn created_is_201_and_updated_200_and_the_path_id_comes_back() {
    let world = World::empty().await;
    let created = put(&world, &upload()).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let body = created.json();
    assert_eq!((&body["success"], &body["data"]["sessionId"]), (&json!(true), &json!("s1")));
    assert_eq!(body["data"]["projectId"], OWN);
    assert!(super::scenario::is_time(body["data"]["createdAt"].as_str().unwrap()));
    assert_eq!(body["data"].as_object().unwrap().len(), 3);
    let updated = put(&world, &with("name", "second".into())).await;
    assert_eq!((updated.status, &updated.json()["data"]), (200, &body["data"]));
    let again = put(&world, &with("name", "second".into())).await;
    assert_eq!((again.status, again.header("etag")), (200, updated.header("etag")));
    assert_ne!(created.header("etag"), updated.header("etag"));
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn etag_of_a_put_is_that_of_lists_and_reads() {
    let world = World::empty().await;
    let answer = put(&world, &upload()).await;
    let read = world.get(PATH).await;
    assert!(answer.header("etag").starts_with("W/\""), "{}", answer.header("etag"));
    for name in ["etag", "last-modified"] {
        assert_eq!(answer.header(name), read.header(name), "{name}");
    }
    let list = world.get(&format!("/api/v1/projects/{OWN}/sessions")).await.json();
    assert_eq!(list["data"]["sessions"][0]["etag"], answer.header("etag"));
    let tag = answer.header("etag").to_owned();
    assert_eq!(world.ask(Who::Me, "GET", PATH, &[("if-none-match", &tag)]).await.status, 304);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_put_writes_nothing() {
    let world = World::empty().await;
    let mut body = with("metadata", json!({ "tags": ["a"], "deviceId": null }));
    body["sessionData"] = "{\"schemaVersion\":\"1.0.0\"}".into();
    let first = put(&world, &body).await;
    world.gateway.run_jobs().await;
    let version = world.gateway.app.data_version(world.caller(Who::Me)).await.unwrap();
    let files = blobs(&world);
    world.gateway.clock.advance(std::time::Duration::from_secs(60));
    for (headers, bytes) in
        [(&[][..], body.to_string().into_bytes()), (&[("content-encoding", "gzip")], gzip(body.to_string().as_bytes()))]
    {
        let again = put_bytes(&world, headers, bytes).await;
        assert_eq!(again.status, 200);
        for name in ["etag", "last-modified"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_eq!(again.body, first.body);
    }
    assert_eq!(world.gateway.app.data_version(world.caller(Who::Me)).await.unwrap(), version);
    assert_eq!(blobs(&world), files);
    assert_eq!(world.gateway.app.job_counts().await.unwrap().ready, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_comes_back_byte_for_byte() {
    let world = World::empty().await;
    // As JSON: NUL, CRLF, a tab, a lone surrogate of each kind, a pair, and a header that makes exchanges.
    let markdown = "_**User**_\\r\\n\\r\\nnul \\u0000 tab \\t high \\ud800 low \\udfff pair \\ud83d\\ude80 raw 語\\n\\n_**Agent**_\\n\\nyes\\n\\n_**User**_\\n\\nlone \\udbff.\\n";
    let body = format!(
        "{{\"projectName\":\"p\",\"name\":\"n\",\"markdown\":\"{markdown}\",\"rawData\":\"\\ud800\",\"sessionData\":\"[\\udc00]\"}}"
    );
    let answer = put_bytes(&world, &[], body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = "_**User**_\r\n\r\nnul \0 tab \t high \u{fffd} low \u{fffd} pair 🚀 raw 語\n\n_**Agent**_\n\nyes\n\n_**User**_\n\nlone \u{fffd}.\n";

    let read = world.ask(Who::Me, "GET", PATH, &[("accept", "text/markdown")]).await;
    assert_eq!(read.text(), shown);
    assert_eq!(read.header("content-length"), shown.len().to_string());
    let head = world.ask(Who::Me, "HEAD", PATH, &[]).await;
    assert_eq!(head.header("x-markdown-size"), shown.len().to_string());
    assert_eq!((head.header("x-raw-data-size"), head.header("x-session-data-size")), ("3", "5"));
    let data = world.ask(Who::Me, "GET", PATH, &[("accept", "application/vnd.specstory.session-data+json")]).await;
    assert_eq!((data.text().as_str(), data.header("content-length")), ("[\u{fffd}]", "5"));

    // The JSON form gives the surrogates back as they came.
    let detail = world.get(PATH).await.text();
    assert!(detail.contains(&markdown.replace("\\ud83d\\ude80", "🚀")), "{detail}");
    assert!(detail.contains("\"content\":\"_**User**_\\n\\nlone \\udbff.\\n\""), "{detail}");
    assert_eq!(world.ask(Who::Me, "HEAD", PATH, &[]).await.header("content-length"), detail.len().to_string());

    let query = r#"{ sessions { nodes { markdownContent markdownSize rawData messages { nodes { text } } exchanges { content } } } }"#;
    let data = world.graphql(Who::Me, query, json!({})).await.json();
    assert!(data["errors"].is_null(), "{data}");
    let node = &data["data"]["sessions"]["nodes"][0];
    assert_eq!((&node["markdownContent"], &node["markdownSize"]), (&json!(shown), &json!(shown.len())));
    assert_eq!(node["exchanges"][1]["content"], "_**User**_\n\nlone \u{fffd}.\n");
    world.gateway.run_jobs().await;
    let version = world.gateway.app.data_version(world.caller(Who::Me)).await.unwrap();
    assert!(version > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_beyond_memory_comes_back_byte_for_byte() {
    let world = World::empty().await;
    // Beyond what a spool keeps in memory and what is sent at once, below and above what is read as a whole.
    for (path, lines) in [("a", 20_000), ("b", 45_000)] {
        let path = format!("/api/v1/projects/{SHARED}/sessions/{path}");
        let turn = format!("_**User**_\n\nwhat about 語?\n\n_**Agent**_\n\n\u{1}yes{}\n", " indeed".repeat(50));
        let markdown = turn.repeat(lines);
        let data = format!("[{}0]", "1,".repeat(lines * 10));
        let mut body = with("markdown", markdown.clone().into());
        body["sessionData"] = data.clone().into();
        body["rawData"] = "raw\n".repeat(lines * 2).into();
        let answer = world.tell(Who::Me, "PUT", &path, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let read = world.ask(Who::Me, "GET", &path, &[("accept", "text/markdown")]).await;
        assert!(read.body == markdown.as_bytes());
        assert_eq!(read.header("content-length"), markdown.len().to_string());
        let read = world.ask(Who::Me, "GET", &path, &[("accept", "application/vnd.specstory.session-data+json")]).await;
        assert!(read.body == data.as_bytes());
        let query = "query($s: String!) { session(projectId: \"0f81-fa3b-cc40-b565\", sessionId: $s) { counts { messages exchanges } messages(first: 2) { nodes { role text } } } }";
        let name = &path[path.len() - 1..];
        let found = world.graphql(Who::Me, query, json!({ "s": name })).await.json();
        let session = &found["data"]["session"];
        assert_eq!(session["counts"]["messages"], lines * 2, "{found}");
        assert_eq!(session["counts"]["exchanges"], lines);
        assert_eq!(
            session["messages"]["nodes"],
            json!([{ "role": "USER", "text": "what about 語?" }, { "role": "ASSISTANT", "text": format!("\u{1}yes{}", " indeed".repeat(50)) }])
        );
        let again = world.tell(Who::Me, "PUT", &path, &body).await;
        assert_eq!((again.status, again.header("etag")), (200, answer.header("etag")));
    }
    assert_eq!(std::fs::read_dir(world.gateway.dir().join("spool")).unwrap().count(), 0, "a spool is left over");
    world.gateway.run_jobs().await;
    let found = world.graphql(Who::Me, r#"{ searchSessions(query: "what about") { total } }"#, json!({})).await.json();
    assert_eq!(found["data"]["searchSessions"]["total"], 2, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_data_stays_unless_it_is_sent() {
    let world = World::empty().await;
    let text = "{\"schemaVersion\" : \"1.0.0\",\r\n \"a\":1e0, \"a\":[]}";
    let accept = [("accept", "application/vnd.specstory.session-data+json")];
    assert_eq!(put(&world, &upload()).await.status, 201);
    assert_eq!(world.ask(Who::Me, "GET", PATH, &accept).await.json()["error"], "SessionData not found");
    put(&world, &with("sessionData", text.into())).await;
    for body in [with("name", "n2".into()), with("sessionData", Value::Null), with("sessionData", "".into())] {
        assert_eq!(put(&world, &body).await.status, 200);
        assert_eq!(world.ask(Who::Me, "GET", PATH, &accept).await.text(), text);
        let sizes = world.get(&format!("/api/v1/projects/{OWN}/sessions/sizes")).await.json();
        assert_eq!(sizes["data"]["sessions"]["s1:sessionData"], text.len());
    }
    put(&world, &with("sessionData", "{}".into())).await;
    assert_eq!(world.ask(Who::Me, "GET", PATH, &accept).await.text(), "{}");
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_merges_by_key_and_unknown_keys_are_dropped() {
    let world = World::empty().await;
    let first =
        json!({ "clientName": "cli", "tags": ["a", "b"], "client_name": "x", "folder": "/secret", "deviceId": null });
    put(&world, &with("metadata", first)).await;
    put(
        &world,
        &with("metadata", json!({ "machineName": "vm", "tags": ["c"], "other": { "tags": [1], "clientName": 5 } })),
    )
    .await;
    put(&world, &with("metadata", Value::Null)).await;
    put(&world, &upload()).await;
    let metadata = metadata(&world).await;
    assert_eq!((&metadata["clientName"], &metadata["machineName"]), (&json!("cli"), &json!("vm")));
    assert_eq!((&metadata["tags"], &metadata["folder"]), (&json!(["c"]), &Value::Null));
    assert!(metadata.get("client_name").is_none() && metadata["deviceId"].is_null());
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_version_is_derived_and_does_not_flip() {
    let world = World::empty().await;
    let version = || async { metadata(&world).await["markdownVersion"].as_str().map(str::to_owned) };
    put(&world, &upload()).await;
    assert_eq!(version().await.as_deref(), Some("1.0.0"));
    let header = "<!-- Generated by SpecStory, Markdown v2.1.0 -->\n\nhello";
    let silent = with("markdown", header.into());
    put(&world, &silent).await;
    assert_eq!(version().await.as_deref(), Some("v2.1.0"));
    // One client names the version and another does not: the markdown is the same, so the session stays as it is.
    let mut named = silent.clone();
    named["metadata"] = json!({ "markdownVersion": "9" });
    let tag = put(&world, &named).await.header("etag").to_owned();
    for body in [&silent, &named, &silent] {
        assert_eq!(put(&world, body).await.header("etag"), tag);
    }
    assert_eq!(version().await.as_deref(), Some("9"));
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_names_what_is_wrong_and_stores_nothing() {
    let world = World::empty().await;
    let missing = |field: &str| (400, format!("Missing required field: {field}"));
    let wrong = |field: &str, what: &str| (400, format!("Invalid value for {field}. Must be {what}"));
    let mut cases: Vec<(String, (u16, String))> = Vec::new();
    for field in ["projectName", "name", "markdown", "rawData"] {
        let mut absent = upload();
        absent.as_object_mut().unwrap().remove(field);
        for body in [absent, with(field, Value::Null), with(field, "".into())] {
            cases.push((body.to_string(), missing(field)));
        }
        for value in [json!(5), json!(true), json!(["x"]), json!({ "x": "y" })] {
            cases.push((with(field, value).to_string(), wrong(field, "a string")));
        }
    }
    cases.push((with("name", " \n".into()).to_string(), missing("name")));
    for value in [json!(5), json!({}), json!([])] {
        cases.push((with("sessionData", value).to_string(), wrong("sessionData", "a string")));
    }
    for value in [json!("x"), json!([]), json!(1)] {
        cases.push((with("metadata", value).to_string(), wrong("metadata", "an object")));
    }
    for value in [json!(1), json!(["x"]), json!({})] {
        let body = with("metadata", json!({ "clientName": value }));
        cases.push((body.to_string(), wrong("metadata.clientName", "a string or null")));
    }
    for value in [json!("x"), json!({}), json!([1]), json!(["x", null]), json!([["x"]])] {
        let body = with("metadata", json!({ "llmModels": value }));
        cases.push((body.to_string(), wrong("metadata.llmModels", "a list of strings or null")));
    }
    let long = with("name", "x".repeat(2_000).into());
    cases.push((long.to_string(), (400, "name is longer than 1024 bytes".to_owned())));
    let many = with("metadata", json!({ "tags": vec!["x"; 1_001] }));
    cases.push((many.to_string(), (400, "Metadata.tags has more than 1000 entries".to_owned())));
    let good = upload().to_string();
    for bad in [
        "",
        " ",
        "null",
        "5",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "{\"a\":}",
        "nonsense",
        "{\"name\":\"\\x\"}",
        "{\"name\":\"a\nb\"}",
    ] {
        cases.push((bad.to_owned(), (400, "Invalid JSON in request body".to_owned())));
    }
    for bad in [
        format!("{good}{good}"),
        format!("{good}x"),
        good[..good.len() - 1].to_owned(),
        format!("\u{feff}{good}"),
        "[".repeat(100_000),
    ] {
        cases.push((bad, (400, "Invalid JSON in request body".to_owned())));
    }
    for (body, (status, text)) in &cases {
        let answer = put_bytes(&world, &[], body.clone()).await;
        let shown = &body[..body.len().min(100)];
        assert_eq!((answer.status, answer.json()), (*status, json!({ "success": false, "error": text })), "{shown}");
    }
    let mut bytes = good.clone().into_bytes();
    let at = good.find("world").unwrap();
    bytes[at] = 0xff;
    let answer = put_bytes(&world, &[], bytes).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("Invalid JSON in request body")));
    assert_eq!(world.get("/api/v1/projects").await.json()["data"]["total"], 0);
    assert_eq!(blobs(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_name_that_comes_twice_the_last_counts() {
    let world = World::empty().await;
    let body = r#"{"name":5,"name":"kept","projectId":"other","projectName":"p","markdown":null,"markdown":"first","markdown":"kept too",
        "rawData":"r","metadata":7,"metadata":{"tags":"x","tags":["t"],"title":"a","title":null},"x":{"name":1,"metadata":{"tags":[[]]}}}"#;
    let answer = put_bytes(&world, &[], body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let session = world.get(PATH).await.json()["data"]["session"].take();
    assert_eq!((&session["name"], &session["markdownContent"]), (&json!("kept"), &json!("kept too")));
    assert_eq!((&session["metadata"]["tags"], &session["metadata"]["title"]), (&json!(["t"]), &Value::Null));
    assert_eq!(session["projectId"], OWN);
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_can_be_none_are_mistakes() {
    let world = World::empty().await;
    let long = "x".repeat(256);
    for (project, session, noun) in [
        ("p", "a%0Ab", "Session"),
        ("p", "a%2Fb", "Session"),
        ("p", long.as_str(), "Session"),
        ("a%09b", "s", "Project"),
    ] {
        let answer =
            world.tell(Who::Me, "PUT", &format!("/api/v1/projects/{project}/sessions/{session}"), &upload()).await;
        let text = format!("{noun} id must be 1 to 255 bytes without control characters or slashes");
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(text.as_str())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_comes_before_the_body() {
    let world = World::empty().await;
    for (who, status, text) in [
        (Who::Nobody, 401, "Invalid or missing authentication token"),
        (Who::Stranger, 401, "Invalid or missing authentication token"),
        (Who::ReadOnly, 403, "Insufficient permissions. Required scope: write"),
    ] {
        // A body that never comes: whoever waits for it does not answer.
        let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let answer = world.send(who, "PUT", PATH, &[], never).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(text)), "{who:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_taken_in_every_form_it_has() {
    let world = World::empty().await;
    let json = upload().to_string();
    let (first, second) = json.as_bytes().split_at(40);
    let members = [gzip(first), gzip(b""), gzip(second)].concat();
    let named = {
        let builder = flate2::GzBuilder::new().filename("body.json").comment("x").extra(vec![0; 300]).mtime(7);
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(json.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    for (encoding, body) in [
        ("gzip", gzip(json.as_bytes())),
        ("GZIP", gzip(json.as_bytes())),
        ("x-gzip", gzip(json.as_bytes())),
        ("identity", json.clone().into_bytes()),
        ("Identity", json.clone().into_bytes()),
        ("", json.clone().into_bytes()),
        ("gzip", members),
        ("gzip", named),
    ] {
        for size in [1, 7, 10_000] {
            let pieces: Vec<_> = body.chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            let pieces = Body::from_stream(futures_util::stream::iter(pieces));
            let answer = put_bytes(&world, &[("content-encoding", encoding)], pieces).await;
            assert!(matches!(answer.status, 200 | 201), "{encoding} {size}: {}", answer.text());
            assert_eq!(world.get(PATH).await.json()["data"]["session"]["markdownContent"], "# Hello\n\nworld");
        }
    }
    world.gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_encodings_are_415() {
    let world = World::empty().await;
    for encoding in ["br", "deflate", "zstd", "gzip, gzip", "gzip, br"] {
        let answer = put_bytes(&world, &[("content-encoding", encoding)], upload().to_string()).await;
        let text = format!("Unsupported Content-Encoding \"{encoding}\", use gzip or identity");
        assert_eq!((answer.status, answer.json()["error"].as_str()), (415, Some(text.as_str())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn corrupt_gzip_is_400() {
    let world = World::empty().await;
    let good = gzip(upload().to_string().as_bytes());
    let damaged = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    let end = good.len();
    for (what, body) in [
        ("no header", damaged(0)),
        ("another method", damaged(2)),
        ("a wrong checksum", damaged(end - 8)),
        ("a wrong length", damaged(end - 2)),
        ("cut in the trailer", good[..end - 3].to_vec()),
        ("cut in the data", good[..end / 2].to_vec()),
        ("cut in the header", good[..5].to_vec()),
        ("nothing", Vec::new()),
        ("no gzip", upload().to_string().into_bytes()),
        ("garbage behind", [&good[..], b"garbage"].concat()),
        ("half a member behind", [&good[..], &good[..20]].concat()),
    ] {
        for size in [1, 10_000] {
            let pieces: Vec<_> = body.chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            let pieces = Body::from_stream(futures_util::stream::iter(pieces));
            let answer = put_bytes(&world, &[("content-encoding", "gzip")], pieces).await;
            assert_eq!(
                (answer.status, answer.json()["error"].as_str()),
                (400, Some("Request body is not valid gzip")),
                "{what}"
            );
        }
    }
    assert_eq!(world.get("/api/v1/projects").await.json()["data"]["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_off_writes_nothing() {
    let world = World::empty().await;
    let json = with("markdown", "x".repeat(5_000_000).into()).to_string();
    for end in [10, json.len() / 2, json.len() - 1] {
        let pieces = [Ok(json[..end].to_owned()), Err(std::io::Error::other("gone"))];
        let answer = put_bytes(&world, &[], Body::from_stream(futures_util::stream::iter(pieces))).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (408, Some("Request body did not arrive completely"))
        );
    }
    // One that stalls is dropped with its request.
    let stalls = futures_util::stream::iter([Ok::<_, std::io::Error>(json[..json.len() / 2].to_owned())]);
    let stalls = Body::from_stream(stalls.chain(futures_util::stream::pending()));
    let waiting = put_bytes(&world, &[], stalls);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(500), waiting).await.is_err());
    assert_eq!(world.get("/api/v1/projects").await.json()["data"]["total"], 0);
    assert_eq!(blobs(&world), 0);
    let spools = std::fs::read_dir(world.gateway.dir().join("spool")).unwrap().count();
    assert_eq!(spools, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_at_once_make_one_project_and_one_of_them_creates() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let put = |path: String, body: Value| {
            let call = gateway.call(Method::PUT, &path).key(&gateway.me.key).json(&body);
            async move { call.send().await.status }
        };
        let several = (0..10).map(|n| put(format!("/api/v1/projects/new/sessions/s{n}"), upload()));
        let statuses = futures_util::future::join_all(several).await;
        assert_eq!(statuses, [201; 10], "{engine:?}");
        for body in [|_: usize| upload(), |n: usize| with("name", format!("name {n}").into())] {
            let path = format!("/api/v1/projects/new/sessions/same {}", body(0)["name"]).replace([' ', '"'], "-");
            let mut statuses = futures_util::future::join_all((0..10).map(|n| put(path.clone(), body(n)))).await;
            statuses.sort_unstable();
            assert_eq!(statuses[..9], [200; 9], "{engine:?}");
            assert_eq!(statuses[9], 201, "{engine:?}");
        }
        let projects = gateway.get("/api/v1/projects").send().await.json();
        assert_eq!(projects["data"]["total"], 1);
        assert_eq!(projects["data"]["projects"][0]["sessionCount"], 12);
        assert_eq!(projects["data"]["projects"][0]["name"], "shop");
        gateway.run_jobs().await;
    }
}
