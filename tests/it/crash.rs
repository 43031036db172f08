//! A writer that is killed at any point leaves no row without its blob, and a sound database.
//!
//! The test runs this binary again as the writer: the variable names the folder to write to.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use sg_domain::{Digest, Session, Visibility};
use sg_store::{SessionContent, Spool, SpoolPlace, Store, StoreConfig};
use uuid::Uuid;

use crate::store_contract::sample::{exchanges, messages, owner, project, session};

const FOLDER: &str = "SG_TEST_CRASH_FOLDER";
const ROUNDS: u64 = 20;

fn config(folder: &str) -> StoreConfig {
    StoreConfig {
        database_url: format!("sqlite://{folder}/store.db"),
        blob_url: format!("file://{folder}/blobs"),
        blob_options: Vec::new(),
        max_connections: 2,
    }
}

/// The child: blob before row, for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells this run that it is the child")]
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = Store::open(&config(&folder)).await.unwrap();
    let ann = owner("ann");
    let key = project(&store, &ann, "p").await;
    loop {
        let id = Uuid::new_v4();
        let markdown = format!("{id} ").repeat(id.as_bytes()[0] as usize * 20 + 1);
        let mut new: Session = session(1, &ann, "p", key);
        new.id = sg_domain::SessionId(id);
        new.client_id = id.to_string();
        new.markdown_size = markdown.len() as u64;
        let place = SpoolPlace { folder: format!("{folder}/spool").into(), memory_bytes: 1 };
        let mut spool = Spool::new(place.into());
        spool.push(format!("raw {id}").as_bytes()).unwrap();
        new.blobs.raw = Some(store.blobs().put_content(&spool.finish().unwrap()).await.unwrap());
        new.blobs.session_data = None;
        new.blobs.markdown = store.blobs().put(markdown.into_bytes().into()).await.unwrap();
        let tx = store.begin().await.unwrap();
        let content = SessionContent { messages: &messages(70), exchanges: &exchanges(2) };
        tx.put_session(&new, Some(&content)).await.unwrap();
        tx.bump_version(&ann).await.unwrap();
        tx.commit().await.unwrap();
        println!("\ncommitted");
    }
}

#[test]
fn a_killed_writer_leaves_no_row_without_its_blob() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writer", "--nocapture", "--test-threads=1"])
            .env(FOLDER, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let commits = lines.map_while(Result::ok).filter(|line| line.contains("committed"));
        let wanted = 1 + round as usize % 3;
        assert_eq!(commits.take(wanted).count(), wanted, "the writer stopped by itself");
        // Somewhere in the next session: between two blobs, inside the transaction, at its commit.
        std::thread::sleep(Duration::from_micros(round * 7_919 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(check(path));
}

async fn check(folder: &str) {
    let store = Store::open(&config(folder)).await.unwrap();
    let sound = store.integrity().await.unwrap();
    assert_eq!(sound, Vec::<String>::new());
    let who = Visibility::Everyone;
    let count = store.session_count(&who, &Default::default()).await.unwrap();
    assert!(count >= ROUNDS, "only {count} sessions");
    assert_eq!(store.data_version(&owner("ann")).await.unwrap() as u64, count, "half a transaction was kept");
    let blobs = store.referenced_blobs().await.unwrap();
    assert_eq!(blobs.len() as u64, count * 2);
    for digest in blobs {
        let bytes = store.blobs().get(digest).await.unwrap().expect("the blob of a row");
        assert_eq!(Digest::of(&bytes), digest);
    }
    assert_eq!(std::fs::read_dir(format!("{folder}/spool")).unwrap().count(), 0);
    // What was put and never named is found, and removed once it is old.
    let orphans = store.blobs().list().await.unwrap().len() as u64 - count * 2;
    let later = sg_domain::Timestamp::from_secs(4_000_000_000);
    assert_eq!(store.blobs().sweep(&store, later).await.unwrap(), orphans);
    assert_eq!(store.blobs().list().await.unwrap().len() as u64, count * 2);
}
