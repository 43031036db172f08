//! A server on which the first account has one of everything that a route can name, and its neighbours something of
//! their own.

use std::sync::Arc;

use serde_json::{Value, json};
use sg_app::{ModelClient, ModelEndpoint, ModelFault, ModelRequest, OfferedModel};
use sg_domain::Dialect;
use sg_rest::route::Route;

use super::world::World;
use crate::harness::{Answer, Setup, account};
use crate::scenario::{FORM, archive, form};

/// A word of the first account's session, and of nobody else's.
pub(crate) const MINE: &str = "heliotrope";

const SESSION: &str = "ses_00000000000000aa";
const TRASHED: &str = "ses_00000000000000bb";
const UPLOADED: &str = "ses_00000000000000cc";
const THIRD: &str = "ses_00000000000000dd";

/// See the module.
pub(crate) struct Full {
    pub(crate) world: World,
    pub(crate) ids: Ids,
}

/// What of the first account's a path can name.
pub(crate) struct Ids {
    pub(crate) session: &'static str,
    pub(crate) trashed: &'static str,
    pub(crate) alias: &'static str,
    /// A key that nobody asks with.
    key: String,
    /// The same of the other list of keys.
    personal_key: String,
    link: String,
    token: String,
    /// To a third account.
    pub(crate) sent: String,
    /// From the third account.
    pub(crate) received: String,
    audit: String,
    upload: String,
}

impl Full {
    pub(crate) async fn start() -> Self {
        let world = World::start_as(Setup { model: Arc::new(Judge), ..Setup::default() }).await;
        world.push("me", SESSION, &files(MINE)).await;
        world.push("me", TRASHED, &files("trashed")).await;
        world.push("other", "ses_00000000000000ee", &files("theirs")).await;
        let ids = Ids::make(&world).await;
        world.gateway.run_jobs().await;
        Self { world, ids }
    }

    /// The path of a route, its parts filled with what is the first account's.
    pub(crate) fn path<G>(&self, route: &Route<G>) -> String {
        let ids = &self.ids;
        let session = if route.name == "restore session" { ids.trashed } else { ids.session };
        let id = match route.name {
            "claim handoff" | "decline handoff" => &ids.received,
            _ if route.path.starts_with("/api/v1/handoffs") => &ids.sent,
            _ => session,
        };
        let key = if route.path.contains("/me/") { &ids.personal_key } else { &ids.key };
        let path = route.path.replace("{id}", id).replace("{key_id}", key).replace("{link_id}", &ids.link);
        let token = if route.name.starts_with("verify") { "no-such-token" } else { &ids.token };
        let path = path.replace("{token}", token).replace("{audit_id}", &ids.audit).replace("{upload_id}", &ids.upload);
        path.replace("{part}", "1").replace("{status}", "queued").replace("{*rest}", "acme/shop")
    }
}

impl Ids {
    async fn make(world: &World) -> Self {
        let third = account(&world.gateway.app, "third@example.com").await;
        let bearer = format!("Bearer {}", world.gateway.key_for(&third, Dialect::Sessionfs).await);
        let by_third = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let pushes = [("authorization", bearer.as_str()), ("content-type", FORM)];
        let path = format!("/api/v1/sessions/{THIRD}/sync");
        let pushed = world.send("nobody", "PUT", &path, &pushes, form(&packed("third"))).await;
        assert_eq!(pushed.status, 201, "{}", pushed.text());

        let session = format!("/api/v1/sessions/{SESSION}");
        let made = async |method, path: &str, body: Value| {
            let answer = world.tell("me", method, path, &body).await;
            let is_made = (200..300).contains(&answer.status) || is_unbuilt(&answer);
            assert!(is_made, "{method} {path}: {} {}", answer.status, answer.text());
            answer
        };
        made("DELETE", &format!("/api/v1/sessions/{TRASHED}?scope=cloud"), Value::Null).await;
        made("PUT", &format!("{session}/alias"), json!({ "alias": "my-alias" })).await;
        let key = made("POST", "/api/v1/auth/keys", json!({ "name": "spare" })).await;
        let personal_key = made("POST", "/api/v1/auth/me/api-keys", json!({ "name": "another" })).await;
        let link = made("POST", &format!("{session}/share"), json!({})).await;
        let handoff = |id: &str, to: &str| json!({ "session_id": id, "recipient_email": to, "message": MINE });
        let sent = made("POST", "/api/v1/handoffs", handoff(SESSION, "third@example.com")).await;
        made("POST", &format!("/api/v1/handoffs/{}/comments", text(&sent, "id")), json!({ "content": MINE })).await;
        let received = handoff(THIRD, "me@example.com").to_string().into_bytes();
        let received = world.send("nobody", "POST", "/api/v1/handoffs", &by_third, received).await;
        assert!(received.status == 201 || is_unbuilt(&received), "{}", received.text());
        let judge = json!({ "provider": "openai", "model": "judge-1", "api_key": "sk-judge" });
        made("PUT", "/api/v1/settings/judge", judge).await;
        made("POST", &format!("{session}/audit"), json!({})).await;
        world.gateway.run_jobs().await;
        let audits = world.get(&format!("{session}/audits")).await;
        let audit = audits.json()[0]["id"].as_str().unwrap_or(UNBUILT).to_owned();
        assert!(audit != UNBUILT || is_unbuilt(&audits), "{}", audits.text());
        made("POST", &format!("/api/v1/sync/watch/{SESSION}"), Value::Null).await;

        let file = packed("in parts");
        let digest = sg_domain::Digest::of(&file).to_string();
        let begun = json!({ "total_size": file.len(), "sha256": digest });
        let upload = made("POST", &format!("/api/v1/sessions/{UPLOADED}/uploads"), begun).await;
        let upload = text(&upload, "upload_id");
        let part = format!("/api/v1/uploads/{upload}/parts/1");
        let part = world.send("me", "PUT", &part, &[("x-part-sha256", &digest)], file).await;
        assert!(part.status < 300 || is_unbuilt(&part), "{} {}", part.status, part.text());

        let url = text(&link, "url");
        Self {
            session: SESSION,
            trashed: TRASHED,
            alias: "my-alias",
            key: text(&key, "key_id"),
            personal_key: text(&personal_key, "id"),
            link: text(&link, "link_id"),
            token: url.rsplit('/').next().expect("a token").to_owned(),
            sent: text(&sent, "id"),
            received: text(&received, "id"),
            audit,
            upload,
        }
    }
}

/// Stands for the id of what cannot be made yet.
const UNBUILT: &str = "not-yet";

/// Whether a route only says that it is being built: also that for uploads in parts, to which the client listens. Nothing
/// is once all are.
pub(crate) fn is_unbuilt(answer: &Answer) -> bool {
    let is_soon = answer.status == 501 && answer.text().contains("These routes are not available on this server");
    is_soon || (answer.status == 404 && answer.text().contains(r#""message":"Not Found""#))
}

fn text(answer: &Answer, name: &str) -> String {
    if is_unbuilt(answer) {
        return UNBUILT.to_owned();
    }
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", answer.text())).to_owned()
}

/// A session that holds everything, with a word of its own.
fn files(word: &str) -> [(&'static str, &'static str); 4] {
    let manifest = json!({ "sfs_version": "0.1.0", "title": format!("The {word} login"), "tags": [word],
        "source": { "tool": "claude-code", "original_session_id": word },
        "model": { "provider": "anthropic", "model_id": "claude-sonnet-4-5" },
        "stats": { "message_count": 4, "turn_count": 1, "tool_use_count": 1 } });
    let message = |id: &str, role: &str, block: Value| {
        json!({ "msg_id": id, "role": role, "content": [block], "timestamp": "2026-10-01T09:00:00Z" }).to_string()
    };
    let said = |text: String| json!({ "type": "text", "text": text });
    let used = json!({ "type": "tool_use", "tool_use_id": "t1", "name": "Bash", "input": { "command": "cargo test" } });
    let result = json!({ "type": "tool_result", "tool_use_id": "t1", "content": format!("3 passed of {word}") });
    let messages = [
        message("m1", "user", said(format!("Why does the {word} login fail after a restart?"))),
        message("m2", "assistant", used),
        message("m3", "tool", result),
        message("m4", "assistant", said(format!("I fixed the {word} login and all 3 tests pass now."))),
    ];
    let workspace = json!({ "root_path": format!("/home/ana/{word}"), "git": { "branch": "main" } });
    let tools = json!({ "tools_used": ["Bash", word] });
    // They live as long as the test does.
    let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    [
        ("manifest.json", kept(manifest.to_string())),
        ("messages.jsonl", kept(messages.join("\n"))),
        ("workspace.json", kept(workspace.to_string())),
        ("tools.json", kept(tools.to_string())),
    ]
}

/// The same as an archive.
pub(crate) fn packed(word: &str) -> Vec<u8> {
    archive(&files(word).map(|(name, text)| (name.to_owned(), text.to_owned())))
}

/// A model that finds one thing wrong, and tells what happened when it is asked that.
struct Judge;

#[async_trait::async_trait]
impl ModelClient for Judge {
    async fn ask(&self, _: &ModelEndpoint, request: &ModelRequest) -> Result<String, ModelFault> {
        if format!("{}{}", request.system, request.prompt).contains("what_happened") {
            let told = json!({ "what_happened": MINE, "key_decisions": [MINE], "outcome": "done", "open_issues": [] });
            return Ok(told.to_string());
        }
        Ok(json!([{ "claim_index": 0, "verdict": "hallucination", "confidence": 90, "category": "test_result",
            "evidence": MINE, "explanation": "it did not" }])
        .to_string())
    }

    async fn offered(&self, _: &ModelEndpoint) -> Result<Vec<OfferedModel>, ModelFault> {
        Ok(vec![OfferedModel { id: "judge-1".to_owned(), owned_by: "nobody".to_owned() }])
    }
}
