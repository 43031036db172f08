//! Replays of what the shipped clients sent, in `tests/fixtures/specstory`: every request, with its headers and body, in
//! order, against a fresh server and with the tokens that this server gave out.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use sg_domain::Timestamp;

use super::world::{Who, World};
use crate::harness::Answer;

/// The code that the command line's recording types in.
const CODE: &str = "aB3xY9";
/// Sessions that the SDK's recording deletes and whose `PUT`s are not in it: of ten that its example sends at once, the
/// recording lost three.
const LOST: [&str; 3] = [
    "c41f658c-20ee-4b7a-aad5-dc6cf58c1373",
    "b29d63a2-94af-4256-8497-4fda011f3325",
    "cbea97e6-697e-468b-b09f-45c0f3d5d798",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_gets_what_it_got_before() {
    let world = World::empty().await;
    let mut replay = Replay::new(&world, None);
    for request in recorded("cli.jsonl") {
        if request["path"] == "/api/v1/device-login" {
            world.gateway.ids.will_be_device_code(CODE);
            let caller = world.caller(Who::Me);
            let made = world.gateway.app.create_device_code(caller, None).await.expect("a code");
            assert_eq!(made.code, CODE);
        }
        replay.send(&request).await;
        world.gateway.run_jobs().await;
    }
    assert_eq!(replay.sent, 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_gets_what_it_got_before() {
    let world = World::empty().await;
    let mut replay = Replay::new(&world, world.key(Who::Me).map(str::to_owned));
    let requests = recorded("sdk-typescript.jsonl");
    let put = requests.iter().find(|r| r["method"] == "PUT").expect("a PUT").clone();
    for session in LOST {
        let mut put = put.clone();
        let project = put["path"].as_str().and_then(|path| path.rsplit_once('/')).expect("a path").0.to_owned();
        put["path"] = format!("{project}/{session}").into();
        replay.send(&put).await;
    }
    for request in &requests {
        replay.send(request).await;
        // What the SDK's examples do next may search for it.
        world.gateway.run_jobs().await;
    }
    assert_eq!(replay.sent, requests.len() + LOST.len());
}

/// One client with what it was given so far.
struct Replay<'a> {
    world: &'a World,
    token: Option<String>,
    refresh: Option<String>,
    /// The last tag of each path.
    tags: HashMap<String, String>,
    sent: usize,
}

impl<'a> Replay<'a> {
    fn new(world: &'a World, token: Option<String>) -> Self {
        Self { world, token, refresh: None, tags: HashMap::new(), sent: 0 }
    }

    async fn send(&mut self, request: &Value) {
        let text = |name: &str| request[name].as_str().unwrap_or_default();
        let (method, path) = (text("method"), text("path"));
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in request["headers"].as_object().expect("headers") {
            let value = value.as_str().unwrap_or_default();
            // The tag of the other server's session is not ours; the client sends back what it was given.
            let is_tag = name.eq_ignore_ascii_case("if-none-match");
            let value = if is_tag { self.tags.get(path).map_or(value, String::as_str) } else { value };
            headers.push((name.clone(), value.to_owned()));
        }
        let token = match path {
            "/api/v1/device-login" => None,
            "/api/v1/device-refresh" | "/api/v1/device-logout" => self.refresh.clone(),
            _ => self.token.clone(),
        };
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let is_packed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
        let body = if is_packed { gzip(text("body")) } else { text("body").as_bytes().to_vec() };
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.world.send(Who::Nobody, method, path, &headers, body.into()).await;
        let class = u64::from(answer.status / 100);
        let wanted = request["status_class"].as_u64();
        assert_eq!(Some(class), wanted, "{method} {path} answered {}: {}", answer.status, answer.text());
        if !answer.header("etag").is_empty() {
            self.tags.insert(path.to_owned(), answer.header("etag").to_owned());
        }
        if class == 2 {
            self.read(method, path, &answer);
        }
        self.sent += 1;
    }

    /// Reads an answer as strictly as the clients' models do.
    fn read(&mut self, method: &str, path: &str, answer: &Answer) {
        let at = format!("{method} {path}");
        if method == "HEAD" {
            for name in ["x-markdown-size", "x-raw-data-size", "x-session-data-size", "content-length"] {
                assert!(answer.header(name).parse::<u64>().is_ok(), "{at}: {name}");
            }
            assert!(answer.body.is_empty(), "{at}");
            return;
        }
        let body = answer.unpacked().unwrap_or_else(|error| panic!("{at}: {error}"));
        let body: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{at}: {error}"));
        let future = |name: &str| {
            let at = Timestamp::parse(body[name].as_str().expect("a time")).expect("RFC 3339");
            // The command line takes a token with less than five minutes left for an expired one.
            assert!(at > self.world.gateway.app.now().plus_micros(300_000_000), "{path}: {name}");
        };
        match path.split('?').next().unwrap_or_default() {
            "/api/v1/device-login" => {
                future("expiresAt");
                assert!(body["user"]["email"].is_string(), "{body}");
                self.refresh = Some(body["refreshToken"].as_str().expect("a token").to_owned());
            }
            "/api/v1/device-refresh" => {
                future("expiresAt");
                self.token = Some(body["accessToken"].as_str().expect("a token").to_owned());
            }
            "/api/v1/device-logout" | "/api/v1/graphql" => {}
            _ if method == "GET" && body.get("schemaVersion").is_some() => {}
            path => strict::check(method, path, &body),
        }
    }
}

/// Required fields, integers and zones, as the SDKs' generated models want them.
mod strict {
    use serde_json::Value;

    use crate::specstory::scenario::is_time;

    pub(super) fn check(method: &str, path: &str, body: &Value) {
        let at = format!("{method} {path}: {body}");
        assert_eq!(body["success"], true, "{at}");
        let data = &body["data"];
        let path: Vec<_> = path.trim_start_matches("/api/v1/").split('/').collect();
        match (method, path.as_slice()) {
            ("GET", ["projects"]) => {
                int(&data["total"], &at);
                items(&data["projects"], &at).iter().for_each(|project| self::project(project, &at));
            }
            ("GET", ["projects", _, "sessions"]) => {
                int(&data["total"], &at);
                text(&data["projectId"], &at);
                items(&data["sessions"], &at).iter().for_each(|session| summary(session, &at));
            }
            ("GET", ["sessions", "recent"]) => {
                assert_eq!(data["sessions"], body["sessions"], "{at}");
                items(&data["sessions"], &at).iter().for_each(|session| summary(session, &at));
            }
            ("GET", ["projects", _, "sessions", "sizes"]) => {
                let sizes = data["sessions"].as_object().unwrap_or_else(|| panic!("{at}"));
                sizes.values().for_each(|size| int(size, &at));
            }
            ("GET", ["projects", _, "sessions", _]) => {
                summary(&data["session"], &at);
                text(&data["session"]["markdownContent"], &at);
            }
            ("PUT", ["projects", project, "sessions", session]) => {
                assert_eq!((&data["projectId"], &data["sessionId"]), (&(*project).into(), &(*session).into()), "{at}");
                time(&data["createdAt"], &at);
            }
            ("DELETE", ["projects", _, "sessions", _]) => assert_eq!(data["success"], true, "{at}"),
            ("DELETE", ["projects", _]) => {
                time(&data["deletedAt"], &at);
                for name in ["id", "ownerId", "name"] {
                    text(&data["deletedProject"][name], &at);
                }
                time(&data["deletedProject"]["createdAt"], &at);
                time(&data["deletedProject"]["updatedAt"], &at);
            }
            ("POST", ["search", "resume"]) => {
                for result in items(&data["results"], &at) {
                    for name in ["id", "clientId", "projectId", "projectName", "name", "snippet"] {
                        text(&result[name], &at);
                    }
                    int(&result["sessionDataSize"], &at);
                    time(&result["updatedAt"], &at);
                }
            }
            ("GET", ["billing", "entitlement"]) => {
                text(&data["plan"], &at);
                assert_eq!(data["features"]["resume"], true, "{at}");
            }
            _ => panic!("nobody reads {at}"),
        }
    }

    fn project(project: &Value, at: &str) {
        for name in ["id", "ownerId", "name", "icon", "color"] {
            text(&project[name], at);
        }
        for name in ["createdAt", "updatedAt", "lastUpdated"] {
            time(&project[name], at);
        }
        if let Some(sessions) = project.get("sessions") {
            items(sessions, at).iter().for_each(|session| summary(session, at));
        }
    }

    fn summary(session: &Value, at: &str) {
        for name in ["id", "clientId", "projectId", "name", "etag", "firstExchangeContent"] {
            text(&session[name], at);
        }
        for name in ["markdownSize", "rawDataSize", "exchangeCount"] {
            int(&session[name], at);
        }
        for name in ["createdAt", "updatedAt"] {
            time(&session[name], at);
        }
        assert!(session["metadata"].is_object(), "{at}");
    }

    fn text(value: &Value, at: &str) {
        assert!(value.is_string(), "{value} is no text in {at}");
    }

    fn int(value: &Value, at: &str) {
        assert!(value.is_u64(), "{value} is no integer in {at}");
    }

    fn time(value: &Value, at: &str) {
        assert!(value.as_str().is_some_and(is_time), "{value} is no time with a zone in {at}");
    }

    fn items<'a>(value: &'a Value, at: &str) -> &'a [Value] {
        value.as_array().unwrap_or_else(|| panic!("{value} is no list in {at}"))
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("packs");
    packer.finish().expect("packs")
}

fn recorded(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/specstory").join(file);
    let text = std::fs::read_to_string(path).expect("recordings are checked in");
    text.lines().map(|line| serde_json::from_str(line).expect("a request a line")).collect()
}
