//! Pushing and pulling archives.

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_session_is_a_session_like_any_other() {
    let world = World::start().await;
    let manifest = r#"{"sfs_version":"0.1.0","session_id":"ses_0000000000000001","title":"Why the login fails",
        "source":{"tool":"claude-code"},"stats":{"message_count":2}}"#;
    let messages = r#"{"msg_id":"m1","role":"user","content":[{"type":"text","text":"Why does the login fail?"}]}
{"msg_id":"m2","role":"assistant","content":[{"type":"text","text":"The token is too old."}]}"#;
    let files = [("manifest.json", manifest), ("messages.jsonl", messages)];
    let pushed = world.push("me", "ses_0000000000000001", &files).await;
    assert_eq!(pushed["session_id"], "ses_0000000000000001");
    world.gateway.run_jobs().await;
    let data =
        world.gateway.graphql("{ sessions { nodes { clientId name messages { total } } } }", serde_json::json!({}));
    let node = data.await["sessions"]["nodes"][0].clone();
    assert_eq!(node["name"], "Why the login fails", "{node}");
}
