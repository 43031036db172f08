//! Values to store: every field set to something that tells it from the others.

use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    ContentBlock, Digest, Exchange, Message, ProjectId, ProjectKey, Role, Session, SessionId, SessionMetadata,
    ShareStatus, Timestamp, TokenUsage, UserId,
};
use sg_store::{SessionContent, Store};
use uuid::Uuid;

pub(crate) fn owner(name: &str) -> UserId {
    UserId(format!("user_{name}"))
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(1_768_582_000 + second)
}

pub(crate) fn session_id(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x5e55 << 96 | n))
}

/// The owner's project with this id, made when there is none.
pub(crate) async fn project(store: &Store, owner: &UserId, id: &str) -> ProjectKey {
    let tx = store.begin().await.unwrap();
    let id = ProjectId::new(id).unwrap();
    let key = ProjectKey(Uuid::new_v4());
    let key = tx.ensure_project(owner, &id, &format!("name of {id}"), key, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    key
}

/// A session with every field set.
pub(crate) fn session(n: u128, owner: &UserId, project_id: &str, project_key: ProjectKey) -> Session {
    let second = i64::try_from(n).unwrap();
    Session {
        id: session_id(n),
        client_id: format!("client-{n}"),
        project_key,
        project_id: ProjectId::new(project_id).unwrap(),
        owner: owner.clone(),
        name: format!("2026-01-16_{n:05}.md"),
        user_title: Some(format!("title 日本 {n}")),
        alias: None,
        format: "claude-code".to_owned(),
        parent_client_id: (n % 3 == 0).then(|| "client-1".to_owned()),
        agent_id: (n % 3 == 0).then(|| format!("agent-{n}")),
        started_at: Some(at(second - 60)),
        ended_at: (n % 4 != 0).then(|| at(second)),
        created_at: at(second + 1),
        updated_at: at(second + 2).plus_micros(123_456),
        activity_at: at(second),
        etag: format!("{n:064x}"),
        markdown_size: 1_000 + n as u64,
        raw_data_size: 5_000_000_000 + n as u64,
        session_data_size: (n % 2 == 0).then_some(n as u64),
        counts: SessionCounts { messages: 4, turns: 2, tool_uses: 1, exchanges: 2 },
        usage: TokenUsage { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 5 },
        first_exchange: format!("fix the \"build\" {n}\n\u{1f600}"),
        share_status: if n % 2 == 0 { ShareStatus::Private } else { ShareStatus::Unlisted },
        metadata: SessionMetadata {
            client_name: Some("specstory-cli".to_owned()),
            client_version: Some("1.2.3".to_owned()),
            agent_name: Some(["Claude Code", "Codex CLI"][n as usize % 2].to_owned()),
            agent_version: Some("4".to_owned()),
            device_id: Some(format!("device-{}", n % 2)),
            machine_name: Some("laptop".to_owned()),
            git_branches: Some(vec!["main".to_owned(), format!("topic/{}", n % 3), "main".to_owned()]),
            llm_models: Some(vec![format!("model-{}", n % 2)]),
            tags: if n % 2 == 0 { Some(vec!["späť".to_owned(), "b".to_owned()]) } else { None },
            title: Some(format!("client title {n}")),
            markdown_version: Some("v2.1.0".to_owned()),
            summary: Some("a summary".to_owned()),
            folder: Some(format!("/home/u/proj{}/sub", n % 2)),
            git_remote: Some("github.com/o/r".to_owned()),
        },
        blobs: SessionBlobs {
            markdown: Digest::of(format!("markdown {n}").as_bytes()),
            raw: (n % 2 == 0).then(|| Digest::of(format!("raw {n}").as_bytes())),
            session_data: (n % 3 == 0).then(|| Digest::of(format!("data {n}").as_bytes())),
        },
    }
}

/// A conversation: every kind of block, large and small bodies, raw fields, NUL.
pub(crate) fn messages(count: usize) -> Vec<Message> {
    (0..count)
        .map(|n| {
            let mut message =
                Message::text(Role::ALL[n % 4], format!("message {n} \0 {}", "words ".repeat(n % 5 * 100)));
            message.source_id = Some(format!("source-{n}"));
            message.parent_source_id = n.checked_sub(1).map(|n| format!("source-{n}"));
            message.model = (n % 4 == 1).then(|| "model-1".to_owned());
            message.usage = (n % 4 == 1).then_some(TokenUsage { input: n as u64, output: 7, ..TokenUsage::default() });
            message.at = (n % 5 != 0).then(|| at(n as i64).plus_micros(5));
            message.is_sidechain = n % 7 == 0;
            message.agent_id = (n % 7 == 0).then(|| "agent-7".to_owned());
            if n % 4 == 1 {
                message.blocks.push(ContentBlock::Thinking { text: "hm".to_owned() });
                message.blocks.push(ContentBlock::ToolUse {
                    id: Some(format!("tool-{n}")),
                    name: "Bash".to_owned(),
                    input: serde_json::json!({"command": "cargo test", "n": [1, 2.5, null]}),
                });
            }
            if n % 4 == 3 {
                message.blocks.push(ContentBlock::ToolResult {
                    tool_use_id: Some(format!("tool-{}", n - 2)),
                    output: "ok".to_owned(),
                    is_error: true,
                });
            }
            message.raw.insert("cwd".to_owned(), "/home/u/proj".into());
            message.raw.insert("unknown".to_owned(), serde_json::json!({"deep": [{"a": "\u{0}"}]}));
            message
        })
        .collect()
}

pub(crate) fn exchanges(count: u32) -> Vec<Exchange> {
    (0..count)
        .map(|ordinal| Exchange {
            ordinal,
            start: u64::from(ordinal) * 100,
            end: u64::from(ordinal) * 100 + 90,
            started_at: Some(at(i64::from(ordinal))),
            ended_at: None,
            user_title: None,
            hidden_from_share: false,
        })
        .collect()
}

/// Stores sessions in one transaction.
pub(crate) async fn put(store: &Store, sessions: &[Session]) {
    let tx = store.begin().await.unwrap();
    for session in sessions {
        tx.put_session(session, None).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Stores a session with a conversation; the number of statements that took.
pub(crate) async fn put_with(store: &Store, session: &Session, messages: &[Message], exchanges: &[Exchange]) -> u64 {
    let before = store.statements();
    let tx = store.begin().await.unwrap();
    tx.put_session(session, Some(&SessionContent { messages, exchanges })).await.unwrap();
    tx.commit().await.unwrap();
    store.statements() - before
}
