//! Doctor: finds what does not agree, repairs what can be.

use std::path::PathBuf;

use crate::harness::{Gateway, Sample};

/// Every file below a folder.
fn files(dir: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() { found.extend(files(entry)) } else { found.push(entry) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_blob_is_named() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    let session = gateway.seed(Sample::new("s1")).await;
    gateway.seed(Sample::new("s2")).await;
    let found = gateway.app.diagnose(me).await.unwrap();
    assert!(found.is_healthy(), "{found:?}");
    assert_eq!((found.sessions, found.blobs), (2, 2));

    let digest = session.blobs.markdown.to_string();
    let lost = files(gateway.dir().join("blobs")).into_iter().filter(|f| f.to_string_lossy().contains(&digest));
    assert_eq!(lost.map(|file| std::fs::remove_file(file).unwrap()).count(), 1);
    let found = gateway.app.diagnose(me).await.unwrap();
    assert_eq!(found.broken_sessions, [session.id]);
    // A reader gets a masked error, not a panic or a wrong answer.
    let error = gateway.app.markdown(me, &session).await.unwrap_err();
    assert_eq!(error.kind, sg_domain::ErrorKind::Internal);

    // The same upload again brings it back, though its row says that nothing has changed.
    gateway.app.put_session(me, Sample::new("s1").into_new()).await.unwrap();
    gateway.run_jobs().await;
    assert!(gateway.app.diagnose(me).await.unwrap().is_healthy());
    assert!(!gateway.app.markdown(me, &session).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_missing_from_the_index_is_indexed_again() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    gateway.put(&gateway.me, Sample::new("s1").user("marmalade")).await;
    let found = gateway.app.diagnose(me).await.unwrap();
    assert_eq!(found.stale_in_index.len(), 1);
    let repair = gateway.app.repair(me, &found).await.unwrap();
    assert_eq!(repair.reindexed, 1);
    gateway.run_jobs().await;
    assert!(gateway.app.diagnose(me).await.unwrap().is_healthy());
    assert_eq!(super::search::found(&gateway, "marmalade").await, ["s1"]);
}
