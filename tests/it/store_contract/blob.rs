//! Blobs: bytes, damage, the sweep.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sg_domain::{Digest, ErrorKind, Timestamp};
use tokio::task::JoinSet;

use super::Fixture;
use super::sample::{owner, project, put, session};

fn file(f: &Fixture, digest: Digest) -> PathBuf {
    let name = digest.to_string();
    f.folder.path().join("blobs").join(&name[..2]).join(&name[2..4]).join(format!("{name}.zst"))
}

/// Makes a blob as old as if it had been stored in 2001.
fn age(f: &Fixture, digest: Digest) {
    let file = std::fs::File::options().write(true).open(file(f, digest)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
}

/// Everything older than this is old: 2017.
fn before() -> Timestamp {
    Timestamp::from_secs(1_500_000_000)
}

pub(crate) async fn bytes_come_back_as_they_were(f: &Fixture) {
    let blobs = f.store.blobs();
    let noise: Vec<u8> = (0..10 << 20_u32).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for bytes in [vec![], vec![0], b"a\0b\r\n\xff\xfe".to_vec(), vec![b'x'; 40_000], noise] {
        let digest = blobs.put(bytes.clone().into()).await.unwrap();
        assert_eq!(digest, Digest::of(&bytes));
        assert_eq!(blobs.put(bytes.clone().into()).await.unwrap(), digest);
        let found = blobs.get(digest).await.unwrap().unwrap();
        assert!(found == bytes, "{} bytes", bytes.len());
        assert!(blobs.exists(digest).await.unwrap());
    }
    assert_eq!(blobs.list().await.unwrap().len(), 5);
    assert_eq!(blobs.get(Digest::of(b"other")).await.unwrap(), None);
    assert!(!blobs.exists(Digest::of(b"other")).await.unwrap());
}

pub(crate) async fn a_damaged_blob_is_an_error(f: &Fixture) {
    let blobs = f.store.blobs();
    let (a, b) = (blobs.put(vec![b'a'; 999].into()).await.unwrap(), blobs.put(vec![b'b'; 999].into()).await.unwrap());
    std::fs::copy(file(f, a), file(f, b)).unwrap();
    assert_eq!(blobs.get(b).await.unwrap_err().kind, ErrorKind::Internal, "another content");
    std::fs::write(file(f, a), b"garbage").unwrap();
    assert_eq!(blobs.get(a).await.unwrap_err().kind, ErrorKind::Internal, "no content");
}

pub(crate) async fn the_sweep_takes_old_orphans_only(f: &Fixture) {
    let blobs = f.store.blobs();
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let named = session(6, &ann, "p", key);
    for bytes in ["markdown 6", "raw 6", "data 6", "old orphan", "young orphan", "put again"] {
        blobs.put(bytes.as_bytes().to_vec().into()).await.unwrap();
    }
    put(&f.store, std::slice::from_ref(&named)).await;
    let digest = |text: &str| Digest::of(text.as_bytes());
    for bytes in ["markdown 6", "raw 6", "data 6", "old orphan", "put again"] {
        age(f, digest(bytes));
    }
    blobs.put(b"put again".to_vec().into()).await.unwrap();
    // What a killed writer left behind.
    let staged = file(f, digest("old orphan")).with_extension("zst#1");
    std::fs::write(&staged, b"half").unwrap();
    let old = std::fs::File::options().write(true).open(&staged).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();

    let mut referenced = f.store.referenced_blobs().await.unwrap();
    referenced.sort();
    let mut wanted = vec![named.blobs.markdown, named.blobs.raw.unwrap(), named.blobs.session_data.unwrap()];
    wanted.sort();
    assert_eq!(referenced, wanted);
    assert_eq!(blobs.sweep(&f.store, before()).await.unwrap(), 1);
    for (bytes, stays) in [
        ("markdown 6", true),
        ("raw 6", true),
        ("data 6", true),
        ("old orphan", false),
        ("young orphan", true),
        ("put again", true),
    ] {
        assert_eq!(blobs.exists(digest(bytes)).await.unwrap(), stays, "{bytes}");
    }
    assert!(!staged.exists());
}

pub(crate) async fn a_sweep_beside_writers_loses_nothing(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    for round in 0..20_u128 {
        // Old orphans that a writer names again while the sweep runs.
        let numbers: Vec<u128> = (round * 4..round * 4 + 4).collect();
        let markdown = |n: u128| format!("markdown {n}").into_bytes();
        for n in &numbers {
            let digest = f.store.blobs().put(markdown(*n).into()).await.unwrap();
            age(f, digest);
        }
        let mut tasks = JoinSet::new();
        for n in numbers {
            let (store, ann) = (f.store.clone(), ann.clone());
            tasks.spawn(async move {
                store.blobs().put(markdown(n).into()).await.unwrap();
                let mut new = session(n, &ann, "p", key);
                (new.blobs.raw, new.blobs.session_data) = (None, None);
                put(&store, &[new]).await;
            });
        }
        let store = f.store.clone();
        tasks.spawn(async move {
            store.blobs().sweep(&store, before()).await.unwrap();
        });
        tasks.join_all().await;
    }
    let referenced = f.store.referenced_blobs().await.unwrap();
    assert_eq!(referenced.len(), 80);
    for digest in referenced {
        assert!(f.store.blobs().exists(digest).await.unwrap());
    }
}
