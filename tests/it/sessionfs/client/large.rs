//! An archive of more than 8 MiB travels: in parts, or in one piece where the server has no parts.

use base64::Engine as _;
use serde_json::json;

use super::{Stand, Version, scenarios};

scenarios!(a_large_session_travels);

/// Text that does not pack: what base64 makes of numbers that follow no pattern.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let numbers = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let bytes: Vec<u8> = numbers.take(bytes / 8).flatten().collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn a_large_session_travels(stand: &Stand) {
    let first = stand.sign_up(Version::New, "ana@example.com");
    first.claude_says(1, "user", "What is in this file?");
    first.claude_says(1, "assistant", &noise(9 * 1024 * 1024));
    let id = first.import(1, "And now?", "Nothing that I know.");
    let said = first.ok(&["push", &id]);
    assert!(said.contains(&format!("Created remote session {id}")), "{said}");
    let pushed = stand.get(&first, &format!("/api/v1/sessions/{id}"));
    assert!(pushed["blob_size_bytes"].as_u64() > Some(8 * 1024 * 1024), "it is not packed small: {pushed}");
    assert_eq!(pushed["etag"], first.etag(&id));
    assert_eq!(pushed["message_count"], json!(4));

    let second = stand.second(&first);
    second.ok(&["pull", &id]);
    assert!(second.file(&id, "messages.jsonl") == first.file(&id, "messages.jsonl"), "not the same bytes");

    // The rules of a push hold for parts as well.
    first.goes_on(&id, "Said on the first device.");
    first.ok(&["push", &id]);
    let said = second.ends(&["push", &id], 1);
    assert!(said.contains("Conflict: remote session was updated"), "{said}");
    let left = first.home().join(".sessionfs/uploads");
    let left = std::fs::read_dir(left).into_iter().flatten().count();
    assert_eq!(left, 0, "an upload was left unfinished");
}
