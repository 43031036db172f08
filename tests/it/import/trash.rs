//! Files whose sessions were deleted: an import leaves those in the trash.

use sg_app::import::{ImportOptions, ImportOutcome, Workspace};
use sg_domain::PageRequest;
use sg_domain::id::SessionRef;

use super::{AS_ALWAYS, file, import};
use crate::harness::Gateway;

const ID: &str = "0b7e5c1e-6f0a-4d7e-9a53-1c2f4d5e6a70";

fn content(turns: usize) -> String {
    let line = |turn: usize| {
        let said = serde_json::json!({
            "type": "user", "uuid": format!("u{turn}"), "sessionId": ID, "cwd": "/home/ada/orchard",
            "timestamp": format!("2026-02-03T09:00:{turn:02}Z"),
            "message": { "role": "user", "content": format!("turn {turn}") },
        });
        format!("{said}\n")
    };
    (0..turns).map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_does_not_come_back_by_itself() {
    let gateway = Gateway::start().await;
    let (app, me) = (&gateway.app, &gateway.me.caller);
    let path = format!("/home/ada/.claude/projects/-home-ada-orchard/{ID}.jsonl");
    let outcome = async |turns| import(app, me, vec![file(&path, content(turns))]).await[0].sessions[0].outcome;
    assert_eq!(outcome(2).await, ImportOutcome::Created);
    let stored = app.session(me, &SessionRef::Client(ID.to_owned())).await.unwrap();
    app.delete_session(me, &SessionRef::Id(stored.id)).await.unwrap();
    // The same file is known, and one that has grown is read; neither brings it back.
    assert_eq!(outcome(2).await, ImportOutcome::Unchanged);
    assert_eq!(outcome(3).await, ImportOutcome::InTrash);
    let importer = app.importer(me, ImportOptions { dry_run: true, ..AS_ALWAYS }, None).await.unwrap();
    let report = importer.store(importer.read(file(&path, content(3))), |_| Workspace::default()).await.unwrap();
    assert_eq!(report.sessions[0].outcome, ImportOutcome::InTrash, "a dry run says so too");
    assert_eq!(app.trashed_sessions(me, &PageRequest::all()).await.unwrap().items.len(), 1);
    assert!(app.session(me, &SessionRef::Client(ID.to_owned())).await.is_err());
    // Restored, what was added meanwhile comes in: the file was not noted as done.
    let restored = app.restore_session(me, stored.id, None).await.unwrap();
    assert_eq!(restored.counts.messages, 2);
    assert_eq!(outcome(3).await, ImportOutcome::Updated);
    let now = app.session(me, &SessionRef::Id(stored.id)).await.unwrap();
    assert_eq!(now.counts.messages, 3);
    // Purged, it is nobody's any more: a file that grows is a new session.
    app.delete_session(me, &SessionRef::Id(stored.id)).await.unwrap();
    app.purge_session(me, stored.id, None).await.unwrap();
    assert_eq!(outcome(3).await, ImportOutcome::Unchanged, "this file is done with");
    assert_eq!(outcome(4).await, ImportOutcome::Created);
    gateway.run_jobs().await;
}
