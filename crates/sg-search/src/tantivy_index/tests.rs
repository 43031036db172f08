//! What the files of the index survive: kills, damage, other versions, other processes. What any engine must do stands
//! in the contract suite.

use std::fs;
use std::path::Path;

use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    Digest, ErrorKind, Message, ProjectId, ProjectKey, RankBy, Role, Session, SessionFilter, SessionMetadata,
    ShareStatus, Timestamp, TokenUsage, UserId, Visibility,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn document(n: u128, text: &str) -> SessionDocument {
    let session = Session {
        id: SessionId(Uuid::from_u128(n)),
        client_id: n.to_string(),
        project_key: ProjectKey(Uuid::nil()),
        project_id: ProjectId::new("p").unwrap(),
        owner: UserId("user_a".into()),
        name: "n".into(),
        user_title: None,
        alias: None,
        format: "f".into(),
        parent_client_id: None,
        agent_id: None,
        started_at: None,
        ended_at: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        activity_at: Timestamp::default(),
        etag: "e".into(),
        markdown_size: 0,
        raw_data_size: 0,
        session_data_size: None,
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: String::new(),
        share_status: ShareStatus::default(),
        metadata: SessionMetadata::default(),
        blobs: SessionBlobs { markdown: Digest::of(b""), raw: None, session_data: None },
    };
    let messages = vec![Message::text(Role::User, text)];
    SessionDocument { session, project_name: "p".into(), messages, exchanges: Vec::new() }
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        visibility: Visibility::everyone(),
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 10,
        offset: 0,
        facets: Vec::new(),
        snippets: true,
        messages_per_hit: 1,
        now: Timestamp::default(),
    }
}

fn config(folder: &TempDir) -> TantivyConfig {
    TantivyConfig { writer_memory_bytes: 15_000_000, ..TantivyConfig::new(folder.path().join("index")) }
}

fn open(folder: &TempDir) -> TantivyIndex {
    TantivyIndex::open(config(folder)).unwrap()
}

async fn total(index: &TantivyIndex, text: &str) -> u64 {
    index.search(query(text)).await.unwrap().total
}

/// An index that was filled by a rebuild and closed.
async fn filled(folder: &TempDir, count: u128) {
    let index = open(folder);
    assert!(index.status().needs_rebuild, "a new one is empty");
    let mut rebuild = index.rebuild().await.unwrap();
    for n in 0..count {
        rebuild.put(document(n, "otter")).await.unwrap();
    }
    rebuild.finish().await.unwrap();
    assert!(!index.status().needs_rebuild);
}

fn generations(folder: &TempDir) -> Vec<String> {
    let names =
        fs::read_dir(folder.path().join("index")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("generation-")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    filled(&folder, 5).await;
    let index = open(&folder);
    assert!(!index.status().needs_rebuild);
    assert_eq!((total(&index, "otter").await, index.status().sessions), (5, 5));
    index.put(document(9, "otter uncommitted")).await.unwrap();
    drop(index);
    let index = open(&folder);
    assert_eq!(total(&index, "otter").await, 5);
    assert_eq!(generations(&folder).len(), 1, "one generation is left of the rebuild");
}

#[tokio::test]
async fn until_a_first_rebuild_every_start_asks_for_one() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    index.put(document(1, "otter")).await.unwrap();
    index.commit().await.unwrap();
    drop(index);
    let index = open(&folder);
    assert!(index.status().needs_rebuild);
    assert_eq!(total(&index, "otter").await, 1);
}

#[tokio::test]
async fn damage_of_any_file_is_noticed() {
    let folder = TempDir::new().unwrap();
    filled(&folder, 30).await;
    let whole = TempDir::new().unwrap();
    copy(folder.path(), whole.path());
    let serving = whole.path().join("index").join(generations(&whole).remove(0));
    let files: Vec<_> = fs::read_dir(&serving).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(files.len() > 5);
    for name in files {
        let text = name.to_str().unwrap().to_owned();
        for how in ["truncate", "garbage", "remove"] {
            if text.ends_with(".lock") || (text == ".managed.json" && how == "remove") {
                continue;
            }
            let copied = TempDir::new().unwrap();
            copy(whole.path(), copied.path());
            let path = copied.path().join("index").join(generations(&copied).remove(0)).join(&name);
            let bytes = fs::read(&path).unwrap();
            match how {
                "truncate" => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
                "garbage" => fs::write(&path, bytes.iter().map(|b| b ^ 0x5a).collect::<Vec<_>>()).unwrap(),
                _ => fs::remove_file(&path).unwrap(),
            }
            let index = open(&copied);
            assert!(index.status().needs_rebuild, "{how} {text}");
            assert_eq!(total(&index, "otter").await, 0, "{how} {text}");
            index.put(document(1, "otter")).await.unwrap();
            index.commit().await.unwrap();
            assert_eq!(total(&index, "otter").await, 1, "{how} {text}");
            assert_eq!(generations(&copied).len(), 1, "{how} {text}: the damaged one is removed");
        }
    }
}

#[tokio::test]
async fn another_version_or_something_foreign_is_replaced() {
    let wrong = [
        r#"{"fingerprint":"older","generation":2,"complete":true}"#,
        "{}",
        "not json",
        "",
        r#"{"fingerprint":"x","generation":99999999999999999999,"complete":true}"#,
    ];
    for text in wrong {
        let folder = TempDir::new().unwrap();
        filled(&folder, 2).await;
        fs::write(folder.path().join("index/current.json"), text).unwrap();
        let index = open(&folder);
        assert!(index.status().needs_rebuild, "{text}");
        assert_eq!(total(&index, "otter").await, 0, "{text}");
        assert_eq!(generations(&folder).len(), 1, "{text}");
    }
    // A folder with other things in it: they stay.
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("index")).unwrap();
    fs::write(folder.path().join("index/meta.json"), "{}").unwrap();
    assert!(open(&folder).status().needs_rebuild);
    assert!(folder.path().join("index/meta.json").exists());
}

#[tokio::test]
async fn a_crash_while_rebuilding_leaves_the_old_index() {
    let folder = TempDir::new().unwrap();
    filled(&folder, 4).await;
    let index = open(&folder);
    let mut rebuild = index.rebuild().await.unwrap();
    rebuild.put(document(1, "otter")).await.unwrap();
    // What a killed process would leave: the folders as they are now.
    let crashed = TempDir::new().unwrap();
    copy(folder.path(), crashed.path());
    assert_eq!(generations(&crashed).len(), 2);
    let after = open(&crashed);
    assert_eq!((total(&after, "otter").await, after.status().needs_rebuild), (4, false));
    assert_eq!(generations(&crashed).len(), 1, "the half-built one is removed");
    // Killed between the swap and the removal of the old one.
    rebuild.finish().await.unwrap();
    drop(index);
    fs::create_dir_all(folder.path().join("index/generation-1")).unwrap();
    fs::write(folder.path().join("index/current.json.new"), "{").unwrap();
    assert_eq!(total(&open(&folder), "otter").await, 1);
    assert_eq!(generations(&folder).len(), 1);
}

#[tokio::test]
async fn one_process_writes_and_others_follow() {
    let folder = TempDir::new().unwrap();
    let missing = TantivyIndex::open_read_only(config(&folder)).err().unwrap();
    assert_eq!(missing.kind, ErrorKind::Unavailable);
    let index = open(&folder);
    let busy = TantivyIndex::open(config(&folder)).err().unwrap();
    assert_eq!(busy.kind, ErrorKind::Unavailable);
    assert!(busy.message.starts_with("another process has this index open"), "{}", busy.message);
    let reader = TantivyIndex::open_read_only(config(&folder)).unwrap();
    assert_eq!(total(&reader, "otter").await, 0);
    index.put(document(1, "otter")).await.unwrap();
    index.commit().await.unwrap();
    assert_eq!(total(&reader, "otter").await, 1, "sees commits");
    let mut rebuild = index.rebuild().await.unwrap();
    rebuild.put(document(1, "otter")).await.unwrap();
    rebuild.put(document(2, "otter")).await.unwrap();
    rebuild.finish().await.unwrap();
    assert_eq!(total(&reader, "otter").await, 2, "sees swaps");
    assert_eq!(reader.sessions().await.unwrap().len(), 2);
    assert_eq!(reader.status().sessions, 2);
    for refused in
        [reader.put(document(3, "x")).await, reader.remove(SessionId(Uuid::nil())).await, reader.commit().await]
    {
        assert_eq!(refused.err().map(|e| e.kind), Some(ErrorKind::Unavailable));
    }
    assert!(reader.rebuild().await.is_err());
    drop((index, reader));
    open(&folder);
}

#[tokio::test]
async fn many_commits_keep_segments_and_files_few() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    for n in 0..60 {
        index.put(document(n % 20, &format!("otter {n}"))).await.unwrap();
        index.commit().await.unwrap();
    }
    assert_eq!(total(&index, "otter").await, 20);
    drop(index);
    let index = open(&folder);
    assert_eq!(total(&index, "otter").await, 20);
    let segments = index.inner.view.read().segments.len();
    assert!(segments <= 14, "{segments} segments");
}

#[tokio::test]
async fn sessions_larger_than_the_budget_pass_one_by_one() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let text: String = (0..400_000).map(|n| format!("word{} ", n % 5_000)).collect();
    for n in 0..3 {
        index.put(document(n, &format!("{text} last{n}"))).await.unwrap();
    }
    index.commit().await.unwrap();
    assert_eq!(total(&index, "word4999 last2").await, 1);
    assert_eq!(index.status().sessions, 3);
}

/// The folder as a crash at this moment would leave it. The engine removes files it has merged while this copies; then
/// what was copied is of no one moment, and it is done again.
fn copy(from: &Path, to: &Path) {
    while let Err(error) = try_copy(from, to) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
        fs::remove_dir_all(to).unwrap();
        fs::create_dir_all(to).unwrap();
    }
}

fn try_copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            try_copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
