//! Messages as markup.

use serde_json::json;

use super::*;

fn shown(messages: &[Message]) -> String {
    let messages: Vec<_> = messages.iter().cloned().enumerate().map(|(at, m)| (at as u32, m)).collect();
    let headings = HashMap::new();
    talk(&Talk { messages: &messages, base: "/projects/p/sessions/s", headings: &headings }, &mut Budget::none())
        .into_string()
}

fn call(id: &str, name: &str, input: serde_json::Value) -> Message {
    let block = ContentBlock::ToolUse { id: Some(id.to_owned()), name: name.to_owned(), input };
    Message { blocks: vec![block], ..Message::text(Role::Assistant, "") }
}

fn result(id: &str, output: &str, is_error: bool) -> Message {
    let block = ContentBlock::ToolResult { tool_use_id: Some(id.to_owned()), output: output.to_owned(), is_error };
    Message { blocks: vec![block], ..Message::text(Role::Tool, "") }
}

const EVIL: &str = "</code></pre></details><script>alert(1)</script>\"onclick=\"alert(1)";

#[test]
fn a_result_stands_with_its_call_and_once() {
    let html = shown(&[call("t1", "Bash", json!({ "command": "ls", "timeout": 5 })), result("t1", "main.rs", false)]);
    assert_eq!(html.matches("<details").count(), 1, "{html}");
    assert_eq!(html.matches("main.rs").count(), 1, "{html}");
    assert!(html.contains("Bash") && html.contains("<bdi>ls</bdi>") && html.contains("id=\"m1\""), "{html}");
    let alone = shown(&[result("t1", "main.rs", true)]);
    assert!(alone.contains("fold bad") && alone.contains("failed") && alone.contains("main.rs"), "{alone}");
    let twice = shown(&[call("t1", "Bash", json!({})), result("t1", "one", false), result("t1", "two", false)]);
    assert!(twice.contains("one") && twice.contains("two"), "{twice}");
}

#[test]
fn nothing_that_agents_wrote_becomes_markup() {
    let input = json!({ EVIL: EVIL, "command": EVIL, "list": [EVIL], "deep": { EVIL: EVIL }, "file_path": EVIL });
    let other = serde_json::Map::from_iter([(EVIL.to_owned(), json!(EVIL))]);
    let blocks = vec![
        ContentBlock::text(EVIL),
        ContentBlock::Thinking { text: EVIL.to_owned() },
        ContentBlock::ToolUse { id: Some(EVIL.to_owned()), name: EVIL.to_owned(), input },
        ContentBlock::ToolResult { tool_use_id: None, output: EVIL.to_owned(), is_error: false },
        ContentBlock::Image { media_type: Some(EVIL.to_owned()), source: Some(format!("javascript:{EVIL}")) },
        ContentBlock::Other { kind: EVIL.to_owned(), value: other },
    ];
    let model = Some(EVIL.to_owned());
    let html = shown(&[Message { blocks, model, ..Message::text(Role::User, "") }, result(EVIL, EVIL, true)]);
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("javascript:alert"), "{html}");
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        assert!(!tag.contains("onclick") && !tag.contains("javascript"), "<{tag}>");
    }
    // What was opened was closed: nothing ended a fold early.
    assert_eq!(html.matches("<details").count(), html.matches("</details>").count());
    assert_eq!(html.matches("<pre").count(), html.matches("</pre>").count());
}

#[test]
fn long_texts_are_cut_and_linked() {
    let long = "line of output\n".repeat(20_000);
    let html = shown(&[
        call("t", "Read", json!({ "file_path": "a.txt", "content": long })),
        result("t", &long, false),
        Message::text(Role::Assistant, long.clone()),
    ]);
    assert!(html.len() < 200_000, "{}", html.len());
    for at in 0..3 {
        assert!(html.contains(&format!("href=\"/projects/p/sessions/s/messages/{at}\"")), "{at}");
    }
    let heavy = call("t", "x", json!({ "a": (0..50_000).collect::<Vec<_>>() }));
    assert!(weight(&heavy) <= 200 + 2 * MAX_TOOL_BYTES);
    assert!(shown(&[heavy]).len() < 100_000);
}

#[test]
fn a_message_without_anything_to_see_is_only_an_anchor() {
    assert_eq!(shown(&[Message::text(Role::Assistant, " \n")]), "<span id=\"m0\"></span>");
}

#[test]
fn plain_text_holds_everything() {
    let message = Message {
        blocks: vec![
            ContentBlock::text("hello"),
            ContentBlock::ToolUse { id: None, name: "Bash".to_owned(), input: json!({ "command": "ls" }) },
            ContentBlock::ToolResult { tool_use_id: None, output: "x".repeat(100_000), is_error: true },
        ],
        ..Message::text(Role::Assistant, "")
    };
    let text = plain(&message);
    assert!(
        text.starts_with("hello\n\n[tool Bash]\n{\n  \"command\": \"ls\"\n}\n\n[result, failed]\nxxx"),
        "{text:.200}"
    );
    assert!(text.len() > 100_000);
}
